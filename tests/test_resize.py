"""One antialiased resize: what it keeps, and what it refuses."""

import pytest
import torch

from robossl.resize import resize


def test_the_right_size_is_passed_through_untouched() -> None:
    images = torch.randint(0, 256, (2, 3, 8, 6), dtype=torch.uint8)
    assert resize(images, (8, 6)) is images


def test_leading_axes_stay_and_constant_images_stay_constant() -> None:
    images = torch.full((2, 70, 3, 9, 15), 131, dtype=torch.uint8)
    assert torch.equal(resize(images, 4), torch.full((2, 70, 3, 4, 4), 131, dtype=torch.uint8))


def test_shrinking_averages_instead_of_picking() -> None:
    stripes = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    stripes[..., ::2] = 200
    small = resize(stripes, 8).float()
    assert (small - 100).abs().max() < 8


def test_pad_keeps_the_ratio_on_black_and_crop_cuts_the_centre() -> None:
    image = torch.full((3, 10, 20), 100, dtype=torch.uint8)
    image[:, :, :4] = 0
    padded = resize(image, 10, aspect="pad")
    assert padded.shape == (3, 10, 10)
    assert padded[:, [0, 1, 8, 9]].max() == 0
    assert padded[:, 4:6, 5:].min() == 100
    assert resize(image, 10, aspect="crop").min() == 100


@pytest.mark.parametrize("size", [(7, 5), (5, 7), (64, 3)])
@pytest.mark.parametrize("aspect", ["stretch", "pad", "crop"])
def test_every_policy_gives_the_size(size: tuple[int, int], aspect: str) -> None:
    assert resize(torch.zeros(3, 13, 9, dtype=torch.uint8), size, aspect=aspect).shape == (3, *size)


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        resize(torch.zeros(3, 8, 8), 4)
    with pytest.raises(ValueError, match="aspect='squash' is not known, allowed are stretch, pad, crop"):
        resize(torch.zeros(3, 8, 8, dtype=torch.uint8), 4, aspect="squash")
    with pytest.raises(ValueError, match="both sides must be at least 1 px"):
        resize(torch.zeros(3, 8, 8, dtype=torch.uint8), 0)
