"""The batched renderer: TinyRenderer's pictures, many at once."""

import ctypes
import multiprocessing
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from robossl_envs.cameras import CAMERAS, FRONT, WRIST
from robossl_envs.errors import EnvError
from robossl_envs.randomization import Randomization
from robossl_envs.rendering import gl_device
from robossl_envs.rendering.gl import GlRenderer
from robossl_envs.rendering.gl_context import NoGlError
from robossl_envs.rendering.look import Light, Look, Surface
from robossl_envs.rendering.tiny import TinyRenderer
from robossl_envs.robots.panda import panda
from robossl_envs.simulation.scene import BodySpec, SceneSpec
from robossl_envs.tasks.push import PUCK_HALF_HEIGHT_M, Push

pytest.importorskip("moderngl")
SIZE_PX = 64
BALL = BodySpec(name="ball", shape="sphere", size_m=(0.04, 0.0, 0.0), collides=False, rgb=(0.1, 0.2, 0.9))
BODIES = (*Push.bodies, BALL)
SCENE = SceneSpec(robot=panda(), bodies=BODIES)
NAMES = [body.name for body in BODIES]
NOMINAL = Randomization("nominal", bodies=BODIES, cameras=CAMERAS).look(0)


@pytest.fixture(scope="module")
def renderer() -> Iterator[GlRenderer]:
    try:
        drawing = GlRenderer(SCENE)
        gl_device.shared_context()
    except NoGlError as error:
        pytest.skip(str(error))
    yield drawing
    drawing.close()


@pytest.fixture(scope="module")
def tiny() -> Iterator[TinyRenderer]:
    drawing = TinyRenderer(SCENE)
    yield drawing
    drawing.close()


def some_views(num_views: int) -> tuple[np.ndarray, list[Look]]:
    """Return states with the bodies in places of their own and a moved arm, and a random look for each."""
    generator = np.random.default_rng(0)
    randomization = Randomization("randomized", bodies=BODIES, cameras=CAMERAS)
    states = []
    for i in range(num_views):
        poses = {body.name: [*body.position_m, *body.quaternion] for body in BODIES}
        half_turn = generator.uniform(-0.5, 0.5)
        poses["object"] = [0.55, 0.15 * np.sin(i), PUCK_HALF_HEIGHT_M, 0.0, 0.0, np.sin(half_turn), np.cos(half_turn)]
        poses["goal"] = [0.62, -0.12, 0.002, 0.0, 0.0, np.sin(half_turn), np.cos(half_turn)]
        poses["ball"] = [0.5, -0.15 * np.sin(i), 0.04, 0.0, 0.0, 0.0, 1.0]
        joints = np.array(panda().home_rad) + generator.normal(0, 0.06, 9) * ([1] * 7 + [0] * 2)
        states.append(np.concatenate([joints, *poses.values()]))
    return np.array(states), [randomization.look(seed) for seed in range(num_views)]


def draw(
    renderer: Any, states: np.ndarray, looks: Sequence[Look], camera: str = "front", size_px: int = SIZE_PX
) -> Any:
    cameras = [look.cameras[camera] for look in looks]
    return renderer.render(states, cameras, looks, height_px=size_px, width_px=size_px, depth=True, masks=True)


@pytest.mark.parametrize("camera", ["front", "wrist"])
def test_pictures_are_those_of_the_cpu_renderer(renderer: GlRenderer, tiny: TinyRenderer, camera: str) -> None:
    # large pictures: TinyRenderer shows the corner of a pixel and not its middle, which is much of a small puck
    states, looks = some_views(4)
    ours, theirs = draw(renderer, states, looks, camera, 256), draw(tiny, states, looks, camera, 256)
    for part in range(1, 2 + len(BODIES)):
        first, second = ours.masks == part, theirs.masks == part
        assert (first & second).sum() >= 0.9 * (first | second).sum(), f"part {part}"
    same = (ours.masks == theirs.masks) & (ours.masks > 0)
    away_m = np.abs(ours.depth_m - theirs.depth_m)[same]
    assert np.median(away_m) < 1e-3
    assert np.quantile(away_m, 0.95) < 4e-3
    colours = np.abs(ours.pixels.astype(int) - theirs.pixels)[same]
    assert np.median(colours) <= 1
    assert np.quantile(colours, 0.95) <= 4


@pytest.mark.parametrize("texture", [1, 3, 5, 7])
def test_textures_lie_as_the_cpu_renderer_lays_them(renderer: GlRenderer, tiny: TinyRenderer, texture: int) -> None:
    look = replace(NOMINAL, surfaces={**NOMINAL.surfaces, "table": Surface(rgb=(0.9, 0.8, 0.7), texture=texture)})
    above = replace(FRONT, position_m=(0.4, 0.0, 2.0), target_m=(0.4, 0.0, 0.0), up=(0.0, 1.0, 0.0))
    look = replace(look, cameras={"above": above})
    states, _ = some_views(1)
    ours, theirs = draw(renderer, states, [look], "above", 200), draw(tiny, states, [look], "above", 200)
    table = (ours.masks == 2) & (theirs.masks == 2)
    away = np.abs(ours.pixels.astype(int) - theirs.pixels)[table].max(axis=1)
    assert theirs.pixels[table].std() > 5, "there is a pattern"
    assert (away > 8).mean() < 0.05, "but for the borders of the fields"


def test_a_shadow_falls_away_from_the_light_and_takes_a_fifth_of_it(renderer: GlRenderer) -> None:
    light = Light(direction=(0.0, 1.0, 1.0), ambient=0.0, diffuse=1.0, specular=0.0)
    dark = replace(NOMINAL, light=replace(light, shadow=True))
    states, _ = some_views(1)
    joints = states[:, :9] * ([-1] + [1] * 8)
    states = np.concatenate([joints, states[:, 9:]], axis=1)
    plain, shaded = (draw(renderer, states, [look]) for look in (replace(NOMINAL, light=light), dark))
    table = (plain.masks[0] == 2 + NAMES.index("table")) & (plain.pixels[0].min(axis=-1) > 20)
    ratio = shaded.pixels[0].sum(axis=-1) / np.maximum(plain.pixels[0].sum(axis=-1), 1)
    assert ratio[table].min() == pytest.approx(0.8, abs=0.03)
    assert 0.005 < (ratio[table] < 0.9).mean() < 0.3, "a shadow and no speckles"
    puck = plain.masks[0] == 2 + NAMES.index("object")
    rows, columns = np.nonzero(puck)
    beside = ratio[rows.max() - 2 : rows.max() + 1]
    assert beside[:, columns.min() - 2].max() < 0.9, "+y is on the right of the picture, so the shadow is on the left"
    assert beside[:, columns.max() + 2].min() > 0.97


def test_views_without_shadows_are_not_touched_by_others_that_have_them(renderer: GlRenderer) -> None:
    states, looks = some_views(2)
    mixed = [looks[0], replace(looks[1], light=replace(looks[1].light, shadow=True))]
    plain, some = draw(renderer, states, looks), draw(renderer, states, mixed)
    np.testing.assert_array_equal(some.pixels[0], plain.pixels[0])
    assert (some.pixels[1] != plain.pixels[1]).any()


@pytest.mark.parametrize("shadow", [False, True])
def test_a_view_has_the_same_bits_whatever_else_a_call_draws(renderer: GlRenderer, shadow: bool) -> None:
    states, looks = some_views(7)
    looks = [replace(look, light=replace(look.light, shadow=shadow)) for look in looks]
    for camera in ("front", "wrist"):
        together = draw(renderer, states, looks, camera)
        for i in (6, 0, 3):
            alone = draw(renderer, states[i : i + 1], looks[i : i + 1], camera)
            for name in ("pixels", "masks", "depth_m"):
                np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[i])


def test_more_views_than_one_canvas_holds(renderer: GlRenderer) -> None:
    states, looks = some_views(3)
    first = draw(renderer, states, looks, size_px=400)
    again = draw(renderer, np.tile(states, (4, 1)), looks * 4, size_px=400)  # six a canvas
    np.testing.assert_array_equal(again.pixels[9:], first.pixels)
    np.testing.assert_array_equal(again.depth_m[9:], first.depth_m)


def test_a_look_that_changes_is_seen_though_the_last_one_is_kept(renderer: GlRenderer) -> None:
    states, looks = some_views(2)
    for size_px, order in ((64, (0, 1)), (64, (1, 0)), (32, (1, 0)), (64, (0, 1))):
        drawn = draw(renderer, states, [looks[i] for i in order], size_px=size_px)
        for i, look in enumerate(order):
            fresh = GlRenderer(SCENE)
            alone = draw(fresh, states[i : i + 1], [looks[look]], size_px=size_px)
            np.testing.assert_array_equal(drawn.pixels[i], alone.pixels[0])
            fresh.close()


def test_the_picture_is_not_mirrored(renderer: GlRenderer) -> None:
    """The front camera faces the robot, so what lies at +y (the robot's left) is on the right of the picture."""
    states, _ = some_views(1)
    states[0, 9 + 7 * NAMES.index("object") + 1] = 0.15
    masks = draw(renderer, states, [NOMINAL]).masks[0]
    columns = np.nonzero(masks == 2 + NAMES.index("object"))[1]
    assert columns.mean() > SIZE_PX / 2 + 5
    assert np.nonzero(masks == 1)[0].mean() < SIZE_PX / 2, "the arm comes from above"


def test_the_wrist_camera_rides_on_the_hand(renderer: GlRenderer) -> None:
    states, _ = some_views(1)
    turned = states.copy()
    turned[0, 0] += 0.4  # the whole arm about its base
    first, second = (draw(renderer, some, [NOMINAL], WRIST.name).masks[0] for some in (states, turned))
    assert (first == 1).any()
    assert ((first == 1) != (second == 1)).mean() < 2e-3, "the hand sees itself as before"
    assert (first != second).mean() > 0.01


def test_depth_and_masks_come_only_when_asked_for(renderer: GlRenderer) -> None:
    states, looks = some_views(1)
    plain = renderer.render(states, [FRONT], looks, height_px=24, width_px=40)
    assert plain.pixels.shape == (1, 24, 40, 3)
    assert plain.depth_m is None
    assert plain.masks is None


def test_a_thread_of_its_own_may_draw(renderer: GlRenderer) -> None:
    states, looks = some_views(2)
    here, there = draw(renderer, states, looks).pixels, []
    thread = threading.Thread(target=lambda: there.append(draw(renderer, states, looks).pixels))
    thread.start()
    thread.join()
    np.testing.assert_array_equal(there[0], here)


def _draw_in_worker(connection: Any) -> None:
    states, looks = some_views(2)
    connection.send(draw(GlRenderer(SCENE), states, looks).pixels)


def test_a_spawned_process_draws_the_same(renderer: GlRenderer) -> None:
    spawn = multiprocessing.get_context("spawn")
    mine, other = spawn.Pipe()
    worker = spawn.Process(target=_draw_in_worker, args=(other,))
    worker.start()
    assert mine.poll(60)
    np.testing.assert_array_equal(mine.recv(), draw(renderer, *some_views(2)).pixels)
    worker.join()


def test_a_process_forked_after_drawing_is_told_to_spawn(renderer: GlRenderer, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(renderer, *some_views(1))
    monkeypatch.setattr("os.getpid", lambda: -1)
    with pytest.raises(NoGlError, match=r"forked from one that had drawn.*'spawn'"):
        draw(GlRenderer(SCENE), *some_views(1))


def test_two_thousand_pictures_and_a_hundred_renderers_leak_nothing(renderer: GlRenderer) -> None:
    states, looks = some_views(20)

    def use(times: int) -> int:
        for _ in range(times):
            drawing = GlRenderer(SCENE)
            drawing.render(states, [FRONT] * 20, looks, height_px=32, width_px=32)
            drawing.close()
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    before_kb = use(20)
    assert use(100) - before_kb < 8_000


def test_a_closed_renderer_says_so_and_leaves_the_others_alone(renderer: GlRenderer) -> None:
    drawing = GlRenderer(SCENE)
    draw(drawing, *some_views(1))
    drawing.close()
    drawing.close()
    with pytest.raises(EnvError, match="this renderer is closed: make the env again"):
        draw(drawing, *some_views(1))
    draw(renderer, *some_views(1))


def test_states_of_another_scene_are_refused(renderer: GlRenderer) -> None:
    with pytest.raises(EnvError, match="a visual state of this scene has 44 numbers, not 12"):
        draw(renderer, np.zeros((1, 12)), [NOMINAL])


def test_an_env_draws_with_it_when_told_to(renderer: GlRenderer) -> None:
    env: Any = gym.make(
        "robossl_envs:robossl/PandaPush-v0", renderer="gl", domain="randomized", cameras=("front", "wrist")
    )
    observation, info = env.reset(seed=3)
    assert env.unwrapped.episode_record()["renderer"] == "gl"
    again = env.unwrapped.render_states([info["visual_state"]], [env.unwrapped._drawn.look], camera="wrist")
    np.testing.assert_array_equal(again[0], observation["pixels"]["wrist"])
    env.close()
    env.close()


def test_a_machine_without_egl_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    with pytest.raises(NoGlError, match=r"finds no EGL library .*install libegl1, or use renderer='tiny'"):
        gym.make("robossl_envs:robossl/PandaReach-v0", renderer="gl")


def test_an_unknown_renderer_is_refused() -> None:
    with pytest.raises(EnvError, match="unknown renderer 'tyni': use one of auto, tiny, gl, mujoco"):
        gym.make("robossl_envs:robossl/PandaReach-v0", renderer="tyni")
