"""The cells of the benchmark table: small files that outlive the runs which made them, and the table made of them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from robossl import __version__
from robossl.evaluation.intervals import across_seeds, difference_across_seeds, wilson
from robossl.runs import fingerprint
from robossl.runs.files import write_json

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
    settings: Mapping[str, Any]
    """Everything that the numbers depend on."""

    @property
    def key(self) -> str:
        """Fingerprint of version and settings."""
        return fingerprint({"version": __version__, "task": self.task, "variant": self.variant, **self.settings})

    def path(self, folder: Path) -> Path:
        """Return the file of the cell."""
        return folder / f"{self.task}-{self.variant}-{self.seed}.json"

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
    groups = dict.fromkeys((cell.task, cell.variant) for cell, _ in cells)
    for task, variant in groups:
        found = [result for cell, result in cells if (cell.task, cell.variant) == (task, variant)]
        for domain in found[0]["domains"]:
            rows.append([task, labels[variant], domain, *_row([result["domains"][domain] for result in found])])
    return {"title": "Benchmark", "columns": list(COLUMNS), "rows": rows, "note": NOTE}


def differences(
    cells: Sequence[tuple[Cell, Mapping[str, Any]]], *, of: str, against: Sequence[str], labels: Mapping[str, str]
) -> dict[str, Any]:
    """Return by how much one variant succeeds more often than others, paired by training seed and episode."""
    successes: dict[tuple[str, str, str], list[Bool[np.ndarray, " n"]]] = {}
    for cell, result in cells:
        for domain, measured in result["domains"].items():
            successes.setdefault((cell.task, cell.variant, domain), []).append(_successes(measured))
    rows = []
    for (task, variant, domain), first in successes.items():
        for other in against if variant == of else ():
            second = successes.get((task, other, domain), [])
            if len(second) == len(first):
                value, low, high = difference_across_seeds(np.stack(first), np.stack(second))
                rows.append([task, labels[other], domain, round(value, 3), round(low, 3), round(high, 3)])
    return {
        "title": f"How much better is: {labels[of]}",
        "columns": ["task", "than", "domain", "difference", "low", "high"],
        "rows": rows,
        "note": "Difference of success rates, paired by training seed and episode; 95 %, pigeonhole bootstrap.",
    }


def _row(domains: Sequence[Mapping[str, Any]]) -> list[Any]:
    successes = np.stack([_successes(domain) for domain in domains])  # [S,n]
    renderer = "+".join(sorted({str(domain["renderer"]) for domain in domains}))
    if len(domains) > 1:
        estimate = across_seeds(successes)
        rate, low, high = estimate.value, estimate.low, estimate.high
    else:
        rate = float(successes.mean())
        low, high = wilson(int(successes.sum()), successes.size)
    each = " ".join(f"{value:.2f}" for value in successes.mean(axis=1))
    return [renderer, successes.size, each, round(rate, 3), round(low, 3), round(high, 3)]


def _successes(domain: Mapping[str, Any]) -> Bool[np.ndarray, " n"]:
    return np.array([episode["success"] for episode in domain["episodes"]], bool)


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
