"""The table of variations as Markdown: `python -m robossl_envs.randomization.as_markdown` prints it."""

from robossl_envs.randomization.axis import GROUPS, PRESETS, SAMPLERS, Axis
from robossl_envs.randomization.table import ARM_AXES

COLUMNS = ("axis", "what", "unit", "sampler", "nominal", *PRESETS)


def markdown() -> str:
    """Return the table, group by group, and what the samplers do."""
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    for group in GROUPS:
        lines.append(f"| *{group}* |{' |' * (len(COLUMNS) - 1)}")
        lines += [f"| {' | '.join(_row(axis))} |" for axis in ARM_AXES if axis.group == group]
    return "\n".join([*lines, "", *(f"- **{name}**: {what}." for name, what in SAMPLERS.items())])


def _row(axis: Axis) -> list[str]:
    nominal = "its own" if axis.nominal is None else f"{axis.nominal:g}"
    bounds = [f"{low:g} to {high:g}" for low, high in (axis.bounds(preset) for preset in PRESETS)]
    shown = [text if axis.is_on(preset) else f"({text})" for preset, text in zip(PRESETS, bounds, strict=True)]
    return [f"`{axis.name}`", axis.what, axis.unit, axis.sampler, nominal, *shown]


if __name__ == "__main__":
    print(markdown())
