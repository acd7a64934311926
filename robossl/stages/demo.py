"""`robossl demo`: every stage, small, ending with the table that counts and a page to look at."""

from functools import partial
from pathlib import Path
from typing import Any

from robossl.config.demo import DemoConfig
from robossl.config.probe import ProbeConfig
from robossl.config.recipe import (
    NAMES,
    SCRIPTED,
    demonstrations_config,
    evaluate_config,
    finetune_config,
    play_config,
    pretrain_config,
    probe_data_config,
)
from robossl.data.sources import discover_sources
from robossl.report import build_report
from robossl.rollout import Workers
from robossl.runs import Run
from robossl.stages import demo_words
from robossl.stages.chain import check_tasks, run_stage
from robossl.stages.collect import collect
from robossl.stages.demo_footage import num_footage_stages, study_footage
from robossl.stages.evaluate import evaluate
from robossl.stages.finetune import finetune
from robossl.stages.pretrain import pretrain
from robossl.stages.probe import probe
from robossl.stages.progress import stage_lines

DOMAINS = ("randomized", "nominal", "heldout")
COLUMNS = ("task", "encoder", "domain", "renderer", "n", "success_rate", "low", "high")
NOTE = (
    "Behaviour cloning from the same demonstrations and steps on three encoders; without one on simulator state, and "
    "what is not cloned at all, as ceiling and floor. randomized: the source; nominal: "
    "fixed looks; heldout: another engine and renderer, which no training saw (held-out simulator transfer, not real "
    "robots). Interval: Wilson, 95 %. Few episodes and one training seed: `make benchmark` has more of both."
)


def demo(config: DemoConfig, *, run: Run) -> dict[str, Any]:
    """Run all stages in folders of `output` and return the table of domains.

    Raises:
        ConfigError: an unknown task.
        DataError: footage that can't be read.
    """
    _check(config)
    with stage_lines(_num_stages(config)):
        return _demo(config, run=run)


def _num_stages(config: DemoConfig) -> int:
    """Return the number of stages: of play and demonstrations, probe and policies of each task, and of the encoder."""
    of_policies = sum(1 if variant in SCRIPTED else 2 for variant in NAMES)
    of_task = len(DOMAINS) + 1 + 1 + of_policies
    return 1 + len(config.tasks) * of_task + (num_footage_stages(config.footage) if config.footage else 0)


def _demo(config: DemoConfig, *, run: Run) -> dict[str, Any]:
    play = tuple(_stage_path(config, "play", task) for task in config.tasks)
    with run.time("collect"):
        for task, path in zip(config.tasks, play, strict=True):
            run_stage("collect", collect, play_config(config.recipe, task, path))
            for domain in DOMAINS[1:]:
                there = _stage_path(config, f"play-{domain}", task)
                labelled = probe_data_config(config.recipe, task, domain, there, num_episodes=config.num_probe_episodes)
                run_stage("collect", collect, labelled)
            there = _stage_path(config, "demonstrations", task)
            run_stage("collect", collect, demonstrations_config(config.recipe, task, there, seed=config.seed))
    encoder = config.output / "pretrain" / "encoder"
    with run.time("pretrain"):
        how = pretrain_config(config.recipe, play, encoder.parent, seed=config.seed, footage=config.footage)
        run_stage("pretrain", pretrain, how)
    with run.time("probe"):
        probes = [_probe(config, task, encoder) for task in config.tasks]
    if config.footage is not None:
        with run.time("footage"):
            probes += study_footage(config, config.footage, encoder)
    rows = [row for task in config.tasks for row in _policies(config, task, encoder, run=run)]
    table = {
        "title": "Success in each domain",
        "columns": list(COLUMNS),
        "rows": rows,
        "note": NOTE,
    }
    page = build_report(
        sorted(path.parent for path in config.output.rglob("result.json") if path.parent != config.output),
        config.output / "report.html",
        title="robossl demo",
        lead=demo_words.lead(config),
        terms=demo_words.terms(config),
        labels={f"evaluate-{variant}-{task}": label for variant, label in NAMES.items() for task in config.tasks},
        tables=[table],
    )
    return {"tables": [table, *(table for result in probes for table in result["tables"])], "report": str(page)}


def _policies(config: DemoConfig, task: str, encoder: Path, *, run: Run) -> list[list[Any]]:
    """Clone and evaluate each variant of one task; return its rows of the table."""
    rows = []
    with Workers(config.recipe.num_workers) as workers:
        for variant, label in NAMES.items():
            with run.time("finetune"):
                policy = _policy(config, task, encoder, variant)
            with run.time("evaluate"):
                how = evaluate_config(
                    config.recipe,
                    task,
                    policy,
                    _stage_path(config, f"evaluate-{variant}", task),
                    domains=DOMAINS,
                    num_episodes=config.num_eval_episodes,
                    num_videos=8 if variant == "pretrained" else 0,
                )
                result = run_stage("evaluate", partial(evaluate, workers=workers), how)
            for cell in result["domains"].values():
                rows.append([task, label, *(cell[column] for column in COLUMNS[2:])])
    return rows


def _policy(config: DemoConfig, task: str, encoder: Path, variant: str) -> str:
    """Return what `evaluate` takes as the policy, cloned first where it has to be."""
    if variant in SCRIPTED:
        return SCRIPTED[variant]
    path = _stage_path(config, f"policy-{variant}", task)
    demonstrations = _stage_path(config, "demonstrations", task)
    how = finetune_config(config.recipe, demonstrations, encoder, path, variant=variant, seed=config.seed)
    run_stage("finetune", finetune, how)
    return str(path / "policy")


def _probe(config: DemoConfig, task: str, encoder: Path) -> dict[str, Any]:
    how = ProbeConfig(
        output=_stage_path(config, "probe", task),
        encoder=str(encoder),
        source=_stage_path(config, "play", task),
        transfer=tuple(_stage_path(config, f"play-{domain}", task) for domain in DOMAINS[1:]),
        tracking=config.recipe.tracking,
    )
    return run_stage("probe", probe, how)


def _stage_path(config: DemoConfig, stage: str, task: str) -> Path:
    return config.output / f"{stage}-{task}"


def _check(config: DemoConfig) -> None:
    check_tasks(config.tasks)
    if config.footage is not None:
        discover_sources(config.footage)  # what can't be read is said now and not after the minutes of collecting
