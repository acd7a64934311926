"""Which policy in which world the episodes that runs have kept belong to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from robossl.evaluation.kept import FOLDER, KeptEpisode
from robossl.evaluation.worlds import world_of
from robossl.report.records import RunRecord


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One kept episode with the words for what it shows."""

    env: str
    policy: str
    world: str
    folder: Path
    """Where the files of the episode lie."""
    episode: KeptEpisode

    @property
    def outcome(self) -> str:
        """Return how it ended, in words."""
        return f"{self.episode.ended}, {self.episode.steps} steps"


def shown_episodes(
    runs: Sequence[RunRecord], *, labels: Mapping[str, str], cells: Mapping[str, tuple[str, str]]
) -> list[Shown]:
    """Return the episodes of all evaluations.

    Args:
        runs: Runs of the page.
        labels: Name of a run to what readers call its policy; without it the policy's folder, or the run where two of
            them would be called the same.
        cells: Name of a run to policy and world, where the domain does not tell.
    """
    found = [
        Shown(
            env=run.result.get("env_id", "").removeprefix("robossl/"),
            policy=policy,
            world=world,
            folder=run.path / FOLDER,
            episode=episode,
        )
        for run in runs
        for episode in run.kept
        for policy, world in [cells.get(run.name, (labels.get(run.name) or _policy(run), _world(run, episode)))]
    ]
    runs_of: dict[tuple[str, str, str], set[Path]] = {}
    for one in found:
        runs_of.setdefault((one.env, one.policy, one.world), set()).add(one.folder)
    clashing = {policy for (_, policy, _), folders in runs_of.items() if len(folders) > 1}
    names = {run.path / FOLDER: run.name for run in runs}
    return [replace(one, policy=names[one.folder]) if one.policy in clashing else one for one in found]


def within(shown: Sequence[Shown], most: int) -> set[int]:
    """Return the identities of the first episodes of each env, at most so many of all envs together.

    What an env has too few episodes for goes to the others.
    """
    by_env: dict[str, list[Shown]] = {}
    for one in shown:
        by_env.setdefault(one.env, []).append(one)
    taken: set[int] = set()
    smallest_first = sorted(by_env.values(), key=len)
    for place, episodes in enumerate(smallest_first):
        share = (most - len(taken)) // (len(smallest_first) - place)
        taken.update(id(one) for one in episodes[:share])
    return taken


def _world(run: RunRecord, episode: KeptEpisode) -> str:
    return world_of(episode.domain, run.result.get("domains", {}).get(episode.domain, {}))


def _policy(run: RunRecord) -> str:
    path = run.result.get("policy", run.name)
    return path.removesuffix("/").removesuffix("/policy").rsplit("/", 1)[-1]
