"""Is a representation alive? Watched while it is learned, since a loss may fall while all images become one."""

import math
from dataclasses import asdict, dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from robossl.evaluation.geometry import alignment, effective_rank, spread, straightness, uniformity

MIN_RANK = 2.0
"""Below: all images lie about on a line. Random and trained encoders have 23 to 31 for 39 images of Reach."""
MIN_SPREAD = 0.01
"""Below: the images differ by less than a hundredth of what their features hold. The same encoders have 0.6 to 0.9."""
MIN_RANK_SHARE = 0.28
"""Below: most directions are gone that a fresh encoder has. Chosen on runs of one seed, tried on others: see
`docs/results/collapse.md`."""
MIN_SPREAD_SHARE = 0.28
"""Below: the same for the spread."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """What the features of many different images say about their encoder; not a number where nothing could be said."""

    effective_rank: float
    """How many directions the images differ in, 0 to D."""
    spread: float
    """Standard deviation of the features over the images, as a part of their root mean square, 0 to 1."""
    uniformity: float = math.nan
    """How evenly the images fill the sphere: 0 where all are one, -4 to -3 where they are far apart."""
    alignment: float = math.nan
    """Mean squared distance on the sphere of images that are to be alike, 0 to 4."""
    straightness: float = math.nan
    """Mean cosine of one change along time with the next, -1 to 1."""
    probe_r2: float = math.nan
    """R2 of a small probe on what the frames are known to show."""

    def faults(self, fresh: "Health | None" = None) -> list[str]:
        """Return in words what has collapsed: nothing if the images can be told apart.

        Args:
            fresh: the health of the encoder before it was trained, which says how much could be told apart at first.
        """
        rank, spread = (fresh.effective_rank, fresh.spread) if fresh else (0.0, 0.0)
        faults = []
        if self.effective_rank < max(MIN_RANK, MIN_RANK_SHARE * rank):
            faults.append(f"effective rank {self.effective_rank:.1f}{_was(rank)}: the images lie in few directions")
        if self.spread < max(MIN_SPREAD, MIN_SPREAD_SHARE * spread):
            faults.append(f"spread {self.spread:.2g}{_was(spread)}: the images become one")
        return faults

    def metrics(self) -> dict[str, float]:
        """Return the numbers by the names that they are logged under, but those that are none."""
        return {f"health/{name}": value for name, value in asdict(self).items() if not math.isnan(value)}


def feature_health(
    features: Float[Tensor, "n D"],
    *,
    positives: tuple[Float[Tensor, "m D"], Float[Tensor, "m D"]] | None = None,
    steps: Float[Tensor, "k 3 D"] | None = None,
    probe_r2: float = math.nan,
) -> Health:
    """Return the health of the features of n different images.

    Args:
        features: of images that are to be told apart.
        positives: pairs of images that are to be alike.
        steps: three frames in a row, k times.
        probe_r2: as it was read out.
    """
    features = features.double()
    if not torch.isfinite(features).all():
        return Health(effective_rank=0.0, spread=0.0)
    return Health(
        effective_rank=effective_rank(features),
        spread=spread(features),
        uniformity=uniformity(features),
        alignment=math.nan if positives is None else alignment(positives[0].double(), positives[1].double()),
        straightness=math.nan if steps is None else straightness(steps.double()),
        probe_r2=probe_r2,
    )


def _was(value: float) -> str:
    return f", {value:.2g} at the start" if value else ""
