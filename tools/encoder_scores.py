r"""What scores of an encoder, that need no policy, say of the held-out engine: a table over tasks and encoders.

    python tools/encoder_scores.py --encoders pretrained=runs/transfer-benchmark/HASH/pretrain-0/encoder
    python tools/encoder_scores.py --tasks push --encoders mine=runs/pretrain/encoder scratch=runs/policy/encoder

The same expert meets the same seeds in `randomized` and in `heldout`; `robossl probe` with `domains` compares them.
Random weights of the first encoder's architecture are measured beside. A finished cell is a file, so the table grows.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from robossl.config.collect import CollectConfig
from robossl.config.later import without_later
from robossl.config.load import dump_values
from robossl.config.probe import ProbeConfig
from robossl.runs import digest_path, fingerprint
from robossl.runs.files import write_json, write_text
from robossl.stages.benchmark_cells import as_markdown
from robossl.stages.chain import run_stage
from robossl.stages.collect import collect
from robossl.stages.probe import probe
from robossl.stages.probe_domains import NOTE

TASKS = {
    "push": "robossl/PandaPush-v0",
    "pick_and_place": "robossl/PandaPickAndPlace-v0",
    "button_press": "robossl/PandaButtonPress-v0",
    "drawer_opening": "robossl/PandaDrawerOpening-v0",
}
DOMAINS = ("randomized", "heldout")
NUM_EPISODES = 100
RANDOM = "random"
MEASURES = {
    ("randomized", "action score"): "action_source",
    ("heldout", "action score"): "action_heldout",
    ("heldout", "centroid distance"): "centroid_distance",
    ("heldout", "invariance"): "invariance",
    ("heldout", "domain accuracy"): "domain_accuracy",
}
FREE = ("output", "source", "transfer", "tracking", "num_workers", "device")
COLUMNS = ("task", "encoder", "n", *MEASURES.values())


def main() -> None:
    """Measure the cells that are missing, and write the table."""
    arguments = _arguments()
    encoders = dict(word.split("=", 1) for word in arguments.encoders)
    first = next(iter(encoders.values()))
    for task in arguments.tasks:
        for name, path in {**encoders, RANDOM: first}.items():
            _cell(task, name, path, arguments)
    print(arguments.cells.with_suffix(".md"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--encoders", nargs="+", required=True, metavar="NAME=DIRECTORY")
    parser.add_argument("--work", type=Path, default=Path("runs/encoder-scores"))
    parser.add_argument("--cells", type=Path, default=Path("docs/results/encoder_scores"))
    return parser.parse_args()


def _collecting(task: str, domain: str, output: Path) -> CollectConfig:
    return CollectConfig(
        output=output,
        env_id=TASKS[task],
        domain=domain,
        policy="expert",
        noise=0.15,
        num_episodes=NUM_EPISODES,
        renderer="tiny" if domain == "randomized" else "auto",
    )


def _probing(name: str, path: str, data: tuple[Path, Path], output: Path) -> ProbeConfig:
    source, target = data
    return ProbeConfig(
        output=output,
        encoder=RANDOM if name == RANDOM else path,
        architecture=path,
        source=source,
        transfer=(target,),
        pca=0,
        domains=True,
        num_neighbour_queries=0,
    )


def _key(task: str, name: str, digest: str) -> str:
    """Return the fingerprint of all that the scores depend on, the encoder by its digest."""
    here = Path()
    stages = [*(_collecting(task, domain, here) for domain in DOMAINS), _probing(name, "", (here, here), here)]
    settings = [
        {key: value for key, value in without_later(dump_values(stage)).items() if key not in FREE} for stage in stages
    ]
    return fingerprint([digest, settings])


def _cell(task: str, name: str, path: str, arguments: argparse.Namespace) -> None:
    """Measure an encoder on a task, unless that is done."""
    cell, key = arguments.cells / f"{task}-{name}.json", _key(task, name, digest_path(path))
    if cell.is_file() and json.loads(cell.read_text(encoding="utf-8"))["key"] == key:
        return
    source, target = (_collecting(task, domain, arguments.work / f"{task}-{domain}") for domain in DOMAINS)
    for how in (source, target):
        run_stage("collect", collect, how)
    config = _probing(name, path, (source.output, target.output), arguments.work / f"probe-{task}-{name}")
    scores = _scores(run_stage("probe", probe, config))
    arguments.cells.mkdir(parents=True, exist_ok=True)
    write_json(cell, {"task": task, "name": name, "key": key, **scores})
    _write_table(arguments.cells)


def _scores(result: Mapping[str, Any]) -> dict[str, float]:
    """Return the measures of a probe, and of how many frames of the source they are."""
    (table,) = (table for table in result["tables"] if table["note"] == NOTE)
    found: dict[str, float] = {}
    for _, data, measure, num, value in table["rows"]:
        domain = next(name for name in DOMAINS if name in Path(data).name)
        found[MEASURES[domain, measure]] = round(value, 3)
        found.setdefault("n", num)
    return found


def _write_table(cells: Path) -> None:
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(cells.glob("*.json"))]
    found.sort(key=lambda cell: (list(TASKS).index(cell["task"]), cell["name"] == RANDOM, cell["name"]))
    rows = [[cell["task"], cell["name"], *(cell[column] for column in COLUMNS[2:])] for cell in found]
    table = {"title": "Scores of encoders", "columns": COLUMNS, "rows": rows, "note": NOTE}
    header = ["# Scores of encoders", "", "Made by `python tools/encoder_scores.py --encoders NAME=DIR ...`.", ""]
    write_text(cells.with_suffix(".md"), "\n".join([*header, as_markdown(table)]))


if __name__ == "__main__":
    main()
