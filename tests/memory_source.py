"""Episodes in memory: a coloured square on a coloured ground, moved by its actions."""

import hashlib

import numpy as np


class MemorySource:
    """`EpisodeSource` of drawn episodes; frame i of episode e can be recognized by its pixels and its state."""

    def __init__(
        self,
        *,
        lengths: tuple[int, ...] = (24, 30, 17, 40),
        size: int = 32,
        actions: bool = True,
        looks: int = 2,
        seed: int = 0,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.lengths = np.asarray(lengths, dtype=np.int64)
        self.fps_hz = 20.0
        self.cameras = ("front", "front_look2")[:looks]
        self.features = {"action": 2, "observation.state": 2} if actions else {}
        self.digest = f"sha256:{hashlib.sha256(repr((lengths, size, looks, seed)).encode()).hexdigest()}"
        self._actions = [rng.uniform(-1, 1, (n, 2)).astype(np.float32) for n in lengths]
        for rows in self._actions:
            rows[-1] = 0
        self._places = [np.cumsum(np.vstack([rng.uniform(8, 20, 2), 2 * a[:-1]]), axis=0) for a in self._actions]
        self._frames = {camera: [self._drawn(places, size, rng) for places in self._places] for camera in self.cameras}

    @staticmethod
    def _drawn(places: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
        ground, colour = rng.integers(0, 120, 3), rng.integers(130, 256, 3)
        frames = np.empty((len(places), 3, size, size), dtype=np.uint8)
        frames[:] = ground[:, None, None]
        for frame, place in zip(frames, places, strict=True):
            row, column = np.clip(place, 0, size - 6).astype(int)
            frame[:, row : row + 6, column : column + 6] = colour[:, None, None]
        return frames

    def frames(self, episode: int, indices: np.ndarray, camera: str) -> np.ndarray:
        return self._frames[camera][episode][np.asarray(indices)]

    def values(self, episode: int, indices: np.ndarray, key: str) -> np.ndarray:
        rows = self._actions if key == "action" else self._places
        return rows[episode][np.asarray(indices)].astype(np.float32)

    def episode_metadata(self, episode: int) -> dict:
        return {}

    def episode_key(self, episode: int) -> str:
        return f"episode {episode}"
