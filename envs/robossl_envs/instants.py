"""Instants that no engine has to reach: the visual state of a layout."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from robossl_envs.randomization.scenery import Staging
from robossl_envs.robots.robot import Robot
from robossl_envs.simulation.articulation import part_poses
from robossl_envs.simulation.scene import SceneSpec
from robossl_envs.simulation.simulation import Simulation
from robossl_envs.tasks.task import Layout

_UPRIGHT = np.array([0.0, 0.0, 0.0, 1.0])
_PLAIN = Staging()


def set_layout(
    layout: Layout, simulation: Simulation, scene: SceneSpec, robot: Robot, staging: Staging = _PLAIN
) -> None:
    """Put a simulation into a layout, at rest."""
    robot.reset(simulation, layout.end_effector_m + staging.up_m(robot.spec.end_effector))
    for name, position_m in _places_m(layout, scene, staging).items():
        simulation.set_body_pose(name, position_m)
    for item in scene.articulated:
        simulation.set_opening(item.name, layout.openings.get(item.name, 0.0))


def visual_state(layout: Layout, scene: SceneSpec, robot: Robot, staging: Staging = _PLAIN) -> Float[np.ndarray, " X"]:
    """Return what a renderer needs to draw a layout, such as a task's solved one."""
    end_effector_m = layout.end_effector_m + staging.up_m(robot.spec.end_effector)
    places_m = _places_m(layout, scene, staging)
    numbers = [robot.joints_at(end_effector_m, grip=layout.grip)]
    for body in scene.bodies:
        numbers += [np.asarray(places_m.get(body.name, body.position_m)), np.asarray(body.quaternion)]
    for item in scene.articulated:
        base = np.asarray(places_m.get(item.name, item.position_m)), _UPRIGHT
        for pose in part_poses(item, base, layout.openings.get(item.name, 0.0)):
            numbers += pose
    return np.concatenate(numbers)


def _places_m(layout: Layout, scene: SceneSpec, staging: Staging) -> Mapping[str, Float[np.ndarray, "3"]]:
    """Return where everything is that does not stand where the scene has it."""
    if staging.is_plain:
        return layout.bodies_m
    own = {body.name: body.position_m for body in scene.bodies if body.name not in staging.loaded}
    own |= {item.name: item.position_m for item in scene.articulated}
    above_m = {name: place_m + staging.up_m(name) for name, place_m in {**own, **layout.bodies_m}.items()}
    moved_m = {staging.stands_in.get(name, name): place_m for name, place_m in above_m.items()}
    shown_m = {name: place_m + staging.up_m(name) for name, place_m in staging.shown_m.items()}
    return {**moved_m, **shown_m, **staging.parked_m}
