"""PyBullet behind the contract."""

import numpy as np
import pytest

from robossl_envs.errors import EnvError
from robossl_envs.robots.panda import panda
from robossl_envs.simulation.bullet import BulletSimulation
from robossl_envs.simulation.scene import Dynamics, SceneSpec
from robossl_envs.tasks.push import PUCK_HALF_HEIGHT_M, Push


@pytest.fixture
def simulation():
    world = BulletSimulation()
    world.load(SceneSpec(robot=panda(), bodies=Push.bodies))
    yield world
    world.close()


def test_restore_brings_back_the_motor_targets_too(simulation):
    targets = np.array(panda().home_rad)
    targets[0] += 0.3
    simulation.set_joint_targets(targets)
    snapshot = simulation.save()
    ends = []
    for _ in range(2):
        simulation.restore(snapshot)
        for _ in range(20):
            simulation.step()
        ends.append(simulation.joint_state()[0])
        simulation.set_joint_targets(np.array(panda().home_rad))
    np.testing.assert_array_equal(*ends)
    assert ends[0][0] == pytest.approx(0.3, abs=0.02)


def test_a_puck_rests_on_the_table_and_touches_it(simulation):
    simulation.set_body_pose("object", np.array([0.5, 0.1, 0.06]))
    assert not simulation.contacts("object", "table")
    for _ in range(20):
        simulation.step()
    assert simulation.body_pose("object")[0] == pytest.approx([0.5, 0.1, PUCK_HALF_HEIGHT_M], abs=5e-3)
    assert simulation.contacts("object", "table")
    assert np.abs(np.concatenate(simulation.body_velocity("object"))).max() < 1e-2


def test_a_force_moves_a_light_body_further_than_a_heavy_one(simulation):
    moved = []
    start = simulation.save()
    for mass_kg in (0.1, 0.4):
        simulation.restore(start)
        simulation.set_dynamics(Dynamics(masses_kg={"object": mass_kg}, frictions={"object": 0.3}))
        simulation.set_body_pose("object", np.array([0.5, 0.0, PUCK_HALF_HEIGHT_M]))
        for _ in range(4):
            simulation.apply_force("object", np.array([0.0, 2.0, 0.0]))
            simulation.step()
        moved.append(simulation.body_pose("object")[0][1])
    assert moved[0] > 2 * max(moved[1], 1e-4)


def test_the_visual_state_round_trips(simulation):
    simulation.set_body_pose("object", np.array([0.5, 0.1, 0.035]), np.array([0.0, 0.0, 0.6, 0.8]))
    state = simulation.visual_state()
    simulation.set_body_pose("object", np.array([0.4, 0.0, 0.035]))
    simulation.set_visual_state(state)
    np.testing.assert_allclose(simulation.visual_state(), state, atol=1e-9)
    with pytest.raises(EnvError, match="a visual state of this scene has 37 numbers, not 3"):
        simulation.set_visual_state(np.zeros(3))


def test_a_closed_world_says_so():
    world = BulletSimulation()
    world.load(SceneSpec(robot=panda()))
    world.close()
    world.close()
    with pytest.raises(EnvError, match="closed or was never loaded"):
        world.joint_state()
