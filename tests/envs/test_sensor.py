"""What the cameras of `full` do to a picture, one thing after the other."""

import numpy as np
import pytest

from robossl_envs.randomization.draw import Draw
from robossl_envs.randomization.sensor import Sensor
from robossl_envs.rendering.look import Look

GREY = np.full((32, 48, 3), 100, np.uint8)
HALVES = np.where(np.arange(48)[None, :, None] < 24, 50, 200).repeat(32, 0).repeat(3, 2).astype(np.uint8)


def sensor(seed: int = 0, **values) -> Sensor:
    names = {name.replace("__", "."): value for name, value in values.items()}
    return Sensor(Draw(look=Look(), dynamics=None, values=names), seed)


def test_nothing_is_done_and_nothing_copied_without_an_axis() -> None:
    assert sensor().deliver("front", 0, GREY) is GREY


def test_exposure_and_white_balance_are_gains_that_clip() -> None:
    bright = sensor(exposure=1.5).distort("front", 0, GREY)
    assert (bright == 150).all()
    assert (sensor(exposure=3.0).distort("front", 0, GREY) == 255).all()
    assert sensor(white_balance=[1.1, 0.8]).distort("front", 0, GREY)[0, 0].tolist() == [110, 100, 80]


def test_blur_softens_edges_keeps_flat_ground_and_the_mean() -> None:
    assert (sensor(blur=0.03).distort("front", 0, GREY) == 100).all()
    blurred = sensor(blur=0.03).distort("front", 0, HALVES)
    assert 50 < blurred[16, 23, 0] < 200
    assert blurred.mean() == pytest.approx(HALVES.mean(), abs=1)
    assert np.abs(np.diff(blurred[16, :, 0].astype(int))).max() < 100
    assert (blurred[0] == blurred[16]).all(), "edges are repeated, not darkened"


def test_noise_has_the_spread_that_was_drawn_and_hangs_on_seed_step_and_camera() -> None:
    noisy = sensor(image_noise=8.0).distort("front", 3, GREY)
    assert (noisy.astype(float) - 100).std() == pytest.approx(8.0, rel=0.05)
    assert (noisy == sensor(image_noise=8.0).distort("front", 3, GREY)).all()
    others = [("front", 4, 0), ("wrist", 3, 0), ("front", 3, 1)]
    assert all((noisy != sensor(seed, image_noise=8.0).distort(name, step, GREY)).any() for name, step, seed in others)


def test_jpeg_changes_edges_more_at_a_lower_quality() -> None:
    away = [np.abs(sensor(jpeg_quality=q).distort("front", 0, HALVES).astype(int) - HALVES).mean() for q in (95, 20)]
    assert 0 <= away[0] < away[1] < 20


def test_pictures_arrive_late() -> None:
    late = sensor(observation_delay=2)
    pictures = [np.full((2, 2, 3), step, np.uint8) for step in range(6)]
    assert [int(late.deliver("front", step, picture)[0, 0, 0]) for step, picture in enumerate(pictures)] == [
        0, 0, 0, 1, 2, 3,
    ]  # fmt: skip


def test_a_lost_frame_shows_the_one_before_in_every_camera() -> None:
    losing = sensor(lost_frames__steps=[2, 3])
    for name in ("front", "wrist"):
        seen = [int(losing.deliver(name, step, np.full((2, 2, 3), step, np.uint8))[0, 0, 0]) for step in range(6)]
        assert seen == [0, 1, 1, 1, 4, 5]
