"""`robossl reinforce` learns, is scored, and leaves a policy that the other commands take."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import point_env  # noqa: F401  registers the env
import pytest
import torch
from episodes import POINT_ENV

from robossl import cli
from robossl.config.reinforce import ReinforceConfig
from robossl.encoders import Encoder, build_encoder, save_encoder
from robossl.policies.heads import HeadSpec
from robossl.policies.network import PolicyNetwork
from robossl.policies.saving import ExecutionSpec, load_policy, load_policy_card, save_policy
from robossl.stages import reinforce as reinforce_stage
from robossl.stages import reinforce_learning
from robossl.stages.inputs import _paths as inputs_of
from robossl.stages.reinforce import _env_spec

LEARN = [
    "reinforce",
    f"--env-id={POINT_ENV}",
    "--num-check-episodes=4",
    "--num-eval-episodes=10",
    "--hidden",
    "32",
    "32",
]


def _result(path: Path) -> dict:
    return json.loads((path / "result.json").read_text())


def test_checks_are_logged_and_the_budget_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("stable_baselines3", reason="needs the extra sb3")
    out, temporary = tmp_path / "run", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    words = ["--encoder=state", "--num-steps=900", "--check-every=200", "--random-steps=100", "--batch-size=16"]
    assert cli.main([*LEARN, *words, f"--output={out}"]) == 0
    result = _result(out)
    assert result["curve"][0][0] > 200  # the steps of play count too
    assert result["env_steps"] == result["curve"][-1][0] == 900
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["success/randomized"] for row in rows] == [rate for _, _, rate in result["curve"]]
    assert not list(temporary.glob("SB3*"))  # its folders for logs that nobody asked for


def test_a_stopped_run_goes_on_after_its_last_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("stable_baselines3", reason="needs the extra sb3")
    out = tmp_path / "run"
    words = ["--encoder=state", "--num-steps=1000", "--check-every=100", "--random-steps=50", "--batch-size=16"]
    whole, checks = reinforce_learning.greedy_success, 0

    def stopped_in_the_third(*arguments: Any, **keywords: Any) -> float:
        nonlocal checks
        checks += 1
        if checks == 3:
            raise KeyboardInterrupt
        return whole(*arguments, **keywords)

    monkeypatch.setattr(reinforce_learning, "greedy_success", stopped_in_the_third)
    assert cli.main([*LEARN, *words, f"--output={out}"]) == 130
    state = torch.load(out / "checkpoints/last.pt", weights_only=True)
    kept = state["curve"]
    assert len(kept) == 2
    train = reinforce_learning._train

    def goes_on_with_its_random_numbers(*arguments: Any, **keywords: Any) -> None:
        assert torch.equal(torch.get_rng_state(), state["cpu_rng"])
        train(*arguments, **keywords)

    monkeypatch.setattr(reinforce_learning, "_train", goes_on_with_its_random_numbers)
    monkeypatch.setattr(reinforce_learning, "measure", None)  # what was standardized with is kept too
    assert cli.main(["reinforce", str(out)]) == 0
    result = _result(out)
    assert [tuple(check) for check in result["curve"][:2]] == kept
    assert result["env_steps"] == 1000
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [steps for steps, _, _ in result["curve"]]
    assert not (out / "checkpoints").exists()


def test_a_run_that_was_stopped_while_scored_is_not_learned_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("stable_baselines3", reason="needs the extra sb3")
    out = tmp_path / "run"
    words = ["--encoder=state", "--num-steps=700", "--check-every=100", "--random-steps=50", "--batch-size=16"]
    with monkeypatch.context() as stopped:

        def stop(*_: Any) -> None:
            raise KeyboardInterrupt

        stopped.setattr(reinforce_stage, "_score", stop)
        assert cli.main([*LEARN, *words, f"--output={out}"]) == 130
    monkeypatch.setattr(reinforce_learning, "greedy_success", None)  # no step and no check is made anew
    assert cli.main(["reinforce", str(out)]) == 0
    assert _result(out)["env_steps"] == 700
    assert not (out / "checkpoints").exists()


def test_a_run_from_a_clone_depends_on_the_clone_alone() -> None:
    assert inputs_of(ReinforceConfig(policy=Path("clone/policy"))) == ((), (Path("clone/policy"),))
    assert inputs_of(ReinforceConfig(encoder="there")) == ((), (Path("there"),))
    assert inputs_of(ReinforceConfig(mode="scratch")) == ((), ())


@pytest.mark.slow
def test_a_policy_on_state_learns_to_reach(tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3", reason="needs the extra sb3")
    out = tmp_path / "run"
    words = ["--encoder=state", "--num-steps=8000", "--check-every=1000", "--hidden", "64", "64"]
    assert cli.main([*LEARN, *words, "--num-check-episodes=10", f"--output={out}"]) == 0
    assert _result(out)["domains"]["randomized"]["success_rate"] >= 0.7  # random actions: none


@pytest.mark.parametrize("mode", ["frozen", "finetuned", "lora", "scratch"])
def test_what_was_learned_from_pictures_is_evaluated(mode: str, tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3", reason="needs the extra sb3")
    before = _tiny_encoder("vit_tiny" if mode == "lora" else "conv")
    encoder = save_encoder(before, tmp_path / "encoder")
    out = tmp_path / "run"
    words = ["--num-steps=660", "--random-steps=20", "--batch-size=16", "--num-observation-steps=2", f"--mode={mode}"]
    arguments = [f"--encoder={encoder}", f"--architecture={encoder}", *words, f"--output={out}"]
    assert cli.main([*LEARN, *arguments]) == 0
    assert load_policy_card(out / "policy")["head"]["num_observation_steps"] == 2
    after = load_policy(out / "policy")[0].encoder
    assert after is not None
    assert after.state_dict().keys() == before.state_dict().keys()  # low-rank changes are merged
    same = [torch.equal(after.state_dict()[name], value) for name, value in before.state_dict().items()]
    assert all(same) == (mode == "frozen")
    scored = _result(out)["domains"]["randomized"]
    there = tmp_path / "evaluate"
    again = ["evaluate", f"--policy={out}/policy", "--domains", "randomized", "heldout", "--num-episodes=10"]
    assert cli.main([*again, "--num-workers=1", f"--output={there}"]) == 0
    assert _result(there)["domains"]["randomized"]["episodes"] == scored["episodes"]


def test_a_convolutional_encoder_is_not_adapted_by_low_rank(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("stable_baselines3", reason="needs the extra sb3")
    encoder = save_encoder(_tiny_encoder("conv"), tmp_path / "encoder")
    assert cli.main([*LEARN, "--mode=lora", f"--encoder={encoder}", f"--output={tmp_path / 'run'}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "mode lora adapts linear and attention layers" in line


def _tiny_encoder(name: str) -> Encoder:
    sizes = {"widths": (8, 8), "feature_dim": 8} if name == "conv" else {"feature_dim": 192, "depth": 1}
    return build_encoder(name, image_size=16, **sizes)


def test_without_stable_baselines3_one_line_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    assert cli.main([*LEARN, "--encoder=state", f"--output={tmp_path / 'run'}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "robossl: reinforce needs Stable-Baselines3, which is not installed: pip install 'robossl[sb3]'"
    assert not (tmp_path / "run").exists()


def test_a_clone_goes_on_learning_and_stays_a_policy_of_its_kind(tmp_path: Path) -> None:
    pytest.importorskip("stable_baselines3", reason="needs the extra sb3")
    clone, out = tmp_path / "clone", tmp_path / "run"
    spec = HeadSpec(proprio_dim=4, state_dim=6, action_dim=3, chunk_length=2, hidden=(16,), kind="residual")
    told = {"trained_on": {"env_id": POINT_ENV, "seeds": [3, 5], "domains": ["shifted"]}}
    save_policy(PolicyNetwork(spec, encoder=None, cameras=()), clone, execution=ExecutionSpec(), card_extra=told)
    words = ["--algorithm=ppo", "--num-steps=1024", "--check-every=1024", f"--policy={clone}", f"--output={out}"]
    assert cli.main([*LEARN[:1], *LEARN[2:], *words]) == 0  # the env is that of the demonstrations
    assert _result(out)["inputs"]["policy"]
    card = load_policy_card(out / "policy")
    assert card["head"] == load_policy_card(clone)["head"]
    assert card["trained_on"]["env_id"] == POINT_ENV
    assert card["trained_on"]["seeds"] == [3, 5]  # of the demonstrations, which evaluation must not meet
    assert card["trained_on"]["domains"] == ["randomized", "shifted"]
    assert card["trained_on"]["action_scale"] == {"x_m": 0.05, "y_m": 0.05, "z_m": 0.05}


def test_a_clone_of_episodes_that_it_would_be_scored_on_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = HeadSpec(proprio_dim=4, state_dim=6, action_dim=3, chunk_length=1, hidden=(16,), kind="mlp")
    network = PolicyNetwork(spec, encoder=None, cameras=())
    for what, seed in (("scored", 1_000_004), ("checked", 2_000_000)):
        clone = tmp_path / what
        told = {"trained_on": {"env_id": POINT_ENV, "seeds": [3, seed]}}
        save_policy(network, clone, execution=ExecutionSpec(), card_extra=told)
        words = ["--algorithm=ppo", f"--policy={clone}", f"--output={tmp_path / 'run'}"]
        assert cli.main([*LEARN, *words]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"seed {seed} is one of the demonstrations of policy {clone}" in line
        assert f"would be {what} on" in line


def test_short_episodes_are_for_learning_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("stable_baselines3", reason="needs the extra sb3")
    lengths: list[int] = []

    def look(env: Any, *_: Any, spec: Any, **__: Any) -> None:
        checked_in = reinforce_learning.nested(spec).make()
        lengths.extend(one.get_wrapper_attr("spec").max_episode_steps for one in (env, checked_in))
        checked_in.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(reinforce_stage, "learn", look)
    words = ["--env-id=robossl/TwoLinkReacher-v0", "--encoder=state", "--learning-episode-steps=30"]
    assert cli.main(["reinforce", *words, f"--output={tmp_path / 'run'}"]) == 130
    assert lengths == [30, None]  # None: the task's own


def test_axes_of_randomization_reach_the_env() -> None:
    config = ReinforceConfig(
        randomization="light", axes={"camera_position": False, "mass": (0.5, 2.0)}, renderer="tiny"
    )
    spec = _env_spec(config, ("front",), image_size=64)
    assert spec.domain == "randomized"
    assert spec.options == {
        "renderer": "tiny",
        "randomization": {"preset": "light", "axes": {"camera_position": False, "mass": [0.5, 2.0]}},
    }
    assert _env_spec(ReinforceConfig(), ("front",), image_size=64).options == {}
