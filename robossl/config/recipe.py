"""The default recipe from play to policy: one place for `robossl demo` and `make benchmark`."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from robossl.config.collect import CollectConfig
from robossl.config.env import DEFAULT_CAMERAS, EVALUATION_SEED, HELDOUT
from robossl.config.evaluate import EvaluateConfig
from robossl.config.finetune import FinetuneConfig
from robossl.config.pretrain import AugmentationConfig, EncoderConfig, ObjectiveConfig, PretrainConfig, SourceConfig
from robossl.config.schema import STRICT, Count, Positive, Share
from robossl.config.tracking import TrackingConfig
from robossl.errors import ConfigError

TASKS = {
    "reach": "robossl/PandaReach-v0",
    "push": "robossl/PandaPush-v0",
    "pick_and_place": "robossl/PandaPickAndPlace-v0",
    "stack": "robossl/PandaStack-v0",
    "button_press": "robossl/PandaButtonPress-v0",
    "drawer_opening": "robossl/PandaDrawerOpening-v0",
    "sort_by_colour": "robossl/PandaSortByColour-v0",
}
FIRST_TASKS = ("reach", "push")
"""Those of the demo, which are cloned in minutes."""
TRAINED = ("pretrained", "random", "scratch", "state")
"""What policies are cloned on; on simulator state is the ceiling of what cloning can do."""
SCRIPTED = {"expert": "expert", "random-policy": "random"}
"""Ceiling and floor that are not cloned, with what `evaluate` takes as their policy."""
NAMES = {
    "pretrained": "pretrained, frozen",
    "random": "random, frozen",
    "scratch": "from scratch, end to end",
    "state": "none: simulator state",
    "expert": "none: scripted expert",
    "random-policy": "none: random actions",
}
"""The words of the tables for each of them."""
UNRANDOMIZED = "unrandomized"
REFERENCES = {
    "autoencoder": "autoencoder, frozen",
    "simclr": "SimCLR, frozen",
    UNRANDOMIZED: "without randomization, frozen",
}
"""Further ways to train the encoder for as many steps, with their words: on the same frames, or as the default one but
on play of the plain world, from which its policies have their demonstrations too."""
FINETUNED = "finetuned"
FURTHER = REFERENCES | {FINETUNED: "pretrained, finetuned"}
"""What a first look leaves out: those, and the pretrained encoder that learns along."""
MODES: dict[str, Literal["scratch", "finetuned"]] = {"scratch": "scratch", FINETUNED: "finetuned"}
"""Of variants whose encoder is trained, for as many steps as from scratch."""
SOURCE = "randomized"
"""What is trained on, but for `UNRANDOMIZED`."""
DEMONSTRATION_SEED = 500_000
PROBE_SEED = 700_000
"""Far from the seeds of play (from 0) and of evaluation, so that no layout is met twice."""
RENDERER = "tiny"
"""Of all pictures but those of held-out domains: every machine has it, so that no number depends on the machine."""
FOOTAGE_SHARE = 0.15
"""Part of the steps of pretraining that is spent on footage, on top of those on play."""
FOOTAGE_TEST_FRACTION = 0.25
"""Held out of training and left for scores wherever footage takes part: people record few episodes."""


@dataclass(frozen=True, kw_only=True)
class RecipeConfig:
    """Sizes of the default recipe; the rest of it is fixed in `robossl/config/recipe.py`."""

    __pydantic_config__ = STRICT

    num_play_episodes: Positive = 300
    """Play episodes of each task, each instant drawn under two looks."""
    num_demonstrations: Positive = 25
    """Of each task."""
    pretrain_steps: Positive = 700
    """Optimizer steps of the encoder."""
    finetune_steps: Positive = 600
    """Optimizer steps of each policy, the same for every encoder but for `scratch_steps`."""
    scratch_steps: Count = 0
    """Optimizer steps of a policy that trains its encoder along, each of which takes many times as long; 0: as many as
    of the others."""
    cameras: tuple[str, ...] = DEFAULT_CAMERAS
    """What the encoder is trained on and policies see."""
    head: Literal["mlp", "residual"] = "mlp"
    """Of the policies; see `robossl finetune`."""
    hidden: Annotated[tuple[Positive, ...], Field(min_length=1)] = (256, 256)
    """Of the policies; see `robossl finetune`."""
    dropout: Share = 0.2
    """Of the policies; see `robossl finetune`."""
    labels: Literal["executed", "intended"] = "executed"
    """What policies imitate; see `robossl finetune`."""
    burst_rate: Share = 0.0
    """In demonstrations; see `robossl collect`."""
    num_workers: Count = 0
    """Processes; 0: one for each CPU core."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Weights & Biases."""


def play_config(recipe: RecipeConfig, task: str, output: Path, *, domain: str = SOURCE) -> CollectConfig:
    """Return what collects the pretraining data of a task."""
    return CollectConfig(
        output=output,
        env_id=TASKS[task],
        domain=domain,
        cameras=recipe.cameras,
        policy="play",
        noise=0.2,
        num_episodes=recipe.num_play_episodes,
        second_look=True,
        look_every=10,
        max_episode_steps=30,
        renderer=RENDERER,
        num_workers=recipe.num_workers,
        tracking=recipe.tracking,
    )


def probe_data_config(
    recipe: RecipeConfig, task: str, domain: str, output: Path, *, num_episodes: int
) -> CollectConfig:
    """Return what collects labelled play that only probes read."""
    return CollectConfig(
        output=output,
        env_id=TASKS[task],
        domain=domain,
        policy="play",
        noise=0.2,
        num_episodes=num_episodes,
        max_episode_steps=30,
        renderer="auto" if domain.startswith(HELDOUT) else RENDERER,
        seed=PROBE_SEED,
        num_workers=recipe.num_workers,
        tracking=recipe.tracking,
    )


def demonstrations_config(
    recipe: RecipeConfig, task: str, output: Path, *, seed: int, domain: str = SOURCE
) -> CollectConfig:
    """Return what collects the demonstrations of a task; another seed gives other demonstrations.

    Raises:
        ConfigError: the recipe has bursts and would imitate them.
    """
    if recipe.burst_rate > 0 and recipe.labels == "executed":
        raise ConfigError("recipe.burst_rate needs recipe.labels intended: policies would imitate the bursts")
    return CollectConfig(
        output=output,
        env_id=TASKS[task],
        domain=domain,
        cameras=recipe.cameras,
        policy="expert",
        noise=0.15,
        burst_rate=recipe.burst_rate,
        intended_actions=recipe.labels == "intended",
        only_successful=True,
        num_episodes=recipe.num_demonstrations,
        seed=DEMONSTRATION_SEED + 1000 * seed,
        renderer=RENDERER,
        num_workers=recipe.num_workers,
        tracking=recipe.tracking,
    )


def reference_config(
    recipe: RecipeConfig, play: tuple[Path, ...], output: Path, *, seed: int, name: str
) -> PretrainConfig:
    """Return how an encoder of `REFERENCES` is trained: as the default one, but for the task and its augmentation, or
    for its play."""
    default = pretrain_config(recipe, play, output, seed=seed)
    if name == UNRANDOMIZED:
        return default
    if name == "simclr":
        objective = ObjectiveConfig(name="simclr", params={"num_instants": 2})
        augmentation = AugmentationConfig()
    else:
        objective = ObjectiveConfig(name="autoencoder")
        augmentation = AugmentationConfig(shift_px=0, brightness=0.0, contrast=0.0, saturation=0.0)
    sources = tuple(replace(source, objectives=(objective.name,)) for source in default.sources)
    return replace(default, sources=sources, objectives=(objective,), augmentation=augmentation)


def pretrain_config(
    recipe: RecipeConfig, play: tuple[Path, ...], output: Path, *, seed: int, footage: Path | None = None
) -> PretrainConfig:
    """Return how the encoder is trained: paired looks on play, and with footage also contrast along time on that.

    Footage adds steps and takes none from play, so that the features of simulated scenes stay as good.
    """
    objectives = [ObjectiveConfig(name="paired_looks", params={"num_instants": 2, "temperature": 0.05})]
    sources = [
        SourceConfig(path=path, views=views, objectives=("paired_looks",)) for path in play for views in _views(recipe)
    ]
    num_steps, test_fraction = recipe.pretrain_steps, PretrainConfig.test_fraction
    if footage is not None:
        weight = len(sources) * FOOTAGE_SHARE / (1 - FOOTAGE_SHARE)
        objectives.append(ObjectiveConfig(name="time_contrast", weight=0.5, params={"num_anchors": 2}))
        sources.append(SourceConfig(path=footage, weight=weight, objectives=("time_contrast",)))
        num_steps = round(num_steps / (1 - FOOTAGE_SHARE))
        test_fraction = FOOTAGE_TEST_FRACTION
    return PretrainConfig(
        output=output,
        sources=tuple(sources),
        objectives=tuple(objectives),
        encoder=EncoderConfig(name="conv", params={"pooling": "spatial_softmax"}),
        augmentation=AugmentationConfig(shift_px=0, noise=0.03),
        batch_size=64,  # many episodes and few instants of each: the goal, constant in one, has to be told apart too
        learning_rate=2e-3,
        num_steps=num_steps,
        test_fraction=test_fraction,
        seed=seed,
        tracking=recipe.tracking,
    )


def _views(recipe: RecipeConfig) -> tuple[tuple[str, ...], ...]:
    """Return what is shown of each instant: the two looks of one camera, for each of them."""
    if recipe.cameras == DEFAULT_CAMERAS:
        return ((),)
    return tuple((camera, camera + "_look2") for camera in recipe.cameras)


def finetune_config(
    recipe: RecipeConfig, demonstrations: Path, encoder: Path, output: Path, *, variant: str, seed: int
) -> FinetuneConfig:
    """Return how a policy is cloned.

    Args:
        recipe: Sizes.
        demonstrations: Their data set.
        encoder: The pretrained one; `random` and `scratch` take its architecture.
        output: Run directory.
        variant: `random` (frozen), `scratch` and `finetuned` (trained end to end with random shifts), `state`, or the
            name of whatever the pretrained one is.
        seed: Of weights and batches.
    """
    names = {"random": "random", "state": "state"}
    return FinetuneConfig(
        output=output,
        demonstrations=demonstrations,
        num_demonstrations=recipe.num_demonstrations,
        encoder=names.get(variant, str(encoder)),
        architecture=str(encoder),
        mode=MODES.get(variant, "frozen"),
        cameras=recipe.cameras,
        head=recipe.head,
        hidden=recipe.hidden,
        dropout=recipe.dropout,
        labels=recipe.labels,
        num_steps=(variant in MODES and recipe.scratch_steps) or recipe.finetune_steps,
        seed=seed,
        tracking=recipe.tracking,
    )


def evaluate_config(
    recipe: RecipeConfig,
    task: str,
    policy: str,
    output: Path,
    *,
    domains: tuple[str, ...],
    num_episodes: int,
    seed: int = EVALUATION_SEED,
    num_videos: int = 0,
) -> EvaluateConfig:
    """Return how a policy is measured: the same episodes for every policy."""
    return EvaluateConfig(
        output=output,
        policy=policy,
        env_id=TASKS[task],
        domains=domains,
        num_episodes=num_episodes,
        seed=seed,
        renderer=RENDERER,
        num_videos=num_videos,
        num_workers=recipe.num_workers,
        tracking=recipe.tracking,
    )
