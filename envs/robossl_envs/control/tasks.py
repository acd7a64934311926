"""Every control task by the name that its id is registered with."""

from robossl_envs.control.ball_on_plate import BallOnPlate
from robossl_envs.control.cart_pole import CartPoleSwingUp
from robossl_envs.control.navigation import RoomNavigation
from robossl_envs.control.reacher import TwoLinkReacher
from robossl_envs.control.task import ControlTask

TASKS: dict[str, type[ControlTask]] = {
    "cart_pole": CartPoleSwingUp,
    "reacher": TwoLinkReacher,
    "ball_on_plate": BallOnPlate,
    "navigation": RoomNavigation,
}
