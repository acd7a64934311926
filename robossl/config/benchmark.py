"""Configuration of `robossl benchmark`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from robossl.config.recipe import FIRST_TASKS, TRAINED, RecipeConfig
from robossl.config.schema import STRICT, Count, Positive
from robossl.config.tracking import TrackingConfig


def _no_file(path: Path) -> Path:
    if path.is_file():
        raise ValueError("a folder is needed and not a file")
    return path


def _no_repeats(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(seeds)) < len(seeds):
        raise ValueError("each seed is named once")
    return seeds


@dataclass(frozen=True, kw_only=True)
class BenchmarkConfig:
    """The demo's comparison with enough episodes and training seeds to tell encoders apart; grows cell by cell."""

    __pydantic_config__ = STRICT

    output: Path = Path("runs/benchmark")
    """Folder of all the runs."""
    cells: Annotated[Path, AfterValidator(_no_file)] = Path("docs/results/benchmark")
    """Folder of the finished cells, one small JSON each; one that is there with the same settings is not run again."""
    renew: bool = False
    """Measure anew what is there with other settings, or from another world, and replace it; otherwise that is
    refused."""
    recipe: RecipeConfig = field(default_factory=RecipeConfig)
    """Sizes of the recipe."""
    tasks: tuple[str, ...] = FIRST_TASKS
    """Out of reach, push, pick_and_place, stack, button_press, drawer_opening, sort_by_colour. One encoder is trained
    on play of all of them."""
    encoders: tuple[str, ...] = TRAINED
    """What policies are cloned on: pretrained, random (frozen), scratch, state (of the simulator, as a ceiling),
    autoencoder, simclr, finetuned (the pretrained one learns along) and unrandomized (encoder and policies know the
    plain world alone); those of `given` join them."""
    given: dict[str, Path] = field(default_factory=dict)
    """Further encoders: a name of your own to an encoder directory, or to a file with the weights of a ResNet."""
    more_demonstrations: tuple[Positive, ...] = ()
    """Numbers of demonstrations to compare beside the recipe's, for pretrained, random, scratch and state."""
    shifts: tuple[str, ...] = ()
    """Single shifts, out of those of `robossl transfer`, that the pretrained policies of the first training seed (where
    none takes part, the first of `given` or `encoders`) are measured under, each alone in the plain world."""
    seeds: Annotated[tuple[Count, ...], Field(min_length=1), AfterValidator(_no_repeats)] = (0, 1, 2)
    """Training seeds: each has an encoder, demonstrations and policies of its own."""
    num_eval_episodes: Positive = 100
    """Episodes of each policy in each domain, the same for all."""
    fast: bool = False
    """Only the first training seed and the recipe's number of demonstrations, without autoencoder, simclr, finetuned,
    unrandomized and shifts: a first look whose cells stay valid."""
    only_finished: bool = False
    """Measure nothing: the tables of the cells that are there."""
    num_jobs: Count = 1
    """How many of the runs behind the cells go on side by side, each in a process of one thread, rollouts too; 0: one
    for each CPU core that this process may use; 1: one after the other, with all threads and `recipe.num_workers`."""
    num_kept: Count = 0
    """Episodes of each policy in each domain kept one by one for the report, see `robossl evaluate`; no part of a cell:
    those that are there are not measured again for it."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""
