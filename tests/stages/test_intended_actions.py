"""What an expert wanted before its actions were disturbed is recorded on request, and imitated."""

from pathlib import Path
from typing import Any

import numpy as np
import point_env  # noqa: F401  registers the env
import pytest
from episodes import POINT_ENV

from robossl.config.collect import CollectConfig
from robossl.config.finetune import FinetuneConfig
from robossl.config.recipe import RecipeConfig, demonstrations_config, finetune_config
from robossl.data.sources import LeRobotSource
from robossl.errors import ConfigError, DataError
from robossl.policies.demonstrations import INTENDED_ACTION_KEY, read_demonstrations
from robossl.runs import open_run
from robossl.stages.collect import collect
from robossl.stages.finetune import finetune

NOISE = 0.3


def _collect(output: Path, **values: Any) -> Path:
    fixed: dict[str, Any] = {"env_id": "robossl/PandaPickAndPlace-v0", "policy": "expert", "image_size": 16}
    fixed |= {"num_workers": 1, "renderer": "tiny", "noise": NOISE, "num_episodes": 2, "max_episode_steps": 12}
    config = CollectConfig(output=output, **(fixed | values))
    with open_run(config.run_directory, command="collect", config=config) as run:
        run.finish(collect(config, run=run))
    return output


@pytest.fixture(scope="module")
def demonstrations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _collect(tmp_path_factory.mktemp("demonstrations") / "data", intended_actions=True)


def _actions(path: Path, key: str) -> np.ndarray:
    source = LeRobotSource(path)
    rows = [range(int(length) - 1) for length in source.lengths]
    return np.concatenate([source.values(episode, steps, key) for episode, steps in enumerate(rows)])


def test_executed_actions_are_the_intended_ones_disturbed(demonstrations: Path, tmp_path: Path) -> None:
    executed, intended = (_actions(demonstrations, key) for key in ("action", INTENDED_ACTION_KEY))
    assert executed.shape == intended.shape
    np.testing.assert_array_equal(executed[:, 3], intended[:, 3])  # no noise on the gripper
    inside = np.abs(intended[:, :3]) < 1 - 2 * NOISE
    deviation = (executed - intended)[:, :3][inside].std()
    assert 0.6 * NOISE < deviation < 1.2 * NOISE
    plain = _collect(tmp_path / "plain")
    assert INTENDED_ACTION_KEY not in LeRobotSource(plain).features
    np.testing.assert_array_equal(_actions(plain, "action"), executed)


def test_a_policy_imitates_what_it_is_told_to(demonstrations: Path, tmp_path: Path) -> None:
    source = LeRobotSource(demonstrations)
    read = read_demonstrations(source, num_demonstrations=2, cameras=(), chunk_length=1, action_key=INTENDED_ACTION_KEY)
    np.testing.assert_array_equal(read.chunks[:, 0], _actions(demonstrations, INTENDED_ACTION_KEY))
    means = {}
    for labels in ("executed", "intended"):
        config = FinetuneConfig(
            output=tmp_path / labels,
            demonstrations=demonstrations,
            num_demonstrations=2,
            encoder="state",
            labels=labels,  # type: ignore[arg-type]
            num_steps=2,
        )
        with open_run(config.output, command="finetune", config=config) as run:
            means[labels] = run.finish(finetune(config, run=run))["loss"]
    assert means["executed"] != means["intended"]


def test_data_and_envs_without_intended_actions_are_refused(tmp_path: Path) -> None:
    plain = _collect(tmp_path / "plain", env_id=POINT_ENV, renderer="auto")
    with pytest.raises(DataError, match=r"no 'intended_action'.*collect them with intended_actions"):
        read_demonstrations(
            LeRobotSource(plain), num_demonstrations=1, cameras=(), chunk_length=1, action_key=INTENDED_ACTION_KEY
        )
    with pytest.raises(ConfigError, match="says no intended_actions"):
        _collect(tmp_path / "other", env_id=POINT_ENV, renderer="auto", intended_actions=True)
    with pytest.raises(ConfigError, match=r"know no bursts; leave burst_rate out"):
        _collect(tmp_path / "bursts", env_id=POINT_ENV, renderer="auto", burst_rate=0.1, intended_actions=True)


def test_the_recipe_records_what_it_imitates() -> None:
    here = Path()
    for labels, recorded in (("executed", False), ("intended", True)):
        recipe = RecipeConfig(labels=labels)  # type: ignore[arg-type]
        assert demonstrations_config(recipe, "reach", here, seed=0).intended_actions == recorded
        assert finetune_config(recipe, here, here, here, variant="state", seed=0).labels == labels


def test_bursts_take_the_place_of_the_expert_for_a_few_steps(tmp_path: Path) -> None:
    path = _collect(tmp_path / "bursts", burst_rate=0.2, noise=0.0, num_episodes=4, intended_actions=True)
    executed, intended = (_actions(path, key) for key in ("action", INTENDED_ACTION_KEY))
    in_burst = (executed != intended).any(axis=1)
    assert 0.3 < in_burst.mean() < 0.8  # 5 steps of every 10, on average
    assert (executed[in_burst] != intended[in_burst]).all()  # the gripper too
    _, counts = np.unique(executed[in_burst], axis=0, return_counts=True)
    assert counts.max() <= 8
    assert counts.mean() > 2


def test_the_recipe_disturbs_its_demonstrations() -> None:
    recipe = RecipeConfig(labels="intended", burst_rate=0.02)
    assert demonstrations_config(recipe, "reach", Path(), seed=0).burst_rate == 0.02


def test_bursts_that_would_be_imitated_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="add intended_actions"):
        _collect(tmp_path / "bursts", burst_rate=0.02)
    with pytest.raises(ConfigError, match=r"needs recipe\.labels intended"):
        demonstrations_config(RecipeConfig(burst_rate=0.02), "reach", Path(), seed=0)
