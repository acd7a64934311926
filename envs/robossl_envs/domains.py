"""The domains that an env can be made in."""

from typing import Literal

Domain = Literal["nominal", "randomized", "shifted", "heldout", "heldout_hard"]
"""`nominal`: fixed looks. `randomized`: the source, drawn per episode. `shifted`: outside the source's ranges, where
recipes are tuned. `heldout`: MuJoCo with ten frozen looks, cycled by seed; nothing is trained or tuned on it.
`heldout_hard`: ten other frozen looks with clutter, a camera that stands elsewhere and at an angle, harder contacts and
delayed actions."""

HELDOUT: tuple[Domain, ...] = ("heldout", "heldout_hard")
"""Run and drawn by MuJoCo; arm tasks only."""
