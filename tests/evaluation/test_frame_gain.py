"""Gains over copying the last frame, in both conventions."""

import numpy as np
import pytest

from robossl.evaluation.frame_gain import frame_gain


def test_a_frame_at_rest_counts_in_the_mean_and_hardly_in_the_pooled_gain() -> None:
    errors, copied = np.array([1e-4, 1e-3]), np.array([1e-4, 1e-2])
    found = frame_gain(errors, copied, np.array([0, 0]))
    assert found["psnr_db"] == pytest.approx(35)
    assert found["gain_db"] == pytest.approx((0 + 10) / 2)
    assert found["pooled_gain_db"] == pytest.approx(10 * np.log10((1e-4 + 1e-2) / (1e-4 + 1e-3)))
    # one episode says nothing about others: drawn anew it is itself
    assert found["gain_db_low"] == pytest.approx(found["gain_db"]) == pytest.approx(found["gain_db_high"])


def test_the_interval_is_over_episodes_not_frames() -> None:
    generator = np.random.default_rng(0)
    gains_db = np.repeat([1.0, 2.0, 3.0, 4.0], 500) + 0.1 * generator.normal(size=2000)
    found = frame_gain(10 ** (-3 - gains_db / 10), np.full(2000, 1e-3), np.repeat([3, 5, 7, 9], 500))
    assert found["gain_db"] == pytest.approx(2.5, abs=0.02)
    # four episodes: the deviation of their mean is 1.12 / 2
    assert found["gain_db_high"] - found["gain_db_low"] == pytest.approx(2 * 1.96 * 1.118 / 2, rel=0.15)
    assert found["pooled_gain_db_low"] < found["pooled_gain_db"] < found["pooled_gain_db_high"]
