"""Features of a group of which one frame is seen in another view."""

from jaxtyping import Float
from torch import Tensor

from robossl.objectives.parts.encoded import EncodedBatch


def seen_across(encoded: EncodedBatch, group: str, place: int) -> Float[Tensor, "B n D"]:
    """Return the features of a group in the first view, but in the last view those of its frame at `place`."""
    pixels = encoded.pixels(group).clone()
    pixels[:, place] = encoded.pixels(group, view=-1)[:, place]
    return encoded.encoder(pixels.flatten(0, 1)).unflatten(0, pixels.shape[:2])
