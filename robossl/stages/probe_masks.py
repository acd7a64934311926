"""What the feature map tells about what each pixel shows, beside what a cell's own pixels tell.

Masks are not recorded: an env like the one that recorded an episode draws them, from its visual states and its record.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8

from robossl.config.probe import ProbeConfig
from robossl.data.frame_cache import CachedSource
from robossl.data.lerobot.layout import VISUAL_STATE
from robossl.encoders import Encoder
from robossl.errors import DataError
from robossl.evaluation.segmentation import CellProbe, class_ious, fit_to_cells, mean_iou, nearest
from robossl.rollout.env_spec import one_line
from robossl.stages.probe_frames import ENCODE_BATCH, Sampled
from robossl.stages.redraw import open_recorded

COLUMNS = ("features", "data", "class", "n", "iou")
NOTE = (
    "A linear map from each cell of the feature map to the classes of its pixels, fitted on training episodes; pixels: "
    "the same from the cell's own pixels. iou: intersection over union of a class, over all pixels of n held-out "
    "frames; mean: over the classes, without table, floor and background. Masks are drawn from the recorded states."
)
MAX_FRAMES = 400
"""Of each data set for the fit, and as many for the test: drawing a mask takes some milliseconds."""
BACKGROUND = ("nothing", "table", "floor", "backdrop")
REST = "rest"


@dataclass(frozen=True, kw_only=True)
class Masked:
    """Frames, and what each of their pixels shows."""

    sampled: Sampled
    masks: Int64[np.ndarray, "n H W"]
    names: tuple[str, ...]
    """What the numbers of the masks stand for."""

    def labels(self, classes: Sequence[str]) -> Int64[np.ndarray, "n H W"]:
        """Return the masks with the numbers of some classes; 0 for all else."""
        return np.array([classes.index(name) if name in classes else 0 for name in self.names])[self.masks]

    def shown(self) -> set[str]:
        """Return the names of what is seen in some frame."""
        return {self.names[number] for number in np.unique(self.masks)}


def masked(
    source: CachedSource, episodes: Int64[np.ndarray, " N"], path: Path, encoder: Encoder, config: ProbeConfig
) -> Masked:
    """Take some frames of episodes, and draw their masks.

    Raises:
        DataError: the episodes can't be drawn again, or through this camera.
    """
    sampled = Sampled(source, episodes, replace(config, max_frames=min(MAX_FRAMES, config.max_frames)))
    env = open_recorded(source.source, camera=config.camera, where=path)
    drawing: Any = env.unwrapped
    found = []
    with closing(env):
        if not hasattr(drawing, "masks_of_states"):
            raise DataError(f"{path} was recorded in an env that draws no masks: leave segmentation off")
        for episode, rows in sampled.pairs:
            try:
                env.reset(options={"record": source.episode_metadata(episode)})
            except ValueError as error:
                raise DataError(f"episode {episode} of {path} can't be drawn again: {one_line(error)}") from error
            states = source.values(episode, rows, VISUAL_STATE)
            found.append(drawing.masks_of_states(states, camera=config.camera))
        names = tuple(_plain(name) for name in drawing.mask_names)
    masks = nearest(np.concatenate(found).astype(np.int64), encoder.image_size)
    return Masked(sampled=sampled, masks=masks, names=names)


def mask_rows(train: Masked, tests: Sequence[Masked], encoder: Encoder, *, data: Sequence[str]) -> list[list[Any]]:
    """Return the IoU of each class on each data set, from the encoder's map and from pixels."""
    classes = (REST, *sorted(train.shown() - {REST}))
    maps = [feature_cells(encoder, one.sampled.frames) for one in (train, *tests)]
    size = maps[0].shape[1:3]
    pixels = [pixel_cells(one.sampled.frames, size) for one in (train, *tests)]
    truths = [fit_to_cells(one.labels(classes), size) for one in (train, *tests)]
    rows = []
    for label, cells in (("encoder", maps), ("pixels", pixels)):
        probe = CellProbe(len(classes)).fit(cells[0], truths[0], train.sampled.episode)
        for name, own, truth in zip(data, cells[1:], truths[1:], strict=True):
            ious = class_ious(probe.predict(own), truth, len(classes))
            rows += [
                [label, name, kind, len(own), iou] for kind, iou in zip(classes[1:], ious[1:].tolist(), strict=True)
            ]
            rows.append([label, name, "mean", len(own), mean_iou(ious)])
    return rows


@torch.inference_mode()
def feature_cells(encoder: Encoder, frames: UInt8[np.ndarray, "n 3 H W"]) -> Float[np.ndarray, "n h w C"]:
    """Return the feature map of frames, channels last."""
    device = encoder.mean.device
    parts = torch.from_numpy(frames).split(ENCODE_BATCH)
    return torch.cat([encoder.feature_map(part.to(device)).float().cpu() for part in parts]).movedim(1, -1).numpy()


def pixel_cells(frames: UInt8[np.ndarray, "n 3 H W"], size: tuple[int, int]) -> Float[np.ndarray, "n h w p"]:
    """Return the pixels of each cell, in 0-1."""
    n, channels = frames.shape[:2]
    blocks = np.stack([fit_to_cells(frames[:, channel], size) for channel in range(channels)], axis=1)
    side = (blocks.shape[2] // size[0], blocks.shape[3] // size[1])
    parted = blocks.reshape(n, channels, size[0], side[0], size[1], side[1]).transpose(0, 2, 4, 1, 3, 5)
    return parted.reshape(n, *size, -1).astype(np.float32) / 255


def _plain(name: str) -> str:
    """Return the class of a body: another size of it is the same thing, and what only surrounds things is the rest."""
    base = name.split("@")[0]
    return REST if base in BACKGROUND else base
