"""Stages in a row: each in a run directory of its own, so that a chain that was stopped goes on where it was."""

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from robossl.config.recipe import TASKS
from robossl.errors import ConfigError, closest
from robossl.runs import open_run
from robossl.stages.inputs import changed_inputs
from robossl.stages.progress import stage_done

Stage = Callable[..., dict[str, Any]]
"""`stage(config, run=run) -> result`."""


def check_tasks(tasks: Sequence[str]) -> None:
    """Refuse a task that the recipe does not know.

    Raises:
        ConfigError: there is one, or no task at all.
    """
    if not tasks:
        raise ConfigError(f"tasks is empty; name at least one of {', '.join(TASKS)}")
    for task in tasks:
        if task not in TASKS:
            raise ConfigError(f"unknown task {task!r}: use {', '.join(TASKS)}{closest(task, TASKS)}")


def run_stage(command: str, stage: Stage, config: Any) -> dict[str, Any]:
    """Run a stage in its run directory, or return its result if it has finished there already.

    A result whose encoder, policy or data has been made anew since is thrown away, which one line says, and the stage
    runs again: else the stages of one chain would speak of different things.

    Raises:
        ConfigError: the directory holds a run with other settings.
    """
    directory = getattr(config, "run_directory", config.output)
    run = open_run(directory, command=command, config=config, tracking=config.tracking)
    if (result := run.result) is not None:
        changed = changed_inputs(config, result)
        if not changed:
            stage_done(config.output.name, None)
            return result
        print(f"robossl: {changed[0]} changed since {directory} was made: run again", file=sys.stderr)
        shutil.rmtree(directory)
        run = open_run(directory, command=command, config=config, tracking=config.tracking)
    start_s = time.monotonic()
    with run:
        result = run.finish(stage(config, run=run))
    stage_done(config.output.name, time.monotonic() - start_s)
    return result
