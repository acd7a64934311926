"""What stages that run envs share."""

DEFAULT_CAMERAS = ("front",)
DEFAULT_IMAGE_SIZE_PX = 64
EVALUATION_SEED = 1_000_000
"""First seed of evaluation episodes: far from what is collected, since the same seed gives the same layout in every
domain."""
