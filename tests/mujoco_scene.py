"""The scene of the tests of MuJoCo. For tests only."""

from robossl_envs.rendering.look import Look, Surface
from robossl_envs.robots.panda import panda
from robossl_envs.simulation.scene import BodySpec, SceneSpec

CUBE_M = 0.03
SCENE = SceneSpec(
    robot=panda(),
    bodies=(
        BodySpec(name="table", shape="box", size_m=(0.45, 0.6, 0.02), position_m=(0.4, 0.0, -0.02)),
        BodySpec(name="object", shape="box", size_m=(CUBE_M,) * 3, position_m=(0.5, 0.1, CUBE_M), mass_kg=0.2),
        BodySpec(
            name="goal", shape="cylinder", size_m=(0.06, 0.002, 0.0), position_m=(0.55, -0.1, 0.002), collides=False
        ),
    ),
)
LOOK = Look(
    surfaces={
        "table": Surface(rgb=(0.5, 0.5, 0.5)),
        "object": Surface(rgb=(0.9, 0.1, 0.1)),
        "goal": Surface(rgb=(0.1, 0.9, 0.1)),
        "robot": Surface(rgb=(0.9, 0.9, 1.0)),
    }
)
LINKS = ("panda_link3", "panda_hand", "panda_leftfinger", "panda_rightfinger", "panda_grasptarget")
