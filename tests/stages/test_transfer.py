"""`robossl transfer`: cells, comparisons, going on after a stop, and refusals."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from robossl.config.report import ReportConfig
from robossl.config.transfer import SHIFTS, TransferConfig
from robossl.errors import ConfigError
from robossl.runs import open_run
from robossl.stages import transfer as stage
from robossl.stages import transfer_checks
from robossl.stages.report import report
from robossl.stages.transfer_checks import checked

POLICIES = {"expert": "expert", "play": "play", "floor": "random"}


def config(output: Path, **values: Any) -> TransferConfig:
    defaults: dict[str, Any] = {
        "policies": POLICIES,
        "env_id": "robossl/PandaReach-v0",
        "targets": ("nominal",),
        "shifts": ("colour",),
        "num_episodes": 3,
        "num_videos": 1,
        "num_kept": 1,
        "num_workers": 1,
        "renderer": "tiny",
    }
    return TransferConfig(output=output / "transfer", **{**defaults, **values})


def run(how: TransferConfig) -> dict[str, Any]:
    with open_run(how.output, command="transfer", config=how) as opened:
        return opened.finish(stage.transfer(how, run=opened))


def test_policies_are_measured_in_each_world_and_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    how = config(tmp_path)
    success, differences, agreement = run(how)["tables"]
    rows = {(row[0], row[1]): dict(zip(success["columns"], row, strict=True)) for row in success["rows"]}
    assert {world for _, world in rows} == {"randomized", "nominal", "shift: colour"}
    assert all(row["n"] == 3 for row in rows.values())
    assert rows["expert", "nominal"]["success_rate"] == 1
    assert rows["expert", "nominal"]["retained"] == 1
    assert rows["expert", "shift: colour"]["retained"] is None  # it sees no colour, so nothing changed
    assert [rows["expert", world]["of"] for world in ("nominal", "shift: colour")] == ["randomized", "nominal"]
    assert rows["expert", "randomized"]["retained"] is None  # a world says nothing of leaving itself
    assert rows["floor", "nominal"]["retained"] is None  # it succeeds nowhere, so there is nothing to keep
    assert {row[0] for row in differences["rows"]} == {"play", "floor"}
    assert [row[:2] for row in agreement["rows"]] == [["nominal", 3], ["shift: colour", 3]]
    assert "Of 0 trained policies they say little" in agreement["note"]
    page = (how.output / "report.html").read_text()
    assert "shift: colour" in page
    assert "<video" in page
    assert "floor in shift: colour, episode 1000000: out of time" in page
    assert "floor in nominal, episode 1000000, failed" in page
    assert "expert in nominal, episode 1000000, failed" not in page
    assert "Retained success. expert in nominal: 1.00" in page

    def forbidden(*_: Any, **__: Any) -> Any:
        raise AssertionError("a finished cell is not measured again")

    monkeypatch.setattr(stage, "evaluate", forbidden)
    (how.output / "result.json").unlink()
    assert run(how)["tables"][0]["rows"] == success["rows"]


def test_a_shift_moves_its_axes_and_nothing_else(tmp_path: Path) -> None:
    evaluation = config(tmp_path, shifts=("camera",)).evaluation("expert", "shift: camera")
    assert evaluation.domains == ("nominal",)
    assert evaluation.randomization == "shifted"
    assert set(evaluation.axes) == set(SHIFTS["camera"])
    assert evaluation.output.name == "expert-shift-camera"


def test_the_other_engine_is_a_shift_of_its_own(tmp_path: Path) -> None:
    evaluation = config(tmp_path, shifts=("engine",)).evaluation("expert", "shift: engine")
    assert (evaluation.domains, evaluation.engine, evaluation.axes) == (("nominal",), "mujoco", {})


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"policies": {}}, "policies is empty"),
        ({"policies": {"ours": "nowhere"}}, "policy 'nowhere' is neither expert, play, random nor"),
        ({"policies": {"a/b": "expert"}}, "'a/b' would be the name of a policy, and of a folder: names come first"),
        ({"shifts": ("colours",)}, "unknown shift 'colours'.*did you mean 'colour'"),
        ({"targets": ("randomized",)}, "randomized is named twice"),
    ],
)
def test_what_can_not_be_measured_is_refused_before_anything_is(tmp_path: Path, values: Any, text: str) -> None:
    how = config(tmp_path, **values)
    with pytest.raises(ConfigError, match=text):
        run(how)
    assert not list(how.output.glob("*-*/result.json"))


def test_a_control_task_is_measured_in_the_worlds_that_it_has(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    usual = TransferConfig(output=tmp_path, policies={"expert": "expert"}, env_id="robossl/CartPoleSwingUp-v0")
    how = checked(usual)
    assert how.targets == ("nominal",)
    assert how.shifts == ("colour", "texture", "light", "camera", "delay", "noise", "blur", "jpeg")
    assert "has no domain heldout: not measured" in caplog.text
    assert checked(replace(usual, env_id="robossl/PandaReach-v0", renderer="tiny")).worlds == usual.worlds


def test_scripted_policies_act_in_the_env_of_the_cloned_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    how = config(tmp_path, env_id="", policies={"ceiling": "expert", "ours": "a/policy", "floor": "random"})
    monkeypatch.setattr(
        transfer_checks, "load_policy_card", lambda _: {"trained_on": {"env_id": "robossl/PandaPush-v0"}}
    )
    assert transfer_checks._env_id(how) == "robossl/PandaPush-v0"
    monkeypatch.setattr(transfer_checks, "load_policy_card", lambda _: {"trained_on": {}})
    with pytest.raises(ConfigError, match="policy ceiling \\(expert\\) names none"):
        transfer_checks._env_id(how)


def test_a_source_that_a_policy_was_not_trained_in_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    how = config(tmp_path, policies={"ours": "a/policy", "floor": "random"}, num_episodes=1)
    card = {"trained_on": {"env_id": how.env_id, "domains": ["randomized"]}}
    monkeypatch.setattr(transfer_checks, "load_policy_card", lambda _: card)
    monkeypatch.setattr(transfer_checks, "policy_factory", lambda _: None)
    monkeypatch.setattr(transfer_checks, "prepare", lambda one: {name: _Anything() for name in one.domains})
    monkeypatch.setattr(transfer_checks, "_possible", lambda how, _: how)
    checked(how)
    assert caplog.messages == []
    assert "beside randomized, where the policies were trained" in stage._lead(how)
    assert "the same episode in every world" in stage._lead(how)
    elsewhere = replace(how, source="heldout")
    checked(elsewhere)
    (told,) = caplog.messages
    assert told.startswith("ours: not trained in the source heldout")
    assert "beside heldout, the source" in stage._lead(elsewhere)
    assert "were trained" not in stage._lead(replace(how, policies={"floor": "random"}))


class _Anything:
    def make(self) -> Any:
        return self

    def close(self) -> None:
        pass


def test_another_number_of_episodes_is_another_measurement(tmp_path: Path) -> None:
    how = config(tmp_path, policies={"expert": "expert"}, shifts=())
    tables = run(how)["tables"]
    assert len(tables) == 1  # one policy is compared with none
    with pytest.raises(ConfigError):
        run(replace(how, num_episodes=2))


def test_policies_are_paired_unless_both_saw_the_world_drawn_differently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = config(tmp_path, policies={"ours": "a/policy", "theirs": "b/policy", "floor": "random"}, shifts=())
    monkeypatch.setattr(stage, "load_policy_card", lambda _: {"cameras": ["front"]})
    episodes = [{"success": True}, {"success": False}]
    drawn = {"ours": "tiny", "theirs": "gl", "floor": "gl"}
    cells = {
        (name, world): {"renderer": renderer, "episodes": episodes}
        for name, renderer in drawn.items()
        for world in how.worlds
    }
    (table,) = stage._differences(how, cells)
    assert [row[:2] for row in table["rows"]] == [["floor", "randomized"], ["floor", "nominal"]]
    assert "different renderers" in table["note"]


def test_a_report_says_where_the_page_of_a_transfer_is(tmp_path: Path) -> None:
    how = config(tmp_path, policies={"expert": "expert"}, shifts=(), num_episodes=1)
    run(how)
    about = ReportConfig(runs=(how.output,), output=tmp_path / "report")
    with open_run(about.output, command="report", config=about) as opened:
        page = report(about, run=opened)["report"]
    assert f"The episodes of {how.output}: {how.output / 'report.html'}." in Path(page).read_text()
