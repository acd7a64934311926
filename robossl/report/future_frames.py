"""Predicted against true future frames, from what pretraining kept: `future_frames/<source>.npz` and `.json`."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8
from matplotlib.image import imsave

from robossl.report.html import data_address, element, escape, table

_BLOCKS_IN_ROW, _GAP_PX, _BLOCK_GAP_PX = 3, 2, 14
_HEIGHT_PX = 64
"""Smaller frames are enlarged by a whole factor to at least this height."""


def future_frames_section(folder: Path, *, source: str) -> str:
    """Return one figure and one table of PSNR for each data source, or an empty text.

    Args:
        folder: `future_frames/` of a run.
        source: The run's name.
    """
    return "".join(_figure(path, source=source) for path in sorted(folder.glob("*.npz")))


def _figure(path: Path, *, source: str) -> str:
    with np.load(path) as kept:
        strip = tile(kept["context"], kept["truth"], kept["predicted"])
        horizons = kept["horizons"]
    buffer = io.BytesIO()
    imsave(buffer, strip, format="png")
    image = f'<img src="{data_address(buffer.getvalue(), kind=".png")}" alt="true and predicted frames">'
    origin = element("span", escape(f"{source}, {path.stem}"), class_="source")
    caption = element("figcaption", escape(_caption(horizons)), " ", origin)
    return element("figure", image, caption, _scores(path.with_suffix(".json")), class_="wide")


def tile(
    context: UInt8[np.ndarray, "N T C H W"],
    truth: UInt8[np.ndarray, "N K C H W"],
    predicted: UInt8[np.ndarray, "N K C H W"],
) -> UInt8[np.ndarray, "height width 4"]:
    """Return blocks of two rows: the last frame seen and what came, below it what was predicted; gaps are clear."""
    blocks = [_block(*example) for example in zip(context[:, -1], truth, predicted, strict=True)]
    blocks += [np.zeros_like(blocks[0])] * (-len(blocks) % min(_BLOCKS_IN_ROW, len(blocks)))
    rows = [
        _joined(blocks[start : start + _BLOCKS_IN_ROW], axis=1, gap_px=_BLOCK_GAP_PX)
        for start in range(0, len(blocks), _BLOCKS_IN_ROW)
    ]
    return _joined(rows, axis=0, gap_px=_BLOCK_GAP_PX)


def _block(last: np.ndarray, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    above = _joined([_opaque(last), *map(_opaque, truth)], axis=1, gap_px=_GAP_PX)
    below = _joined([np.zeros_like(_opaque(last)), *map(_opaque, predicted)], axis=1, gap_px=_GAP_PX)
    return _joined([above, below], axis=0, gap_px=_GAP_PX)


def _opaque(frame: UInt8[np.ndarray, "C H W"]) -> UInt8[np.ndarray, "h w 4"]:
    factor = max(1, -(-_HEIGHT_PX // frame.shape[1]))
    enlarged = frame.transpose(1, 2, 0).repeat(factor, axis=0).repeat(factor, axis=1)
    return np.dstack([enlarged, np.full(enlarged.shape[:2], 255, np.uint8)])


def _joined(images: Sequence[np.ndarray], *, axis: int, gap_px: int) -> np.ndarray:
    shape = list(images[0].shape)
    shape[axis] = gap_px
    gap = np.zeros(shape, np.uint8)
    return np.concatenate([part for image in images for part in (image, gap)][:-1], axis=axis)


def _caption(horizons: Int[np.ndarray, " K"]) -> str:
    steps = ", ".join(f"+{horizon}" for horizon in horizons)
    return f"Left the last frame that was seen, then frames {steps}: above what came, below what was predicted."


def _scores(path: Path) -> str:
    if not path.exists():
        return ""
    horizons = json.loads(path.read_text(encoding="utf-8"))["horizons"]
    names = ("psnr_db", "copy_psnr_db", "ssim", "copy_ssim", "num_frames")
    rows = [[int(horizon), *(scores.get(name, "–") for name in names)] for horizon, scores in horizons.items()]
    return table(["frames ahead", "PSNR [dB]", "copy of the last frame [dB]", "SSIM", "copy's SSIM", "n"], rows)
