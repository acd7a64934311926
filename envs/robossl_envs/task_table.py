"""What success means in every arm task, as one table: `python -m robossl_envs.task_table` prints it."""

from robossl_envs.arms import BENCHMARK, TASKS, load_task

COLUMNS = ("task", "ids end in", "in words", "actions", "tolerance", "held for", "time limit", "let go", "ends")


def markdown() -> str:
    """Return the table as Markdown."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    return "\n".join([*lines, *(f"| {' | '.join(_row(name))} |" for name in TASKS)])


def _row(name: str) -> list[str]:
    task = load_task(name)
    success = task.success
    tolerance = (
        f"{100 * success.tolerance_m:g} cm" if success.unit == "m" else f"{success.tolerance_m:g} {success.unit}"
    )
    return [
        f"**{name}**" if name in BENCHMARK else name,
        f"`{TASKS[name]}-v0`",
        task.sentences[0],
        "4" if task.uses_gripper else "3",
        tolerance,
        f"{success.hold_steps} steps",
        f"{success.max_episode_steps} steps",
        "yes" if success.released else "",
        "yes" if success.ends_episode else "no",
    ]


if __name__ == "__main__":
    print(markdown())
