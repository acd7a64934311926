"""Instants told across cameras."""

import numpy as np
import pytest

from robossl.evaluation.instants import instant_error, nearest_instants


def test_a_camera_with_another_background_finds_the_instant_once_its_mean_is_taken_off() -> None:
    generator = np.random.default_rng(0)
    scene = generator.normal(size=(50, 16))
    other, asked = scene + 20 * generator.normal(size=16), scene + 20 * generator.normal(size=16)
    assert instant_error(nearest_instants(asked, [generator.normal(size=(50, 16)) * 1e-9, other])) < 10
    assert instant_error(nearest_instants(asked, [other])) == 0
    assert instant_error(nearest_instants(asked, [other], centred=False)) > 0


def test_several_frames_tell_apart_what_one_frame_can_not() -> None:
    noise = np.random.default_rng(0).normal(size=(2, 60, 8))
    scene = np.random.default_rng(1).normal(size=(60, 8))
    one = instant_error(nearest_instants(scene + noise[0], [scene + noise[1]]))
    many = instant_error(nearest_instants(scene + noise[0], [scene + noise[1]], reach=8))
    assert many < one / 2


def test_neighbours_past_the_ends_count_as_nothing() -> None:
    features = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert nearest_instants(features, [features], reach=2, centred=False).tolist() == [0, 1]
    assert instant_error(np.array([1, 0])) == pytest.approx(1)
