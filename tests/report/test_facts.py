"""Cards say what came of a run, in words."""

from pathlib import Path

import pytest

from robossl.report.facts import facts_of
from robossl.report.lineage import lineage_section
from robossl.report.records import RunRecord
from robossl.report.words import metric_words


def _run(command: str, **result: object) -> RunRecord:
    return RunRecord(path=Path("run"), name="run", command=command, config="", result=result)


def _shown(run: RunRecord) -> list[str]:
    return [fact.replace("\N{NO-BREAK SPACE}", " ") for fact in facts_of(run)]


def test_an_evaluation_shows_its_success_and_what_acted() -> None:
    cells = {"nominal": {"success_rate": 0.85, "n": 20}, "heldout": {"success_rate": 0.5, "n": 20}}
    run = _run("evaluate", policy="expert", domains=cells)
    assert _shown(run) == ["success: nominal 85 % · heldout 50 %"]
    assert "policy scripted expert" in lineage_section([run])
    lit = _run("evaluate", domains={"nominal": {"success_rate": 0.5, "engine": "mujoco"}})
    assert _shown(lit) == ["success: nominal, engine mujoco 50 %"]
    assert "success: shift: engine 50" in lineage_section([lit], worlds={"run": "shift: engine"})


def test_a_probe_shows_the_error_of_the_encoder() -> None:
    columns = ["features", "data", "target", "mean_error", "unit"]
    rows = [["encoder", "heldout", "goal", 1.234, "cm"], ["pca-64", "heldout", "goal", 9.0, "cm"]]
    assert _shown(_run("probe", tables=[{"columns": columns, "rows": rows}])) == ["heldout: goal off by 1.23 cm"]


def test_counts_have_words_and_what_only_debugging_needs_is_left_out() -> None:
    run = _run("pretrain", num_steps=700, first_step=0, loss=0.324, data_wait_fraction=0.0009, images_per_s=1141.4)
    assert _shown(run) == ["700 training steps · loss 0.324 at the end · 1,141 images per second"]
    assert _shown(_run("finetune", steps_of_demonstrations=253)) == ["imitates 253 demonstrated actions"]
    assert _shown(_run("collect", num_episodes=25, success_rate=0.833)) == [
        "25 episodes · 83 % of the attempts succeeded"
    ]


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("health/effective_rank", "number of directions that the features use (effective rank)"),
        ("time_contrast/accuracy", "time contrast: share of the right match found, 0 to 1"),
        ("part/some_thing", "part: some thing"),
        ("learning_rate", "learning rate"),
    ],
)
def test_metrics_have_words(metric: str, words: str) -> None:
    assert metric_words(metric) == words
