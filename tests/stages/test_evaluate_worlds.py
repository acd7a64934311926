"""A measurement in a world that was changed is not taken for one in the plain domain."""

import json
from pathlib import Path
from typing import Any

import pytest

from robossl import cli
from robossl.config.env import randomization
from robossl.evaluation.worlds import changes_of, world_of
from robossl.report.kept_episodes import shown_episodes
from robossl.report.records import read_runs
from robossl.rollout import EnvSpec

WORDS = "--policy random --env-id robossl/PandaReach-v0 --num-episodes 1 --num-workers 1 --renderer tiny --num-kept 1"


@pytest.mark.parametrize(
    ("domain", "options", "words"),
    [
        ("nominal", {}, "nominal"),
        ("nominal", {"renderer": "tiny", "engine": "bullet"}, "nominal"),
        ("nominal", {"engine": "mujoco"}, "nominal, engine mujoco"),
        ("randomized", randomization("medium", {}), "randomized"),
        ("randomized", randomization("full", {}), "randomized, preset full"),
        ("randomized", randomization("", {"mass": False, "ambient": (0.3, 0.45)}),
         "randomized, ambient 0.3 to 0.45, mass off"),
        ("nominal", randomization("shifted", {"mass": True}), "nominal, preset shifted, mass on"),
        ("shifted", randomization("", {"mass": True}), "shifted, mass on"),
    ],
)  # fmt: skip
def test_what_is_not_as_usual_is_told(domain: str, options: dict[str, Any], words: str) -> None:
    changes = changes_of(EnvSpec(env_id="e", domain=domain, options=options))
    assert world_of(domain, json.loads(json.dumps(changes))) == words


def test_a_changed_world_is_labelled_wherever_it_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    changed = ["--axes", "light_direction", "True", "camera_position", "0.03", "0.04"]
    words = [*WORDS.split(), "--domains", "nominal", "shifted"]
    assert cli.main(["evaluate", *words, "--output=plain"]) == 0
    assert "light_direction" not in capsys.readouterr().out
    assert cli.main(["evaluate", *WORDS.split(), "--domains", "nominal", "heldout", *changed, "--output=lit"]) == 0
    label = "nominal, camera_position 0.03 to 0.04, light_direction on"
    results = {name: json.loads(Path(name, "result.json").read_text()) for name in ("plain", "lit")}
    for cell in results["plain"]["domains"].values():
        assert not {"randomization", "axes", "engine"} & cell.keys()
    assert [row[1] for row in results["plain"]["tables"][0]["rows"]] == ["nominal", "shifted"]
    assert [row[1] for row in results["lit"]["tables"][0]["rows"]] == [label, "heldout"]
    cell = results["lit"]["domains"]["nominal"]
    assert (cell["domain"], cell["axes"]) == (
        "nominal",
        {"camera_position": [0.03, 0.04], "light_direction": True},
    )
    shown = shown_episodes(read_runs([Path("plain"), Path("lit")]), labels={}, cells={})
    assert [one.world for one in shown if one.folder.parent.name == "lit" and one.episode.domain == "nominal"] == [
        label
    ]
    assert cli.main(["report", "plain", "lit", "--output=page"]) == 0
    page = Path("page/report.html").read_text()
    assert f"<h4>{label}</h4>" in page
    assert "How much more often" not in page
