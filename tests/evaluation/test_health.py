"""The numbers about features: closed forms, and what counts as collapsed."""

import math

import numpy as np
import pytest
import torch

from robossl.evaluation.geometry import alignment, straightness, uniformity
from robossl.evaluation.health import Health, feature_health
from robossl.evaluation.quick_probe import quick_r2


@pytest.fixture
def directions() -> torch.Tensor:
    """64 images of 8 features whose columns, centred, are orthogonal and equally long."""
    columns = torch.randn(64, 8, dtype=torch.float64)
    return torch.linalg.qr(columns - columns.mean(dim=0)).Q


def test_equal_singular_values_count_fully(directions: torch.Tensor) -> None:
    assert feature_health(directions).effective_rank == pytest.approx(8)
    three = directions * torch.tensor([1, 1, 1, 0, 0, 0, 0, 0])
    assert feature_health(three).effective_rank == pytest.approx(3)


def test_the_rank_is_the_exponential_of_the_entropy_of_the_singular_values(directions: torch.Tensor) -> None:
    scaled = directions * torch.tensor([0.5, 0.25, 0.25, 0, 0, 0, 0, 0])
    assert feature_health(scaled).effective_rank == pytest.approx(2**1.5)  # 1.5 bits


def test_what_all_images_share_does_not_count(directions: torch.Tensor) -> None:
    moved = feature_health(directions + 100.0)
    assert moved.effective_rank == pytest.approx(8)
    assert moved.spread < 0.01
    assert moved.faults()
    assert feature_health(directions).spread == pytest.approx(1)


def test_one_direction_or_one_point_is_collapsed(directions: torch.Tensor) -> None:
    line = directions[:, :1] * torch.ones(8)
    assert feature_health(line).effective_rank == pytest.approx(1)
    assert feature_health(line).faults()
    still = feature_health(torch.ones(5, 8)).metrics()
    assert still == {"health/effective_rank": 0, "health/spread": 0, "health/uniformity": 0}
    assert len(feature_health(torch.full((5, 8), torch.nan)).faults()) == 2
    assert feature_health(directions).faults() == []


def test_what_is_lost_is_said_beside_what_there_was() -> None:
    fresh = Health(effective_rank=50.0, spread=0.5)
    assert Health(effective_rank=15.0, spread=0.15).faults(fresh) == []
    rank, spread = Health(effective_rank=9.0, spread=0.05).faults(fresh)
    assert rank == "effective rank 9.0, 50 at the start: the images lie in few directions"
    assert spread == "spread 0.05, 0.5 at the start: the images become one"
    assert Health(effective_rank=9.0, spread=0.05).faults() == []


def test_uniformity_and_alignment_of_opposite_and_of_equal_images() -> None:
    opposite = torch.tensor([[1.0, 0.0], [-3.0, 0.0]])  # distance 2 on the sphere, whatever their length
    assert uniformity(opposite) == pytest.approx(-8)
    assert alignment(opposite[:1], opposite[1:]) == pytest.approx(4)
    assert uniformity(torch.ones(4, 3)) == pytest.approx(0)
    assert alignment(opposite, 5 * opposite) == pytest.approx(0)
    pairs = torch.randn(5, 3, dtype=torch.float64)
    unit = pairs / pairs.norm(dim=1, keepdim=True)
    slow = [math.exp(-2 * float((unit[i] - unit[j]).square().sum())) for i in range(5) for j in range(5) if i != j]
    assert uniformity(pairs) == pytest.approx(math.log(sum(slow) / 20))


def test_straightness_is_the_cosine_of_one_step_with_the_next() -> None:
    line = torch.arange(3.0).view(1, 3, 1) * torch.tensor([1.0, 2.0])
    corner = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [1.0, 5.0]]])
    back = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]])
    assert straightness(line) == pytest.approx(1)
    assert straightness(corner) == pytest.approx(0)
    assert straightness(back) == pytest.approx(-1)
    assert straightness(torch.cat([line, torch.ones(1, 3, 2)])) == pytest.approx(1), "what rests has no direction"
    assert math.isnan(straightness(torch.ones(1, 3, 2)))


def test_the_quick_probe_reads_what_is_there_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    features, episode = rng.normal(size=(64, 6)), np.repeat(np.arange(8), 8)
    known, unknown = features @ rng.normal(size=(6, 2)), rng.normal(size=(64, 2))
    assert quick_r2(features, known, episode) > 0.95
    assert quick_r2(features, unknown, episode) < 0.1
    assert quick_r2(features, np.hstack([known, np.ones((64, 1))]), episode) == quick_r2(features, known, episode)
    assert quick_r2(np.ones((64, 6)), known, episode) < 0.1, "all images are one"
    assert math.isnan(quick_r2(features, known, np.zeros(64, np.int64)))
