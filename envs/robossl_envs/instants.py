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
    joints = robot.joints_at(end_effector_m, grip=layout.grip)
    return np.concatenate([joints, poses(layout, scene, staging).ravel()])


def poses(layout: Layout, scene: SceneSpec, staging: Staging = _PLAIN) -> Float[np.ndarray, "B 7"]:
    """Return position [m] and quaternion (x, y, z, w) of each of the scene's `drawn` bodies."""
    places_m = _places_m(layout, scene, staging)
    rows = [
        np.concatenate([places_m.get(body.name, np.array(body.position_m)), body.quaternion]) for body in scene.bodies
    ]
    for item in scene.articulated:
        base = np.asarray(places_m.get(item.name, item.position_m)), _UPRIGHT
        rows += [np.concatenate(pose) for pose in part_poses(item, base, layout.openings.get(item.name, 0.0))]
    return np.stack(rows)


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
