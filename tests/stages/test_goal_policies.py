"""Policies that see a picture of the goal: what they are shown in demonstrations and in envs."""

from pathlib import Path

import numpy as np
import pytest

from robossl.config.collect import CollectConfig
from robossl.config.evaluate import EvaluateConfig
from robossl.config.finetune import FinetuneConfig
from robossl.data.sources import LeRobotSource
from robossl.errors import DataError
from robossl.policies.agents import policy_factory
from robossl.policies.demonstrations import read_demonstrations
from robossl.rollout import EnvSpec, batch_of_one
from robossl.runs import open_run
from robossl.stages.collect import collect
from robossl.stages.evaluate import evaluate
from robossl.stages.finetune import finetune

ENV = "robossl/PandaReach-v0"


@pytest.fixture(scope="module")
def demonstrations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = CollectConfig(
        output=tmp_path_factory.mktemp("goal") / "demonstrations",
        env_id=ENV,
        policy="expert",
        num_episodes=2,
        image_size=32,
        second_look=True,
        num_workers=1,
        renderer="tiny",
    )
    with open_run(config.run_directory, command="collect", config=config) as run:
        run.finish(collect(config, run=run))
    return config.output


def test_the_goal_of_a_demonstration_is_how_it_ends(demonstrations: Path) -> None:
    source = LeRobotSource(demonstrations)
    found = read_demonstrations(
        source, num_demonstrations=2, cameras=("front", "goal"), chunk_length=1, second_look=True
    )
    lengths = [int(length) - 1 for length in source.lengths]
    assert found.pixels is not None
    assert len(found) == 2 * sum(lengths)  # each look is shown the goal as it sees it itself
    row = 0
    for camera in ("front", "front_look2"):
        for episode, length in enumerate(lengths):
            end = source.frames(episode, [length], camera)[0]
            assert all(np.array_equal(shown[1], end) for shown in found.pixels[row : row + length])
            row += length


def test_a_policy_that_wants_a_goal_gets_one_in_every_env(demonstrations: Path, tmp_path: Path) -> None:
    config = FinetuneConfig(
        output=tmp_path / "policy",
        demonstrations=demonstrations,
        num_demonstrations=2,
        encoder="random",
        cameras=("front", "goal"),
        num_steps=2,
        num_augmentations=1,
    )
    with open_run(config.output, command="finetune", config=config) as run:
        policy = run.finish(finetune(config, run=run))["policy"]
    how = EvaluateConfig(
        output=tmp_path / "evaluate", policy=policy, domains=("nominal",), num_episodes=1, num_workers=1, num_videos=0
    )
    with open_run(how.output, command="evaluate", config=how) as run:
        assert run.finish(evaluate(how, run=run))["domains"]["nominal"]["n"] == 1
    env = EnvSpec(env_id=ENV, image_size=32, options={"goal_image": True, "renderer": "tiny"}).make()
    observation, info = env.reset(seed=0)
    seen = batch_of_one({**observation, "environment_state": info["environment_state"]})
    action = policy_factory(policy)(env, 0).act(seen)
    other = policy_factory(policy)(env, 0).act({**seen, "goal": 255 - seen["goal"]})
    env.close()
    assert not np.array_equal(action, other)


def test_a_goal_alone_is_no_camera(demonstrations: Path) -> None:
    with pytest.raises(DataError, match="cameras begin with 'goal'"):
        read_demonstrations(LeRobotSource(demonstrations), num_demonstrations=1, cameras=("goal",), chunk_length=1)
