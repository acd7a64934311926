"""The stages around a policy: collect, finetune, evaluate, probe, on the tiny point env."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import point_env  # noqa: F401  registers the env
import pytest
from episodes import POINT_ENV

from robossl import cli
from robossl.config.collect import CollectConfig
from robossl.config.evaluate import EvaluateConfig
from robossl.config.finetune import FinetuneConfig
from robossl.config.probe import ProbeConfig
from robossl.data.sources import LeRobotSource
from robossl.encoders import build_encoder, save_encoder
from robossl.errors import ConfigError, DataError
from robossl.evaluation.kept import read_kept
from robossl.policies.saving import load_policy_card
from robossl.runs import open_run
from robossl.stages.collect import collect
from robossl.stages.evaluate import evaluate
from robossl.stages.finetune import finetune
from robossl.stages.probe import probe
from robossl.stages.probe_frames import spread


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBOSSL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def _collect(config: CollectConfig) -> dict[str, Any]:
    with open_run(config.run_directory, command="collect", config=config) as run:
        return run.finish(collect(config, run=run))


def _config(output: Path, **values: Any) -> CollectConfig:
    defaults = {"env_id": POINT_ENV, "image_size": 32, "num_workers": 1, "domain": "randomized"}
    return CollectConfig(output=output, **{**defaults, **values})


@pytest.fixture(scope="module")
def demonstrations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demonstrations") / "data"
    _collect(_config(path, policy="expert", noise=0.1, num_episodes=6, only_successful=True, second_look=True))
    return path


def test_collected_episodes_read_back_with_their_second_look(demonstrations: Path) -> None:
    source = LeRobotSource(demonstrations)
    assert set(source.cameras) == {"front", "front_look2"}
    assert [source.episode_metadata(index)["seed"] for index in range(6)] == list(range(6))
    result = json.loads((demonstrations / "robossl" / "result.json").read_text())
    assert result["num_episodes"] == 6
    assert result["success_rate"] == 1.0
    assert (demonstrations / "robossl" / "videos" / "collect-episodes.mp4").is_file()


def test_collecting_again_adds_only_what_is_missing(tmp_path: Path) -> None:
    config = _config(tmp_path / "data", policy="play", num_episodes=4)
    whole = _collect(_config(tmp_path / "whole", policy="play", num_episodes=4))
    with open_run(config.run_directory, command="collect", config=config) as run:
        collect(_config(tmp_path / "data", policy="play", num_episodes=2), run=run)
    again = _collect(config)
    assert again["new_attempts"] == 2
    first, second = LeRobotSource(tmp_path / "whole"), LeRobotSource(tmp_path / "data")
    assert again["num_frames"] == whole["num_frames"]
    for episode in range(4):
        rows = range(int(first.lengths[episode]))
        assert np.array_equal(first.values(episode, rows, "action"), second.values(episode, rows, "action"))
    assert _collect(config)["new_attempts"] == 0


def test_a_policy_that_never_succeeds_gives_no_demonstrations(tmp_path: Path) -> None:
    config = _config(tmp_path / "data", policy="random", num_episodes=2, only_successful=True)
    with pytest.raises(DataError, match=r"only \d of 10 attempts in .* succeeded, 2 were asked for"):
        _collect(config)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"num_episodes": 0}, "num_episodes is 0"),
        ({"cameras": ()}, "cameras is empty"),
        ({"noise": -1.0}, "noise is -1"),
        ({"noise": 0.2, "policy": "random"}, "scripts expert and play are disturbed, not policy 'random'; leave noise"),
        ({"burst_rate": 0.2, "policy": "runs/policy", "intended_actions": True}, "'runs/policy'; leave burst_rate out"),
        ({"policy": "nowhere"}, "policy 'nowhere' is neither expert, play, random nor"),
        ({"domain": "mars"}, "unknown domain 'mars'"),
    ],
)
def test_collect_refuses_what_is_not_allowed_and_leaves_nothing(tmp_path: Path, values: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        _collect(_config(tmp_path / "data", **values))
    assert not list((tmp_path / "data").rglob("*.parquet"))


@pytest.mark.parametrize(("encoder", "mode"), [("random", "frozen"), ("state", "frozen"), ("random", "scratch")])
def test_a_policy_is_finetuned_and_evaluated(tmp_path: Path, demonstrations: Path, encoder: str, mode: str) -> None:
    config = FinetuneConfig(
        output=tmp_path / "finetune",
        demonstrations=demonstrations,
        num_demonstrations=5,
        encoder=encoder,
        mode=mode,
        num_steps=2,
        batch_size=8,
        num_augmentations=1,
    )
    with open_run(config.output, command="finetune", config=config) as run:
        result = run.finish(finetune(config, run=run))
    assert np.isfinite(result["loss"])
    card = load_policy_card(run.policy)
    assert card["trained_on"]["seeds"] == [0, 1, 2, 3, 4]
    assert card["trained_on"]["image_size"] == 32
    assert card["trained_on"]["action_scale"] == {"x_m": 0.05, "y_m": 0.05, "z_m": 0.05}
    assert card["trained_on"]["environment_state_names"][0] == "ee_x"
    assert ("encoder" in result["inputs"]) == (encoder != "state")
    _evaluate_and_check(tmp_path / "evaluate", str(run.policy))
    collected = _collect(_config(tmp_path / "collected", policy=str(run.policy), num_episodes=1))
    assert collected["inputs"] == {"policy": result["artifacts"]["policy"]["digest"]}


def _evaluate_and_check(output: Path, policy: str) -> None:
    config = EvaluateConfig(
        output=output, policy=policy, env_id=POINT_ENV, domains=("nominal", "shifted"), num_episodes=3, num_workers=1
    )
    with open_run(config.output, command="evaluate", config=config) as run:
        result = run.finish(evaluate(config, run=run))
    table = result["tables"][0]
    assert [row[1] for row in table["rows"]] == ["nominal", "shifted"]
    assert all(len(row) == len(table["columns"]) for row in table["rows"])
    assert len(result["domains"]["nominal"]["episodes"]) == 3
    assert 0 < result["act_ms"] < 1000
    assert list(run.videos.glob("evaluate-nominal-*.mp4"))


def test_the_expert_is_the_ceiling_and_random_actions_the_floor(tmp_path: Path) -> None:
    rates = {}
    for policy in ("expert", "random"):
        config = EvaluateConfig(
            output=tmp_path / policy, policy=policy, env_id=POINT_ENV, domains=("nominal",), num_workers=1,
            num_episodes=5, num_videos=0, num_kept=2 if policy == "random" else 0, image_size=16,
        )  # fmt: skip
        with open_run(config.output, command="evaluate", config=config) as run:
            rates[policy] = evaluate(config, run=run)["domains"]["nominal"]["success_rate"]
        assert not run.videos.exists()
        assert [one.seed - config.seed for one in read_kept(run.path)] == ([0, 1] if policy == "random" else [])
    assert rates == {"expert": 1.0, "random": 0.0}


def test_a_policy_is_not_evaluated_on_the_layouts_of_its_demonstrations(tmp_path: Path, demonstrations: Path) -> None:
    config = FinetuneConfig(
        output=tmp_path / "finetune", demonstrations=demonstrations, encoder="state", num_steps=1, num_demonstrations=3
    )
    with open_run(config.output, command="finetune", config=config) as run:
        finetune(config, run=run)
    evaluation = EvaluateConfig(output=tmp_path / "evaluate", policy=str(run.policy), env_id=POINT_ENV, seed=2)
    with (
        pytest.raises(ConfigError, match="seed 2 is one of the policy's demonstrations"),
        open_run(evaluation.output, command="evaluate", config=evaluation) as run,
    ):
        evaluate(evaluation, run=run)
    assert not evaluation.output.exists()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"execute_steps": 9}, "execute_steps is 9; it must be 1 to chunk_length=4"),
        ({"cameras": ("front", "front")}, "cameras names one twice: front, front; name each once"),
        ({"encoder": "random", "shift_px": 33}, "shift_px is 33.* 64 x 64 px; it must be 0 to 32, half of"),
        ({"num_steps": 0}, "num_steps is 0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"head": "recurrent"}, "set num_observation_steps to 2 or more"),
        ({"encoder": "state", "num_observation_steps": 2}, "counts pictures, and encoder 'state' sees none"),
        ({"encoder": "state", "mode": "finetuned"}, "has no weights to learn"),
    ],
)
def test_finetune_refuses_what_is_not_allowed(tmp_path: Path, demonstrations: Path, values: Any, text: str) -> None:
    config = FinetuneConfig(output=tmp_path / "finetune", demonstrations=demonstrations, **values)
    with (
        pytest.raises(ConfigError, match=text),
        open_run(config.output, command="finetune", config=config) as run,
    ):
        finetune(config, run=run)


def test_the_probe_scores_each_data_set_beside_pixels_and_draws_neighbours(tmp_path: Path) -> None:
    for domain in ("nominal", "shifted"):
        _collect(_config(tmp_path / domain, policy="play", num_episodes=10, domain=domain))
    encoder = save_encoder(build_encoder("conv", image_size=32, feature_dim=16, widths=(8, 16)), tmp_path / "encoder")
    config = ProbeConfig(
        output=tmp_path / "probe",
        encoder=str(encoder),
        source=tmp_path / "nominal",
        transfer=(tmp_path / "shifted",),
        pca=8,
        max_frames=200,
        heads=("linear", "knn"),
        time=True,
        domains=True,
    )
    with open_run(config.output, command="probe", config=config) as run:
        result = run.finish(probe(config, run=run))
    table, of_time, of_domains = result["tables"]
    seen = {(row[0], row[1], row[2]) for row in table["rows"]}
    features, data = ("encoder", "encoder, knn", "pca-8"), ("nominal", "shifted")
    assert seen == {(f, d, t) for f in features for d in data for t in ("end effector", "goal")}
    values = {tuple(row[:3]): row[4] for row in of_time["rows"]}
    measures = ("progress r2", "velocity r2", "kendall tau", "cycle error")
    assert values.keys() == {(f, d, m) for f in ("encoder", "pca-8") for d in data for m in measures}
    assert all(-1 <= values["encoder", name, "kendall tau"] <= 1 for name in data)
    assert all(0 <= values["encoder", name, "cycle error"] <= 1 for name in data)
    assert values["encoder", "nominal", "velocity r2"] > 0, "the arm is drawn where it is"
    shifts = {tuple(row[:3]): row[4] for row in of_domains["rows"]}
    gaps = {
        (f, "shifted", m) for f in ("encoder", "pca-8") for m in ("centroid distance", "invariance", "domain accuracy")
    }
    assert shifts.keys() == gaps | {(f, d, "action score") for f in ("encoder", "pca-8") for d in data}
    assert shifts["pca-8", "shifted", "domain accuracy"] > 0.6, "nominal always looks the same"
    for name, text in (("neighbours", "Nearest neighbours"), ("distances", "Distance to the last frame")):
        assert (run.figures / f"{name}.png").is_file()
        assert text in (run.figures / f"{name}.txt").read_text()


def test_the_probe_reads_chosen_columns_of_any_key(tmp_path: Path, demonstrations: Path) -> None:
    config = ProbeConfig(
        output=tmp_path / "probe", encoder="random", source=demonstrations, key="observation.state", dims=(0, 1),
        pca=0, num_neighbour_queries=0,
    )  # fmt: skip
    with open_run(config.output, command="probe", config=config) as run:
        rows = probe(config, run=run)["tables"][0]["rows"]
    assert [row[2] for row in rows] == ["observation.state"]
    for values, text in (
        ({"key": "nothing"}, "has no 'nothing'; it has"),
        ({"camera": "wrist"}, "has no camera 'wrist'; it has"),
        ({"domains": True}, "domains compares data sets, and there is one"),
    ):
        bad = ProbeConfig(output=tmp_path / "bad", encoder="random", source=demonstrations, **values)
        with pytest.raises((ConfigError, DataError), match=text):
            probe(bad, run=run)
    outside = ProbeConfig(output=tmp_path / "bad", encoder="random", source=demonstrations, dims=(6,))
    with pytest.raises(ConfigError, match="reach outside of the 6 columns"):
        probe(outside, run=run)


@pytest.mark.parametrize("fraction", [0.0, 0.2])
def test_the_probe_says_where_an_encoder_has_seen_what_is_held_out(
    tmp_path: Path, demonstrations: Path, fraction: float
) -> None:
    encoder = build_encoder("conv", image_size=32, feature_dim=8, widths=(8, 8))
    inputs = {"0-data": LeRobotSource(demonstrations).digest}
    card = {"trained_on": {"inputs": inputs, "test_fraction": fraction}}
    path = save_encoder(encoder, tmp_path / "encoder", card)
    config = ProbeConfig(output=tmp_path / "probe", encoder=str(path), source=demonstrations, pca=0)
    with open_run(config.output, command="probe", config=config) as run:
        note = probe(config, run=run)["tables"][0]["note"]
    assert ("its pretraining held out 0%, this probe 20%" in note) == (fraction == 0)


def test_frames_are_spread_evenly_over_episodes_of_any_length() -> None:
    lengths = np.array([7, 1, 30, 2])
    chosen = spread(lengths, 10)
    assert sum(len(rows) for rows in chosen) == 10
    flat = np.concatenate([rows + start for rows, start in zip(chosen, [0, 7, 8, 38], strict=True)])
    assert set(np.diff(flat)) == {4}
    assert [len(rows) for rows in spread(lengths, 100)] == lengths.tolist()


def test_from_scratch_needs_no_encoder_and_a_result_of_data_that_is_no_more_is_not_shown(
    demonstrations: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = shutil.copytree(demonstrations, tmp_path / "data")
    small = save_encoder(build_encoder("conv", image_size=32, feature_dim=8, widths=(8, 8)), tmp_path / "small")
    words = [
        "finetune",
        f"--demonstrations={data}",
        "--num-demonstrations=4",
        f"--encoder={tmp_path}/none",
        "--mode=scratch",
        f"--architecture={small}",
        "--num-steps=1",
        f"--output={tmp_path}/a policy",
    ]
    assert cli.main(words) == 0
    assert f"--policy='{tmp_path}/a policy'/policy" in capsys.readouterr().out
    assert load_policy_card(tmp_path / "a policy/policy")["encoder"] == "random"
    assert cli.main(words) == 0
    assert "is finished already" in capsys.readouterr().err
    shutil.rmtree(data)
    _collect(_config(data, policy="expert", noise=0.3, num_episodes=6, only_successful=True, second_look=True))
    assert cli.main(words) == 2
    assert f"{data} changed since {tmp_path}/a policy was made; remove" in capsys.readouterr().err
