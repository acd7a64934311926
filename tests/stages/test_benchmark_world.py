"""The fingerprint of a world: it changes with what happens there, and is drawn by what every machine has."""

from collections.abc import Iterator
from typing import Any

import pytest

from robossl.rollout import EnvSpec, rollout
from robossl.stages import benchmark_world
from robossl.stages.benchmark_world import world
from robossl.types import Episode


def test_a_world_is_known_by_what_happens_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = world("reach", ("randomized",))
    world.cache_clear()
    assert world("reach", ("randomized",)) == seen
    assert world("reach", ("shifted",)) != seen
    monkeypatch.setattr("robossl_envs.tasks.reach.BALL_RADIUS_M", 0.03)
    world.cache_clear()
    assert world("reach", ("randomized",)) != seen
    world.cache_clear()


def test_a_world_is_drawn_by_what_every_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[str, str]] = []

    def watched(spec: EnvSpec, *arguments: Any, **values: Any) -> Iterator[Episode]:
        for episode in rollout(spec, *arguments, **values):
            drawn.append((spec.domain, episode.renderer))
            yield episode

    monkeypatch.setattr(benchmark_world, "rollout", watched)
    world.cache_clear()
    world("reach", ("randomized", "heldout"))
    assert drawn[0] == ("randomized", "tiny")
    assert drawn[1][1] in ("mujoco-egl", "mujoco-osmesa", "tiny"), "the last one without a GL library"
