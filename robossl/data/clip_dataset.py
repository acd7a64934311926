"""From an item number to a clip, and from clips to a batch."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64, UInt8

from robossl.data.clip_sampling import Window, num_items
from robossl.data.clip_specs import Draw
from robossl.data.rerendered import RerenderedSource
from robossl.data.sampler import BatchSampler
from robossl.data.sources import EpisodeSource
from robossl.data.static_frames import StaticFrames
from robossl.errors import DataError, closest
from robossl.types import Clip, ClipBatch


class ClipDataset:
    """Clips of one source. `dataset[i]` is clip i of the first epoch; `clip` gives every later draw of it."""

    def __init__(
        self,
        source: EpisodeSource,
        window: Window,
        *,
        seed: int,
        views: Sequence[str],
        episodes: Sequence[int] | None = None,
        action_key: str = "action",
        proprio_key: str = "observation.state",
        static: Sequence[StaticFrames] | None = None,
    ) -> None:
        """Plan the items.

        Args:
            source: where frames and values come from.
            window: which frames make a clip.
            seed: at least 0; with the position of an item it decides which frames are drawn.
            views: cameras (or looks of one, `front` and `front_look2`) that become the V axis, in this order.
            episodes: only these; all by default.
            action_key, proprio_key: names of the values; a source without them gives clips without them.
            static: of each episode of the source, where nothing moves; drawn less often there.

        Raises:
            DataError: if a view is not a camera of the source, or no episode is left.
        """
        for view in views:
            if view not in source.cameras:
                known = ", ".join(source.cameras)
                raise DataError(f"the data has no camera {view!r}; it has {known}{closest(view, source.cameras)}")
        if len(views) < 1:
            raise DataError(f"views is empty; name one of the cameras {', '.join(source.cameras)}")
        self.source = source
        self.window = window
        self.seed = seed
        self.views = tuple(views)
        chosen = np.arange(len(source.lengths)) if episodes is None else np.asarray(episodes, dtype=np.int64)
        if not len(chosen):
            raise DataError("no episodes to train on; collect more or name other ones")
        self.static = static
        lengths = source.lengths if static is None else [one.weighted_length for one in static]
        counts = [num_items(int(lengths[episode]), window) for episode in chosen]
        self.episode_of_item: Int64[np.ndarray, " N"] = np.repeat(chosen, counts).astype(np.int64)
        self.action_key = action_key if action_key in source.features else None
        self.proprio_key = proprio_key if proprio_key in source.features else None

    def __len__(self) -> int:
        """Return the number of items of one epoch."""
        return len(self.episode_of_item)

    def __getitem__(self, index: int) -> Clip:
        """Return item `index` as the first epoch would draw it."""
        return self.clip(index, position=index)

    def clip(self, item: int, *, position: int) -> Clip:
        """Return item `item`, with its frames drawn by (seed, position)."""
        batch = self.batch([item], positions=[position])
        arrays: dict[str, Any] = {
            name: value[0].numpy() for name, value in vars(batch).items() if isinstance(value, torch.Tensor)
        }
        return Clip(**arrays | {"groups": batch.groups, "episode_id": int(batch.episode_id[0])})

    def batch(self, items: Sequence[int], *, positions: Sequence[int]) -> ClipBatch:
        """Return some items, each with its frames drawn by (seed, position), on the CPU."""
        episodes = [int(self.episode_of_item[item]) for item in items]
        draws = [self.draw(item, position) for item, position in zip(items, positions, strict=True)]
        return self.filled(episodes, draws, self._pixels(episodes, draws, positions))

    def close(self) -> None:
        """Nothing reads ahead here."""

    def draw(self, item: int, position: int) -> Draw:
        """Return the frames of an item at a place of the endless stream."""
        episode = int(self.episode_of_item[item])
        length, static = int(self.source.lengths[episode]), None if self.static is None else self.static[episode]
        return self.window.sample(length, self.source.fps_hz, seed=(self.seed, position), static=static)

    def _pixels(
        self, episodes: Sequence[int], draws: Sequence[Draw], positions: Sequence[int]
    ) -> Iterator[UInt8[np.ndarray, "V T C H W"]]:
        if isinstance(
            self.source, RerenderedSource
        ):  # all at once: a call of the renderer costs as much as ten pictures
            yield from self.source.draw(episodes, [draw.indices for draw in draws], positions, self.views)
            return
        for episode, draw in zip(episodes, draws, strict=True):
            views = [self.source.frames(episode, draw.indices, view) for view in self.views]
            yield np.stack(views) if len(views) > 1 else views[0][None]

    def filled(
        self, episodes: Sequence[int], draws: Sequence[Draw], pixels: Iterable[UInt8[np.ndarray, "V T C H W"]]
    ) -> ClipBatch:
        """Return the batch of these frames, with the numbers that belong to them."""
        indices = np.stack([draw.indices for draw in draws])
        return ClipBatch(
            pixels=_stacked(pixels, len(draws)),
            groups=self.window.groups,
            valid=torch.from_numpy(np.stack([draw.valid for draw in draws])),
            episode_id=torch.tensor(episodes, dtype=torch.int64),
            indices=torch.from_numpy(indices),
            timestamps_s=torch.from_numpy(indices / self.source.fps_hz),
            **self._numbers(episodes, indices),
        )

    def _numbers(self, episodes: Sequence[int], indices: Int64[np.ndarray, "B T"]) -> dict[str, Any]:
        """Return what the source has beside frames, by the name that a batch calls it."""
        pairs = list(zip(episodes, indices, strict=True))
        found: dict[str, np.ndarray] = {}
        if self.static is not None:
            found["motion_s"] = np.stack([self.static[episode].motion_s[rows] for episode, rows in pairs])
        if self.action_key is not None:
            found["actions"], found["actions_valid"] = self._actions(episodes, indices, self.action_key)
        if self.proprio_key is not None:
            found["proprio"] = np.stack([self.source.values(*pair, self.proprio_key) for pair in pairs])
        return {name: torch.from_numpy(values) for name, values in found.items()}

    def _actions(
        self, episodes: Sequence[int], indices: Int64[np.ndarray, "B T"], key: str
    ) -> tuple[Float32[np.ndarray, "B T kA"], Bool[np.ndarray, "B T"]]:
        last = np.asarray(self.source.lengths)[list(episodes), None, None] - 1  # [B,1,1]; this frame has no action
        steps = indices[..., None] + np.arange(self.window.action_steps)  # [B,T,k]
        rows = np.minimum(steps, last).reshape(len(steps), -1)
        actions = np.stack([self.source.values(*pair, key) for pair in zip(episodes, rows, strict=True)])  # [B,Tk,A]
        actions = np.where((steps < last).reshape(*rows.shape, 1), actions, 0).astype(np.float32)
        return actions.reshape(*indices.shape, -1), np.all(steps < last, axis=2)


def _stacked(clips: Iterable[UInt8[np.ndarray, "V T C H W"]], num: int) -> UInt8[torch.Tensor, "B V T C H W"]:
    """Copy clips into one tensor, each as soon as it is there."""
    clips = iter(clips)
    first = next(clips)
    pixels = _room((num, *first.shape))
    for place, clip in zip(pixels.numpy(), chain([first], clips), strict=True):
        place[...] = clip
    return pixels


def _room(shape: tuple[int, ...]) -> UInt8[torch.Tensor, "B V T C H W"]:
    """Return a tensor to fill; in a worker of torch's loader one in shared memory, as its own collate does."""
    if torch.utils.data.get_worker_info() is None:
        return torch.empty(shape, dtype=torch.uint8)
    storage = torch.UntypedStorage._new_shared(math.prod(shape), device="cpu")
    return torch.empty(0, dtype=torch.uint8).set_(storage).view(shape)


def moved(batch: ClipBatch, device: torch.device) -> ClipBatch:
    """Return the batch on a device; the very same one if it is there."""
    if batch.pixels.device == device:
        return batch
    tensors: dict[str, Any] = {
        name: _on(value, device) for name, value in vars(batch).items() if isinstance(value, torch.Tensor)
    }
    return replace(batch, **tensors)


def _on(value: torch.Tensor, device: torch.device) -> torch.Tensor:
    return value.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else value.to(device)


class ClipReader(Protocol):
    """What gives clips: a `ClipDataset`, or a stream of clips."""

    def batch(self, items: Sequence[int], *, positions: Sequence[int]) -> ClipBatch:
        """Return some items, each with its frames drawn by (seed, position), on the CPU."""
        ...

    def close(self) -> None:
        """End what reads ahead."""
        ...


class ClipLoader:
    """`loader(step)` reads the batch of a step; it holds no state, so any step can be asked for."""

    def __init__(self, datasets: Sequence[ClipReader], sampler: BatchSampler, *, names: Sequence[str]) -> None:
        """Read from `datasets` (called `names`) as `sampler` plans."""
        self.datasets = list(datasets)
        self.sampler = sampler
        self.names = list(names)

    def __call__(self, step: int) -> ClipBatch:
        """Return this rank's part of the batch of `step`, on the CPU."""
        plan = self.sampler.plan(step)
        dataset = self.datasets[plan.source]
        batch = dataset.batch(plan.items.tolist(), positions=plan.positions.tolist())
        return replace(batch, source=self.names[plan.source])

    def close(self) -> None:
        """End what reads ahead."""
        for dataset in self.datasets:
            dataset.close()
