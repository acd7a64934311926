"""The pictures of the CPU renderer: what is where, how far, and in which colour."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from robossl_envs.cameras import CAMERAS, FRONT, WRIST
from robossl_envs.errors import EnvError
from robossl_envs.randomization import Randomization
from robossl_envs.rendering.camera import Camera
from robossl_envs.rendering.look import Light, Look, Surface
from robossl_envs.rendering.renderer import Rendered
from robossl_envs.rendering.tiny import TinyRenderer
from robossl_envs.robots.panda import panda
from robossl_envs.simulation.scene import SceneSpec
from robossl_envs.tasks.push import PUCK_HALF_HEIGHT_M, Push

SIZE_PX = 64
BODIES = [body.name for body in Push.bodies]
ROBOT, OBJECT, GOAL = 1, 2 + BODIES.index("object"), 2 + BODIES.index("goal")
NOMINAL = Randomization("nominal", bodies=Push.bodies, cameras=CAMERAS).look(0)
FLAT_LIGHT = Light(ambient=1.0, diffuse=0.0, specular=0.0)
DOWN = Camera(name="down", position_m=(0.6, 0.0, 0.8), target_m=(0.6, 0.0, 0.0), up=(-1.0, 0.0, 0.0), fov_y_rad=0.6)
"""Looks straight down on the table beyond the arm."""


@pytest.fixture(scope="module")
def renderer() -> Iterator[TinyRenderer]:
    drawing = TinyRenderer(SceneSpec(robot=panda(), bodies=Push.bodies))
    yield drawing
    drawing.close()


def state(
    *, puck_m: Sequence[float] = (0.55, 0.0, PUCK_HALF_HEIGHT_M), joints_rad: Sequence[float] = panda().home_rad
) -> np.ndarray:
    """Return a visual state with the puck there."""
    poses = {body.name: (*body.position_m, *body.quaternion) for body in Push.bodies}
    poses["object"] = (*puck_m, 0.0, 0.0, 0.0, 1.0)
    poses["goal"] = (0.62, -0.15, 0.002, 0.0, 0.0, 0.0, 1.0)
    return np.concatenate([joints_rad, *poses.values()])


def draw(renderer: TinyRenderer, seen: np.ndarray, camera: Camera = FRONT, look: Look = NOMINAL) -> Rendered:
    return renderer.render(seen[None], [camera], [look], height_px=SIZE_PX, width_px=SIZE_PX, depth=True, masks=True)


def masks_of(drawn: Rendered) -> np.ndarray:
    assert drawn.masks is not None
    return drawn.masks[0]


def depth_of(drawn: Rendered) -> np.ndarray:
    assert drawn.depth_m is not None
    return drawn.depth_m[0]


def projected(camera: Camera, point_m: Sequence[float]) -> tuple[float, float, float]:
    """Return column and row [px] and distance along the optical axis [m] of a point, as a pinhole sees it."""
    at = camera.view_matrix() @ np.array([*point_m, 1.0])
    focal_px = SIZE_PX / 2 / np.tan(camera.fov_y_rad / 2)
    return SIZE_PX / 2 + focal_px * at[0] / -at[2], SIZE_PX / 2 - focal_px * at[1] / -at[2], -at[2]


def centre_px(mask: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.mean()) + 0.5, float(rows.mean()) + 0.5


def test_depth_is_metres_along_the_optical_axis(renderer: TinyRenderer) -> None:
    drawn = draw(renderer, state(puck_m=(0.6, 0.0, PUCK_HALF_HEIGHT_M)), DOWN)
    depth_m, masks = depth_of(drawn), masks_of(drawn)
    inside = (masks == OBJECT)[SIZE_PX // 2 - 1 : SIZE_PX // 2 + 1, SIZE_PX // 2 - 1 : SIZE_PX // 2 + 1]
    assert inside.all()
    assert depth_m[SIZE_PX // 2, SIZE_PX // 2] == pytest.approx(0.8 - 2 * PUCK_HALF_HEIGHT_M, abs=2e-3)
    table = depth_m[masks == 2 + BODIES.index("table")]
    assert table.min() == pytest.approx(0.8, abs=5e-3), "not along the ray, which is longer at the border"
    assert table.max() == pytest.approx(0.8, abs=5e-3)


@pytest.mark.parametrize("puck_y_m", [-0.15, 0.0, 0.15])
@pytest.mark.parametrize("camera", [FRONT, DOWN], ids=lambda camera: camera.name)
def test_masks_lie_where_a_pinhole_projects_the_puck(renderer: TinyRenderer, camera: Camera, puck_y_m: float) -> None:
    puck_m = (0.6, puck_y_m, PUCK_HALF_HEIGHT_M)
    column, row, _ = projected(camera, puck_m)
    mask = masks_of(draw(renderer, state(puck_m=puck_m), camera)) == OBJECT
    assert mask.sum() >= 25
    assert centre_px(mask) == pytest.approx((column, row), abs=2.0)


def test_the_picture_is_not_mirrored(renderer: TinyRenderer) -> None:
    """The front camera faces the robot, so what lies at +y (the robot's left) is on the right of the picture."""
    drawn = draw(renderer, state(puck_m=(0.6, 0.15, PUCK_HALF_HEIGHT_M)))
    red = drawn.pixels[0].astype(int)
    is_red = (red[..., 0] > 2 * red[..., 1]) & (red[..., 0] > 2 * red[..., 2]) & (red[..., 0] > 60)
    assert is_red.sum() >= 25
    assert centre_px(is_red)[0] > SIZE_PX / 2 + 5
    assert is_red[masks_of(drawn) == OBJECT].mean() > 0.8, "colours and masks agree"


def test_everything_of_the_task_is_in_the_masks(renderer: TinyRenderer) -> None:
    masks = masks_of(draw(renderer, state()))
    assert masks.dtype == np.int32
    assert {ROBOT, OBJECT, GOAL} <= set(np.unique(masks).tolist()) <= set(range(2 + len(BODIES)))


def test_textures_change_the_pixels_of_their_part_and_come_off_again(renderer: TinyRenderer) -> None:
    plain_look = replace(NOMINAL, light=FLAT_LIGHT)
    surfaces = dict(plain_look.surfaces)
    textured = replace(plain_look, surfaces=surfaces | {"table": replace(surfaces["table"], texture=7)})
    plain = draw(renderer, state(), DOWN, plain_look)
    worn = draw(renderer, state(), DOWN, textured)
    again = draw(renderer, state(), DOWN, plain_look)
    table = masks_of(plain) == 2 + BODIES.index("table")
    changed = (worn.pixels[0] != plain.pixels[0]).any(axis=-1)
    assert changed[table].mean() > 0.2
    assert not changed[masks_of(plain) == OBJECT].any()
    assert plain.pixels[0][table].std(axis=0).max() < 10
    assert worn.pixels[0][table].std(axis=0).max() > 25, "a fine checker"
    np.testing.assert_array_equal(again.pixels, plain.pixels)


def test_colour_and_light_are_those_of_the_look(renderer: TinyRenderer) -> None:
    rgb = (0.2, 0.4, 0.8)
    look = replace(NOMINAL, surfaces={**NOMINAL.surfaces, "table": Surface(rgb=rgb)}, light=FLAT_LIGHT)
    drawn = draw(renderer, state(), DOWN, look)
    table = drawn.pixels[0][masks_of(drawn) == 2 + BODIES.index("table")]
    np.testing.assert_allclose(np.median(table, axis=0), 255 * np.array(rgb), atol=6)
    dim = draw(renderer, state(), DOWN, replace(look, light=replace(FLAT_LIGHT, ambient=0.5)))
    assert dim.pixels.mean() == pytest.approx(0.5 * drawn.pixels.mean(), rel=0.05)


def test_the_robot_wears_its_tint(renderer: TinyRenderer) -> None:
    dark = replace(NOMINAL, surfaces={**NOMINAL.surfaces, "robot": Surface(rgb=(0.4, 0.4, 0.4))})
    before, after = draw(renderer, state()), draw(renderer, state(), look=dark)
    robot = masks_of(before) == ROBOT
    assert after.pixels[0][robot].mean() < 0.7 * before.pixels[0][robot].mean()
    np.testing.assert_array_equal(after.pixels[0][~robot], before.pixels[0][~robot])


def test_the_wrist_camera_rides_on_the_hand(renderer: TinyRenderer) -> None:
    turned = np.array(panda().home_rad)
    turned[0] += 0.4  # the whole arm about its base
    first, second = draw(renderer, state(), WRIST), draw(renderer, state(joints_rad=turned), WRIST)
    fingers = masks_of(first) == ROBOT
    assert fingers.any()
    np.testing.assert_array_equal(fingers, masks_of(second) == ROBOT)  # the hand sees itself as before
    assert (masks_of(first) != masks_of(second)).any() or (first.pixels != second.pixels).mean() > 0.05


def test_depth_and_masks_come_only_when_asked_for(renderer: TinyRenderer) -> None:
    plain = renderer.render(state()[None], [FRONT], [NOMINAL], height_px=24, width_px=40)
    assert plain.pixels.shape == (1, 24, 40, 3)
    assert plain.depth_m is None
    assert plain.masks is None


def test_views_of_one_call_are_those_of_single_calls(renderer: TinyRenderer) -> None:
    looks = [Randomization("randomized", bodies=Push.bodies, cameras=CAMERAS).look(seed) for seed in range(3)]
    states = np.stack([state(puck_m=(0.5, 0.05 * i, PUCK_HALF_HEIGHT_M)) for i in range(3)])
    cameras = [look.cameras["front"] for look in looks]
    together = renderer.render(states, cameras, looks, height_px=SIZE_PX, width_px=SIZE_PX)
    for i in (2, 0, 1):
        np.testing.assert_array_equal(draw(renderer, states[i], cameras[i], looks[i]).pixels[0], together.pixels[i])


def test_a_frame_under_a_new_look_each_time_costs_under_five_milliseconds(renderer: TinyRenderer) -> None:
    looks = [Randomization("randomized", bodies=Push.bodies, cameras=CAMERAS).look(seed) for seed in range(30)]
    states = np.repeat(state()[None], len(looks), axis=0)
    cameras = [look.cameras["front"] for look in looks]
    costs_s = []
    for _ in range(3):  # the least counts: on a busy machine other processes take the cache
        start_s = time.process_time()
        renderer.render(states, cameras, looks, height_px=SIZE_PX, width_px=SIZE_PX)
        costs_s.append((time.process_time() - start_s) / len(looks))
    assert min(costs_s) < 0.005


def test_a_closed_renderer_says_so() -> None:
    drawing = TinyRenderer(SceneSpec(robot=panda(), bodies=Push.bodies))
    drawing.close()
    drawing.close()
    with pytest.raises(EnvError, match="this renderer is closed: make the env again"):
        draw(drawing, state())
