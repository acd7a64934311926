"""Clips hold the frames, actions and times that their indices name."""

import numpy as np
import pytest
import torch
from memory_source import MemorySource

from robossl.data.clip_dataset import ClipDataset, ClipLoader, moved
from robossl.data.clip_sampling import Window, instant_window, sequence_window
from robossl.data.clip_specs import Spread
from robossl.data.sampler import BatchSampler
from robossl.errors import DataError

SEQUENCE = sequence_window(num_context=2, horizons=(1, 3), frame_stride=2)


def test_frames_and_times_are_those_of_the_indices_in_every_view() -> None:
    source = MemorySource()
    dataset = ClipDataset(source, instant_window(num_instants=5, num_views=2), seed=0, views=("front", "front_look2"))
    for item in range(len(dataset)):
        clip = dataset[item]
        assert clip.pixels.shape == (2, 5, 3, 32, 32)
        for view, camera in enumerate(("front", "front_look2")):
            assert np.array_equal(clip.pixels[view], source.frames(clip.episode_id, clip.indices, camera))
        assert np.allclose(clip.timestamps_s, clip.indices / 20)
        assert np.array_equal(clip.proprio, source.values(clip.episode_id, clip.indices, "observation.state"))


def test_actions_from_each_frame_on_are_joined_and_never_reach_past_the_end() -> None:
    source = MemorySource(lengths=(6,))
    window = Window(specs=(("anchor", Spread(6)),), action_steps=3)
    clip = ClipDataset(source, window, seed=0, views=("front",))[0]
    assert clip.actions is not None
    assert clip.actions.shape == (6, 6)
    rows = source.values(0, np.arange(6), "action")
    assert np.array_equal(clip.actions[1].reshape(3, 2), rows[1:4])
    assert clip.actions_valid.tolist() == [True, True, True, False, False, False], "5 actions lie between 6 frames"
    assert np.array_equal(clip.actions[4].reshape(3, 2), [rows[4], [0, 0], [0, 0]])


def test_an_episode_that_is_too_short_gives_marked_fillers_of_its_own_frames() -> None:
    source = MemorySource(lengths=(4,))
    clip = ClipDataset(source, SEQUENCE, seed=0, views=("front",))[0]
    assert clip.valid.tolist() == [True, True, True, False]
    assert np.array_equal(clip.pixels[0], source.frames(0, clip.indices, "front"))


def test_a_source_without_numbers_gives_clips_without_them() -> None:
    dataset = ClipDataset(MemorySource(actions=False), SEQUENCE, seed=0, views=("front",))
    batch = dataset.batch([0, 1], positions=[0, 1])
    assert batch.actions is None
    assert batch.proprio is None
    assert batch.pixels.shape == (2, 1, 4, 3, 32, 32)
    assert moved(batch, torch.device("cpu")) is batch


def test_only_the_named_episodes_are_read() -> None:
    source = MemorySource()
    dataset = ClipDataset(source, SEQUENCE, seed=0, views=("front",), episodes=[1, 3])
    assert {dataset[item].episode_id for item in range(len(dataset))} == {1, 3}


def test_the_loader_reads_any_step_and_draws_again_in_later_epochs() -> None:
    dataset = ClipDataset(MemorySource(), SEQUENCE, seed=0, views=("front",))
    loader = ClipLoader([dataset], BatchSampler([len(dataset)], batch_size=4, seed=0), names=["memory"])
    late = loader(50)
    assert torch.equal(late.pixels, loader(50).pixels)
    assert late.source == "memory"
    draws = {tuple(dataset.clip(0, position=position).indices) for position in range(20)}
    assert len(draws) > 5


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"views": ("frnt",)}, "no camera 'frnt'; it has front, front_look2; did you mean 'front'"),
        ({"views": ()}, "views is empty"),
        ({"episodes": []}, "no episodes to train on"),
    ],
)
def test_what_the_source_lacks_is_named(arguments: dict, text: str) -> None:
    with pytest.raises(DataError, match=text):
        ClipDataset(MemorySource(), SEQUENCE, **{"seed": 0, "views": ("front",), **arguments})
