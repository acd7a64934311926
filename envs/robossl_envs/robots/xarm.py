"""The UFACTORY xArm 6 with its gripper out of pybullet_data."""

from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.meshes import Source, build_robot
from robossl_envs.simulation.scene import RobotSpec

SOURCE = Source(
    "xarm/xarm6_with_gripper.urdf",
    tool=("xarm_tool", "xarm_gripper_base_link", 0.162),
    rubber=("left_finger", "right_finger"),
)
"""The tool lies 1 cm above the fingertips when they hold something."""
HALF_OPEN_RAD = 0.39
"""Drive angle where the fingers stay as they are, nearly as far apart as the Panda's: further apart, the smallest puck
of `full` would slip through between them."""
CLOSED_RAD = 0.85
NUM_FINGER_JOINTS = 6
"""The drive, and five joints that its linkage moves by the same angle."""

WRIST = Camera(
    name="wrist",
    position_m=(0.1, 0.0, 0.02),
    target_m=(0.03, 0.0, 0.2),
    up=(1.0, 0.0, 0.0),
    fov_y_rad=1.2,
    mounted_on="xarm_gripper_base_link",
)
"""Rides on the gripper and looks along the fingers."""


def xarm() -> RobotSpec:
    """Return the xArm 6 with low-polygon visuals, half-open gripper, hand over the middle of the table."""
    linkage = ("left_finger", "left_inner_knuckle", "right_outer_knuckle", "right_finger", "right_inner_knuckle")
    return RobotSpec(
        name="xarm",
        urdf=build_robot("xarm", SOURCE).urdf,
        joints=(*(f"joint{i}" for i in range(1, 7)), "drive_joint", *(f"{name}_joint" for name in linkage)),
        home_rad=(0.0, -0.15, -0.95, 0.0, 1.1, 0.0, *[HALF_OPEN_RAD] * NUM_FINGER_JOINTS),
        max_forces=(50.0, 50.0, 32.0, 32.0, 32.0, 20.0, 1.5, *[0.0] * (NUM_FINGER_JOINTS - 1)),
        end_effector="xarm_tool",
        gripper_open=(0.0,) * NUM_FINGER_JOINTS,
        gripper_closed=(CLOSED_RAD,) * NUM_FINGER_JOINTS,
        finger_offset_m=0.089,
        finger_weights_m=(-0.103, *[0.0] * (NUM_FINGER_JOINTS - 1)),
        pads=(
            ("left_finger", (0.0, -0.0225, 0.0405), (0.016, 0.004, 0.0205)),
            ("right_finger", (0.0, 0.0225, 0.0405), (0.016, 0.004, 0.0205)),
        ),
        pad_friction=2.0,
        wrist=WRIST,
        base_position_m=(0.05, 0.0, 0.0),
        leader="drive_joint",
        self_collides=False,
    )
