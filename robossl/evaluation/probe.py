"""Linear probes: what can be read out of frozen features, and how it holds in domains that the probe never saw."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from robossl.errors import DataError

PENALTIES = tuple(float(value) for value in np.logspace(-4, 4, 17))
"""Ridge penalties that are tried, per frame of the fit."""
FOLDS = 5
CENTIMETRES_PER_METRE = 100.0


@dataclass(frozen=True, kw_only=True)
class ProbeTarget:
    """Columns of one key that make one quantity, such as a position."""

    name: str
    columns: tuple[int, ...]
    scale: float = 1.0
    unit: str = ""
    """Of the errors, after scaling."""


@dataclass(frozen=True, kw_only=True)
class ProbeData:
    """Features and what they are to tell, frame by frame."""

    features: Float[np.ndarray, "n D"]
    truth: Float[np.ndarray, "n Y"]
    episode: Int64[np.ndarray, " n"]


@dataclass(frozen=True, kw_only=True)
class ProbeScore:
    """How well one quantity is read out."""

    target: str
    unit: str
    n: int
    mean_error: float
    """Mean Euclidean distance over the columns of the target, in `unit`."""
    median_error: float
    r2: float
    """1 - squared error / squared distance from the mean of the tested frames, both Euclidean over the columns as the
    errors are: scikit-learn's `variance_weighted`, where what hardly moves hardly counts. Not a number if all rests."""


class RidgeProbe:
    """Linear map from scaled features to truth, with a ridge penalty chosen on held-out episodes of the fit.

    Args:
        penalties: candidates, each times the number of frames.
        keep_proportions: scale all features together and not each to deviation 1: for principal components, of which
            the small ones are mostly noise and would be blown up.
    """

    def __init__(self, penalties: Sequence[float] = PENALTIES, *, keep_proportions: bool = False) -> None:
        self.penalties = tuple(penalties)
        self.keep_proportions = keep_proportions
        self.penalty = self.penalties[0]

    def fit(self, data: ProbeData) -> "RidgeProbe":
        """Choose the penalty by cross-validation over episodes, then fit on all frames.

        Raises:
            DataError: fewer than two episodes, so that nothing can be held out.
        """
        episodes = np.unique(data.episode)
        if len(episodes) < 2:
            raise DataError(f"a probe needs at least 2 episodes to fit on, got {len(episodes)}; collect more")
        fold_of = dict(zip(episodes.tolist(), (np.arange(len(episodes)) % FOLDS).tolist(), strict=True))
        fold = np.array([fold_of[episode] for episode in data.episode.tolist()])
        errors = np.zeros(len(self.penalties))
        for held_out in range(min(FOLDS, len(episodes))):
            inside, outside = fold != held_out, fold == held_out
            errors += self._errors(data.features, data.truth, inside=inside, outside=outside)
        self.penalty = self.penalties[int(np.argmin(errors))]
        self._mean, self._std = self._standardization(data.features)
        solution = ridge_path(self._standardized(data.features), data.truth, (self.penalty,))
        self._weights, self._intercept = solution.weights[0], solution.intercept
        return self

    def predict(self, features: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n Y"]:
        """Return the truth as it is read out."""
        return self._standardized(features) @ self._weights + self._intercept

    def _standardized(self, features: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n D"]:
        return (np.asarray(features, np.float64) - self._mean) / self._std

    def _standardization(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean, std = _mean_and_std(features)
        return mean, np.full_like(std, std.max()) if self.keep_proportions else std

    def _errors(
        self, features: np.ndarray, truth: np.ndarray, *, inside: np.ndarray, outside: np.ndarray
    ) -> Float[np.ndarray, " P"]:
        """Return the squared error of each penalty, in units of the truth's spread."""
        mean, std = self._standardization(features[inside])
        solution = ridge_path((features[inside] - mean) / std, truth[inside], self.penalties)
        predicted = ((features[outside] - mean) / std) @ solution.weights + solution.intercept  # [P,n,Y]
        spread = np.maximum(truth[inside].std(axis=0), 1e-9)
        return np.square((predicted - truth[outside]) / spread).sum(axis=(1, 2))


@dataclass(frozen=True, kw_only=True)
class RidgeSolution:
    """Weights for each penalty; the intercept is the same for all, since the columns are centred."""

    weights: Float[np.ndarray, "P D Y"]
    intercept: Float[np.ndarray, " Y"]


def ridge_path(
    features: Float[np.ndarray, "n D"], truth: Float[np.ndarray, "n Y"], penalties: Sequence[float]
) -> RidgeSolution:
    """Return argmin_W |F W + b - T|^2 + n penalty |W|^2 for each penalty, from one eigendecomposition.

    Args:
        features: centred columns.
        truth: what is to be read out.
        penalties: 0 or more.
    """
    features, truth = np.asarray(features, np.float64), np.asarray(truth, np.float64)
    n = len(features)
    intercept = truth.mean(axis=0)
    values, vectors = np.linalg.eigh(features.T @ features / n)
    projected = vectors.T @ (features.T @ (truth - intercept) / n)  # [D,Y]
    values = np.maximum(values, 0)
    weights = [vectors @ (projected / np.maximum(values + penalty, 1e-12)[:, None]) for penalty in penalties]
    return RidgeSolution(weights=np.stack(weights), intercept=intercept)


class PixelPca:
    """The baseline's features: the first principal components of the frames' own pixels.

    Args:
        num_components: k.
    """

    def __init__(self, num_components: int) -> None:
        self.num_components = num_components

    def fit(self, pixels: Float[np.ndarray, "n P"]) -> "PixelPca":
        """Find the components; there are never more than frames."""
        from sklearn.decomposition import PCA

        count = min(self.num_components, *pixels.shape)
        self._pca = PCA(n_components=count, svd_solver="randomized", random_state=0).fit(pixels)
        return self

    def transform(self, pixels: Float[np.ndarray, "n P"]) -> Float[np.ndarray, "n k"]:
        """Return the components of frames."""
        return self._pca.transform(pixels)


def score_probe(
    predicted: Float[np.ndarray, "n Y"], truth: Float[np.ndarray, "n Y"], targets: Sequence[ProbeTarget]
) -> list[ProbeScore]:
    """Return how well each target is read out."""
    scores = []
    for target in targets:
        columns = list(target.columns)
        error = target.scale * (np.asarray(predicted, np.float64)[:, columns] - truth[:, columns])
        distance = np.linalg.norm(error, axis=1)
        scores.append(
            ProbeScore(
                target=target.name,
                unit=target.unit,
                n=len(truth),
                mean_error=float(distance.mean()),
                median_error=float(np.median(distance)),
                r2=_r2(predicted[:, columns], truth[:, columns]),
            )
        )
    return scores


def state_targets(size: int) -> tuple[ProbeTarget, ...]:
    """Return the positions in `observation.environment_state`: end effector, bodies, goal; 3 columns each [m]."""
    count = size // 3
    names = ["end effector", *(["object"] if count == 3 else [f"body {i}" for i in range(count - 2)]), "goal"]
    return tuple(
        ProbeTarget(name=name, columns=(3 * i, 3 * i + 1, 3 * i + 2), scale=CENTIMETRES_PER_METRE, unit="cm")
        for i, name in enumerate(names)
    )


def score_row(score: ProbeScore, **leading: Any) -> list[Any]:
    """Return a table row: the leading values, then those of the score."""
    error = f"{score.unit}" or "-"
    return [*leading.values(), score.target, score.n, score.mean_error, score.median_error, error, score.r2]


def _r2(predicted: np.ndarray, truth: np.ndarray) -> float:
    residual = float(np.square(np.asarray(predicted, np.float64) - truth).sum())
    total = float(np.square(truth - truth.mean(axis=0, dtype=np.float64)).sum())
    # what stands still but for rounding has no variance to explain
    return 1 - residual / total if total > 1e-10 * truth.size else float("nan")


def _mean_and_std(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    std = np.asarray(features, np.float64).std(axis=0)
    return np.asarray(features, np.float64).mean(axis=0), np.maximum(std, max(1e-9, 1e-3 * float(std.mean())))
