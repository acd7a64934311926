"""Sketched isotropic Gaussian regularization (LeJEPA, 2025, arXiv 2511.08544)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (its usual name)


def sigreg(
    rows: Float[Tensor, "N D"],
    *,
    generator: torch.Generator,
    num_directions: int = 256,
    reach: float = 3.0,
    num_knots: int = 17,
) -> Float[Tensor, ""]:
    """Return how far rows are from a standard normal distribution, as the mean over random directions.

    Args:
        rows: of all ranks together; the statistic is not the mean of those of parts.
        generator: of the directions, the same on all ranks.
        num_directions: the paper has 1024 for D in the hundreds.
        reach, num_knots: of the integral's grid.
    """
    if len(rows) < 2:
        return rows.sum() * 0
    directions = torch.randn(rows.shape[1], num_directions, generator=generator).to(rows)
    return epps_pulley(rows @ F.normalize(directions, dim=0), reach=reach, num_knots=num_knots).mean()


def epps_pulley(samples: Float[Tensor, "N M"], *, reach: float = 3.0, num_knots: int = 17) -> Float[Tensor, " M"]:
    """Return N times the integral of |phi(t) - exp(-t^2/2)|^2 exp(-t^2/2) over -reach to reach, for each column.

    phi is the empirical characteristic function of the column. The integrand is even: one half by trapezoids, doubled.
    """
    knots = torch.linspace(0, reach, num_knots, dtype=samples.dtype, device=samples.device)
    normal = torch.exp(-knots.square() / 2)
    phases = samples[..., None] * knots  # [N,M,k]
    error = (phases.cos().mean(dim=0) - normal).square() + phases.sin().mean(dim=0).square()
    return 2 * len(samples) * torch.trapezoid(error * normal, knots, dim=-1)
