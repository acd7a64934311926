"""Random numbers of clips that depend on neither rank nor what was drawn before."""

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from robossl.data.hashing import normals_of, uniforms_of
from robossl.types import ClipBatch


class Draws(nn.Module):
    """Numbers given by a clip (its episode and frames) and the number of steps taken, which a checkpoint holds.

    So a joint batch draws the same on one process and on many, and a resumed run goes on with what it would have drawn.
    """

    step: Int64[Tensor, ""]

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def uniforms(self, batch: ClipBatch, num: int, *, stream: int = 0) -> Float[Tensor, "B num"]:
        """Return numbers in [0, 1) for each clip."""
        return self._on(batch, uniforms_of(stream, _numbers(batch), (int(self.step),), num))

    def normals(self, batch: ClipBatch, num: int, *, stream: int = 0) -> Float[Tensor, "B num"]:
        """Return standard normal numbers for each clip."""
        return self._on(batch, normals_of(stream, _numbers(batch), (int(self.step),), num))

    def generator(self) -> torch.Generator:
        """Return a generator for what all clips share, equal on all ranks; on the CPU."""
        return torch.Generator().manual_seed(int(self.step))

    def advance(self) -> None:
        """Count a step."""
        self.step += 1

    def _on(self, batch: ClipBatch, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(batch.pixels.device, torch.get_default_dtype())


def _numbers(batch: ClipBatch) -> np.ndarray:
    frames = batch.indices.cpu().numpy().astype(np.int64)
    weights = 2 * np.arange(frames.shape[1], dtype=np.int64) + 1
    return batch.episode_id.cpu().numpy() * 1_000_003 + frames @ weights
