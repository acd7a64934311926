"""How alike predicted frames are to what came: SSIM as torchmetrics computes it."""

import numpy as np
import torch
from jaxtyping import Float, UInt8

from robossl.errors import ConfigError

MIN_SIZE_PX = 11
"""The window of SSIM: no smaller frame can be scored."""
_CHUNK = 256


def ssim(frames: UInt8[np.ndarray, "n C H W"], truth: UInt8[np.ndarray, "n C H W"]) -> Float[np.ndarray, " n"]:
    """Return the structural similarity of each pair of frames, at most 1 (equal).

    The convention of Wang et al. 2004 ("Image quality assessment: from error visibility to structural similarity"): a
    Gaussian window of 11 px and sigma 1.5, k1 = 0.01, k2 = 0.03, RGB in 0-1, mean over pixels and the three channels.

    Raises:
        ConfigError: frames are smaller than the window.
    """
    # torch's metrics take half a second to import, which no command but the one that scores frames should wait for
    from torchmetrics.functional.image import structural_similarity_index_measure

    if min(frames.shape[-2:]) < MIN_SIZE_PX:
        raise ConfigError(f"SSIM needs frames of at least {MIN_SIZE_PX} px, got {frames.shape[-2]}x{frames.shape[-1]}")
    found = []
    for start in range(0, len(frames), _CHUNK):
        ours, theirs = (torch.from_numpy(images[start : start + _CHUNK]).float() / 255 for images in (frames, truth))
        found.append(structural_similarity_index_measure(ours, theirs, data_range=1.0, reduction="none").reshape(-1))
    return torch.cat(found).numpy()
