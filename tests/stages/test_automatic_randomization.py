"""Automatic domain randomization widens and narrows as it should, and goes on after a stop as if none had been."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from robossl.config.collect import CollectConfig
from robossl.data.lerobot import EpisodeWriter
from robossl.data.sources import LeRobotSource
from robossl.errors import ConfigError
from robossl.runs import open_run
from robossl.stages.automatic_randomization import BUFFER, ROUND, STEP, AutomaticRandomization, Boundary
from robossl.stages.chain import run_stage
from robossl.stages.collect import HISTORY, collect

WIDEST = {"mass": (1.0, 0.5, 3.0), "blur": (0.0, 0.0, 0.02)}


def automatic() -> AutomaticRandomization:
    return AutomaticRandomization(WIDEST, success=(0.5, 0.9), first_seed=100)


def test_ranges_start_at_nominal_widen_to_the_preset_and_no_further() -> None:
    growing = automatic()
    assert growing.ranges() == {"mass": [1.0, 1.0], "blur": [0.0, 0.0]}
    widths = []
    for seed in range(100, 100 + 40 * ROUND):
        growing.hear(seed, True)
        widths.append(growing.ranges()["mass"][1])
    assert growing.ranges() == {axis: [low, high] for axis, (_, low, high) in WIDEST.items()}
    assert widths == sorted(widths)
    assert 1.0 + 2.0 * STEP in widths, "one step after the other"


def test_a_boundary_where_the_policy_fails_moves_back_and_the_others_stay() -> None:
    growing = automatic()
    for seed in range(100, 100 + 40 * ROUND):
        growing.hear(seed, True)
    for seed in range(100 + 40 * ROUND, 100 + 60 * ROUND):
        growing.hear(seed, growing.probed(seed) != Boundary("mass", "high"))
    (low, high), blur = growing.ranges().values()
    assert (low, blur) == (0.5, [0.0, 0.02])
    assert high < 3.0 - 2.0 * STEP


def test_between_the_two_rates_nothing_moves() -> None:
    growing, count = automatic(), 0
    for seed in range(100, 100 + 20 * ROUND):
        probed = growing.probed(seed) is not None
        count += probed
        growing.hear(seed, not probed or count % BUFFER not in (0, 1))
    assert growing.ranges()["blur"][1] <= 0.02 * STEP


def test_a_probe_holds_its_axis_at_the_end_of_its_range() -> None:
    growing = automatic()
    for seed in range(100, 100 + 30 * ROUND):
        growing.hear(seed, True)
    probes = [seed for seed in range(5000, 5100) if growing.probed(seed) == Boundary("mass", "low")]
    assert growing.axes(probes[0]) == {**growing.ranges(), "mass": [0.5, 0.5]}
    drawn = [seed for seed in range(5000, 5100) if growing.probed(seed) is None]
    assert 30 < len(drawn) < 70
    assert growing.axes(drawn[0]) == growing.ranges()


@pytest.fixture
def config(tmp_path: Path) -> CollectConfig:
    return CollectConfig(
        output=tmp_path / "data",
        env_id="robossl/PandaReach-v0",
        policy="expert",
        num_episodes=ROUND + 6,
        max_episode_steps=25,
        image_size=16,
        num_workers=1,
        adr=True,
        randomization="full",
        axes={"look": False, "scene": False, "sensor": False, "timing": False, "arm_push": False, "object_push": False},
    )


def lines(config: CollectConfig) -> list[dict]:
    return [json.loads(line) for line in (config.run_directory / HISTORY).read_text().splitlines()]


def test_a_collection_records_its_ranges_and_goes_on_after_a_stop(
    config: CollectConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = replace(config, output=config.output.with_name("whole"))
    result = run_stage("collect", collect, whole)
    assert result["adr"].keys() >= {"motor_gain", "gravity"}
    append = EpisodeWriter.append

    def stopped(self: EpisodeWriter, episode) -> int:
        if self.num_episodes == 7:
            raise KeyboardInterrupt
        return append(self, episode)

    monkeypatch.setattr(EpisodeWriter, "append", stopped)
    with pytest.raises(KeyboardInterrupt), open_run(config.run_directory, command="collect", config=config) as run:
        collect(config, run=run)
    assert 8 <= len(lines(config)) <= 10  # some episodes wait to be written
    monkeypatch.undo()
    assert run_stage("collect", collect, config)["adr"] == result["adr"]
    assert lines(config) == lines(whole)
    first, again = LeRobotSource(whole.output), LeRobotSource(config.output)
    for index in range(config.num_episodes):
        assert first.episode_metadata(index) == again.episode_metadata(index)
        low, high = lines(whole)[index]["axes"]["motor_gain"]
        assert low <= first.episode_metadata(index)["variations"]["robot.motor_gain"] <= high


def test_there_must_be_something_to_widen(config: CollectConfig) -> None:
    with pytest.raises(ConfigError, match="adr has no axis to widen in robossl/PandaReach-v0, domain 'nominal'"):
        run_stage("collect", collect, replace(config, domain="nominal", randomization="", axes={}))
    with pytest.raises(ConfigError, match="adr_success"):
        run_stage("collect", collect, replace(config, output=config.output / "other", adr_success=(0.9, 0.5)))
