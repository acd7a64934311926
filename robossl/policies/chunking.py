"""Action chunks: how they are cut from episodes, and how they are executed."""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32

Execution = Literal["receding", "ensemble"]


def action_chunks(
    actions: Float32[np.ndarray, "L A"], chunk_length: int
) -> tuple[Float32[np.ndarray, "L K A"], Bool[np.ndarray, "L K"]]:
    """Return for each step the `chunk_length` actions from it on, and which of them lie inside the episode.

    Places past the end repeat the last action and are marked invalid.
    """
    index = np.arange(len(actions))[:, None] + np.arange(chunk_length)  # [L,K]
    valid = index < len(actions)
    return actions[np.minimum(index, len(actions) - 1)], valid


class ChunkExecutor:
    """Turns a chunk at each step into the action to take, for N envs at a time.

    `receding` takes the first `execute_steps` actions of a chunk, then asks for the next one. `ensemble` asks at every
    step and averages all chunks that speak about now, with weight exp(-rate * i), i = 0 for the oldest (temporal
    ensembling; Action chunking with transformers, 2023, arXiv 2304.13705).

    Args:
        chunk_length: K.
        execution: `receding` or `ensemble`.
        execute_steps: steps taken from one chunk, 1..K; for `receding`.
        rate: of the weights of `ensemble`; 0 is the plain mean.
    """

    def __init__(self, chunk_length: int, *, execution: Execution, execute_steps: int, rate: float = 0.1) -> None:
        self.chunk_length = chunk_length
        self.execution = execution
        self.execute_steps = execute_steps
        self.rate = rate
        self._chunks: list[Float32[np.ndarray, "N K A"]] = []
        self._age: np.ndarray = np.zeros(0, np.int64)
        """[N] steps since the env's chunk was asked for; -1 says that it has none."""
        self._seen: np.ndarray = np.zeros(0, np.int64)
        """[N] steps since the env's episode began."""

    def reset(self, env_mask: Bool[np.ndarray, " N"] | None = None) -> None:
        """Forget the chunks, in the envs of the mask or in all."""
        if env_mask is None or len(env_mask) != len(self._age):
            self._chunks, self._age, self._seen = [], np.zeros(0, np.int64), np.zeros(0, np.int64)
            return
        self._age[env_mask] = self.execute_steps
        self._seen[env_mask] = 0

    def needs_chunk(self) -> bool:
        """Tell whether any env has no action left."""
        if self.execution == "ensemble" or not self._chunks:
            return True
        return bool((self._age >= self.execute_steps).any())

    def add(self, chunk: Float32[np.ndarray, "N K A"]) -> None:
        """Take the chunks that start at the present step; envs that still have actions left keep their own."""
        if len(self._age) != len(chunk):
            self._chunks, self._age = [], np.full(len(chunk), self.execute_steps)
            self._seen = np.zeros(len(chunk), np.int64)
        if self.execution == "ensemble":
            self._chunks = [*self._chunks, chunk][-self.chunk_length :]
            return
        fresh = self._age >= self.execute_steps
        current = self._chunks[0].copy() if self._chunks else chunk.copy()
        current[fresh] = chunk[fresh]
        self._chunks = [current]
        self._age[fresh] = 0

    def step(self) -> Float32[np.ndarray, "N A"]:
        """Return the actions of the present step and go on to the next."""
        action = self._ensemble() if self.execution == "ensemble" else self._receding()
        self._age += 1
        self._seen += 1
        return action.astype(np.float32)

    def _receding(self) -> np.ndarray:
        return self._chunks[0][np.arange(len(self._age)), self._age]

    def _ensemble(self) -> np.ndarray:
        count = len(self._chunks)
        # the chunk asked for j steps ago speaks about now with its entry j; the oldest comes first
        votes = np.stack([chunk[:, count - 1 - order] for order, chunk in enumerate(self._chunks)])  # [count,N,A]
        ages = count - 1 - np.arange(count)
        known = ages[:, None] <= self._seen[None]  # chunks from before the env's reset do not count
        rank = np.cumsum(known, axis=0) - 1
        weights = np.where(known, np.exp(-self.rate * rank), 0.0)[..., None]
        return (weights * votes).sum(0) / weights.sum(0)
