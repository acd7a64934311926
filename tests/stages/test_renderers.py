"""Which renderer draws: a data set and a policy keep the one that they began with."""

from pathlib import Path
from typing import Any

import pytest

from robossl.config.collect import CollectConfig
from robossl.config.evaluate import EvaluateConfig
from robossl.config.finetune import FinetuneConfig
from robossl.data.sources import LeRobotSource
from robossl.policies.saving import load_policy_card
from robossl.runs import open_run
from robossl.stages.collect import collect
from robossl.stages.evaluate import evaluate
from robossl.stages.finetune import finetune


@pytest.fixture(scope="module", autouse=True)
def _draws() -> None:
    gl_device = pytest.importorskip("robossl_envs.rendering.gl_device")
    try:
        gl_device.shared_context()
    except ValueError as error:  # NoGlError: nothing to choose from on such a machine
        pytest.skip(str(error))


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBOSSL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def collected(output: Path, **values: Any) -> Path:
    config = CollectConfig(output=output, max_episode_steps=2, num_workers=1, policy="expert", **values)
    with open_run(output.parent / f"run-{config.num_episodes}", command="collect", config=config) as run:
        collect(config, run=run)
    return output


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("renderers")
    config = FinetuneConfig(
        output=folder / "finetune",
        demonstrations=collected(folder / "data", num_episodes=2, renderer="tiny"),
        num_demonstrations=2,
        encoder="random",
        num_steps=1,
        batch_size=2,
        num_augmentations=1,
    )
    with open_run(config.output, command="finetune", config=config) as run:
        finetune(config, run=run)
    return run.policy


def test_a_data_set_goes_on_with_the_renderer_that_it_began_with(tmp_path: Path) -> None:
    collected(tmp_path / "data", num_episodes=1, renderer="tiny")
    source = LeRobotSource(collected(tmp_path / "data", num_episodes=2))
    assert [source.episode_metadata(episode)["renderer"] for episode in range(2)] == ["tiny", "tiny"]


@pytest.mark.parametrize("renderer", ["auto", "gl"])
def test_a_policy_is_measured_on_pictures_of_its_demonstrations_unless_told_otherwise(
    tmp_path: Path, policy: Path, renderer: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert load_policy_card(policy)["trained_on"]["renderers"] == ["tiny"]
    config = EvaluateConfig(
        output=tmp_path,
        policy=str(policy),
        domains=("nominal", "heldout"),
        num_episodes=1,
        num_videos=0,
        num_workers=1,
        renderer=renderer,
    )
    with open_run(config.output, command="evaluate", config=config) as run:
        domains = evaluate(config, run=run)["domains"]
    assert domains["nominal"]["renderer"] == ("tiny" if renderer == "auto" else "gl")
    assert domains["heldout"]["renderer"].startswith("mujoco"), "its own, whatever else is asked for"
    said = [f"nominal was drawn by gl, but the demonstrations of {policy} by tiny: --renderer chooses"]
    assert caplog.messages == ([] if renderer == "auto" else said)
