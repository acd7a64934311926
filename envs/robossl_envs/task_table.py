"""What success means in every task, as one table: `python -m robossl_envs.task_table` prints it."""

from collections.abc import Iterator

from robossl_envs.arms import BENCHMARK, TASKS, load_task
from robossl_envs.control.tasks import TASKS as CONTROL_TASKS
from robossl_envs.tasks.task import Success

COLUMNS = ("task", "ids end in", "in words", "actions", "tolerance", "held for", "time limit", "let go", "ends")


def markdown() -> str:
    """Return the table as Markdown: arm tasks, then control tasks."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in (*_arm_rows(), *_control_rows()))])


def _arm_rows() -> Iterator[list[str]]:
    for name, id_end in TASKS.items():
        task = load_task(name)
        shown = f"**{name}**" if name in BENCHMARK else name
        yield [shown, f"`{id_end}-v0`", task.sentences[0], "4" if task.uses_gripper else "3", *_cells(task.success)]


def _control_rows() -> Iterator[list[str]]:
    for name, task in CONTROL_TASKS.items():
        id_end = task.env_id.removeprefix("robossl/")
        yield [name, f"`{id_end}`", task.sentences[0], str(len(task.action_names)), *_cells(task.success)]


def _cells(success: Success) -> list[str]:
    in_m = success.unit == "m"
    return [
        f"{100 * success.tolerance_m:g} cm" if in_m else f"{success.tolerance_m:g} {success.unit}",
        f"{success.hold_steps} steps",
        f"{success.max_episode_steps} steps",
        "yes" if success.released else "",
        "yes" if success.ends_episode else "no",
    ]


if __name__ == "__main__":
    print(markdown())
