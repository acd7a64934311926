"""Static stretches are found, drawn less often, and give no negatives of each other."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from footage_of import moving, scene, write
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_source import MemorySource

from robossl.config.pretrain import PretrainConfig, SourceConfig
from robossl.data.clip_dataset import ClipDataset
from robossl.data.clip_sampling import Window, instant_window, pair_window, sequence_window
from robossl.data.clip_specs import Far, Ordered, Spread
from robossl.data.sources import VideoFolder
from robossl.data.static import static_frames, static_stretches
from robossl.data.static_frames import StaticFrames, numbered
from robossl.data.stream import StreamedClips
from robossl.data.video.changes import changes_of
from robossl.encoders import build_encoder
from robossl.errors import ConfigError
from robossl.objectives.parts.infonce import negative_mask
from robossl.objectives.time_contrast import TimeContrast
from robossl.stages.pretrain_sources import open_sources

WINDOWS = {
    "pair": pair_window(num_anchors=4, positive_window_s=0.2),
    "row": sequence_window(num_context=2, horizons=(1, 3)),
    "far": Window(specs=(("anchor", Spread(3)), ("negative", Far(Spread(3), 0.2)))),
    "ordered": Window(specs=(("ordered", Ordered()),)),
}


def still_from(start: int, stop: int, length: int, *, weight: float = 0.25) -> StaticFrames:
    return StaticFrames(numbered([(start, stop)], length), 20.0, weight)


def waits(root: Path) -> VideoFolder:
    """One video of 90 frames in which nothing moves from frame 30 to 69, under the noise of a camera."""
    rng = np.random.default_rng(0)
    frames = scene(1, [*moving(30), *[8] * 40, *moving(20, first=42)])
    write(root / "waits.mp4", [np.clip(f + rng.normal(0, 3, f.shape), 0, 255).astype(np.uint8) for f in frames])
    return VideoFolder(root)


def test_stretches_without_motion_are_found_under_noise_and_slow_motion_is_none(tmp_path: Path) -> None:
    ((start, stop),) = static_stretches(changes_of(waits(tmp_path).paths[0]))
    assert abs(start - 30) <= 1
    assert abs(stop - 70) <= 1
    slow = write(tmp_path / "slow.mp4", scene(1, [k // 6 for k in range(120)]))  # 3 px/s
    assert static_stretches(changes_of(slow)) == []
    brief = write(tmp_path / "brief.mp4", scene(1, [*moving(30), *[8] * 8, *moving(30, first=42)]))
    assert static_stretches(changes_of(brief)) == []
    assert static_stretches(changes_of(write(tmp_path / "all.mp4", scene(1, [5] * 40)))) == [(0, 40)]


def test_a_cut_ends_a_stretch(tmp_path: Path) -> None:
    path = write(tmp_path / "two.mp4", scene(1, [5] * 30) + scene(2, [5] * 30))
    assert static_stretches(changes_of(path)) == [(0, 30), (30, 60)]
    (first, second) = static_frames(VideoFolder(tmp_path, shots="split"), "video", weight=0.5)
    assert [np.unique(one.number).tolist() for one in (first, second)] == [[1], [1]]


def test_the_clock_of_motion_stands_still_and_goes_on_in_parts() -> None:
    static = still_from(3, 7, 12)
    assert static.motion_s * 20 == pytest.approx([0, 1, 2, 3, 3, 3, 3, 4, 5, 6, 7, 8])
    assert static.part(5, 10).motion_s == pytest.approx(static.motion_s[5:10])
    assert static.weighted_length == 9


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_where_nothing_is_static_every_draw_is_as_it_was(window: Window) -> None:
    nothing = StaticFrames(np.zeros(60, dtype=np.int64), 20.0, 0.0)
    for position in range(50):
        plain = window.sample(60, 20.0, seed=(0, position))
        same = window.sample(60, 20.0, seed=(0, position), static=nothing)
        assert np.array_equal(plain.indices, same.indices)
        assert np.array_equal(plain.valid, same.valid)


@pytest.mark.parametrize("num", [1, 4])
def test_static_frames_are_drawn_by_their_weight(num: int) -> None:
    window = instant_window(num_instants=num, num_views=1)
    number = numbered([(0, 25), (50, 75), (100, 125), (150, 175)], 200)
    for weight in (0.0, 0.25, 1.0):
        static = StaticFrames(number, 20.0, weight)  # half of the episode, and of each quarter
        drawn = np.array([window.sample(200, 20.0, seed=(0, p), static=static).indices for p in range(600)])
        share = (number[drawn] > 0).mean()
        assert share == pytest.approx(weight / (1 + weight), abs=0.05)
        again = np.array([window.sample(200, 20.0, seed=(0, p), static=static).indices for p in range(30)])
        assert np.array_equal(drawn[:30], again)


def test_rows_are_thinned_only_where_all_that_they_tell_is_static() -> None:
    static = still_from(20, 60, 80, weight=0.0)
    window = sequence_window(num_context=2, horizons=(10,))
    starts = {int(window.sample(80, 20.0, seed=(0, p), static=static).indices[0]) for p in range(600)}
    assert starts.isdisjoint(range(20, 49)), "these and the frame ten later show the same"
    assert {19, 49, 55, 59} <= starts


@given(st.integers(0, 50), st.integers(5, 60), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_negatives_of_a_clip_never_come_from_the_stretch_of_their_instant(start: int, num: int, seed: int) -> None:
    static = still_from(start, min(start + num, 80), 80)
    draw = WINDOWS["far"].sample(80, 20.0, seed=(seed,), static=static)
    anchors, negatives = draw.indices[:3], draw.indices[3:]
    apart_s = np.abs(static.motion_s[anchors] - static.motion_s[negatives])
    assert (apart_s[draw.valid[3:]] > 0.2).all()
    draw = WINDOWS["ordered"].sample(80, 20.0, seed=(seed,), static=static)
    assert not (draw.valid.all() and static.same_stretch(draw.indices[0], draw.indices[-1]))


def test_an_episode_without_motion_has_no_negatives_and_few_items() -> None:
    source = MemorySource(lengths=(40, 40))
    frozen = [still_from(0, 40, 40), StaticFrames(np.zeros(40, dtype=np.int64), 20.0, 0.25)]
    dataset = ClipDataset(source, WINDOWS["far"], seed=0, views=("front",), static=frozen)
    assert np.bincount(dataset.episode_of_item).tolist() == [2, 7]
    clip = dataset.clip(0, position=0)
    assert clip.valid.tolist() == [True] * 3 + [False] * 3


def test_frames_of_a_stretch_are_no_negatives_in_a_batch() -> None:
    source, static = MemorySource(lengths=(60,)), still_from(10, 50, 60, weight=1.0)
    dataset = ClipDataset(source, WINDOWS["pair"], seed=0, views=("front",), static=[static])
    batch = dataset.batch(range(6), positions=range(6))
    time_s, number = batch.contrast_s.flatten(), torch.from_numpy(static.number)[batch.indices.flatten()]
    episode = batch.episode_id.repeat_interleave(batch.indices.shape[1])
    allowed = negative_mask(episode, time_s, episode, time_s, negative_margin_s=0.0)
    stretch = (number[:, None] > 0) & (number[:, None] == number[None])
    assert stretch.sum() > 100
    assert not (allowed & stretch).any()
    assert (allowed | stretch | (time_s[:, None] == time_s[None])).all()
    assert replace(batch, motion_s=None).contrast_s is batch.timestamps_s


def test_the_contrast_along_time_leaves_them_out() -> None:
    objective = TimeContrast(build_encoder("conv", image_size=(32, 32), feature_dim=8), num_anchors=4)
    source = MemorySource(lengths=(60,))
    whole = ClipDataset(source, objective.window, seed=0, views=("front",), static=[still_from(0, 60, 60)])
    batch = whole.batch([0] * 3, positions=range(3))
    assert objective(batch).loss.item() == 0.0, "no negative is left"
    assert objective(replace(batch, motion_s=None)).loss.item() > 0.1


def test_training_from_cache_and_stream_knows_the_same_stretches(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    source = waits(tmp_path / "in")
    spec = SourceConfig(path=tmp_path / "in", static_weight=0.0)
    config = PretrainConfig(sources=(spec,), image_size=(24, 32), cache_dir=tmp_path / "cache")
    (found,) = open_sources(config)
    assert found.static is not None
    assert 38 <= (found.static[0].number > 0).sum() <= 42
    window = sequence_window(num_context=2, horizons=(3,))
    clips = StreamedClips(source, window, image_size=(24, 32), seed=0, views=("video",), static=found.static)
    items = clips.order(0).tolist()
    batch = clips.batch(items, positions=range(len(items)))
    clips.close()
    assert batch.motion_s is not None
    assert np.allclose(batch.motion_s, found.static[0].motion_s[batch.indices])
    ends = batch.indices[:, [0, -1]].tolist()
    assert not any(found.static[0].same_stretch(first, last) for first, last in ends)
    (plain,) = open_sources(replace(config, sources=(replace(spec, static_weight=1.0),)))
    assert plain.static is None
    with pytest.raises(ConfigError, match=r"static_weight=0.5 .* needs recorded pictures"):
        open_sources(replace(config, sources=(replace(spec, static_weight=0.5, rerender=True),)))
