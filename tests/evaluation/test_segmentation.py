"""Masks read out of cells, and what intersection over union means."""

import numpy as np
import pytest

from robossl.evaluation.segmentation import CellProbe, class_ious, fit_to_cells, mean_iou, nearest


def test_the_classes_of_a_cells_pixels_are_read_out_where_they_lie_in_its_features() -> None:
    generator = np.random.default_rng(0)
    truth = np.zeros((40, 8, 12), np.int64)
    cells = generator.normal(size=(40, 2, 3, 5)) * 0.1
    for number in range(40):  # one cell of each frame shows a thing in its left half
        row, column, kind = number % 2, number % 3, 1 + number // 20
        truth[number, 4 * row : 4 * row + 4, 4 * column : 4 * column + 2] = kind
        cells[number, row, column, kind] += 3
    order = generator.permutation(40)
    probe = CellProbe(3).fit(cells[order[:30]], truth[order[:30]], order[:30] % 6)
    predicted = probe.predict(cells[order[30:]])
    assert predicted.shape == (10, 8, 12)
    ious = class_ious(predicted, truth[order[30:]], 3)
    assert ious == pytest.approx([1.0, 1.0, 1.0])


def test_iou_is_that_of_the_formula_and_leaves_out_what_is_not_shown() -> None:
    truth, predicted = np.array([[[0, 1, 1, 2]]]), np.array([[[1, 1, 0, 2]]])
    ious = class_ious(predicted, truth, 4)
    assert ious[:3] == pytest.approx([0.0, 1 / 3, 1.0])
    assert np.isnan(ious[3])
    assert mean_iou(ious) == pytest.approx(2 / 3), "without class 0"


def test_masks_are_brought_to_a_multiple_of_the_map() -> None:
    mask = np.arange(6)[None, :, None].repeat(6, axis=2)
    assert fit_to_cells(mask, (4, 2)).shape == (1, 8, 6)
    assert nearest(mask, (3, 3))[0, :, 0].tolist() == [1, 3, 5]
    assert np.array_equal(nearest(mask, (6, 6)), mask)
