"""The statistics of frames."""

import numpy as np
import pytest

from robossl.data.lerobot.stats import column_stats, image_stats


@pytest.mark.parametrize("highest", [256, 3, 1])
def test_counting_gives_the_numbers_of_the_pixels_themselves(highest: int) -> None:
    images = np.random.default_rng(0).integers(0, highest, (5, 7, 9, 3)).astype(np.uint8)
    expected = column_stats(images.reshape(-1, 3))
    found = image_stats(images)
    assert found["count"].tolist() == [5]
    assert found.keys() == expected.keys()
    for name in found.keys() - {"count"}:
        assert found[name].shape == (3, 1, 1)
        np.testing.assert_allclose(found[name].ravel(), expected[name] / 255, atol=1e-12, err_msg=name)
