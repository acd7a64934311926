"""Augmentations of frames."""

import pytest
import torch

from robossl.policies.augment import colour_jitter, feature_statistics, random_shift


def _images(count: int = 4) -> torch.Tensor:
    return torch.randint(256, (count, 3, 8, 10), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def test_a_shift_moves_whole_pixels_and_repeats_the_border() -> None:
    images = _images(32)
    shifted = random_shift(images, pad_px=2, generator=torch.Generator().manual_seed(1))
    assert shifted.shape == images.shape
    padded = torch.nn.functional.pad(images.float(), (2,) * 4, mode="replicate").to(torch.uint8)
    for index in range(len(images)):
        windows = [padded[index, :, top : top + 8, left : left + 10] for top in range(5) for left in range(5)]
        assert any(torch.equal(shifted[index], window) for window in windows)


def test_no_strength_changes_nothing() -> None:
    generator = torch.Generator()
    assert torch.equal(random_shift(_images(), pad_px=0, generator=generator), _images())
    assert torch.equal(colour_jitter(_images(), strength=0.0, generator=generator), _images())


def test_jitter_is_another_draw_for_each_image_and_repeats_under_a_seed() -> None:
    same = _images(1).expand(3, -1, -1, -1)
    first = colour_jitter(same, strength=0.3, generator=torch.Generator().manual_seed(2))
    again = colour_jitter(same, strength=0.3, generator=torch.Generator().manual_seed(2))
    assert torch.equal(first, again)
    assert not torch.equal(first[0], first[1])


def test_a_constant_feature_is_not_blown_up() -> None:
    features = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    features[:, 1] = 5.0
    mean, std = feature_statistics(features)
    assert torch.allclose(mean, features.mean(0))
    assert std[1] == pytest.approx(0.01 * float(features.std(0, correction=0).mean()))
