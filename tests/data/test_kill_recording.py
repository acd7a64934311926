"""Kill -9 at any moment while collecting and importing: what was reported written is there, whole and right."""

import multiprocessing
import shutil
import time
from pathlib import Path

import kill_recording
import numpy as np
import pytest
from recordings import read_stamp, write_stamped

from robossl.data.lerobot import EpisodeWriter
from robossl.data.sources import LeRobotSource

FILES, FRAMES = 20, 100
PART = 15
"""Frames of half a second."""


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("footage")
    for number in range(FILES):
        write_stamped(root / f"{number:02d}.mp4", FRAMES, first=number)
    return root


def reported(root: Path) -> list[int]:
    """The episodes whose writing was reported; a line that the kill cut off is none."""
    log = root.parent / "reported"
    return [int(line) for line in log.read_text().split("\n")[:-1]] if log.exists() else []


def finished_copy(root: Path, fps_hz: int) -> LeRobotSource:
    """Finalize a copy, so that the killed recording stays as it is."""
    copy = root.parent / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root, copy)
    EpisodeWriter(copy, fps_hz=fps_hz).finalize()
    return LeRobotSource(copy)


def check_import(source: LeRobotSource, episode: int) -> None:
    place = source.episode_metadata(episode)
    first = int(place["path"].removesuffix(".mp4")) + PART * place["part"]
    rows = np.arange(source.lengths[episode])
    stamps = [read_stamp(frame) for frame in source.frames(episode, rows, "video")]
    assert stamps == (rows + first).tolist()


def check_collect(source: LeRobotSource, episode: int, undisturbed: LeRobotSource) -> None:
    assert source.episode_metadata(episode)["seed"] == episode
    rows = np.arange(source.lengths[episode])
    assert source.lengths[episode] == undisturbed.lengths[episode]
    for key in source.features:
        assert np.array_equal(source.values(episode, rows, key), undisturbed.values(episode, rows, key))
    pair = (one.frames(episode, rows, "front").astype(int) for one in (source, undisturbed))
    differences = np.abs(next(pair) - next(pair)).mean(axis=(1, 2, 3))
    assert differences.max() < 1.0, "x264 may choose otherwise for the same frames, once in some hundred episodes"


def killed(kind: str, tmp_path: Path, footage: Path, kills: int, undisturbed: LeRobotSource | None) -> int:
    """Record under kills until it is done; after each, check what was newly reported. Return the kills that hit."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kill_recording"])
    rng, root, hits, checked = np.random.default_rng(kills), tmp_path / kind / "set", 0, 0
    (tmp_path / kind).mkdir()
    while hits < kills:
        process = context.Process(target=kill_recording.record, args=(kind, root, footage))
        process.start()
        before = len(reported(root))
        while process.is_alive() and len(reported(root)) == before:  # it starts for seconds, and then writes
            time.sleep(0.002)
        time.sleep(float(rng.uniform(0, 3.0 if rng.random() < 0.2 else 0.1)))  # long enough for what ends a recording
        process.kill()
        process.join()
        if process.exitcode == 0:  # all is written: once more from the start
            shutil.rmtree(tmp_path / kind)
            (tmp_path / kind).mkdir()
            checked = 0
            continue
        hits += 1
        if not reported(root):
            continue
        source = finished_copy(root, 20 if kind == "collect" else 30)
        assert reported(root) == sorted(set(reported(root)))
        assert max(reported(root)) < len(source.lengths)
        for episode in range(checked, len(source.lengths)):  # also one that was written and not yet reported
            if undisturbed is None:
                check_import(source, episode)
            else:
                check_collect(source, episode, undisturbed)
        checked = len(source.lengths)
    return hits


def check(tmp_path: Path, footage: Path, kills: int) -> None:
    (tmp_path / "whole").mkdir()
    whole = multiprocessing.get_context("forkserver").Process(
        target=kill_recording.record, args=("collect", tmp_path / "whole/set", footage)
    )
    whole.start()
    assert killed("import", tmp_path, footage, kills, None) == kills
    whole.join()
    assert killed("collect", tmp_path, footage, kills, LeRobotSource(tmp_path / "whole/set")) == kills


def test_two_kills_lose_and_garble_nothing(tmp_path: Path, footage: Path) -> None:
    assert killed("import", tmp_path, footage, 2, None) == 2


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_kills_lose_and_garble_nothing(tmp_path: Path, footage: Path) -> None:
    check(tmp_path, footage, 50)
