"""Bad input to any command: one line that says what is wrong, exit code 2, and nothing written."""

from pathlib import Path

import point_env  # noqa: F401  registers the env
import pytest
from episodes import POINT_ENV
from shelf import fill_shelf

from robossl import cli

COLLECT = ["collect", f"--env-id={POINT_ENV}", "--num-episodes=1", "--num-workers=1"]
TWO_WORKERS = ["collect", "--num-episodes=1", "--num-workers=2"]
PRETRAIN = ["pretrain", "--num-steps=1", "--objectives.0.name=time_contrast"]
TRAINABLE = [*PRETRAIN, "--sources.0.path=data"]
PROBE = ["probe", "--encoder=encoder", "--source=data"]
FINETUNE = ["finetune", "--num-demonstrations=2", "--num-steps=1"]
CLONABLE = [*FINETUNE, "--demonstrations=data", "--encoder=encoder"]
REINFORCE = ["reinforce", f"--env-id={POINT_ENV}"]
REINFORCED = [*REINFORCE, "--encoder=encoder"]
TRANSFER = ["transfer", "--env-id=robossl/CartPoleSwingUp-v0", "--policies", "floor", "random"]
EVALUATE = ["evaluate", f"--env-id={POINT_ENV}", "--domains=nominal", "--num-episodes=1", "--num-workers=1"]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of good inputs and damaged ones; a test may not change it."""
    here = tmp_path_factory.mktemp("shelf")
    fill_shelf(here)
    return here


CASES: list[tuple[list[str], str]] = [
    ([*COLLECT, "--env-id=robossl/PandaReech-v0"], "Did you mean: `PandaReach`"),
    ([*COLLECT, "--env-id=CartPole-v1"], "can't make env 'CartPole-v1'"),
    ([*COLLECT, "--env-id=PandaPush-v0"], "did you mean 'robossl/PandaPush-v0'?"),
    ([*TWO_WORKERS, "--env-id=robossl/PandaReach-v0", "--renderer=opengl"], "robossl: can't make env"),
    (
        [*TWO_WORKERS, "--env-id=robossl/CartPoleSwingUp-v0", "--domain=heldout"],
        "robossl: can't make env 'robossl/CartPoleSwingUp-v0': robossl/CartPoleSwingUp-v0 has no domain 'heldout'",
    ),
    (["collect", "shipped.yaml"], "shipped.yaml is a configuration of 'pretrain', not of 'collect'"),
    ([*COLLECT, "--env-id=robossl/PandaReach-v0", "--domain=randomised"], "did you mean 'randomized'"),
    ([*COLLECT, "--env-id=robossl/PandaReach-v0", "--cameras=frnt"], "did you mean 'front'"),
    ([*COLLECT, "--cameras", "front", "front"], "cameras names one twice"),
    ([*COLLECT, "--policy=expertt"], "policy 'expertt' is neither expert, play, random nor"),
    ([*COLLECT, "--policy=policies/actions"], "gives actions of 2 numbers, but test/Point-v0 has 3"),
    (
        [*COLLECT, "--policy=policy", "--image-size=32"],
        "policy policy was trained on frames of 16 px, but test/Point-v0 shows 32 px; set image_size to 16",
    ),
    (
        [*COLLECT, "--policy=policies/scale", "--image-size=16"],
        "in which 1 means x_m 0.03, y_m 0.03, z_m 0.03, but in test/Point-v0 it means x_m 0.05, y_m 0.05, z_m 0.05",
    ),
    ([*COLLECT, "--image-size=15"], "H.264 stores even sizes only"),
    ([*COLLECT, "--image-size=-1"], "image_size: input should be greater than or equal to 1, got -1"),
    ([*COLLECT, "--num-episodes=-1"], "num_episodes: input should be greater than or equal to 1, got -1"),
    ([*COLLECT, "--seed=-1"], "seed: input should be greater than or equal to 0, got -1"),
    ([*COLLECT, "--noise=nan"], "noise: input should be a finite number, got nan"),
    ([*COLLECT, "--output=videos"], "videos holds a.mp4 but is no data set"),
    ([*COLLECT, "--output=damaged/info"], "damaged/info/meta/info.json is not JSON"),
    (["import", "nothing"], "nothing holds no video files"),
    (["import", "corrupt"], "no video that can be read (1 skipped; can't read video corrupt/a.mp4"),
    (["import", "file"], "file has no video that can be read"),
    (["import", "videos", "--output=videos"], "videos holds a.mp4 but is no data set"),
    (["import", "videos", "--fps-hz=0"], "fps_hz: input should be greater than or equal to 1, got 0"),
    (["import", "videos", "--image-size", "3", "3"], "H.264 needs an even height and width"),
    (["import", "videos", "--aspect=strech"], "invalid choice 'strech'"),
    (["import", "videos", "--output=runs"], "runs holds broken but is no data set: choose a new directory"),
    (["import"], "give a PATH: robossl import PATH"),
    ([*PRETRAIN, "--sources.0.path=none"], "sources.0.path none does not exist"),
    ([*PRETRAIN, "--sources.0.path=corrupt"], "no video that can be read"),
    ([*TRAINABLE, "--objectives.0.name=time_kontrast"], "did you mean 'time_contrast'"),
    ([*TRAINABLE, "--sources.0.views=frnt"], "did you mean 'front'"),
    ([*TRAINABLE, "--encoder.name=resnet"], "invalid choice 'resnet'"),
    ([*TRAINABLE, "--encoder.feature-dim=0"], "feature_dim: input should be greater than or equal to 1"),
    ([*TRAINABLE, "--image-size", "0", "64"], "image_size.0: input should be greater than or equal to 1, got 0"),
    ([*TRAINABLE, "--augmentation.blur=2"], "augmentation.blur: input should be less than or equal to 1, got 2"),
    ([*TRAINABLE, "--num-steps=many"], "--num-steps"),
    ([*TRAINABLE, "--device=tpu"], "device must be auto, cpu or cuda, got 'tpu'"),
    ([*TRAINABLE, "--cache-dir=file"], "can't write the frame cache"),
    ([*PROBE, "--encoder=encoders/card"], "encoders/card/card.json is not valid JSON"),
    ([*PROBE, "--encoder=encoders/weights"], "can't read encoders/weights/model.safetensors"),
    ([*PROBE, "--encoder=encoders/architecture"], "did you mean 'conv'"),
    ([*PROBE, "--encoder=encoders/arguments"], "encoders/arguments/card.json describes no encoder"),
    ([*PROBE, "--encoder=encoders/none"], "encoders/none/card.json describes no encoder"),
    ([*PROBE, "--encoder=encoders/size"], "the weights in encoders/size don't fit their card"),
    ([*PROBE, "--encoder=nothing"], "no encoder at nothing"),
    ([*PROBE, "--camera=wrist"], "data has no camera 'wrist'; it has front"),
    ([*PROBE, "--source=videos"], "has no camera 'front'; it has video"),
    ([*PROBE, "--max-frames=0"], "max_frames: input should be greater than or equal to 1, got 0"),
    ([*PROBE, "--dims=-1"], "dims.0: input should be greater than or equal to 0, got -1"),
    ([*CLONABLE, "--demonstrations=videos"], "videos is not a LeRobotDataset"),
    ([*CLONABLE, "--demonstrations=still"], "'action'"),
    ([*CLONABLE, "--encoder=encoders/size"], "the weights in encoders/size don't fit their card"),
    ([*CLONABLE, "--cameras=wrist"], "have no camera 'wrist'; they have front"),
    ([*CLONABLE, "--num-demonstrations=9"], "num_demonstrations is 9, but the data set holds 3 episodes"),
    ([*CLONABLE, "--hidden", "8", "0"], "hidden.1: input should be greater than or equal to 1, got 0"),
    (
        [*CLONABLE, "--head=transformer", "--hidden", "30"],
        "hidden begins with 30, but head transformer shares its width",
    ),
    ([*CLONABLE, "--head=residual", "--hidden"], "hidden is empty, but head residual takes its width from there"),
    ([*CLONABLE, "--learning-rate=-1"], "learning_rate: input should be greater than 0, got -1"),
    ([*CLONABLE, "--loss=l3"], "invalid choice 'l3'"),
    ([*REINFORCED, "--encoder=encoders/size"], "the weights in encoders/size don't fit their card"),
    ([*REINFORCED, "--encoder=nothing"], "no encoder at nothing"),
    ([*REINFORCED, "--image-size=64"], "image_size is 64, but the encoder takes images of 16 x 16 px"),
    ([*REINFORCED, "--domain=heldout"], "domain is 'heldout', which is only measured in"),
    ([*REINFORCED, "--hindsight"], "hindsight tells goals again, which a picture does not allow"),
    (
        ["reinforce", "--encoder=state", "--hindsight", "--random-steps=10"],
        "random_steps is 10, but hindsight learns from whole episodes, which here take up to 50 steps",
    ),
    ([*REINFORCED, "--cameras", "front", "front"], "cameras names one twice: front, front"),
    ([*REINFORCED, "--cameras", "goal", "front"], "cameras begin with 'goal', which is what the first of them shows"),
    ([*REINFORCED, "--mode=finetuned", "--shift-px=9"], "shift_px is 9, but the encoder sees frames of 16 x 16 px"),
    ([*REINFORCED, "--mode=scratch", "--algorithm=ppo"], "mode scratch learns with sac alone, not with ppo"),
    ([*REINFORCED, "--device=tpu"], "device must be auto, cpu or cuda, got 'tpu'"),
    ([*REINFORCED, "--num-steps=600"], "num_steps is 600, but up to 600 steps of play come first"),
    ([*REINFORCED, "--discount=2"], "discount: input should be less than or equal to 1, got 2"),
    ([*REINFORCE, "--encoder=state", "--mode=scratch"], "encoder 'state' has no weights to learn"),
    ([*REINFORCE, "--encoder=state", "--reward=goal_distance"], "compares features of a frozen encoder; name one"),
    ([*REINFORCE, "--encoder=state", "--num-observation-steps=2"], "encoder 'state' sees none; leave it at 1"),
    ([*REINFORCE, "--encoder=stat"], "did you mean 'state'?"),
    ([*REINFORCE, "--policy=nothing", "--algorithm=ppo"], "no policy at nothing: policy.json is missing"),
    ([*REINFORCE, "--policy=policy"], "a cloned policy goes on learning with algorithm ppo and mode frozen alone"),
    ([*REINFORCE, "--policy=policies/chunks", "--algorithm=ppo"], "ppo teaches the first action of a chunk alone"),
    ([*REINFORCE, "--policy=policies/scale", "--algorithm=ppo"], "but in test/Point-v0 it means x_m 0.05"),
    (
        [*REINFORCE, "--policy=policy", "--algorithm=ppo", "--image-size=32"],
        "policy policy was trained on frames of 16 px, but test/Point-v0 shows 32 px",
    ),
    ([*REINFORCE, "--policy=data", "--algorithm=ppo"], "no policy at data"),
    ([*EVALUATE, "--policy=policies/actions"], "gives actions of 2 numbers, but test/Point-v0 has 3"),
    ([*EVALUATE, "--policy=policies/proprio"], "sees proprio of 7 numbers, but test/Point-v0 has 4"),
    ([*EVALUATE, "--policy=policies/encoder"], "takes images of (32, 32) px, not (16, 16)"),
    ([*EVALUATE, "--policy=policies/camera", "--env-id=robossl/PandaReach-v0"], "unknown camera 'side'"),
    ([*EVALUATE, "--policy=expert", "--domains", "nominal", "nominal"], "domains names one twice: nominal, nominal"),
    ([*EVALUATE, "--policy=policies/card"], "policies/card/policy.json is not valid JSON"),
    ([*EVALUATE, "--policy=policies/list"], "policies/list/policy.json lacks head, cameras, execution"),
    ([*EVALUATE, "--policy=policies/head"], "policies/head/policy.json describes no policy"),
    ([*EVALUATE, "--policy=policies/weights"], "can't read policies/weights/model.safetensors"),
    ([*EVALUATE, "--policy=encoder"], "no policy at encoder: policy.json is missing"),
    ([*EVALUATE, "--policy=exprt"], "is neither expert, play, random nor the policy/ directory"),
    ([*EVALUATE, "--policy=exprt"], "did you mean 'expert'?"),
    ([*EVALUATE, "--policy=policy", "--image-size=32"], "policy policy was trained on frames of 16 px"),
    ([*EVALUATE, "--policy=policies/wide"], "frames of 12 x 16 px, but test/Point-v0 shows 16 px; finetune on"),
    ([*EVALUATE, "--policy=policies/scale"], "use it in an env with the actions of its demonstrations"),
    ([*EVALUATE, "--policy=policy", "--seed=3"], "seed 3 is one of the policy's demonstrations"),
    ([*EVALUATE, "--policy=policy", "--domains=mars"], "unknown domain 'mars'"),
    ([*EVALUATE, "--policy=policy", "--num-videos=-1"], "num_videos: input should be greater than or equal to 0"),
    ([*TRANSFER, "--source=mars"], "unknown domain 'mars'"),
    (
        [*TRANSFER, "--targets", "heldout"],
        "robossl/CartPoleSwingUp-v0 has no domain 'heldout': use nominal, randomized",
    ),
    (
        [*TRANSFER, "--shifts", "mass"],
        "has not what it takes for shift 'mass': use colour, texture, light, camera, delay",
    ),
    ([*TRANSFER, "--env-id="], "env_id is empty and policy floor (random) names none"),
    (
        ["transfer", "--policies", "ours", "policies/push", "other", "policies/reach"],
        "come from several envs (ours: robossl/PandaPush-v0, other: robossl/PandaReach-v0); set env_id to the one",
    ),
    (["transfer", "--policies", "ours", "policy"], "env_id is empty and policy ours (policy) names none"),
    (
        ["transfer", f"--env-id={POINT_ENV}", "--policies", "floor", "random", "ours", "policies/scale"],
        "but in test/Point-v0 it means x_m 0.05",
    ),
    (["doctor"], "give a PATH"),
    (["doctor", "nowhere"], "nowhere does not exist: give a data set directory"),
    (["doctor", "nothing"], "nothing holds no video files"),
    (["doctor", "videos", "--max-thumbnails=0"], "max_thumbnails: input should be greater than or equal to 1"),
    (["import", "videos", "--damaged=keep"], "invalid choice 'keep'"),
    (["report"], "give a RUN: robossl report RUNS"),
    (["rerender"], "give a DATASET"),
    (["report", "nothing"], "nothing is no run directory"),
    (["rerender", "nowhere"], "nowhere does not exist"),
    (["rerender", "videos"], "videos is plain video, which can't be drawn again"),
    (["rerender", "damaged/info"], "damaged/info/meta/info.json"),
    (["rerender", "damaged/extras"], "damaged/extras/meta/robossl_episodes.jsonl"),
    (["rerender", "data", "--domain=heldout"], "domain is 'heldout', which is only measured in"),
    (["rerender", "data", "--output=data"], "data"),
    (["rerender", "data", "--num-looks=0"], "num_looks: input should be greater than or equal to 1, got 0"),
    (["report", "file"], "file is no run directory"),
    (["report", "runs/metrics"], "can't read runs/metrics/metrics.jsonl"),
    (["report", "runs/result"], "can't read runs/result/result.json"),
    (
        ["demo", "--recipe.num-demonstrations=0"],
        "recipe.num_demonstrations: input should be greater than or equal to 1",
    ),
    (["demo", "--footage=corrupt"], "no video that can be read"),
    (["demo", "--footage=damaged/episodes"], "damaged/episodes/meta/episodes/chunk-000/file-000.parquet"),
    (["demo", "--footage-steps=0"], "footage_steps: input should be greater than or equal to 1, got 0"),
    (["benchmark", "--seeds"], "seeds"),
    (["benchmark", "--cells=file"], "cells: value error, a folder is needed and not a file"),
    (["benchmark", "--recipe.hidden"], "recipe.hidden"),
    (["benchmark", "--recipe.pretrain-steps=0"], "recipe.pretrain_steps: input should be greater than or equal to 1"),
]
INPUTS = {
    "import": ["--path=videos"],
    "doctor": ["--path=videos"],
    "rerender": ["--dataset=data"],
    "report": ["--runs=runs"],
    "pretrain": ["--sources.0.path=data"],
    "probe": ["--encoder=encoder", "--source=data"],
    "finetune": ["--encoder=encoder", "--demonstrations=data"],
    "reinforce": ["--encoder=encoder"],
    "evaluate": ["--policy=expert"],
    "merge": ["--datasets=data"],
    "split": ["--dataset=data"],
    "embed": ["--encoder=encoder", "--path=data"],
}
COMMANDS_OF_DATA = {
    "import": ["import", "{}"],
    "pretrain": [*PRETRAIN, "--sources.0.path={}"],
    "probe": [*PROBE, "--source={}"],
    "finetune": [*CLONABLE, "--demonstrations={}"],
    "merge": ["merge", "{}"],
    "split": ["split", "{}"],
    "embed": ["embed", "encoder", "{}"],
}


def _refused(words: list[str], shelf: Path, captured: pytest.CaptureFixture[str]) -> str:
    """Return the one line that the command prints; it may leave nothing behind."""
    before = _state(shelf)
    assert cli.main(words) == 2
    output = captured.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    assert _state(shelf) == before
    return line


def _state(folder: Path) -> dict[Path, int]:
    """Return every path, files with the time of their last change."""
    return {path: path.stat().st_mtime_ns if path.is_file() else 0 for path in folder.rglob("*")}


@pytest.fixture(autouse=True)
def _here(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shelf)
    monkeypatch.setenv("ROBOSSL_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(("words", "text"), CASES, ids=[" ".join(words[:1] + words[-1:]) for words, _ in CASES])
def test_bad_input_takes_one_line_and_leaves_nothing(
    words: list[str], text: str, shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert text in _refused(words, shelf, capsys)


@pytest.mark.parametrize("damage", ["info", "list", "episodes", "rows", "extras", "video"])
@pytest.mark.parametrize("command", COMMANDS_OF_DATA)
def test_a_damaged_data_set_is_named(
    command: str, damage: str, shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if command == "embed" and damage in ("rows", "extras"):
        pytest.skip("embed reads pictures alone")
    words = [word.format(f"damaged/{damage}") for word in COMMANDS_OF_DATA[command]]
    assert f"damaged/{damage}" in _refused(words, shelf, capsys)


@pytest.mark.parametrize("name", cli.COMMANDS)
@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--output=file"], "file"),
        (["--output=/proc/robossl"], "can't make /proc/robossl"),
        (["runs/broken"], "runs/broken is no run directory: it has no readable run.json"),
        (["runs/list"], "runs/list is no run directory: it has no readable run.json"),
        (["runs/empty"], "runs/empty is no run directory: it has no readable run.json"),
        (["list.yaml"], "list.yaml holds a list; write a mapping"),
        (["twice.yaml"], "the key 'seed' stands there twice"),
        (["open.yaml"], "open.yaml is no valid YAML"),
        (["--tracking.wandb=onlin"], "invalid choice 'onlin'"),
    ],
)
def test_every_command_refuses_wrong_places_and_files(
    name: str, words: list[str], text: str, shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert text in _refused([name, *words, *INPUTS.get(name, [])], shelf, capsys)
