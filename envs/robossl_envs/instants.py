"""Instants that no engine has to reach: the visual state of a layout."""

import numpy as np
from jaxtyping import Float

from robossl_envs.robots.robot import Robot
from robossl_envs.simulation.articulation import part_poses
from robossl_envs.simulation.scene import SceneSpec
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.tasks.task import Layout

_UPRIGHT = np.array([0.0, 0.0, 0.0, 1.0])


def set_layout(layout: Layout, simulation: Simulation, scene: SceneSpec, robot: Robot) -> None:
    """Put a simulation into a layout, at rest."""
    robot.reset(simulation, layout.end_effector_m)
    for name, position_m in layout.bodies_m.items():
        simulation.set_body_pose(name, position_m)
    for item in scene.articulated:
        simulation.set_opening(item.name, layout.openings.get(item.name, 0.0))


def visual_state(layout: Layout, scene: SceneSpec, robot: Robot) -> Float[np.ndarray, " X"]:
    """Return what a renderer needs to draw a layout, such as a task's solved one."""
    numbers = [robot.joints_at(layout.end_effector_m, grip=layout.grip)]
    for body in scene.bodies:
        numbers += [np.asarray(layout.bodies_m.get(body.name, body.position_m)), np.asarray(body.quaternion)]
    for item in scene.articulated:
        base = np.asarray(layout.bodies_m.get(item.name, item.position_m)), _UPRIGHT
        for pose in part_poses(item, base, layout.openings.get(item.name, 0.0)):
            numbers += pose
    return np.concatenate(numbers)
