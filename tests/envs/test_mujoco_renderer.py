"""MuJoCo as the second renderer."""

import ctypes
import ctypes.util
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from mujoco_scene import CUBE_M, LOOK, SCENE

from robossl_envs.cameras import FRONT, WRIST
from robossl_envs.errors import EnvError
from robossl_envs.rendering import gl_context
from robossl_envs.rendering.gl_context import NoGlError, choose_backend
from robossl_envs.rendering.look import Light, Surface
from robossl_envs.rendering.mujoco import MujocoRenderer
from robossl_envs.rendering.tiny import TinyRenderer
from robossl_envs.robots.robot import Robot
from robossl_envs.simulation.mujoco import MujocoSimulation


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
