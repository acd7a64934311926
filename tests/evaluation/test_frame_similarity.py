"""SSIM as Wang et al. define it: 1 for equal frames, lower for blur and noise, and the formula where it is simple."""

import numpy as np
import pytest

from robossl.errors import ConfigError
from robossl.evaluation.frame_similarity import ssim


def frames(seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (2, 3, 6, 8), dtype=np.uint8)
    return coarse.repeat(8, axis=2).repeat(8, axis=3)


def test_equal_frames_score_one_and_noise_lowers_it_frame_by_frame() -> None:
    truth = frames()
    noise = np.random.default_rng(1).normal(0, 1, truth.shape) * np.array([5.0, 40.0])[:, None, None, None]
    noisy = np.clip(truth + noise, 0, 255).astype(np.uint8)
    assert ssim(truth, truth) == pytest.approx([1.0, 1.0], abs=1e-4)
    little, much = ssim(noisy, truth)
    assert much < 0.75 < little < 1


def test_flat_frames_follow_the_formula_of_their_means() -> None:
    dark, bright = (np.full((1, 3, 32, 32), level, np.uint8) for level in (51, 102))
    x, y, c1 = 51 / 255, 102 / 255, 0.01**2
    assert ssim(dark, bright) == pytest.approx([(2 * x * y + c1) / (x**2 + y**2 + c1)], abs=1e-4)


def test_frames_below_the_window_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 11 px, got 8x8"):
        ssim(np.zeros((1, 3, 8, 8), np.uint8), np.zeros((1, 3, 8, 8), np.uint8))
