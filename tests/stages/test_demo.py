"""The demo from end to end with the least of everything: its table, its page, going on, footage, and refusals."""

import io
import json
import re
import shutil
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import pytest
from recordings import make_episode, write_stamped

from robossl import cli
from robossl.config.recipe import NAMES
from robossl.data.lerobot import EpisodeWriter
from robossl.runs.files import write_json
from robossl.stages import demo

pytestmark = pytest.mark.timeout(1200)  # about half a minute of work, on a machine that may be busy

TINY = [
    "demo",
    "--tasks=reach",
    "--recipe.num-play-episodes=4",
    "--recipe.num-demonstrations=2",
    "--recipe.pretrain-steps=1",
    "--recipe.finetune-steps=1",
    "--recipe.num-workers=1",
    "--recipe.tracking.wandb=disabled",
    "--num-probe-episodes=3",
    "--num-eval-episodes=2",
    "--footage-steps=1",
]
DOMAINS = ["randomized", "nominal", "heldout"]
OUTPUT = Path("runs/demo")
SAID, SAID_AGAIN = "said.txt", "said_again.txt"
"""What the two calls print to stderr."""
SHOWN = (
    "pretrained, frozen",
    "heldout",
    "<video",
    "Where the time went",
    "The robot arm has to move its gripper to a ball",
    "<td>pretrained, frozen</td><td>from scratch, end to end</td>",
)
FINISHED_STAGES = ("collect", "pretrain", "probe", "finetune", "evaluate")


def refuse_to_run(config: Any, **keywords: Any) -> dict[str, Any]:
    raise AssertionError(f"{config.output} was finished and ran again")


def stop(*arguments: Any, **keywords: Any) -> Path:
    raise KeyboardInterrupt


def result() -> dict[str, Any]:
    return json.loads((OUTPUT / "result.json").read_text())


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a demo that was stopped before its page was written."""
    here = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        patch.setenv("ROBOSSL_CACHE", str(here / "cache"))
        patch.setattr(demo, "build_report", stop)
        said = io.StringIO()
        with redirect_stderr(said):
            assert cli.main(TINY) == 130
        (here / SAID).write_text(said.getvalue())
        assert not (OUTPUT / "result.json").exists()
    return here


@pytest.fixture(scope="module")
def finished(stopped: Path) -> Path:
    """The same folder after the demo went on, with no stage run a second time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(stopped)
        patch.setenv("ROBOSSL_CACHE", str(stopped / "cache"))
        for name in FINISHED_STAGES:
            patch.setattr(demo, name, refuse_to_run)
        said = io.StringIO()
        with redirect_stderr(said):
            assert cli.main(["demo", str(OUTPUT), "--json"]) == 0
        (stopped / SAID_AGAIN).write_text(said.getvalue())
    return stopped


@pytest.fixture
def _in_finished(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished)
    monkeypatch.setenv("ROBOSSL_CACHE", str(finished / "cache"))


@pytest.mark.usefixtures("_in_finished")
def test_a_stopped_demo_goes_on_and_ends_with_a_table_of_encoders_and_domains() -> None:
    table = result()["tables"][0]
    assert [row[1:3] for row in table["rows"]] == [
        [encoder, domain] for encoder in NAMES.values() for domain in DOMAINS
    ]
    for row in table["rows"]:
        cell = dict(zip(table["columns"], row, strict=True))
        assert cell["task"] == "reach"
        assert cell["n"] == 2
        assert 0 <= cell["low"] <= cell["success_rate"] <= cell["high"] <= 1
    assert {"collect", "pretrain", "probe", "finetune", "evaluate", "total"} <= result()["seconds"].keys()


@pytest.mark.usefixtures("_in_finished")
def test_each_stage_takes_one_line_where_no_terminal_shows_bars() -> None:
    lines = [line for line in Path(SAID).read_text().splitlines() if line.startswith("[")]
    assert [line.split("]")[0] for line in lines] == [f"[{number}/16" for number in range(1, 17)]
    assert re.fullmatch(r"\[1/16\] play-reach: \d+ s", lines[0])
    assert re.fullmatch(r"\[5/16\] pretrain: \d+ s", lines[4])
    assert "[5/16] pretrain: finished already" in Path(SAID_AGAIN).read_text().splitlines()


@pytest.mark.usefixtures("_in_finished")
def test_the_page_is_one_file_about_every_stage() -> None:
    page = (OUTPUT / "report.html").read_text()
    assert result()["report"] == str(OUTPUT / "report.html")
    assert all(text in page for text in SHOWN)
    stages = {path.relative_to(OUTPUT).parts[0] for path in OUTPUT.rglob("result.json")}
    assert {"play-reach", "demonstrations-reach", "pretrain", "probe-reach", "evaluate-scratch-reach"} <= stages


@pytest.mark.usefixtures("_in_finished")
def test_the_probe_covers_each_domain() -> None:
    (probed,) = (table for table in result()["tables"] if table["title"].startswith("Probe"))
    assert {row[1] for row in probed["rows"]} == set(DOMAINS)
    assert probed["title"] == "Probe on play-reach: positions in the scene, read from frozen features"


@pytest.mark.usefixtures("_in_finished")
def test_other_settings_in_the_same_folder_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    before = result()
    assert cli.main([word.replace("eval-episodes=2", "eval-episodes=3") for word in TINY]) == 2
    assert "holds a run with other settings (num_eval_episodes is 2 there, 3 here)" in capsys.readouterr().err
    assert result() == before


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """Two videos, and a data set with the state of a robot whose right arm is named."""
    folder = tmp_path / "footage"
    folder.mkdir()
    for number in range(2):
        write_stamped(folder / f"{number}.mp4", 70)
    with EpisodeWriter(folder / "arm", fps_hz=20.0, robot_type="arm") as episodes:
        for seed in range(4):
            episodes.append(make_episode(seed, num_steps=70, cameras=("front",)))
    info = folder / "arm/meta/info.json"
    content = json.loads(info.read_text())
    content["features"]["observation.state"]["names"] = ["left_wrist", "right_elbow", "right_wrist", "right_hand"]
    write_json(info, content)
    return folder


def test_footage_joins_pretraining_and_is_reported_on(
    finished: Path,
    footage: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROBOSSL_CACHE", str(tmp_path / "cache"))
    shutil.copytree(finished / OUTPUT, OUTPUT)  # simulation and policies are finished; what sees footage is not
    for name in ("pretrain", "probe-reach"):
        shutil.rmtree(OUTPUT / name)
    for name in ("run.json", "config.yaml", "result.json"):
        (OUTPUT / name).unlink()
    (OUTPUT / "report.html").unlink()
    for path in OUTPUT.iterdir():
        assert path.is_dir(), "only runs of stages are left"
    (OUTPUT / "run.json").write_text((finished / OUTPUT / "run.json").read_text())
    config = (finished / OUTPUT / "config.yaml").read_text()
    (OUTPUT / "config.yaml").write_text(config.replace("footage: null", f"footage: {footage}"))
    assert cli.main(["demo", str(OUTPUT)]) == 0
    sources = json.loads((OUTPUT / "pretrain/result.json").read_text())["inputs"]
    assert {"0-play-reach", "footage/arm", "footage/videos"} <= sources.keys()
    scored = json.loads((OUTPUT / "pretrain-footage/result.json").read_text())["future_frames"]
    assert {"6", "15", "30"} <= scored["footage/arm"]["horizons"].keys()
    assert all(value["copy_psnr_db"] > 0 for value in scored["footage/arm"]["horizons"].values())
    for encoder in ("mixed", "footage"):
        probed = json.loads((OUTPUT / f"probe-arm-{encoder}/result.json").read_text())
        assert {row[0] for row in probed["tables"][0]["rows"]} == {"encoder", "pca-64"}
        assert "dims:\n- 1\n- 2\n" in (OUTPUT / f"probe-arm-{encoder}/config.yaml").read_text(), "the right arm"
    assert "future frames" in (OUTPUT / "report.html").read_text()
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("[")]
    assert [line.split("]")[0] for line in lines] == [f"[{number}/19" for number in range(1, 20)]


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--tasks=reahc"], "unknown task 'reahc': use reach, push, "),
        (["--footage=nowhere"], "footage nowhere does not exist; name a folder of videos or of LeRobot data sets"),
        (["--footage=empty"], "empty holds no video files"),
        (["--recipe.num-demonstration=2"], "did you mean '--recipe.num-demonstrations'?"),
    ],
)
def test_bad_input_is_refused_in_one_line_and_leaves_nothing(
    flags: list[str], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    assert cli.main(["demo", *flags]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert text in line
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
