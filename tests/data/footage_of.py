"""Tiny footage with known scenes and motion. For tests only."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from robossl.data.video import encode_video

FPS_HZ = 20


def scene(number: int, motion: Iterable[int], *, block: int = 12) -> list[np.ndarray]:
    """Frames uint8 [48, 64, 3] of a textured scene of its own; a block stands at each place [px] of `motion`."""
    rng = np.random.default_rng(number)
    texture = np.kron(rng.integers(30, 220, size=(6, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    frames = []
    for place in motion:
        frame = texture.copy()
        frame[20 : 20 + block, place : place + block] = 250
        frames.append(frame)
    return frames


def moving(num: int, *, first: int = 0, px: int = 2) -> list[int]:
    """Places of a block that goes back and forth."""
    return [abs((first + px * k) % 100 - 50) for k in range(num)]


def write(path: Path, frames: list[np.ndarray]) -> Path:
    """Encode frames."""
    encode_video(path, frames, fps_hz=FPS_HZ)
    return path
