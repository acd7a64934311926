"""Success cells, tables, pairing, videos and neighbours."""

from dataclasses import replace

import numpy as np
import pytest
from episodes import expert_episodes

from robossl.evaluation.neighbours import nearest_in_other_episodes, neighbour_strip
from robossl.evaluation.success import (
    EpisodeOutcome,
    SuccessCell,
    outcome_of,
    success_table,
)
from robossl.evaluation.videos import EMPTY, GREEN, RED, enlarge, episode_grid


def _cell(successes: list[bool], *, first_seed: int = 0) -> SuccessCell:
    outcomes = tuple(
        EpisodeOutcome(seed=first_seed + index, success=success, steps=5, redrawn=0, renderer="numpy")
        for index, success in enumerate(successes)
    )
    return SuccessCell(policy="p", domain="nominal", outcomes=outcomes)


def test_a_cell_counts_its_episodes_and_the_layouts_that_were_thrown_away() -> None:
    episodes = expert_episodes(4)
    episodes[0] = replace(episodes[0], variations={"num_solved_draws": 2})
    episodes[1] = replace(episodes[1], success=False)
    cell = SuccessCell(policy="expert", domain="nominal", outcomes=tuple(map(outcome_of, episodes)))
    table = success_table([cell], title="t")
    row = dict(zip(table["columns"], table["rows"][0], strict=True))
    assert (row["n"], row["successes"], row["success_rate"], row["renderer"]) == (4, 3, 0.75, "numpy")
    assert row["redrawn"] >= 2
    assert row["low"] < 0.75 < row["high"]
    assert cell.as_json()["episodes"][1] == {"seed": 1, "success": False, "steps": len(episodes[1])}


def test_no_success_has_no_mean_length() -> None:
    assert SuccessCell(policy="p", domain="d").row()[3:6] == [0, 0, 0.0]
    assert _cell([False]).row()[8] is None


def test_the_grid_frames_successes_green_and_failures_red_and_holds_the_last_frame() -> None:
    episodes = expert_episodes(3)
    episodes[1] = replace(episodes[1], success=False)
    video = episode_grid(episodes, camera="front", columns=2, min_size_px=32)
    assert video.shape == (max(len(episode) for episode in episodes) + 1, 80, 80, 3)
    assert tuple(video[0, 0, 0]) == GREEN
    assert tuple(video[0, 0, 40]) == RED
    assert tuple(video[0, 0, -1]) == RED
    assert (video[:, 40:, 40:] == EMPTY).all()
    assert np.array_equal(video[-1, 4:36, 4:36], enlarge(episodes[0].pixels["front"][-1:], min_size_px=32)[0])


@pytest.mark.parametrize(
    ("count", "shape"), [(1, (1, 1)), (3, (1, 3)), (5, (2, 3)), (6, (2, 3)), (7, (2, 4)), (8, (2, 4))]
)
def test_the_grid_leaves_few_places_empty(count: int, shape: tuple[int, int]) -> None:
    video = episode_grid(expert_episodes(1) * count, camera="front", min_size_px=32)
    assert video.shape[1:3] == (40 * shape[0], 40 * shape[1])


def test_neighbours_come_from_other_episodes_one_each_nearest_first() -> None:
    generator = np.random.default_rng(0)
    episode = np.repeat([0, 1, 2], 3)
    features = generator.normal(size=(9, 4))
    features[4] = features[0] * 1.01  # nearly the query, in episode 1
    neighbours = nearest_in_other_episodes(features, episode, np.array([0]), k=2)
    assert neighbours[0, 0] == 4
    assert sorted(episode[neighbours[0]]) == [1, 2]
    frames = generator.integers(0, 255, (9, 3, 5, 6)).astype(np.uint8)
    strip = neighbour_strip(frames, np.array([0]), neighbours, scale=2)
    assert np.array_equal(strip[0:10:2, 0:12:2], frames[0].transpose(1, 2, 0))
