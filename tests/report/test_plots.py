"""The plots show the points and intervals of the tables, and tell them to those who see none."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from robossl.report.demonstrations import demonstrations_figure, demonstrations_section, points_of
from robossl.report.retention import kept_of, retention_figure, retention_section
from robossl.report.success import is_success_table

RETAINED = {
    "title": "Success in each world",
    "columns": ["policy", "domain", "retained", "retained_low", "retained_high", "of"],
    "rows": [
        ["ours", "randomized", 1.0, 1.0, 1.0, "randomized"],
        ["ours", "heldout", 0.8, 0.6, 0.9, "randomized"],
        ["ours", "shift: colour", 0.5, 0.2, 3.0, "nominal"],
        ["floor", "heldout", None, None, None, "randomized"],
        ["other", "heldout", 0.25, 0.1, 0.5, "randomized"],
    ],
}
COUNTED = {
    "title": "Success by number of demonstrations",
    "columns": ["task", "encoder", "demonstrations", "domain", "n", "success_rate", "low", "high"],
    "rows": [
        ["push", "ours", 25, "randomized", 9, 0.7, 0.5, 0.8],
        ["push", "ours", 10, "randomized", 9, 0.4, 0.3, 0.6],
        ["push", "state <b>", 25, "randomized", 9, 0.9, 0.8, 1.0],
        ["all", "ours", 25, "randomized", 9, 0.6, 0.5, 0.7],
        ["push", "ours", 25, "heldout", 9, 0.3, 0.1, 0.4],
    ],
    "note": "made up",
}


def _drawn(figure: Figure, panel: int) -> dict[str, Any]:
    """Return label to (points [n,2], ends of the intervals [n,2,2]) of one panel."""
    found = {}
    for bars in figure.axes[panel].containers:
        line, _, (spans,) = bars.lines
        found[bars.get_label()] = (line.get_xydata(), np.array(spans.get_segments()))
    return found


def test_retention_has_a_dot_and_an_interval_for_each_policy_and_world() -> None:
    kept = kept_of(RETAINED)
    assert [(one.policy, one.world) for one in kept] == [
        ("ours", "heldout"), ("ours", "shift: colour"), ("other", "heldout"),
    ]  # fmt: skip
    figure = retention_figure(kept, colors={"ours": 0, "floor": 1, "other": 2})
    drawn = _drawn(figure, 0)
    assert set(drawn) == {"ours", "other"}
    points, spans = drawn["ours"]
    assert points[:, 0] == pytest.approx([0.8, 0.5])
    assert spans[:, :, 0] == pytest.approx(np.array([[0.6, 0.9], [0.2, 3.0]]))
    worlds = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert [worlds[round(height)] for height in points[:, 1]] == ["heldout", "shift: colour"]
    assert figure.axes[0].get_xlim() == (0, 2)  # the interval that goes on is cut, which an arrow tells


def test_what_the_benchmark_keeps_is_drawn_too() -> None:
    columns = ["task", "encoder", "training_seeds", "n", "retained", "low", "high"]
    table = {"columns": columns, "rows": [["push", "ours", 3, 102, 0.9, 0.8, 1.1]]}
    (one,) = kept_of(table)
    assert (one.policy, one.world, one.value, one.low, one.high) == ("ours", "push", 0.9, 0.8, 1.1)


def test_success_has_a_panel_a_task_and_a_line_an_encoder() -> None:
    points = [point for point in points_of(COUNTED) if point.domain == "randomized"]
    figure = demonstrations_figure(points, colors={"ours": 0, "state <b>": 1})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["push", "all"]
    shown, spans = _drawn(figure, 0)["ours"]
    assert shown[:, 1] == pytest.approx([0.4, 0.7])  # from few demonstrations to many
    assert spans[:, :, 1] == pytest.approx(np.array([[0.3, 0.6], [0.5, 0.8]]))
    assert shown[:, 0] == pytest.approx([10, 25], rel=0.05)
    assert set(_drawn(figure, 1)) == {"ours"}


def test_the_plots_are_told_in_words_and_escaped() -> None:
    retention, counts = retention_section([RETAINED, COUNTED]), demonstrations_section([RETAINED, COUNTED])
    assert retention.count("<svg") == 1
    assert "ours in heldout: 0.80 (0.60 to 0.90)" in retention
    assert counts.count('<svg role="img"') == 2  # a figure for each domain
    assert "push, state &lt;b&gt;, 25: 0.90 (0.80 to 1.00)" in counts
    assert "<b>" not in counts


def test_a_table_of_demonstrations_does_not_repeat_the_rates_of_the_domains() -> None:
    assert not is_success_table(COUNTED)
