"""Streamed clips hold the frames that they name, come in an order that can be computed, and miss none."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from recordings import make_episode, read_stamp, write_stamped

from robossl.data.clip_dataset import ClipLoader
from robossl.data.clip_sampling import pair_window, sequence_window
from robossl.data.lerobot import EpisodeWriter
from robossl.data.sampler import BatchSampler
from robossl.data.segments import SegmentedSource
from robossl.data.sources import LeRobotSource, VideoFolder
from robossl.data.stream import StreamedClips
from robossl.data.stream_order import StreamOrder
from robossl.data.video import open_video
from robossl.resize import resize

WINDOW = sequence_window(num_context=2, horizons=(1, 3))
SIZE = (48, 96)


def folder(root: Path, lengths: tuple[int, ...] = (40, 25, 33)) -> VideoFolder:
    for number, length in enumerate(lengths):
        write_stamped(root / f"{number}.mp4", length, gop=50, b_frames=2, first=100 * number)
    return VideoFolder(root)


def streamed(source: VideoFolder, **more: Any) -> StreamedClips:
    arguments: dict[str, Any] = {"image_size": SIZE, "seed": 0, "views": ("video",), "round_frames": 50}
    return StreamedClips(source, WINDOW, **(arguments | more))


def loader_of(clips: StreamedClips, *, rank: int = 0, world_size: int = 1) -> ClipLoader:
    sampler = BatchSampler(
        [len(clips)], batch_size=4, seed=0, orders={0: clips.order}, rank=rank, world_size=world_size
    )
    return ClipLoader([clips], sampler, names=["stream"])


def test_every_clip_holds_the_frames_that_it_names(tmp_path: Path) -> None:
    clips = streamed(folder(tmp_path))
    loader = loader_of(clips)
    seen = set()
    for step in range(2 * len(clips) // 4):
        batch = loader(step)
        for pixels, indices, episode in zip(batch.pixels[:, 0], batch.indices, batch.episode_id, strict=True):
            stamps = [read_stamp(frame) for frame in pixels.numpy()]
            assert stamps == (indices + 100 * episode).tolist()
            seen.add(int(episode))
        assert torch.allclose(batch.timestamps_s, batch.indices.double() / 30)
    assert seen == {0, 1, 2}
    clips.close()


def test_any_step_can_be_asked_for_and_ranks_share_a_batch(tmp_path: Path) -> None:
    source = folder(tmp_path)
    whole = loader_of(streamed(source))
    batches = [whole(step) for step in range(20)]
    late = loader_of(streamed(source))(17)
    assert torch.equal(late.pixels, batches[17].pixels)
    parts = [
        loader_of(streamed(source, batch_size=4, rank=rank, world_size=2), rank=rank, world_size=2) for rank in (0, 1)
    ]
    for step in (0, 9):
        joined = torch.cat([part(step).pixels for part in parts])
        assert torch.equal(joined, batches[step].pixels)


def test_the_first_rounds_are_small_so_that_training_begins_soon() -> None:
    order = StreamOrder(np.repeat(np.arange(40), 2), np.full(40, 32), seed=3, round_frames=256)
    assert [len(one.items) // 2 for one in order.rounds(0)] == [1, 2, 4, 8, 8, 8, 8, 1]
    assert [one.start for one in order.rounds(0)] == [0, 2, 6, 14, 30, 46, 62, 78]


def test_an_epoch_passes_each_item_once_and_a_round_holds_few_stretches() -> None:
    segment_of_item = np.repeat(np.arange(40), 8)
    order = StreamOrder(segment_of_item, np.full(40, 32), seed=3, round_frames=256)
    first, second = order(0), order(1)
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(320))
    assert not np.array_equal(first, second)
    rounds = order.rounds(1)
    assert {len(np.unique(segment_of_item[one.items])) for one in rounds} == {8}
    assert order.round_at(320 + 65).start == 320 + 64
    again = StreamOrder(segment_of_item, np.full(40, 32), seed=3, round_frames=256)
    assert np.array_equal(again(1), second)


def test_long_episodes_are_cut_into_stretches_and_short_ones_are_left(tmp_path: Path) -> None:
    source = folder(tmp_path)
    segments = SegmentedSource(source, max_frames=20, episodes=[0, 2])
    assert segments.episodes.tolist() == [0, 0, 2, 2]
    assert segments.lengths.tolist() == [20, 20, 16, 17]
    assert read_stamp(segments.frames(3, [2], "video")[0]) == 200 + 16 + 2
    assert segments.episode_key(3) == "2.mp4"


def test_a_spread_over_a_stretch_finds_its_numbers_too(tmp_path: Path) -> None:
    with EpisodeWriter(tmp_path / "set", fps_hz=20.0) as episodes:
        for seed in range(3):
            episodes.append(make_episode(seed))
    source = LeRobotSource(tmp_path / "set")
    window = pair_window(num_anchors=3, positive_window_s=0.1)
    clips = StreamedClips(source, window, image_size=(16, 16), seed=0, views=("front", "wrist"))
    batch = clips.batch(clips.order(0)[:2].tolist(), positions=[0, 1])
    assert batch.pixels.shape == (2, 2, 6, 3, 16, 16)
    for episode, indices, proprio in zip(batch.episode_id.tolist(), batch.indices, batch.proprio, strict=True):
        assert np.array_equal(proprio, source.values(episode, indices.numpy(), "observation.state"))
    clips.close()


def test_scaled_frames_are_nearly_resized_ones_also_where_a_phone_was_turned(tmp_path: Path) -> None:
    reader = open_video(write_stamped(tmp_path / "video.mp4", 9), decoder="pyav")
    small = reader.read_scaled([8, 0], (24, 32))
    expected = resize(torch.from_numpy(reader.read([8, 0])), (24, 32)).numpy()
    assert small.shape == expected.shape
    assert np.abs(small.astype(int) - expected).mean() < 2.5
    by_other = open_video(tmp_path / "video.mp4", decoder="opencv").read_scaled([8, 0], (24, 32))
    assert np.abs(by_other.astype(int) - expected).mean() < 2.5
