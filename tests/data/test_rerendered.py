"""Pictures that are drawn while training: new looks in every epoch, and the same ones whenever a step is asked for."""

from collections.abc import Sequence

import numpy as np
import pytest
from memory_source import MemorySource

from robossl.data.clip_dataset import ClipDataset, ClipLoader
from robossl.data.clip_sampling import instant_window
from robossl.data.rerendered import RerenderedSource, look_names, look_seed
from robossl.data.sampler import BatchSampler
from robossl.errors import ConfigError, DataError

STATE = "observation.visual_state"


class StateSource(MemorySource):
    """Visual state: number of the episode and of the frame."""

    def __init__(self) -> None:
        super().__init__()
        self.features = {**self.features, STATE: 2}

    def values(self, episode: int, indices: np.ndarray, key: str) -> np.ndarray:
        if key != STATE:
            return super().values(episode, indices, key)
        return np.stack([np.full(len(indices), episode), indices], axis=1).astype(np.float32)


class Painter:
    """Paints episode, frame and look as the three colours of one pixel."""

    def __init__(self) -> None:
        self.num_calls = 0

    def sample_looks(self, num_looks: int, *, seed: int) -> list[int]:
        return np.random.default_rng(seed).integers(0, 256, num_looks).tolist()

    def render_states(self, visual_states: np.ndarray, looks: Sequence[int], *, camera: str) -> np.ndarray:
        assert camera == "front"
        self.num_calls += 1
        pixels = [(episode, frame, look) for (episode, frame), look in zip(visual_states, looks, strict=True)]
        return np.array(pixels, dtype=np.uint8)[:, None, None]


@pytest.fixture
def source() -> RerenderedSource:
    return RerenderedSource(StateSource(), Painter(), seed=3)


def loader(source: RerenderedSource, views: Sequence[str] = ("front", "front_look2")) -> ClipLoader:
    dataset = ClipDataset(source, instant_window(num_instants=4, num_views=len(views)), seed=0, views=views)
    return ClipLoader([dataset], BatchSampler([len(dataset)], batch_size=8, seed=0), names=["play"])


def test_both_views_show_the_same_instants_under_looks_of_their_own(source: RerenderedSource) -> None:
    batch = loader(source)(0)
    episode, frame, look = batch.pixels[..., 0, 0].unbind(dim=-1)  # [B,V,T] each
    assert (episode == batch.episode_id[:, None, None]).all()
    assert (frame == batch.indices[:, None, :]).all()
    assert (look == look[..., :1]).all(), "a view keeps its look over the clip"
    assert (look[:, 0] != look[:, 1]).any(), "two looks of 256 seldom are the same"


def test_every_epoch_has_other_looks_and_a_step_always_the_same(source: RerenderedSource) -> None:
    read = loader(source)
    steps_per_epoch = read.sampler.num_items[0] // 8
    looks = [read(step * steps_per_epoch).pixels[..., 2, 0, 0] for step in range(3)]
    assert not (looks[0] == looks[1]).all()
    assert not (looks[1] == looks[2]).all()
    again = loader(RerenderedSource(StateSource(), Painter(), seed=3))(2 * steps_per_epoch)
    assert (again.pixels[..., 2, 0, 0] == looks[2]).all(), "as after a resume"
    other = loader(RerenderedSource(StateSource(), Painter(), seed=4))(0)
    assert not (other.pixels[..., 2, 0, 0] == looks[0]).all()


def test_a_batch_is_drawn_in_one_call(source: RerenderedSource) -> None:
    loader(source)(0)
    assert source.drawing.num_calls == 1


def test_a_look_does_not_depend_on_which_views_are_asked_for(source: RerenderedSource) -> None:
    both, second = loader(source)(1), loader(source, views=("front_look2",))(1)
    assert (both.pixels[:, 1] == second.pixels[:, 0]).all()


def test_frames_without_a_position_have_one_look_an_episode(source: RerenderedSource) -> None:
    frames = source.frames(1, np.array([2, 5]), "front_look2")
    assert frames.shape == (2, 3, 1, 1)
    assert frames[:, :2, 0, 0].tolist() == [[1, 2], [1, 5]]
    assert frames[0, 2] == frames[1, 2] == source.frames(1, np.array([7]), "front_look2")[0, 2]


def test_numbers_and_names_are_those_of_the_recording(source: RerenderedSource) -> None:
    recorded = StateSource()
    assert source.digest == recorded.digest
    assert source.episode_key(2) == "episode 2"
    np.testing.assert_array_equal(source.values(0, np.arange(3), "action"), recorded.values(0, np.arange(3), "action"))
    assert source.cameras == ("front", "front_look2")
    assert look_names("wrist", 3) == ("wrist", "wrist_look2", "wrist_look3")
    assert look_seed(0, 1) != look_seed(1, 0)


def test_what_cannot_be_drawn_is_refused(source: RerenderedSource) -> None:
    with pytest.raises(DataError, match=r"no observation.visual_state and can't be drawn again"):
        RerenderedSource(MemorySource(), Painter(), seed=0)
    with pytest.raises(ConfigError, match="num_looks is 0; it must be at least 1"):
        RerenderedSource(StateSource(), Painter(), seed=0, num_looks=0)
    with pytest.raises(DataError, match="there is no camera 'side'; the data has front"):
        RerenderedSource(StateSource(), Painter(), seed=0, camera="side")
    with pytest.raises(DataError, match="there is no view 'front_look3'; drawn are front, front_look2"):
        source.frames(0, np.array([0]), "front_look3")
