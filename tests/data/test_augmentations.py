"""Augmentation: constant within a group, keyed by position and never by rank, and colours stay where they are."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from memory_source import MemorySource

from robossl.data.augmentations import Augmentations, shifted
from robossl.data.clip_dataset import ClipDataset
from robossl.data.clip_sampling import sequence_window
from robossl.data.hashing import normals_of, uniforms_of
from robossl.types import ClipBatch

WINDOW = sequence_window(num_context=2, horizons=(1, 3))
STRONG = {"noise": 0.1, "blur": 1.0, "cutout": 1.0, "random_conv": 1.0}


def batch_of(num: int = 4) -> ClipBatch:
    dataset = ClipDataset(MemorySource(), WINDOW, seed=0, views=("front", "front_look2"))
    return dataset.batch(range(num), positions=range(num))


def still(batch: ClipBatch) -> ClipBatch:
    """The first frame of each clip and view in every place."""
    return replace(batch, pixels=batch.pixels[:, :, :1].expand_as(batch.pixels).contiguous())


def test_all_frames_of_a_group_and_its_targets_change_alike() -> None:
    batch = still(batch_of())
    changed = Augmentations(seed=0, **STRONG)(batch, np.arange(4), keys=WINDOW.augmentation_keys)
    assert not torch.equal(changed.pixels, batch.pixels)
    assert torch.equal(changed.pixels, changed.pixels[:, :, :1].expand_as(changed.pixels))
    apart = Augmentations(seed=0)(batch, np.arange(4))
    assert not torch.equal(apart.pixels[:, :, 0], apart.pixels[:, :, 2]), "without a shared key groups change apart"


def test_a_clip_changes_the_same_way_in_any_batch_and_on_any_rank() -> None:
    batch = batch_of()
    augment = Augmentations(seed=1, **STRONG)
    whole = augment(batch, np.array([5, 6, 7, 8])).pixels
    part = collate_rows(batch, [2])
    assert torch.equal(augment(part, np.array([7])).pixels[0], whole[2])
    assert not torch.equal(augment(part, np.array([9])).pixels[0], whole[2])
    assert not torch.equal(Augmentations(seed=2, **STRONG)(part, np.array([7])).pixels[0], whole[2])


def collate_rows(batch: ClipBatch, rows: list[int]) -> ClipBatch:
    tensors = {name: value[rows] for name, value in vars(batch).items() if isinstance(value, torch.Tensor)}
    return replace(batch, **tensors)


def test_nothing_switched_on_changes_nothing() -> None:
    batch = batch_of()
    off = Augmentations(seed=0, shift_px=0, brightness=0, contrast=0, saturation=0)
    assert torch.equal(off(batch, np.arange(4)).pixels, batch.pixels)


def test_views_shift_together_unless_told_otherwise() -> None:
    batch = batch_of()
    batch = replace(batch, pixels=batch.pixels[:, :1].expand_as(batch.pixels).contiguous())
    colourless = {"brightness": 0, "contrast": 0, "saturation": 0}
    together = Augmentations(seed=0, **colourless)(batch, np.arange(4)).pixels
    assert torch.equal(together[:, 0], together[:, 1])
    apart = Augmentations(seed=0, shift_views_together=False, **colourless)(batch, np.arange(4)).pixels
    assert not torch.equal(apart[:, 0], apart[:, 1])


def test_a_shift_moves_the_content_and_repeats_the_border() -> None:
    image = torch.arange(25, dtype=torch.uint8).view(1, 1, 1, 5, 5)
    moved = shifted(image, np.array([[1, -2]]))[0, 0, 0]
    assert torch.equal(moved[:4, 2:], image[0, 0, 0, 1:, :3])
    assert torch.equal(moved[4], moved[3])
    assert torch.equal(moved[:, 0], moved[:, 2])


@pytest.mark.parametrize("changes", [{"brightness": 0.3}, {"contrast": 0.5}, {"saturation": 0.5}])
def test_colour_jitter_keeps_the_order_of_channels(changes: dict) -> None:
    """A red thing stays the reddest: colour is what tells objects apart."""
    batch = batch_of()
    colours = torch.tensor([180, 110, 60], dtype=torch.uint8).view(3, 1, 1)
    batch = replace(batch, pixels=colours.expand_as(batch.pixels).contiguous())
    off = {"shift_px": 0, "brightness": 0.0, "contrast": 0.0, "saturation": 0.0}
    changed = Augmentations(seed=0, **{**off, **changes})(batch, np.arange(4)).pixels
    assert not torch.equal(changed, batch.pixels)
    red, green, blue = changed.unbind(dim=3)
    assert torch.all((red > green) & (green > blue))


def test_flat_areas_survive_blur_and_random_filters() -> None:
    batch = batch_of()
    flat = replace(batch, pixels=torch.full_like(batch.pixels, 77))
    off = {"shift_px": 0, "brightness": 0.0, "contrast": 0.0, "saturation": 0.0}
    changed = Augmentations(seed=0, blur=1.0, random_conv=1.0, **off)(flat, np.arange(4)).pixels
    assert torch.equal(changed, flat.pixels)


def test_hashed_numbers_are_uniform_independent_and_reproducible() -> None:
    u = uniforms_of(3, np.arange(20000), (1, 2), 4)
    assert u.min() >= 0
    assert u.max() < 1
    assert np.allclose(u.mean(axis=0), 0.5, atol=0.01)
    assert np.allclose(u.var(axis=0), 1 / 12, atol=0.003)
    assert np.all(np.abs(np.corrcoef(u.T) - np.eye(4)) < 0.03)
    assert np.corrcoef(u[:-1, 0], u[1:, 0])[0, 1] == pytest.approx(0, abs=0.03)
    assert np.array_equal(u[100:110], uniforms_of(3, np.arange(100, 110), (1, 2), 4))
    assert not np.array_equal(u, uniforms_of(4, np.arange(20000), (1, 2), 4))
    assert not np.array_equal(u, uniforms_of(3, np.arange(20000), (2, 1), 4))
    normals = normals_of(0, np.arange(20000), (5,), 2)
    assert np.allclose([normals.mean(), normals.std()], [0, 1], atol=0.02)
