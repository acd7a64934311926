"""Where embeddings come from: what decides who may be whose negative."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import gather


@dataclass(frozen=True, kw_only=True)
class Places:
    """Episode and time of N frames, and which of them are no fillers."""

    episode: Int64[Tensor, " N"]
    time_s: Float[Tensor, " N"]
    valid: Bool[Tensor, " N"]

    def of_all_ranks(self) -> "Places":
        """Return the places of all ranks, in the order of `gather`."""
        return Places(episode=gather(self.episode), time_s=gather(self.time_s), valid=gather(self.valid))

    def where(self, valid: Bool[Tensor, " N"]) -> "Places":
        """Return the same places, of which only those that are also `valid` count."""
        return Places(episode=self.episode, time_s=self.time_s, valid=self.valid & valid)


def places_of(encoded: EncodedBatch, group: str) -> Places:
    """Return the places of the frames of a group as rows `[Bn]`."""
    valid = encoded.valid(group)
    return Places(
        episode=encoded.batch.episode_id.repeat_interleave(valid.shape[1]),
        time_s=encoded.of(group, encoded.batch.contrast_s).flatten(),
        valid=valid.flatten(),
    )


def stacked(places: list[Places]) -> Places:
    """Return places one after the other."""
    return Places(
        episode=torch.cat([place.episode for place in places]),
        time_s=torch.cat([place.time_s for place in places]),
        valid=torch.cat([place.valid for place in places]),
    )
