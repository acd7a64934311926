"""The domains that an env can be made in."""

from typing import Literal

Domain = Literal["nominal", "randomized", "shifted", "heldout"]
"""`nominal`: fixed looks. `randomized`: the source, drawn per episode. `shifted`: outside the source's ranges, where
recipes are tuned. `heldout`: MuJoCo with ten frozen looks, cycled by seed; nothing is trained or tuned on it."""
