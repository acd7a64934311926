"""Rank and spread of features: closed forms, and what counts as collapsed."""

import pytest
import torch

from robossl.evaluation.health import feature_health


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
    assert moved.is_collapsed
    assert feature_health(directions).spread == pytest.approx(1)


def test_one_direction_or_one_point_is_collapsed(directions: torch.Tensor) -> None:
    line = directions[:, :1] * torch.ones(8)
    assert feature_health(line).effective_rank == pytest.approx(1)
    assert feature_health(line).is_collapsed
    assert feature_health(torch.ones(5, 8)).metrics() == {"health/effective_rank": 0, "health/spread": 0}
    assert feature_health(torch.full((5, 8), torch.nan)).is_collapsed
    assert not feature_health(directions).is_collapsed
