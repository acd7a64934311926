"""The linear probe against scikit-learn and closed forms."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from robossl.errors import DataError
from robossl.evaluation.probe import (
    PixelPca,
    ProbeData,
    ProbeTarget,
    RidgeProbe,
    ridge_path,
    score_probe,
    state_targets,
)
from robossl.evaluation.probe_heads import probe_head


def _data(n: int = 200, *, noise: float = 0.0, dim: int = 6, num_episodes: int = 10) -> ProbeData:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(n, dim)) * np.arange(1, dim + 1) + 3
    truth = features @ generator.normal(size=(dim, 3)) + noise * generator.normal(size=(n, 3)) + 5
    return ProbeData(features=features, truth=truth, episode=np.arange(n) % num_episodes)


def test_each_penalty_gives_scikit_learns_ridge() -> None:
    data = _data(noise=1.0)
    centred = data.features - data.features.mean(0)
    solution = ridge_path(centred, data.truth, (0.01, 1.0, 100.0))
    for penalty, weights in zip((0.01, 1.0, 100.0), solution.weights, strict=True):
        expected = Ridge(alpha=penalty * len(centred)).fit(centred, data.truth)
        assert np.allclose(weights, expected.coef_.T)
        assert np.allclose(solution.intercept, expected.intercept_)


def test_a_linear_truth_is_read_out_exactly() -> None:
    data = _data()
    probe = RidgeProbe().fit(data)
    assert np.allclose(probe.predict(data.features), data.truth, atol=0.01)


def test_the_penalty_grows_where_features_say_nothing() -> None:
    generator = np.random.default_rng(0)
    data = _data(60)
    nothing = ProbeData(features=generator.normal(size=(60, 50)), truth=data.truth, episode=data.episode)
    assert RidgeProbe().fit(nothing).penalty > RidgeProbe().fit(data).penalty


def test_a_constant_feature_and_more_features_than_frames_do_no_harm() -> None:
    generator = np.random.default_rng(0)
    features = np.concatenate([np.ones((30, 1)), generator.normal(size=(30, 64))], axis=1)
    data = ProbeData(features=features, truth=generator.normal(size=(30, 2)), episode=np.arange(30) // 3)
    assert np.isfinite(RidgeProbe().fit(data).predict(features)).all()


def test_one_episode_is_too_few() -> None:
    data = _data(10, num_episodes=1)
    with pytest.raises(DataError, match="at least 2 episodes"):
        RidgeProbe().fit(data)


def test_scores_are_distances_in_centimetres_and_scikit_learns_r2() -> None:
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(50, 6)) * 0.1
    truth[:, 5] = 0.035  # the goal lies on the table
    predicted = truth + 0.02 * generator.normal(size=(50, 6))
    first, second = score_probe(predicted, truth, state_targets(6))
    assert (first.target, second.target) == ("end effector", "goal")
    distances = [100 * np.sqrt(((p - t) ** 2).sum()) for p, t in zip(predicted[:, :3], truth[:, :3], strict=True)]
    assert first.mean_error == pytest.approx(np.mean(distances))
    assert first.median_error == pytest.approx(np.median(distances))
    for score, columns in ((first, slice(0, 3)), (second, slice(3, 6))):
        expected = r2_score(truth[:, columns], predicted[:, columns], multioutput="variance_weighted")
        assert score.r2 == pytest.approx(expected)
    rest = score_probe(predicted[:, 5:], truth[:, 5:], (ProbeTarget(name="height", columns=(0,)),))[0]
    assert np.isnan(rest.r2), "what does not move has no variance to explain"


def test_small_components_stay_small_where_proportions_are_kept() -> None:
    """Tiny columns of noise, standardized to full size, hurt where frames are few; kept in proportion they can't."""
    generator = np.random.default_rng(1)
    signal, noise = generator.normal(size=(40, 2)), 1e-3 * generator.normal(size=(40, 30))
    truth = signal @ np.array([[1.0], [0.5]]) + 0.3 * generator.normal(size=(40, 1))
    data = ProbeData(features=np.concatenate([signal, noise], axis=1), truth=truth, episode=np.arange(40) // 4)
    fresh, fresh_noise = generator.normal(size=(500, 2)), 1e-3 * generator.normal(size=(500, 30))
    features = np.concatenate([fresh, fresh_noise], axis=1)

    def error(keep_proportions: bool) -> float:
        probe = RidgeProbe(keep_proportions=keep_proportions).fit(data)
        return float(np.square(probe.predict(features) - fresh @ np.array([[1.0], [0.5]])).mean())

    assert error(True) < 0.5 * error(False)


def test_the_push_state_has_an_object_between_end_effector_and_goal() -> None:
    assert [target.name for target in state_targets(9)] == ["end effector", "object", "goal"]
    assert state_targets(9)[1].columns == (3, 4, 5)


def test_chosen_columns_keep_their_own_unit() -> None:
    truth = np.arange(20.0).reshape(10, 2)
    score = score_probe(truth + np.array([0.0, 2.0]), truth, (ProbeTarget(name="joint", columns=(1,)),))[0]
    assert (score.mean_error, score.unit, score.n) == (2.0, "", 10)


def test_pca_never_has_more_components_than_frames() -> None:
    pixels = np.random.default_rng(0).random((8, 30)).astype(np.float32)
    assert PixelPca(64).fit(pixels).transform(pixels).shape == (8, 8)
    assert PixelPca(3).fit(pixels).transform(pixels).shape == (8, 3)


def test_a_small_network_and_neighbours_read_what_no_line_can() -> None:
    generator = np.random.default_rng(0)
    features, fresh = generator.uniform(-2, 2, (400, 2)), generator.uniform(-2, 2, (100, 2))
    data = ProbeData(features=features, truth=np.abs(features), episode=np.arange(400) // 40)
    errors = {
        name: float(np.square(probe_head(name).fit(data).predict(fresh) - np.abs(fresh)).mean())
        for name in ("linear", "mlp", "knn")
    }
    assert errors["linear"] > 0.3
    assert errors["mlp"] < 0.15
    assert errors["knn"] < 0.05
    few = ProbeData(features=features[:2], truth=features[:2, :1], episode=np.arange(2))
    assert probe_head("knn").fit(few).predict(features[:2]) == pytest.approx(features[:2, :1])
