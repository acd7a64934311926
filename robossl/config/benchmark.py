"""Configuration of `robossl benchmark`."""

from dataclasses import dataclass, field
from pathlib import Path

from robossl.config.recipe import TASKS, RecipeConfig
from robossl.config.schema import STRICT
from robossl.config.tracking import TrackingConfig


@dataclass(frozen=True, kw_only=True)
class BenchmarkConfig:
    """The demo's comparison with enough episodes and training seeds to tell encoders apart; grows cell by cell."""

    __pydantic_config__ = STRICT

    output: Path = Path("runs/benchmark")
    """Folder of all the runs."""
    cells: Path = Path("docs/results/benchmark")
    """Folder of the finished cells, one small JSON each; one that is there with the same settings is not run again."""
    recipe: RecipeConfig = field(default_factory=RecipeConfig)
    """Sizes of the recipe."""
    tasks: tuple[str, ...] = tuple(TASKS)
    """reach, push."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Training seeds: each has an encoder, demonstrations and policies of its own."""
    num_eval_episodes: int = 100
    """Episodes of each policy in each domain, the same for all."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""
