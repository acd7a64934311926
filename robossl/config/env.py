"""What stages that run envs share."""

DEFAULT_CAMERAS = ("front",)
DEFAULT_IMAGE_SIZE_PX = 64
CHOOSABLE = ("gl", "tiny")
"""Renderers between which `auto` chooses, by what the machine has."""
HELDOUT = "heldout"
"""How the names of domains begin that nothing is trained on; they have a renderer of their own."""
EVALUATION_SEED = 1_000_000
"""First seed of evaluation episodes: far from what is collected, since the same seed gives the same layout in every
domain."""
