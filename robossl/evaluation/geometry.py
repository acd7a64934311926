"""How features lie in their space: numbers that tell a living representation from a collapsed one, without the loss."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (its usual name)

SHARPNESS = 2.0
"""t of the uniformity's Gaussian kernel, as in the paper."""


def effective_rank(features: Float[Tensor, "n D"]) -> float:
    """Return how many directions n images differ in, 0 to D.

    This is RankMe (Garrido et al., RankMe: assessing the downstream performance of pretrained representations by their
    rank, 2023, arXiv 2210.02885): the exponential of the entropy of the singular values. Other than there the features
    are centred first, since what all images share tells none of them apart.
    """
    singular = torch.linalg.svdvals(features - features.mean(dim=0))
    if float(singular.sum()) == 0:
        return 0.0
    shares = singular / singular.sum()
    return float((-torch.special.xlogy(shares, shares).sum()).exp())


def spread(features: Float[Tensor, "n D"]) -> float:
    """Return the standard deviation over the images, as a part of the features' root mean square, 0 to 1."""
    size = float(features.square().mean().sqrt())
    deviation = float((features - features.mean(dim=0)).square().mean().sqrt())
    return deviation / size if deviation > 0 else 0.0


def uniformity(features: Float[Tensor, "n D"]) -> float:
    """Return how evenly features fill the sphere: 0 if all images are one, -4 to -3 if they are far apart.

    The logarithm of the mean of exp(-2 d^2) over pairs of different images, d the distance on the unit sphere (Wang and
    Isola, Understanding contrastive representation learning through alignment and uniformity on the hypersphere, 2020,
    arXiv 2005.10242).
    """
    if len(features) < 2:
        return math.nan
    return float(torch.pdist(F.normalize(features, dim=-1)).square().mul(-SHARPNESS).exp().mean().log())


def alignment(features: Float[Tensor, "n D"], positives: Float[Tensor, "n D"]) -> float:
    """Return the mean squared distance on the unit sphere of images that are to be alike, 0 to 4 (the same paper)."""
    return float((F.normalize(features, dim=-1) - F.normalize(positives, dim=-1)).square().sum(dim=-1).mean())


def straightness(steps: Float[Tensor, "n 3 D"]) -> float:
    """Return the mean cosine of one change of the features with the next, along three frames; 1: a straight line.

    Hénaff, Goris and Simoncelli, Perceptual straightening of natural videos, 2019, speak of the angle itself. Where
    nothing changes there is no angle, and such triples are left out; not a number if none is left.
    """
    changes = steps.diff(dim=1)
    moved = (changes.norm(dim=-1) > 0).all(dim=1)
    return float(F.cosine_similarity(changes[moved, 0], changes[moved, 1], dim=-1, eps=0).mean())
