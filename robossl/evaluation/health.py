"""Is a representation alive? Watched while it is learned, since a loss may fall while all images become one."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

MIN_RANK = 2.0
"""Below: all images lie about on a line. Random and trained encoders have 23 to 31 for 39 images of Reach."""
MIN_SPREAD = 0.01
"""Below: the images differ by less than a hundredth of what their features hold. The same encoders have 0.6 to 0.9."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """What the features of many different images say about their encoder."""

    effective_rank: float
    """How many directions the images differ in, 0 to D."""
    spread: float
    """Standard deviation of the features over the images, as a part of their root mean square, 0 to 1."""

    @property
    def is_collapsed(self) -> bool:
        """Whether the images can hardly be told apart any more."""
        return self.effective_rank < MIN_RANK or self.spread < MIN_SPREAD

    def complaint(self, num_images: int) -> str:
        """Return in words what is wrong with the features of so many images; empty if nothing is."""
        faults = []
        if self.effective_rank < MIN_RANK:
            faults.append(f"{num_images} images lie in {self.effective_rank:.1f} directions")
        if self.spread < MIN_SPREAD:
            faults.append(f"they differ by {self.spread:.2g} of what their features hold")
        return " and ".join(faults)

    def metrics(self) -> dict[str, float]:
        """Return the numbers by the names that they are logged under."""
        return {"health/effective_rank": self.effective_rank, "health/spread": self.spread}


def feature_health(features: Float[Tensor, "n D"]) -> Health:
    """Return rank and spread of the features of n images.

    The rank is RankMe (Garrido et al., RankMe: assessing the downstream performance of pretrained representations by
    their rank, 2023, arXiv 2210.02885): the exponential of the entropy of the singular values. Other than there the
    features are centred first, since what all images share tells none of them apart.
    """
    features = features.double()
    centred = features - features.mean(dim=0)
    size = float(features.square().mean().sqrt())
    deviation = float(centred.square().mean().sqrt())
    if deviation == 0 or not torch.isfinite(centred).all():
        return Health(effective_rank=0.0, spread=0.0)
    singular = torch.linalg.svdvals(centred)
    shares = singular / singular.sum()
    entropy = -torch.special.xlogy(shares, shares).sum()
    return Health(effective_rank=float(entropy.exp()), spread=deviation / size)
