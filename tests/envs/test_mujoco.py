"""MuJoCo as the second engine and the second renderer."""

import ctypes
import ctypes.util
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from robossl_envs.cameras import FRONT, WRIST
from robossl_envs.errors import EnvError
from robossl_envs.rendering import gl_context
from robossl_envs.rendering.gl_context import NoGlError, choose_backend
from robossl_envs.rendering.look import Light, Look, Surface
from robossl_envs.rendering.mujoco import MujocoRenderer
from robossl_envs.rendering.tiny import TinyRenderer
from robossl_envs.robots.panda import panda
from robossl_envs.robots.robot import Robot
from robossl_envs.simulation.bullet import BulletSimulation
from robossl_envs.simulation.mujoco import MujocoSimulation
from robossl_envs.simulation.scene import BodySpec, Dynamics, SceneSpec

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


@pytest.fixture
def simulation() -> Iterator[MujocoSimulation]:
    world = MujocoSimulation()
    world.load(SCENE)
    yield world
    world.close()


@pytest.fixture(scope="module")
def renderer() -> Iterator[MujocoRenderer]:
    try:
        drawn_by = MujocoRenderer(SCENE)
    except NoGlError as error:
        pytest.skip(str(error))
    yield drawn_by
    drawn_by.close()


def _push(world: MujocoSimulation, *, steps: int = 25, reset: bool = True) -> np.ndarray:
    """Lower the hand beside the cube and sweep it along y; return the visual states."""
    robot = Robot(SCENE.robot)
    if reset:
        robot.reset(world, np.array([0.5, -0.02, 0.04]))
    states = []
    for _ in range(steps):
        robot.command(world, np.array([0.0, 0.5, 0.0]))
        world.step()
        states.append(world.visual_state())
    return np.array(states)


def test_cube_rests_on_the_table(simulation: MujocoSimulation) -> None:
    simulation.set_body_pose("object", np.array([0.5, 0.1, CUBE_M + 0.02]))
    assert not simulation.contacts("object", "table")
    for _ in range(20):
        simulation.step()
    position_m, quaternion = simulation.body_pose("object")
    np.testing.assert_allclose(position_m, [0.5, 0.1, CUBE_M], atol=1e-3)
    np.testing.assert_allclose(np.abs(quaternion), [0, 0, 0, 1], atol=1e-3)
    assert simulation.contacts("object", "table")
    assert not simulation.contacts("object", "goal")
    assert np.linalg.norm(np.concatenate(simulation.body_velocity("object"))) < 1e-3


def test_arm_holds_its_pose_against_gravity(simulation: MujocoSimulation) -> None:
    before = simulation.joint_state()[0]
    for _ in range(20):
        simulation.step()
    np.testing.assert_allclose(simulation.joint_state()[0], before, atol=2e-3)


def test_arm_pushes_the_cube_and_not_the_disc(simulation: MujocoSimulation) -> None:
    before = _push(simulation, steps=1)[-1]
    assert not simulation.contacts("robot", "object")
    touched = []
    for _ in range(25):
        after = _push(simulation, steps=1, reset=False)[-1]
        touched.append(simulation.contacts("robot", "object"))
    assert any(touched)
    assert simulation.body_pose("object")[0][1] > 0.15
    np.testing.assert_array_equal(after[-7:], before[-7:])


def test_a_step_takes_one_control_step_of_motion(simulation: MujocoSimulation) -> None:
    robot = Robot(SCENE.robot)
    robot.reset(simulation, np.array([0.45, -0.1, 0.2]))
    for _ in range(4):
        before_m = robot.end_effector_position(simulation)
        robot.command(simulation, np.array([0.0, 1.0, 0.0]))
        simulation.step()
        moved_m = robot.end_effector_position(simulation) - before_m
        np.testing.assert_allclose(moved_m, [0.0, robot.max_step_m, 0.0], atol=0.006)


def test_replay_from_a_snapshot_is_bit_equal(simulation: MujocoSimulation) -> None:
    _push(simulation, steps=6)
    simulation.apply_force("object", np.array([0.5, 0.0, 0.0]))
    snapshot = simulation.save()
    runs = []
    for gain in (1.0, 1.2):  # the second run has to bring back the gain as well
        simulation.set_dynamics(Dynamics(motor_gain=gain))
        simulation.restore(snapshot)
        for _ in range(8):
            simulation.step()
        runs.append((simulation.visual_state(), *simulation.joint_state(), *simulation.body_velocity("object")))
        _push(simulation, steps=3)
    for first, second in zip(*runs, strict=True):
        np.testing.assert_array_equal(first, second)


def test_two_worlds_run_bit_equal(simulation: MujocoSimulation) -> None:
    other = MujocoSimulation()
    other.load(SCENE)
    np.testing.assert_array_equal(_push(simulation), _push(other))


def test_links_are_where_bullet_has_them(simulation: MujocoSimulation) -> None:
    bullet = BulletSimulation()
    bullet.load(SCENE)
    generator = np.random.default_rng(0)
    for _ in range(5):
        joints = np.add(SCENE.robot.home_rad, [*generator.uniform(-0.4, 0.4, 7), 0.02, 0.03])
        for world in (simulation, bullet):
            world.set_joint_state(joints)
        for link in LINKS:
            (position_m, quaternion), (expected_m, expected) = simulation.body_pose(link), bullet.body_pose(link)
            np.testing.assert_allclose(position_m, expected_m, atol=1e-4)
            assert abs(quaternion @ expected) > 1 - 1e-6
    bullet.close()


def test_base_of_the_robot_can_stand_elsewhere() -> None:
    robot = replace(SCENE.robot, base_position_m=(0.1, -0.2, 0.3))
    world, moved = MujocoSimulation(), MujocoSimulation()
    world.load(SCENE)
    moved.load(replace(SCENE, robot=robot))
    for link in ("panda_link0", "panda_hand"):
        shift = moved.body_pose(link)[0] - world.body_pose(link)[0]
        np.testing.assert_allclose(shift, robot.base_position_m, atol=1e-9)


def test_visual_state_comes_back(simulation: MujocoSimulation) -> None:
    states = _push(simulation)
    simulation.set_visual_state(states[10])
    np.testing.assert_allclose(simulation.visual_state(), states[10], atol=1e-12)
    assert not np.any(simulation.joint_state()[1])
    assert not np.any(simulation.body_velocity("object"))
    simulation.step()
    np.testing.assert_allclose(simulation.visual_state()[:9], states[10][:9], atol=2e-3)


def test_visual_state_is_read_by_the_other_engine(simulation: MujocoSimulation) -> None:
    state = _push(simulation)[-1]
    bullet = BulletSimulation()
    bullet.load(SCENE)
    bullet.set_visual_state(state)
    np.testing.assert_allclose(bullet.visual_state(), state, atol=1e-6)
    bullet.close()


@pytest.mark.parametrize("name", ["object", "goal", "table"])
def test_bodies_can_be_placed(simulation: MujocoSimulation, name: str) -> None:
    quaternion = np.array([0.0, 0.0, np.sin(0.3), np.cos(0.3)])
    simulation.set_body_pose(name, np.array([0.6, 0.2, 0.5]), quaternion)
    np.testing.assert_allclose(np.concatenate(simulation.body_pose(name)), [0.6, 0.2, 0.5, *quaternion], atol=1e-9)
    simulation.set_body_pose(name, np.array([0.6, 0.2, 0.4]))
    np.testing.assert_allclose(simulation.body_pose(name)[1], [0, 0, 0, 1])


def test_mass_and_friction_are_set_and_go_back(simulation: MujocoSimulation) -> None:
    def slide(dynamics: Dynamics) -> float:
        simulation.set_dynamics(dynamics)
        simulation.set_body_pose("object", np.array([0.5, 0.1, CUBE_M]))
        for _ in range(5):
            simulation.apply_force("object", np.array([0.0, 2.0, 0.0]))
            simulation.step()
        return float(simulation.body_pose("object")[0][1] - 0.1)

    usual = slide(Dynamics())
    heavy = slide(Dynamics(masses_kg={"object": 0.3}))
    slippery = slide(Dynamics(frictions={"object": 0.2}))
    assert heavy < 0.7 * usual < usual < 0.8 * slippery
    assert slide(Dynamics()) == pytest.approx(usual, rel=1e-6)


def test_force_acts_for_one_control_step(simulation: MujocoSimulation) -> None:
    simulation.set_body_pose("object", np.array([0.5, 0.1, 0.5]))
    simulation.apply_force("object", np.array([0.0, 2.0, 0.0]))
    simulation.step()
    assert simulation.body_velocity("object")[0][1] == pytest.approx(2.0 / 0.2 / 20, rel=0.01)
    simulation.step()
    assert simulation.body_velocity("object")[0][1] == pytest.approx(2.0 / 0.2 / 20, rel=0.01)


def test_weak_motors_move_less(simulation: MujocoSimulation) -> None:
    moved = []
    for gain in (0.5, 1.0):
        simulation.set_dynamics(Dynamics(motor_gain=gain))
        simulation.set_joint_state(np.array(SCENE.robot.home_rad))
        simulation.set_joint_targets(np.add(SCENE.robot.home_rad, [0.01, *[0.0] * 8]))
        simulation.step()
        moved.append(simulation.joint_state()[0][0])
    assert 0.0 < moved[0] < moved[1]


def test_wrong_input_is_named(simulation: MujocoSimulation) -> None:
    with pytest.raises(EnvError, match="did you mean 'object'"):
        simulation.body_pose("objekt")
    with pytest.raises(EnvError, match="unknown body 'panda_hand'"):
        simulation.set_body_pose("panda_hand", np.zeros(3))
    with pytest.raises(EnvError, match="has 30 numbers, not 3"):
        simulation.set_visual_state(np.zeros(3))
    with pytest.raises(EnvError, match="what save"):
        simulation.restore("yesterday")
    simulation.close()
    simulation.close()
    with pytest.raises(EnvError, match="closed or was never loaded"):
        simulation.step()


@pytest.mark.parametrize("camera", [FRONT, WRIST], ids=lambda camera: camera.name)
def test_pictures_agree_with_tiny_renderer(
    simulation: MujocoSimulation, renderer: MujocoRenderer, camera: object
) -> None:
    Robot(SCENE.robot).reset(simulation, np.array([0.48, 0.0, 0.2]))
    tiny = TinyRenderer(SCENE)
    states, cameras, looks = [simulation.visual_state()], [camera], [LOOK]
    ours, other = (
        drawn_by.render(states, cameras, looks, height_px=192, width_px=256, depth=True, masks=True)
        for drawn_by in (renderer, tiny)
    )
    tiny.close()
    for part in (1, 2, 3, 4):
        mine, its = ours.masks == part, other.masks == part
        if its.sum() > 300:
            assert (mine & its).sum() / (mine | its).sum() > 0.9, part
    assert np.median(np.abs(ours.depth_m - other.depth_m)) < 0.005
    assert np.median(np.abs(ours.pixels.astype(int) - other.pixels)) < 25


def test_a_point_lands_on_the_pixel_that_the_camera_says(
    simulation: MujocoSimulation, renderer: MujocoRenderer
) -> None:
    height_px, width_px = 120, 160
    for position_m in ([0.42, 0.15, CUBE_M], [0.6, -0.05, CUBE_M]):
        simulation.set_body_pose("object", np.array(position_m))
        drawn = renderer.render(
            [simulation.visual_state()], [FRONT], [LOOK], height_px=height_px, width_px=width_px, masks=True
        )
        rows, columns = np.nonzero(drawn.masks[0] == 3)
        clip = FRONT.projection_matrix(aspect=width_px / height_px) @ FRONT.view_matrix() @ [*position_m, 1.0]
        x, y = clip[:2] / clip[3]
        assert columns.mean() + 0.5 == pytest.approx((1 + x) / 2 * width_px, abs=0.6)
        assert rows.mean() + 0.5 == pytest.approx((1 - y) / 2 * height_px, abs=0.6)
        np.testing.assert_array_less(drawn.pixels[0, rows, columns].astype(int)[:, 1] + 40, 255)
        assert drawn.pixels[0, rows, columns, 0].mean() > 3 * drawn.pixels[0, rows, columns, 1].mean()


def test_look_changes_only_what_it_names(simulation: MujocoSimulation, renderer: MujocoRenderer) -> None:
    state = simulation.visual_state()
    textured = replace(LOOK, surfaces={**LOOK.surfaces, "table": Surface(rgb=(0.5, 0.5, 0.5), texture=6)})
    dark = replace(LOOK, light=Light(ambient=0.3, diffuse=0.2))
    drawn = renderer.render(
        [state] * 4, [FRONT] * 4, [LOOK, textured, dark, LOOK], height_px=64, width_px=64, masks=True
    )
    plain, checker, dim, again = drawn.pixels.astype(int)
    np.testing.assert_array_equal(plain, again)
    table = drawn.masks[0] == 2
    assert checker[table].std() > 4 * plain[table].std()
    np.testing.assert_array_equal(plain[~table], checker[~table])
    assert dim.mean() < 0.8 * plain.mean()


def test_shadow_is_drawn_on_request(simulation: MujocoSimulation, renderer: MujocoRenderer) -> None:
    state = simulation.visual_state()
    looks = [replace(LOOK, light=Light(direction=(1.0, -1.0, 1.0), shadow=shadow)) for shadow in (False, True)]
    pixels = renderer.render([state] * 2, [FRONT] * 2, looks, height_px=64, width_px=64).pixels
    bright, shaded = pixels.astype(int)
    darker = (bright - shaded).max(axis=-1) > 15
    assert 0.005 < darker.mean() < 0.3
    assert shaded[darker].max(axis=-1).min() > 40, "the ambient light reaches the shadow"


def test_two_renderers_do_not_disturb_each_other(simulation: MujocoSimulation, renderer: MujocoRenderer) -> None:
    state = simulation.visual_state()
    alone = renderer.render([state], [FRONT], [LOOK], height_px=64, width_px=64).pixels
    other = MujocoRenderer(SCENE)
    other.render([state], [WRIST], [LOOK], height_px=32, width_px=48)
    np.testing.assert_array_equal(renderer.render([state], [FRONT], [LOOK], height_px=64, width_px=64).pixels, alone)
    other.close()
    other.close()
    np.testing.assert_array_equal(renderer.render([state], [FRONT], [LOOK], height_px=64, width_px=64).pixels, alone)
    with pytest.raises(EnvError, match="closed"):
        other.render([state], [FRONT], [LOOK], height_px=64, width_px=64)


def test_camera_on_an_unknown_link_is_refused(simulation: MujocoSimulation, renderer: MujocoRenderer) -> None:
    camera = replace(WRIST, mounted_on="panda_hnd")
    with pytest.raises(EnvError, match="did you mean 'panda_hand'"):
        renderer.render([simulation.visual_state()], [camera], [LOOK], height_px=8, width_px=8)


def test_machine_without_gl_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    choose_backend.cache_clear()
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(ctypes, "CDLL", missing)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    with pytest.raises(NoGlError, match="install libegl1 or libosmesa6, or use renderer='tiny'"):
        MujocoRenderer(SCENE)
    monkeypatch.undo()
    choose_backend.cache_clear()


def test_mujoco_gl_decides_and_a_broken_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    choose_backend.cache_clear()
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    assert choose_backend() == "osmesa"

    def broken(name: str) -> None:
        raise ImportError(f"{name} does not load")

    monkeypatch.setattr(gl_context.importlib, "import_module", broken)
    with pytest.raises(NoGlError, match=r"osmesa is there but does not start: mujoco\.osmesa does not load"):
        gl_context.make_context()
    choose_backend.cache_clear()
