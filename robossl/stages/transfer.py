"""`robossl transfer`: what policies keep of their success in worlds that they were not trained in."""

from functools import partial
from typing import Any

from robossl.config.env import SCRIPTED
from robossl.config.transfer import TransferConfig
from robossl.evaluation.agreement import ENOUGH_POLICIES, LEAST_POLICIES, agreement
from robossl.evaluation.intervals import paired_difference
from robossl.evaluation.retention import COLUMNS, IDLE_NOTE, MEASURED, retained_of, successes_of
from robossl.policies.saving import load_policy_card
from robossl.report import build_report
from robossl.rollout import Workers
from robossl.runs import Run
from robossl.stages.chain import run_stage
from robossl.stages.evaluate import evaluate
from robossl.stages.progress import stage_lines
from robossl.stages.transfer_checks import checked, trained_in_source

Cells = dict[tuple[str, str], dict[str, Any]]
"""(policy, world) to what `evaluate` found there."""
NOTE = (
    "success_rate with Wilson's 95 % interval; retained: that rate over the one in the world that `of` names, with the "
    "outer ends of a bootstrap and of a paired score interval; the episodes are the same in every world. Simulators "
    "all: held-out simulator transfer, not real robots."
)


def transfer(config: TransferConfig, *, run: Run) -> dict[str, Any]:
    """Measure each policy in each world, one finished cell after the other, and compare; write the page.

    Raises:
        ConfigError: there is no policy, a policy does not fit the env, or a world or policy is unknown.
    """
    config = checked(config)
    run.tracker.cut_back(0)
    cells: Cells = {}
    with stage_lines(len(config.policies) * len(config.worlds)), Workers(config.num_workers) as workers:
        for world in config.worlds:  # a first look at all policies comes before the last detail of one
            for name in config.policies:
                with run.time("evaluate"):
                    how = config.evaluation(name, world)
                    result = run_stage("evaluate", partial(evaluate, workers=workers), how)
                cells[name, world] = result["domains"][how.domains[0]]
                run.tracker.log(len(cells) - 1, {f"success/{name}/{world}": cells[name, world]["success_rate"]})
    tables = [_success(config, cells), *_differences(config, cells), *_agreements(config, cells)]
    places = {
        config.evaluation(name, world).output: (name, world) for world in config.worlds for name in config.policies
    }
    page = build_report(
        list(places),
        config.output / "report.html",
        title="robossl transfer",
        lead=_lead(config),
        cells={path.name: cell for path, cell in places.items()},
        tables=tables,
    )
    return {"tables": tables, "env_id": config.env_id, "report": str(page)}


def _lead(config: TransferConfig) -> str:
    first = " and ".join(config.targets) or "the shifts"
    episodes = "episode" if config.num_episodes == 1 else f"{config.num_episodes} episodes"
    there = trained_in_source(config).values()
    where = "where the policies were trained" if there and all(there) else "the source"
    return (
        f"Each policy met the same {episodes} in every world. Look first at {first}, beside {config.source}, {where}. "
        "A shift is the plain world with one thing changed, further than training went."
    )


def _success(config: TransferConfig, cells: Cells) -> dict[str, Any]:
    rows = []
    for name in config.policies:
        for world in config.worlds:
            cell, reference = cells[name, world], config.reference(world)
            kept = retained_of(cell, cells[name, reference], is_same=world == reference)
            rows.append([name, world, *(cell[column] for column in MEASURED), *kept, reference])
    return {"title": "Success in each world", "columns": list(COLUMNS), "rows": rows, "note": f"{NOTE} {IDLE_NOTE}"}


def _differences(config: TransferConfig, cells: Cells) -> list[dict[str, Any]]:
    """Return one table of the first policy against the others, or none where there is only one."""
    first, *others = config.policies
    rows = []
    for other in others:
        for world in config.worlds:
            drawn = [cells[name, world]["renderer"] for name in (first, other) if _sees(config.policies[name])]
            if len(set(drawn)) < 2:
                estimate = paired_difference(successes_of(cells[first, world]), successes_of(cells[other, world]))
                rows.append([other, world, *(round(value, 3) for value in estimate)])
    note = (
        "Difference of success rates on the same episodes with Newcombe's 95 % interval for pairs; one training seed. "
        "Two policies that saw a world through different renderers are not compared there."
    )
    columns = ["than", "world", "difference", "low", "high"]
    title = f"How much more often {first} succeeds"
    return [{"title": title, "columns": columns, "rows": rows, "note": note}] if rows else []


def _sees(policy: str) -> bool:
    """Return whether a policy looks at pictures, so that what draws them matters to it."""
    return policy not in SCRIPTED and bool(load_policy_card(policy).get("cameras"))


def _agreements(config: TransferConfig, cells: Cells) -> list[dict[str, Any]]:
    """Return how well the source foretells each world, or none where there are too few policies."""
    if len(config.policies) < LEAST_POLICIES:
        return []
    at_source = [cells[name, config.source]["success_rate"] for name in config.policies]
    rows = []
    for world in config.worlds[1:]:
        found = agreement(source=at_source, target=[cells[name, world]["success_rate"] for name in config.policies])
        pearson = None if found.pearson is None else round(found.pearson, 3)
        rows.append([world, found.num_policies, pearson, round(found.rank_violation, 3)])
    note = (
        "pearson: correlation of the policies' success rates in source and world; rank_violation: mean maximum rank "
        "violation, 0 is best (Li et al. 2024, arXiv 2405.05941). No pearson: all policies succeed equally often in "
        "one of the two."
    )
    num_trained = sum(policy not in SCRIPTED for policy in config.policies.values())
    if num_trained < ENOUGH_POLICIES:
        note += f" Of {num_trained} trained policies they say little: {ENOUGH_POLICIES} or more are needed."
    columns = ["world", "policies", "pearson", "rank_violation"]
    return [{"title": f"How well {config.source} foretells", "columns": columns, "rows": rows, "note": note}]
