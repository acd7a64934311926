"""The policy on the pretrained encoder is compared with the others on the same episodes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robossl.config.schema import STRICT
from robossl.report import build_report
from robossl.report.differences import difference_tables
from robossl.report.records import read_runs
from robossl.runs import open_run


@dataclass(frozen=True, kw_only=True)
class Example:
    __pydantic_config__ = STRICT

    note: str = ""


def _finished(path: Path, command: str, result: dict[str, Any]) -> Path:
    open_run(path, command=command, config=Example()).finish(result)
    return path


def _evaluated(
    path: Path,
    successes: list[bool],
    *,
    policy: str = "",
    renderer: str = "tiny",
    seed: int = 0,
    changes: dict[str, Any] | None = None,
) -> Path:
    episodes = [{"seed": seed + i, "success": success} for i, success in enumerate(successes)]
    domains = {"heldout": {"renderer": renderer, "episodes": episodes, **(changes or {})}}
    inputs = {"policy": policy} if policy else {}
    result = {"env_id": "robossl/PandaReach-v0", "domains": domains, "inputs": inputs}
    return _finished(path, "evaluate", result)


def _cloned(path: Path, *, encoder: str) -> str:
    """Make a run that cloned a policy and return the policy's digest."""
    run = open_run(path, command="finetune", config=Example())
    run.policy.mkdir()
    (run.policy / "weights").write_text(path.name)
    run.tracker.log_artifact("policy", kind="policy", path=run.policy, inputs={})
    result = run.finish({"inputs": {"encoder": encoder} if encoder else {}})
    return str(result["artifacts"]["policy"]["digest"])


def test_policies_on_the_same_episodes_are_compared_in_pairs(tmp_path: Path) -> None:
    good = _evaluated(tmp_path / "good", [True] * 9 + [False])
    weak = _evaluated(tmp_path / "weak", [True] * 3 + [False] * 7)
    (table,) = difference_tables(read_runs([good, weak]))
    (row,) = table["rows"]
    assert table["columns"] == ["env", "policy", "compared_with", "heldout"]
    assert row[:3] == ["PandaReach-v0", "good", "weak"]
    assert row[3].startswith("+60 (+")
    assert "How much more often" in build_report([good, weak], tmp_path / "report.html").read_text()


def test_the_policy_on_the_pretrained_encoder_is_compared_with_the_other_cloned_ones(tmp_path: Path) -> None:
    runs = [_evaluated(tmp_path / "expert", [True] * 10)]
    encoders = {"pretrained": "sha256:saved", "random": "random:conv:0", "state": ""}
    for name in ("random", "pretrained", "state"):
        policy = _cloned(tmp_path / f"policy-{name}", encoder=encoders[name])
        runs += [tmp_path / f"policy-{name}", _evaluated(tmp_path / name, [name != "random"] * 10, policy=policy)]
    (table,) = difference_tables(read_runs(runs), labels={"pretrained": "ours", "state": "the state"})
    assert [row[1:3] for row in table["rows"]] == [["ours", "random"], ["ours", "the state"]]
    assert [row[3].split()[0] for row in table["rows"]] == ["+100", "+0"]


def test_what_was_not_measured_alike_is_not_compared(tmp_path: Path) -> None:
    first = _evaluated(tmp_path / "first", [True, False])
    seeds = _evaluated(tmp_path / "seeds", [True, False], seed=7)
    renderer = _evaluated(tmp_path / "renderer", [True, False], renderer="mujoco-egl")
    assert difference_tables(read_runs([first, seeds, renderer])) == []
    assert difference_tables(read_runs([first])) == []


def test_only_policies_in_the_same_world_are_paired(tmp_path: Path) -> None:
    plain = _evaluated(tmp_path / "plain", [True, False])
    lit = [
        _evaluated(tmp_path / name, [name == "a", False], changes={"axes": {"light_direction": True}})
        for name in ("a", "b")
    ]
    others = [
        _evaluated(tmp_path / "full", [True, False], changes={"randomization": "full"}),
        _evaluated(tmp_path / "mujoco", [True, False], changes={"engine": "mujoco"}),
    ]
    assert difference_tables(read_runs([plain, *lit, *others])) == []
    (table,) = difference_tables(read_runs([*lit, plain, *others]))
    assert table["columns"][3:] == ["heldout, light_direction on", "heldout"]
    assert [row[1:3] for row in table["rows"]] == [["a", "b"]]
    assert [cell and cell.split()[0] for cell in table["rows"][0][3:]] == ["+50", None]
