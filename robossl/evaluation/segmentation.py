"""What each pixel shows, read linearly out of the cells of a feature map."""

import numpy as np
from jaxtyping import Float, Int64

from robossl.evaluation.probe import FOLDS, ridge_path

PENALTIES = (1e-4, 1e-2, 1.0)
LEANINGS = (0.0, 0.2, 0.4, 0.6, 0.8)
"""How far a class is favoured for being rare: its score is divided by this power of its share of all pixels. What is
small is hardly ever likelier than not at any pixel, but its union is small too, so naming it is worth the risk."""


class CellProbe:
    """A linear map from the features of one cell to scores of each class at each pixel of the cell.

    Ridge regression onto one-hot classes, whose largest score counts. The penalty, and how far each class is favoured
    for being rare, are those with the best mean IoU on a fifth of the episodes. A cell is told neither its place nor
    its neighbours, so what is read out lies in its features.

    Args:
        num_classes: K; class 0 is what is not asked for.
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self.leanings = np.zeros(num_classes)

    def fit(
        self,
        cells: Float[np.ndarray, "n h w C"],
        labels: Int64[np.ndarray, "n H W"],
        episode: Int64[np.ndarray, " n"],
    ) -> "CellProbe":
        """Learn from frames whose pixels are known; H and W are multiples of h and w."""
        inside = ~np.isin(episode, np.unique(episode)[::FOLDS])
        penalty = PENALTIES[0]
        if inside.any():  # more than one episode
            penalty = self._choose(cells, labels, inside)
        self._solve(cells, labels, penalty)
        return self

    def predict(self, cells: Float[np.ndarray, "n h w C"]) -> Int64[np.ndarray, "n H W"]:
        """Return the class of each pixel."""
        rows = (_rows(cells) - self._mean) / self._std
        scores = (rows @ self._weights + self._intercept).reshape(len(rows), -1, self.num_classes)
        named = (scores / self._shares**self.leanings).argmax(axis=-1)
        return _joined(named, cells.shape[:3], self._side)

    def _choose(self, cells: np.ndarray, labels: np.ndarray, inside: np.ndarray) -> float:
        """Set the leanings and return the penalty that do best on the other frames."""
        best, chosen, penalty = -1.0, self.leanings, PENALTIES[0]
        for tried in PENALTIES:
            self._solve(cells[inside], labels[inside], tried)
            self.leanings = np.zeros(self.num_classes)
            score = self._lean(cells[~inside], labels[~inside])
            if score > best:
                best, chosen, penalty = score, self.leanings, tried
        self.leanings = chosen
        return penalty

    def _lean(self, cells: np.ndarray, labels: np.ndarray) -> float:
        """Favour one class after the other as far as it helps; return the mean IoU."""
        best = -1.0
        for number in range(1, self.num_classes):
            scores = []
            for self.leanings[number] in LEANINGS:
                ious = class_ious(self.predict(cells), labels, self.num_classes)
                scores.append(float(np.nan_to_num(mean_iou(ious))))
            best, self.leanings[number] = max(scores), LEANINGS[int(np.argmax(scores))]
        return best

    def _solve(self, cells: np.ndarray, labels: np.ndarray, penalty: float) -> None:
        self._side = (labels.shape[1] // cells.shape[1], labels.shape[2] // cells.shape[2])
        rows = _rows(cells)
        self._mean, self._std = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6)
        classes = np.eye(self.num_classes, dtype=np.float32)[_parted(labels, self._side)]  # [N,p,K]
        self._shares = np.maximum(classes.mean(axis=(0, 1), dtype=np.float64), 1e-9)
        solution = ridge_path((rows - self._mean) / self._std, classes.reshape(len(rows), -1), (penalty,))
        self._weights, self._intercept = solution.weights[0], solution.intercept


def class_ious(
    predicted: Int64[np.ndarray, "n H W"], truth: Int64[np.ndarray, "n H W"], num_classes: int
) -> Float[np.ndarray, " K"]:
    """Return intersection over union of each class over all pixels; not a number where it is not shown."""
    pairs = (truth * num_classes + predicted).ravel()
    counts = np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)
    shown, told, both = counts.sum(axis=1), counts.sum(axis=0), counts.diagonal()
    return np.where(shown > 0, both / np.maximum(shown + told - both, 1), np.nan)


def mean_iou(ious: Float[np.ndarray, " K"]) -> float:
    """Return the mean over the classes that are shown, without class 0."""
    shown = ious[1:][~np.isnan(ious[1:])]
    return float(shown.mean()) if len(shown) else float("nan")


def nearest(labels: Int64[np.ndarray, "n H W"], size: tuple[int, int]) -> Int64[np.ndarray, "n H2 W2"]:
    """Return masks at another size, each pixel that of the nearest one."""
    places = [
        ((np.arange(new) + 0.5) * old / new).astype(np.int64) for new, old in zip(size, labels.shape[1:], strict=True)
    ]
    return labels[:, places[0]][:, :, places[1]]


def fit_to_cells(labels: Int64[np.ndarray, "n H W"], cells: tuple[int, int]) -> Int64[np.ndarray, "n H2 W2"]:
    """Return masks at the multiple of a map's size that is nearest to theirs."""
    rows, columns = (count * max(1, round(size / count)) for size, count in zip(labels.shape[1:], cells, strict=True))
    return nearest(labels, (rows, columns))


def _rows(cells: np.ndarray) -> Float[np.ndarray, "N C"]:
    return np.asarray(cells, np.float64).reshape(-1, cells.shape[-1])


def _parted(labels: Int64[np.ndarray, "n H W"], side: tuple[int, int]) -> Int64[np.ndarray, "N p"]:
    """Return the pixels of each cell as a row."""
    n, height, width = labels.shape
    blocks = labels.reshape(n, height // side[0], side[0], width // side[1], side[1]).transpose(0, 1, 3, 2, 4)
    return blocks.reshape(-1, side[0] * side[1])


def _joined(
    rows: Int64[np.ndarray, "N p"], cells: tuple[int, ...], side: tuple[int, int]
) -> Int64[np.ndarray, "n H W"]:
    n, height, width = cells
    blocks = rows.reshape(n, height, width, *side).transpose(0, 1, 3, 2, 4)
    return blocks.reshape(n, height * side[0], width * side[1])
