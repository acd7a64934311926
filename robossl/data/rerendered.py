"""Recorded episodes whose pictures are drawn while training: every epoch sees other looks of the same instants."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from robossl.data.lerobot.layout import VISUAL_STATE
from robossl.data.sources import EpisodeSource
from robossl.data.video.reader import Indices
from robossl.errors import ConfigError, DataError, closest

_CLIP, _EPISODE = 1, 2
"""Streams of looks: of a training clip, and of an episode that is only looked at."""


class Drawing(Protocol):
    """What draws stored instants again: an env of the kind that recorded them, as `env.unwrapped`."""

    def sample_looks(self, num_looks: int, *, seed: int) -> Sequence[Any]:
        """Draw looks from the env's randomization."""
        ...

    def render_states(
        self, visual_states: Float32[np.ndarray, "n X"], looks: Sequence[Any], *, camera: str
    ) -> UInt8[np.ndarray, "n H W C"]:
        """Draw instants through a camera, each under its own look."""
        ...


class RerenderedSource:
    """An `EpisodeSource` that takes all but the pictures from another one, and draws these from the visual states.

    Its cameras are looks of one camera: `front`, `front_look2`, ... `draw` gives each clip looks of its own, which
    depend on (seed, position in the endless stream of clips, view) and on nothing else: no two epochs show the same
    pictures, and a run that was stopped goes on with those that it would have shown. `frames`, for whoever has no
    position, gives each episode one look a view.

    Args:
        source: the recorded episodes.
        drawing: draws them, at the size that it was made for; used from one thread at a time.
        seed: of the looks.
        camera: the env's camera; by default the first one of the source.
        num_looks: how many views there are.

    Raises:
        DataError: the episodes hold no visual states, or no such camera.
        ConfigError: there would be no view.
    """

    def __init__(
        self, source: EpisodeSource, drawing: Drawing, *, seed: int, camera: str | None = None, num_looks: int = 2
    ) -> None:
        if VISUAL_STATE not in source.features:
            raise DataError(
                f"these episodes have no {VISUAL_STATE} and can't be drawn again: only those of robossl collect can"
            )
        if num_looks < 1:
            raise ConfigError(f"num_looks is {num_looks}; it must be at least 1")
        self.source, self.drawing, self.seed = source, drawing, seed
        self.camera = camera or source.cameras[0]
        if self.camera not in source.cameras:
            raise DataError(f"there is no camera {self.camera!r}; the data has {', '.join(source.cameras)}")
        self.cameras = look_names(self.camera, num_looks)
        self.lengths: Int64[np.ndarray, " N"] = source.lengths
        self.fps_hz, self.features, self.digest = source.fps_hz, source.features, source.digest

    def draw(
        self, episodes: Sequence[int], indices: Sequence[Indices], positions: Sequence[int], views: Sequence[str]
    ) -> list[UInt8[np.ndarray, "V T C H W"]]:
        """Draw clips, all in one call of the renderer.

        Args:
            episodes: of each clip.
            indices: T frame numbers of each clip.
            positions: of each clip in the endless stream of clips.
            views: names out of `cameras`; the frames of one view share a look.
        """
        seeds = [look_seed(self.seed, _CLIP, position) for position in positions]
        return self._draw(episodes, indices, seeds, [self._number(view) for view in views])

    def frames(self, episode: int, indices: Indices, camera: str) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames under the episode's own look of that name; see `EpisodeSource.frames`."""
        seed = look_seed(self.seed, _EPISODE, episode)
        return self._draw([episode], [indices], [seed], [self._number(camera)])[0][0]

    def values(self, episode: int, indices: Indices, key: str) -> Float32[np.ndarray, "n D"]:
        """Return rows of the source."""
        return self.source.values(episode, indices, key)

    def episode_metadata(self, episode: int) -> dict[str, Any]:
        """Return what the source knows of an episode."""
        return self.source.episode_metadata(episode)

    def episode_key(self, episode: int) -> str:
        """Return the source's name of an episode."""
        return self.source.episode_key(episode)

    def _number(self, view: str) -> int:
        if view not in self.cameras:
            raise DataError(
                f"there is no view {view!r}; drawn are {', '.join(self.cameras)}{closest(view, self.cameras)}"
            )
        return self.cameras.index(view)

    def _draw(
        self, episodes: Sequence[int], indices: Sequence[Indices], seeds: Sequence[int], views: Sequence[int]
    ) -> list[UInt8[np.ndarray, "V T C H W"]]:
        states: list[np.ndarray] = []
        looks: list[Any] = []
        for episode, numbers, seed in zip(episodes, indices, seeds, strict=True):
            seen = self.source.values(episode, numbers, VISUAL_STATE)
            # always as many as there are views, so that a look does not depend on which of them are asked for
            drawn = self.drawing.sample_looks(len(self.cameras), seed=seed)
            for view in views:
                states.append(seen)
                looks += [drawn[view]] * len(seen)
        pixels = self.drawing.render_states(np.concatenate(states), looks=looks, camera=self.camera)
        parts = np.split(pixels.transpose(0, 3, 1, 2), np.cumsum([len(part) for part in states])[:-1])
        return [np.stack(parts[start : start + len(views)]) for start in range(0, len(parts), len(views))]


def look_names(camera: str, num_looks: int) -> tuple[str, ...]:
    """Return what the looks of a camera are called: `front`, `front_look2`, `front_look3`, ..."""
    return (camera, *(f"{camera}_look{number}" for number in range(2, num_looks + 1)))


def look_seed(*numbers: int) -> int:
    """Return one seed for some numbers, each at least 0."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
