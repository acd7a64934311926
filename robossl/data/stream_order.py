"""The order of clips that are decoded in sequence: rounds of a few stretches, shuffled inside of each round."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

_STREAM = 3


@dataclass(frozen=True)
class Round:
    """Clips that are shuffled together."""

    epoch: int
    start: int
    """Place of its first clip in the endless stream."""
    items: Int64[np.ndarray, " n"]


class StreamOrder:
    """Which item comes when, a pure function of (seed, epoch).

    In each epoch the stretches come in a new order. As many of them in a row as hold `round_frames` frames make a
    round, whose items are shuffled: the buffer of a shuffled stream, but any place of it can be computed. The first
    rounds are an eighth, a quarter and half of one, so that training does not wait for a whole round.

    Args:
        segment_of_item: the stretch that each item lies in, rising.
        lengths: frames of each stretch.
        seed: at least 0.
        round_frames: frames of a round; it holds one stretch at least.
    """

    def __init__(
        self,
        segment_of_item: Int64[np.ndarray, " N"],
        lengths: Int64[np.ndarray, " S"],
        *,
        seed: int,
        round_frames: int,
    ) -> None:
        self.num_items, self._lengths, self._seed, self._round_frames = (
            len(segment_of_item),
            lengths,
            seed,
            round_frames,
        )
        self._segments, firsts, counts = np.unique(segment_of_item, return_index=True, return_counts=True)
        self._items = [np.arange(first, first + count) for first, count in zip(firsts, counts, strict=True)]
        self._known: dict[int, list[Round]] = {}
        self._joined: dict[int, Int64[np.ndarray, " N"]] = {}

    def __call__(self, epoch: int) -> Int64[np.ndarray, " N"]:
        """Return all items in the order of an epoch."""
        rounds = self.rounds(epoch)
        if epoch not in self._joined:
            self._joined = {epoch: np.concatenate([one.items for one in rounds])}
        return self._joined[epoch]

    def rounds(self, epoch: int) -> list[Round]:
        """Return the rounds of an epoch."""
        if epoch not in self._known:
            self._known = {number: rounds for number, rounds in self._known.items() if number == epoch - 1}
            self._known[epoch] = self._drawn(epoch)
        return self._known[epoch]

    def round_at(self, position: int) -> Round:
        """Return the round that a place of the endless stream lies in."""
        rounds = self.rounds(position // self.num_items)
        starts = [one.start for one in rounds]
        return rounds[int(np.searchsorted(starts, position, side="right")) - 1]

    def _drawn(self, epoch: int) -> list[Round]:
        rng = np.random.default_rng([self._seed, _STREAM, epoch])
        order = rng.permutation(len(self._segments))
        last_frames = np.cumsum(self._lengths[self._segments[order]]) - 1
        round_of = self._rounds_of(last_frames, ramp=epoch == 0)
        rounds, start = [], epoch * self.num_items
        for number in np.unique(round_of):
            items = np.concatenate([self._items[place] for place in order[round_of == number]])
            rounds.append(Round(epoch, start, rng.permutation(items)))
            start += len(items)
        return rounds

    def _rounds_of(self, frames: Int64[np.ndarray, " S"], *, ramp: bool) -> Int64[np.ndarray, " S"]:
        """Return the round that each frame of an epoch lies in."""
        firsts = [self._round_frames // part for part in (8, 4, 2)] if ramp else []
        edges = np.cumsum(firsts)
        small = np.searchsorted(edges, frames, side="right")
        return np.where(small < len(firsts), small, small + (frames - sum(firsts)) // self._round_frames)
