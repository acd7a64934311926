"""Gymnasium envs of robossl: robot arms on PyBullet, with MuJoCo as the engine that no training sees."""

import gymnasium as gym

from robossl_envs.arms import ARM_IDS

ENV_IDS = tuple(ARM_IDS)

for _id, (_robot, _task) in ARM_IDS.items():
    gym.register(id=_id, entry_point="robossl_envs.env:RobotEnv", kwargs={"task": _task, "robot": _robot})

CONTROL_IDS = (
    "robossl/CartPoleSwingUp-v0",
    "robossl/TwoLinkReacher-v0",
    "robossl/BallOnPlate-v0",
    "robossl/RoomNavigation-v0",
)

for _task, _id in zip(("cart_pole", "reacher", "ball_on_plate", "navigation"), CONTROL_IDS, strict=True):
    gym.register(id=_id, entry_point="robossl_envs.control.env:ControlEnv", kwargs={"task": _task})
