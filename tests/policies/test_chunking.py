"""Chunks: cut from episodes, executed in order, averaged as the paper says."""

import numpy as np
import pytest

from robossl.policies.chunking import ChunkExecutor, action_chunks


def test_chunks_hold_the_actions_from_each_step_on_and_mark_what_is_past_the_end() -> None:
    actions = np.arange(4, dtype=np.float32)[:, None]
    chunks, valid = action_chunks(actions, 3)
    assert chunks[..., 0].tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 3], [3, 3, 3]]
    assert valid.sum(1).tolist() == [3, 3, 2, 1]


def _chunk(start: float, *, count: int = 1, length: int = 3) -> np.ndarray:
    return np.broadcast_to(start + np.arange(length, dtype=np.float32)[:, None], (count, length, 1)).copy()


def test_receding_takes_the_first_actions_of_each_chunk() -> None:
    executor = ChunkExecutor(3, execution="receding", execute_steps=2)
    taken = []
    for start in (0, 10, 20, 30):
        if executor.needs_chunk():
            executor.add(_chunk(start))
        taken.append(float(executor.step()[0, 0]))
    assert taken == [0, 1, 20, 21]


def test_receding_keeps_the_chunk_of_envs_that_were_not_reset() -> None:
    executor = ChunkExecutor(3, execution="receding", execute_steps=3)
    executor.add(_chunk(0, count=2))
    executor.step()
    executor.reset(np.array([True, False]))
    assert executor.needs_chunk()
    executor.add(_chunk(10, count=2))
    assert executor.step()[:, 0].tolist() == [10, 1]


@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_ensemble_is_the_weighted_mean_of_all_chunks_that_speak_about_now(rate: float) -> None:
    generator = np.random.default_rng(0)
    chunks = generator.normal(size=(6, 1, 3, 2)).astype(np.float32)
    executor = ChunkExecutor(3, execution="ensemble", execute_steps=1, rate=rate)
    for now, chunk in enumerate(chunks):
        executor.add(chunk)
        votes = [chunks[asked, 0, now - asked] for asked in range(max(0, now - 2), now + 1)]
        weights = np.exp(-rate * np.arange(len(votes)))
        expected = np.average(votes, axis=0, weights=weights)
        assert np.allclose(executor.step()[0], expected, atol=1e-6)


def test_ensemble_forgets_what_was_said_before_a_reset_of_that_env_only() -> None:
    executor = ChunkExecutor(3, execution="ensemble", execute_steps=1, rate=0.0)
    executor.add(_chunk(0, count=2))
    executor.step()
    executor.reset(np.array([True, False]))
    executor.add(_chunk(11, count=2))
    assert executor.step()[:, 0].tolist() == [11, 6]
