"""The cells of the benchmark table: small files that outlive the runs which made them, and the table made of them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from robossl import __version__
from robossl.errors import ConfigError
from robossl.evaluation.intervals import wilson
from robossl.evaluation.retention import successes_of
from robossl.evaluation.training_seeds import INTERVAL, across_seeds
from robossl.runs import fingerprint
from robossl.runs.files import write_json

ALL_TASKS = "all"
COLUMNS = ("task", "encoder", "domain", "renderer", "n", "each_seed", "success_rate", "low", "high")
HOW = f"Interval: 95 %, {INTERVAL} Wilson's of all episodes; Wilson's alone where there is one training seed."
NOTE = f"n: episodes of all training seeds; each_seed: success rate of each training seed. {HOW}"

Outcomes = dict[int, Bool[np.ndarray, " n"]]
"""Success of the same episodes, by training seed."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One policy of one training seed on one task, in all domains."""

    task: str
    variant: str
    seed: int
    num_demonstrations: int | None = None
    """None: as many as the recipe says."""
    shift: str | None = None
    """What alone is changed in the plain world, `nothing` for that world itself; None: in the benchmark's domains."""
    settings: Mapping[str, Any]
    """Everything that the numbers depend on."""

    @property
    def key(self) -> str:
        """Fingerprint of version and settings."""
        return fingerprint({"version": __version__, "task": self.task, "variant": self.variant, **self.settings})

    def path(self, folder: Path) -> Path:
        """Return the file of the cell."""
        return folder / f"{self.name}-{self.seed}.json"

    @property
    def name(self) -> str:
        """All but the training seed."""
        count = "" if self.num_demonstrations is None else f"-{self.num_demonstrations}"
        return f"{self.task}-{self.variant}{count}" + ("" if self.shift is None else f"-shift-{self.shift}")

    def label(self, labels: Mapping[str, str]) -> str:
        """Return the words for what the policy is made of."""
        words = labels.get(self.variant, self.variant)
        return words if self.num_demonstrations is None else f"{words}, {self.num_demonstrations} demonstrations"

    def read(self, folder: Path) -> dict[str, Any] | None:
        """Return what is known of the cell, or None if it was never run with these settings.

        Raises:
            ConfigError: its file is damaged.
        """
        found = self._found(folder)
        return found if found is not None and found["key"] == self.key else None

    def is_another(self, folder: Path) -> bool:
        """Return whether the file of the cell holds a measurement with other settings or in another world."""
        found = self._found(folder)
        return found is not None and found["key"] != self.key

    def get(self, folder: Path, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the cell's result of `evaluate`, measured now if it was not before."""
        found = self.read(folder)
        if found is None:
            found = {"key": self.key, "settings": dict(self.settings), "domains": measure()["domains"]}
            folder.mkdir(parents=True, exist_ok=True)
            write_json(self.path(folder), found)
        return found

    def _found(self, folder: Path) -> dict[str, Any] | None:
        path = self.path(folder)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ConfigError(f"can't read the cell {path} ({error}); remove it to measure it again") from error
        if not isinstance(found, dict) or not {"key", "domains"} <= found.keys():
            raise ConfigError(f"{path} holds no cell; remove it to measure it again")
        return found


def table(cells: Sequence[tuple[Cell, Mapping[str, Any]]], *, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the table over tasks, variants and domains, with the training seeds joined."""
    rows = []
    for first, found in by_policy(cells):
        for domain in domains_of(found):
            row = _row([result["domains"][domain] for result in found.values()])
            rows.append([first.task, first.label(labels), domain, *row])
    return {"title": "Benchmark", "columns": list(COLUMNS), "rows": rows, "note": NOTE}


def by_demonstrations(
    cells: Sequence[tuple[Cell, Mapping[str, Any]]],
    *,
    tasks: Sequence[str],
    usual: int,
    leave_out: Sequence[str],
    labels: Mapping[str, str],
) -> dict[str, Any] | None:
    """Return success by the number of demonstrations, and over all tasks where a policy was measured on each of them.

    Args:
        cells: All cells.
        tasks: All tasks that a mean stands for.
        usual: Demonstrations of a cell that names no number.
        leave_out: Variants that are not trained.
        labels: Words for the variants.

    Returns:
        None where there is one number alone.
    """
    groups: dict[tuple[str, str, int, str], list[Outcomes]] = {}
    found = [(first, results) for first, results in by_policy(cells) if first.variant not in leave_out]
    for task in tasks_and_all(tasks):
        for first, results in found:
            for domain in domains_of(results) if task in (first.task, ALL_TASKS) else ():
                key = (task, labels.get(first.variant, first.variant), first.num_demonstrations or usual, domain)
                groups.setdefault(key, []).append(outcomes(results, domain))
    rows = []
    for key, parts in groups.items():
        seeds = common_seeds(parts)
        if seeds and len(parts) == (len(tasks) if key[0] == ALL_TASKS else 1):
            successes = side_by_side(parts, seeds)
            rows.append([*key, len(seeds), successes.size, *_estimate(successes)])
    columns = ["task", "encoder", "demonstrations", "domain", "training_seeds", "n", "success_rate", "low", "high"]
    note = (
        f"{ALL_TASKS}: mean over the tasks, where a policy was measured on each, over the training seeds that it has "
        f"on all of them. n: episodes of all training seeds. {HOW}"
    )
    title = "Success by number of demonstrations"
    table = {"title": title, "columns": columns, "rows": rows, "note": note}
    return table if len({row[2] for row in rows}) > 1 else None


def by_policy(
    cells: Sequence[tuple[Cell, Mapping[str, Any]]],
) -> Iterator[tuple[Cell, dict[int, Mapping[str, Any]]]]:
    """Yield the results of one policy by training seed, behind the first of its cells."""
    groups: dict[str, list[tuple[Cell, Mapping[str, Any]]]] = {}
    for cell, result in cells:
        groups.setdefault(cell.name, []).append((cell, result))
    for members in groups.values():
        yield members[0][0], {cell.seed: result for cell, result in members}


def domains_of(found: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """Return the domains of the results of one policy."""
    return list(next(iter(found.values()))["domains"])


def outcomes(found: Mapping[int, Mapping[str, Any]], domain: str) -> Outcomes:
    """Return the outcomes of the episodes of one domain, by training seed."""
    return {seed: successes_of(result["domains"][domain]) for seed, result in found.items()}


def tasks_and_all(tasks: Sequence[str]) -> list[str]:
    """Return what rows are made of: each task, and where there are several all of them together."""
    return [*tasks, *([ALL_TASKS] if len(tasks) > 1 else [])]


def common_seeds(parts: Sequence[Outcomes]) -> list[int]:
    """Return the training seeds that are there in every part."""
    return sorted(set.intersection(*(set(part) for part in parts)))


def side_by_side(parts: Sequence[Outcomes], seeds: Sequence[int]) -> Bool[np.ndarray, "S m"]:
    """Return a row for each of these training seeds, with the episodes of all parts."""
    return np.stack([np.concatenate([part[seed] for part in parts]) for seed in seeds])


def _row(domains: Sequence[Mapping[str, Any]]) -> list[Any]:
    successes = np.stack([successes_of(domain) for domain in domains])  # [S,n]
    renderer = "+".join(sorted({str(domain["renderer"]) for domain in domains}))
    each = " ".join(f"{value:.2f}" for value in successes.mean(axis=1))
    return [renderer, successes.size, each, *_estimate(successes)]


def _estimate(successes: Bool[np.ndarray, "S n"]) -> list[float]:
    """Return rate, low and high, rounded."""
    if len(successes) > 1:
        estimate = across_seeds(successes)
        rate, low, high = estimate.value, estimate.low, estimate.high
    else:
        rate = float(successes.mean())
        low, high = wilson(int(successes.sum()), successes.size)
    return [round(rate, 3), round(low, 3), round(high, 3)]


def as_markdown(result: Mapping[str, Any]) -> str:
    """Return a table as results hold it as Markdown."""
    lines = [
        f"**{result['title']}**",
        "",
        f"| {' | '.join(result['columns'])} |",
        f"|{'---|' * len(result['columns'])}",
    ]
    lines += [f"| {' | '.join(str(value) for value in row)} |" for row in result["rows"]]
    return "\n".join([*lines, "", result["note"], ""])
