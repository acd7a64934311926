"""Configuration of `robossl demo`."""

from dataclasses import dataclass, field
from pathlib import Path

from robossl.config.recipe import FIRST_TASKS, RecipeConfig
from robossl.config.schema import STRICT, Count, OptionalPath, Positive
from robossl.config.tracking import TrackingConfig


@dataclass(frozen=True, kw_only=True)
class DemoConfig:
    """The whole way in minutes: collect, pretrain, probe, finetune, evaluate in a simulator never seen, report."""

    __pydantic_config__ = STRICT

    output: Path = Path("runs/demo")
    """Folder of all the runs, and of `report.html`."""
    footage: OptionalPath = None
    """Folder of recorded videos or LeRobot data sets to train on too; the report then also speaks of them."""
    recipe: RecipeConfig = field(default_factory=lambda: RecipeConfig(tracking=TrackingConfig(wandb="offline")))
    """Sizes of the recipe."""
    tasks: tuple[str, ...] = FIRST_TASKS
    """Out of reach, push, pick_and_place, stack, button_press, drawer_opening, sort_by_colour."""
    num_eval_episodes: Positive = 20
    """Episodes of each policy in each domain: few, so its intervals are wide; `make benchmark` takes 100."""
    num_probe_episodes: Positive = 40
    """Play episodes of each domain but the source that probes read."""
    footage_steps: Positive = 900
    """Optimizer steps of future-frame prediction on the footage."""
    seed: Count = 0
    """Of everything that is trained."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Of the demo's own run; those of its stages go by `recipe.tracking`."""
