"""What reads the truth out of frozen features: a linear map, a small network, or the neighbours."""

import warnings
from typing import Any, Literal, Protocol

import numpy as np
from jaxtyping import Float

from robossl.evaluation.probe import FOLDS, ProbeData, RidgeProbe

Head = Literal["linear", "mlp", "knn"]
HIDDEN = (128,)
MLP_STEPS = 100
"""Passes over the frames at most: more only learn the frames by heart."""
MLP_PENALTIES = (0.1, 3.0, 100.0)
NEIGHBOURS = 5


class ProbeHead(Protocol):
    """Is fitted once and then asked."""

    def fit(self, data: ProbeData) -> Any:
        """Learn from training frames."""
        ...

    def predict(self, features: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n Y"]:
        """Return the truth as it is read out."""
        ...


def probe_head(name: Head) -> ProbeHead:
    """Return a fresh head."""
    match name:
        case "mlp":
            return MlpProbe()
        case "knn":
            return KnnProbe()
        case _:
            return RidgeProbe()


class _Standardized:
    """Features and truth at deviation 1 about 0, as they were in the fit, around a regressor of scikit-learn."""

    def __init__(self, regressor: Any) -> None:
        self._regressor = regressor

    def fit(self, data: ProbeData) -> "_Standardized":
        self._mean, self._std = _moments(data.features)
        self._middle, self._scale = _moments(data.truth)
        with warnings.catch_warnings():  # the steps are counted on purpose
            warnings.filterwarnings("ignore", message=".*Maximum iterations")
            self._regressor.fit(self._inputs(data.features), (data.truth - self._middle) / self._scale)
        return self

    def predict(self, features: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n Y"]:
        """Return the truth as it is read out."""
        read = self._regressor.predict(self._inputs(features))
        return read.reshape(len(features), -1) * self._scale + self._middle

    def _inputs(self, features: np.ndarray) -> np.ndarray:
        return (np.asarray(features, np.float64) - self._mean) / self._std


class MlpProbe(_Standardized):
    """One hidden layer of 128, Adam; the penalty on weights that does best on a fifth of the episodes of the fit."""

    def __init__(self) -> None:
        from sklearn.neural_network import MLPRegressor

        super().__init__(MLPRegressor(hidden_layer_sizes=HIDDEN, max_iter=MLP_STEPS, random_state=0))

    def fit(self, data: ProbeData) -> "_Standardized":
        """Choose the penalty, then learn from all frames."""
        episodes = np.unique(data.episode)
        inside = ~np.isin(data.episode, episodes[::FOLDS])
        if inside.any():  # more than one episode
            errors = [self._error(data, inside, penalty) for penalty in MLP_PENALTIES]
            self._regressor.set_params(alpha=MLP_PENALTIES[int(np.argmin(errors))])
        return super().fit(data)

    def _error(self, data: ProbeData, inside: np.ndarray, penalty: float) -> float:
        self._regressor.set_params(alpha=penalty)
        known = ProbeData(features=data.features[inside], truth=data.truth[inside], episode=data.episode[inside])
        super().fit(known)
        return float(np.square((self.predict(data.features[~inside]) - data.truth[~inside]) / self._scale).sum())


class KnnProbe(_Standardized):
    """The mean of the five nearest training frames, each by the inverse of its distance."""

    def __init__(self) -> None:
        from sklearn.neighbors import KNeighborsRegressor

        super().__init__(KNeighborsRegressor(n_neighbors=NEIGHBOURS, weights="distance"))

    def fit(self, data: ProbeData) -> "_Standardized":
        """Keep the frames; there may be fewer than neighbours."""
        self._regressor.set_params(n_neighbors=min(NEIGHBOURS, len(data.features)))
        return super().fit(data)


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    std = np.asarray(values, np.float64).std(axis=0)
    return np.asarray(values, np.float64).mean(axis=0), np.where(std > 1e-9, std, 1.0)
