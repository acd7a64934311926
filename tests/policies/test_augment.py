"""Augmentations of frames."""

import pytest
import torch

from robossl.policies.augment import colour_jitter, feature_statistics, random_shift


def _clips(count: int = 4, *, length: int = 1) -> torch.Tensor:
    return torch.randint(256, (count, length, 3, 8, 10), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


def test_a_shift_moves_whole_pixels_and_repeats_the_border() -> None:
    images = _clips(32)
    shifted = random_shift(images, pad_px=2, generator=torch.Generator().manual_seed(1))
    assert shifted.shape == images.shape
    padded = torch.nn.functional.pad(images[:, 0].float(), (2,) * 4, mode="replicate").to(torch.uint8)
    for index in range(len(images)):
        windows = [padded[index, :, top : top + 8, left : left + 10] for top in range(5) for left in range(5)]
        assert any(torch.equal(shifted[index, 0], window) for window in windows)


def test_no_strength_changes_nothing() -> None:
    generator = torch.Generator()
    assert torch.equal(random_shift(_clips(), pad_px=0, generator=generator), _clips())
    assert torch.equal(colour_jitter(_clips(), strength=0.0, generator=generator), _clips())


def test_jitter_is_another_draw_for_each_clip_and_repeats_under_a_seed() -> None:
    same = _clips(1).expand(3, -1, -1, -1, -1)
    first = colour_jitter(same, strength=0.3, generator=torch.Generator().manual_seed(2))
    again = colour_jitter(same, strength=0.3, generator=torch.Generator().manual_seed(2))
    assert torch.equal(first, again)
    assert not torch.equal(first[0], first[1])


def test_the_frames_of_a_clip_share_a_draw() -> None:
    still = _clips(6).expand(-1, 3, -1, -1, -1)
    for augmented in (
        random_shift(still, pad_px=2, generator=torch.Generator().manual_seed(3)),
        colour_jitter(still, strength=0.3, generator=torch.Generator().manual_seed(3)),
    ):
        assert torch.equal(augmented[:, 0], augmented[:, 2])
        assert not torch.equal(augmented[:, 0], still[:, 0])


def test_a_constant_feature_is_not_blown_up() -> None:
    features = torch.randn(100, 3, generator=torch.Generator().manual_seed(0))
    features[:, 1] = 5.0
    mean, std = feature_statistics(features)
    assert torch.allclose(mean, features.mean(0))
    assert std[1] == pytest.approx(0.01 * float(features.std(0, correction=0).mean()))
