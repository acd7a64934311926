"""Data sets to merge, and a merge that is stopped. For tests only."""

from collections.abc import Iterable

import pytest
from recordings import make_episode

from robossl.data.lerobot import EpisodeWriter


def write_set(root: str, seeds: Iterable[int]) -> None:
    """Record an episode of a Panda for each seed."""
    with EpisodeWriter(root, fps_hz=20.0, robot_type="panda") as episodes:
        for seed in seeds:
            episodes.append(make_episode(seed))


def stop_at(monkeypatch: pytest.MonkeyPatch, number: int, error: type[BaseException]) -> None:
    """Let copying fail once the output holds so many episodes."""
    copy = EpisodeWriter.append_copy

    def stopped(self: EpisodeWriter, *arguments: object, **rest: object) -> int:
        if self.num_episodes == number:
            raise error("stopped")
        return copy(self, *arguments, **rest)

    monkeypatch.setattr(EpisodeWriter, "append_copy", stopped)
