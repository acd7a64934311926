"""`robossl probe` asks which thing is seen and what each pixel shows, on episodes of the arm."""

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from robossl.config.collect import CollectConfig
from robossl.config.probe import ProbeConfig
from robossl.data.frame_cache import CachedSource
from robossl.data.sources import LeRobotSource
from robossl.encoders import build_encoder, save_encoder
from robossl.errors import DataError
from robossl.runs import open_run
from robossl.stages.collect import collect
from robossl.stages.probe import probe
from robossl.stages.probe_masks import masked, pixel_cells


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBOSSL_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> ProbeConfig:
    """Ten short episodes of Push whose puck has one of two sizes, and an encoder."""
    folder = tmp_path_factory.mktemp("probe")
    how = CollectConfig(
        output=folder / "data",
        env_id="robossl/PandaPush-v0",
        domain="randomized",
        axes={"object_size": (0.9, 1.05)},
        policy="play",
        num_episodes=12,
        max_episode_steps=4,
        second_look=True,
        renderer="tiny",
        num_workers=1,
    )
    with open_run(how.run_directory, command="collect", config=how) as run:
        run.finish(collect(how, run=run))
    save_encoder(build_encoder("conv", widths=(16, 16, 16)), folder / "encoder")
    return ProbeConfig(
        output=folder / "run", encoder=str(folder / "encoder"), source=folder / "data", pca=4, num_neighbour_queries=0
    )


def run_probe(config: ProbeConfig) -> dict[str, Any]:
    with open_run(config.output, command="probe", config=config) as run:
        return run.finish(probe(config, run=run))


def test_the_tables_tell_sizes_apart_and_score_each_body(config: ProbeConfig) -> None:
    result = run_probe(replace(config, identity=("object_size",), segmentation=True))
    _, identity, masks = result["tables"]
    assert [row[0] for row in identity["rows"]] == ["encoder", "pca-4"]
    assert all(row[2:4] == ["object_size", 3] and 0 <= row[5] <= 1 for row in identity["rows"])
    scores = {(row[0], row[2]): row[4] for row in masks["rows"]}
    assert {kind for _, kind in scores} == {"goal", "object", "robot", "mean"}
    assert scores["encoder", "robot"] > 0.05
    assert all(0 <= score <= 1 for score in scores.values())
    assert scores["pixels", "mean"] == pytest.approx(
        np.mean([scores["pixels", k] for k in ("goal", "object", "robot")])
    )


def test_masks_are_those_of_the_recorded_picture(config: ProbeConfig) -> None:
    source = CachedSource(LeRobotSource(config.source), (64, 64))
    part = masked(source, np.arange(3), config.source, build_encoder("conv"), config)
    assert part.names[:2] == ("rest", "robot")
    assert {"object", "goal"} <= part.shown()
    robot, frames = part.labels(["rest", "robot"]), part.sampled.frames
    gradient = np.abs(np.diff(frames.astype(int), axis=-1)).sum(axis=1)
    edges = np.diff(robot, axis=-1) != 0
    assert gradient[edges].mean() > 3 * gradient[~edges].mean(), "what the mask calls the robot ends where it is drawn"


def test_a_mask_of_a_stored_instant_is_that_of_the_instant() -> None:
    env = gym.make("robossl_envs:robossl/PandaPush-v0", domain="randomized", renderer="tiny").unwrapped
    _, info = env.reset(seed=5)
    then = env.render_views(masks=True)["front"].masks
    record, state = env.episode_record(), info["visual_state"]
    env.reset(seed=6)
    env.reset(options={"record": record})
    again = env.masks_of_states(state[None], camera="front")
    assert np.array_equal(again, then)
    shown = {env.mask_names[number] for number in np.unique(again)}
    assert {"robot", "table", "object", "goal"} <= shown
    with pytest.raises(ValueError, match="unknown camera 'side'"):
        env.masks_of_states(state[None], camera="side")
    env.close()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"identity": ("colour",)}, "identity 'colour' is not known of all episodes; of these episodes object_size"),
        (
            {"identity": ("seed",)},
            r"identity 'seed' can't be told: no two training episodes share a value; of these episodes",
        ),
        ({"identity": ("env_id",)}, "identity 'env_id' can't be told: it has 1 values"),
        ({"segmentation": True, "camera": "front_look2"}, "camera 'front_look2' .* shows a second look"),
    ],
)
def test_what_can_not_be_asked_is_said_in_one_line(config: ProbeConfig, changes: dict, text: str, tmp_path) -> None:
    with pytest.raises(DataError, match=text) as error:
        run_probe(replace(config, output=tmp_path / "run", **changes))
    assert "\n" not in str(error.value)


def test_pixels_of_a_cell_are_its_own() -> None:
    frames = np.zeros((1, 3, 8, 8), np.uint8)
    frames[0, 1, 4:, :4] = 255
    cells = pixel_cells(frames, (2, 2))
    assert cells.shape == (1, 2, 2, 48)
    assert cells[0, 1, 0].sum() == 16
    assert cells.sum() == 16
