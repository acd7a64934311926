"""What objectives ask of a run, said before training starts."""

import logging
from collections.abc import Sequence

from robossl.config.pretrain import AugmentationConfig, PretrainConfig
from robossl.errors import ConfigError
from robossl.objectives import Objective, WeightedSum, can_serve
from robossl.policies.augment import check_shift
from robossl.stages.pretrain_sources import TrainingSource

logger = logging.getLogger(__name__)


def check_objectives(objective: WeightedSum, sources: Sequence[TrainingSource], config: PretrainConfig) -> None:
    """Refuse what can't be learned; of an objective that no source feeds, though others are fed, only say so.

    Raises:
        ConfigError: the batch is too small, augmentation is missing or moves frames out of view, a video backbone would
            see no clip, or nothing at all can be fed.
    """
    check_shift(config.augmentation.shift_px, objective.encoder.image_size)
    if objective.encoder.num_before and not any(member.reads_clips for member in objective.members.values()):
        raise ConfigError(
            f"encoder {objective.encoder.architecture!r} is for clips, and no objective here encodes frames in a row: "
            "add one that does, such as masked_video or future_features, or use conv"
        )
    unfed = {}
    for name, member in objective.members.items():
        if config.batch_size < member.min_clips:
            raise ConfigError(
                f"batch_size is {config.batch_size}; objective {name!r} needs at least {member.min_clips} clips, since "
                "it compares them with each other"
            )
        if member.needs_augmentation and not _changes(config.augmentation):
            raise ConfigError(
                f"objective {name!r} compares augmentations of one frame, and augmentation is off; set for example "
                "--augmentation.shift-px=4, or across_views for two looks"
            )
        why = [_missing(member, source) for source in sources if name in (source.objectives or objective.members)]
        if all(why):
            unfed[name] = why[0] if why else "no source is meant for it"
    if len(unfed) == len(objective.members):
        reasons = "; ".join(f"{name}: {reason}" for name, reason in unfed.items())
        raise ConfigError(f"no source feeds any objective ({reasons})")
    for name, reason in unfed.items():
        logger.warning("objective %r takes no part: %s", name, reason)


def _missing(member: Objective, source: TrainingSource) -> str:
    """Return what a source lacks for an objective; empty if nothing."""
    if can_serve(member, num_views=len(source.views), has_actions=source.has_actions):
        return ""
    if member.needs_actions and not source.has_actions:
        return f"it needs actions, and source {source.name!r} has none"
    return (
        f"it needs {member.window.num_views} synchronous views (cameras or looks), and source {source.name!r} gives "
        f"{len(source.views)} ({', '.join(source.views)}); name more in views"
    )


def _changes(augmentation: AugmentationConfig) -> bool:
    strengths = (
        augmentation.shift_px,
        augmentation.brightness,
        augmentation.contrast,
        augmentation.saturation,
        augmentation.blur,
        augmentation.noise,
        augmentation.cutout,
        augmentation.random_conv,
    )
    return any(strengths)
