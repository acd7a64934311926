"""Which item comes when: a pure function of seed and step, the same on every number of processes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from robossl.errors import ConfigError

_SOURCE_STREAM = 1
_ORDER_STREAM = 2


@dataclass(frozen=True, kw_only=True)
class BatchPlan:
    """What this rank reads at one step."""

    source: int
    """Index of the source; equal on all ranks."""
    items: Int64[np.ndarray, " b"]
    """Items of the source's clip data set."""
    positions: Int64[np.ndarray, " b"]
    """Place of each item in the endless stream of this seed: the key of its random draws."""


class BatchSampler:
    """Plans the batches of all steps: each batch from one source, chosen with its weight by (seed, step).

    A source is passed in epochs; the order in epoch e is a permutation drawn from (seed, source, e). Step s takes the
    places [s * batch_size, (s + 1) * batch_size) of the endless stream of the source that it chose, so that nothing
    needs to be remembered to resume. The joint batch is cut into equal parts, one for each rank.
    """

    def __init__(
        self,
        num_items: Sequence[int],
        *,
        batch_size: int,
        seed: int,
        weights: Sequence[float] | None = None,
        orders: Mapping[int, Callable[[int], Int64[np.ndarray, " n"]]] | None = None,
        rank: int = 0,
        world_size: int = 1,
        same_source: int = 1,
    ) -> None:
        """Plan for sources of `num_items` items.

        Args:
            num_items: of each source, at least 1.
            batch_size: items of the joint batch of all ranks, a multiple of `world_size`.
            seed: at least 0.
            weights: of the sources, positive; equal ones by default.
            orders: source to what gives the order of its items in an epoch, where that is not any permutation.
            rank, world_size: of this process.
            same_source: batches in a row that come from one source (those whose gradients are accumulated).

        Raises:
            ConfigError: if a source is empty, a weight is not positive, or the batch can't be cut.
        """
        weights = [1.0] * len(num_items) if weights is None else list(weights)
        if not num_items or min(num_items) < 1:
            raise ConfigError(f"every source needs at least one item, got {list(num_items)}; remove the empty source")
        if len(weights) != len(num_items) or min(weights) <= 0:
            raise ConfigError(f"weights must be positive, one for each of {len(num_items)} sources, got {weights}")
        if batch_size < 1 or batch_size % world_size:
            raise ConfigError(f"batch_size must be a positive multiple of {world_size} processes, got {batch_size}")
        self.num_items = list(num_items)
        self.batch_size = batch_size
        self.seed = seed
        self.probabilities = np.asarray(weights, dtype=float) / sum(weights)
        self.rank = rank
        self.world_size = world_size
        self._given = dict(orders or {})
        self.same_source = same_source
        self._orders: dict[tuple[int, int], Int64[np.ndarray, " n"]] = {}

    def source_at(self, step: int) -> int:
        """Return the source of a step."""
        if len(self.num_items) == 1:
            return 0
        rng = np.random.default_rng([self.seed, _SOURCE_STREAM, step // self.same_source])
        return int(rng.choice(len(self.num_items), p=self.probabilities))

    def plan(self, step: int) -> BatchPlan:
        """Return what this rank reads at `step`."""
        source = self.source_at(step)
        share = self.batch_size // self.world_size
        start = step * self.batch_size + self.rank * share
        positions = np.arange(start, start + share)
        epochs, places = np.divmod(positions, self.num_items[source])
        items = np.array([self._order(source, int(e))[p] for e, p in zip(epochs, places, strict=True)], dtype=np.int64)
        return BatchPlan(source=source, items=items, positions=positions)

    def _order(self, source: int, epoch: int) -> Int64[np.ndarray, " n"]:
        if source in self._given:
            return self._given[source](epoch)
        key = (source, epoch)
        if key not in self._orders:
            if len(self._orders) > 2 * len(self.num_items):  # a batch touches few epochs: keep the last ones only
                self._orders.clear()
            rng = np.random.default_rng([self.seed, _ORDER_STREAM, source, epoch])
            self._orders[key] = rng.permutation(self.num_items[source])
        return self._orders[key]
