"""The cells of the benchmark table: small files that outlive the runs which made them, and the table made of them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from robossl import __version__
from robossl.evaluation.intervals import across_seeds, difference_across_seeds, wilson
from robossl.evaluation.retention import retained, successes_of
from robossl.runs import fingerprint
from robossl.runs.files import write_json

ALL_TASKS = "all"
COLUMNS = ("task", "encoder", "domain", "renderer", "n", "each_seed", "success_rate", "low", "high")
NOTE = (
    "n: episodes of all training seeds; each_seed: success rate of each training seed. Interval: 95 %, over training "
    "seeds and episodes (pigeonhole bootstrap, never narrower than Wilson's); Wilson's where nothing is trained."
)


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
        """Return what is known of the cell, or None if it was never run with these settings."""
        try:
            found = json.loads(self.path(folder).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return found if found["key"] == self.key else None

    def get(self, folder: Path, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the cell's result of `evaluate`, measured now if it was not before."""
        found = self.read(folder)
        if found is None:
            found = {"key": self.key, "settings": dict(self.settings), "domains": measure()["domains"]}
            folder.mkdir(parents=True, exist_ok=True)
            write_json(self.path(folder), found)
        return found


def table(cells: Sequence[tuple[Cell, Mapping[str, Any]]], *, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the table over tasks, variants and domains, with the training seeds joined."""
    rows = []
    for first, found in _groups(cells):
        for domain in found[0]["domains"]:
            row = _row([result["domains"][domain] for result in found])
            rows.append([first.task, first.label(labels), domain, *row])
    return {"title": "Benchmark", "columns": list(COLUMNS), "rows": rows, "note": NOTE}


def retentions(
    cells: Sequence[tuple[Cell, Mapping[str, Any]]], *, source: str, target: str, labels: Mapping[str, str]
) -> dict[str, Any]:
    """Return what each variant keeps in one domain of its success in another one."""
    rows = []
    for first, found in _groups(cells):
        there, here = (
            np.stack([successes_of(result["domains"][name]) for result in found]) for name in (target, source)
        )
        kept = retained(there, here)
        if kept is not None:
            rows.append([first.task, first.label(labels), *(round(value, 3) for value in kept)])
    note = f"Success in {target} over that in {source}; bootstrap over training seeds and episodes, 95 %."
    columns = ["task", "encoder", "retained", "low", "high"]
    return {"title": f"What is kept in {target}", "columns": columns, "rows": rows, "note": note}


def by_demonstrations(
    cells: Sequence[tuple[Cell, Mapping[str, Any]]],
    *,
    usual: int,
    leave_out: Sequence[str],
    labels: Mapping[str, str],
) -> dict[str, Any] | None:
    """Return success by the number of demonstrations, and over all tasks where a policy was measured on each of them.

    Args:
        cells: All cells.
        usual: Demonstrations of a cell that names no number.
        leave_out: Variants that are not trained.
        labels: Words for the variants.

    Returns:
        None where there is one number alone.
    """
    found = [(first, results) for first, results in _groups(cells) if first.variant not in leave_out]
    tasks = list(dict.fromkeys(first.task for first, _ in found))
    groups: dict[tuple[str, str, int, str], list[Bool[np.ndarray, "S n"]]] = {}
    for task in (*tasks, *([ALL_TASKS] if len(tasks) > 1 else [])):
        for first, results in found:
            for domain in results[0]["domains"] if task in (first.task, ALL_TASKS) else ():
                key = (task, labels.get(first.variant, first.variant), first.num_demonstrations or usual, domain)
                successes = np.stack([successes_of(result["domains"][domain]) for result in results])
                groups.setdefault(key, []).append(successes)
    rows = []
    for key, parts in groups.items():
        seeds = {len(part) for part in parts}
        if len(seeds) == 1 and (key[0] != ALL_TASKS or len(parts) == len(tasks)):
            successes = np.concatenate(parts, axis=1)
            rows.append([*key, len(parts[0]), successes.size, *_estimate(successes)])
    columns = ["task", "encoder", "demonstrations", "domain", "training_seeds", "n", "success_rate", "low", "high"]
    note = (
        f"{ALL_TASKS}: mean over the tasks, where a policy was measured on each. Interval: 95 %, over training seeds "
        "and episodes (pigeonhole bootstrap, never narrower than Wilson's); Wilson's where there is one training seed."
    )
    title = "Success by number of demonstrations"
    table = {"title": title, "columns": columns, "rows": rows, "note": note}
    return table if len({row[2] for row in rows}) > 1 else None


def _groups(
    cells: Sequence[tuple[Cell, Mapping[str, Any]]],
) -> Iterator[tuple[Cell, list[Mapping[str, Any]]]]:
    """Yield the results of all training seeds of one policy, behind the first of their cells."""
    groups: dict[str, list[tuple[Cell, Mapping[str, Any]]]] = {}
    for cell, result in cells:
        groups.setdefault(cell.name, []).append((cell, result))
    for members in groups.values():
        yield members[0][0], [result for _, result in members]


def differences(
    cells: Sequence[tuple[Cell, Mapping[str, Any]]], *, of: str, against: Sequence[str], labels: Mapping[str, str]
) -> dict[str, Any]:
    """Return by how much one variant succeeds more often than others, paired by training seed and episode.

    With several tasks also over all of them.
    """
    pairs: dict[tuple[str, str, str], list[tuple[np.ndarray, np.ndarray]]] = {}
    known = {first.name: (first, found) for first, found in _groups(cells)}
    for first, found in known.values():
        for other in against if first.variant == of else ():
            second, measured = known.get(replace(first, variant=other).name, (None, []))
            if second is None or len(measured) != len(found):
                continue
            for domain in found[0]["domains"]:
                both = [np.stack([successes_of(one["domains"][domain]) for one in part]) for part in (found, measured)]
                for task in (first.task, ALL_TASKS):
                    pairs.setdefault((task, second.label(labels), domain), []).append((both[0], both[1]))
    rows = []
    for (task, label, domain), parts in pairs.items():
        if task == ALL_TASKS and (len(parts) == 1 or len({len(first) for first, _ in parts}) > 1):
            continue  # one task, or tasks that are not all there with as many training seeds
        difference = difference_across_seeds(*(np.concatenate(side, axis=1) for side in zip(*parts, strict=True)))
        rows.append([task, label, domain, *(round(value, 3) for value in difference)])
    return {
        "title": f"How much better is: {labels[of]}",
        "columns": ["task", "than", "domain", "difference", "low", "high"],
        "rows": rows,
        "note": "Difference of success rates, paired by training seed and episode; 95 %, pigeonhole bootstrap.",
    }


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
