"""From names and plain arguments to objectives."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from robossl.config.checked import checked_arguments
from robossl.encoders import Encoder
from robossl.errors import ConfigError, closest
from robossl.objectives.future_features import FutureFeatures
from robossl.objectives.future_frames import FutureFrames
from robossl.objectives.inverse_dynamics import InverseDynamics
from robossl.objectives.objective import Objective
from robossl.objectives.paired_looks import PairedLooks
from robossl.objectives.parts.conditioning import ActionStats
from robossl.objectives.time_contrast import TimeContrast
from robossl.objectives.weighted_sum import WeightedSum

OBJECTIVE_NAMES = ("paired_looks", "time_contrast", "future_frames", "future_features", "inverse_dynamics")


def build_objective(
    name: str,
    encoder: Encoder,
    arguments: Mapping[str, Any] | None = None,
    *,
    action_stats: Mapping[str, ActionStats] | None = None,
) -> Objective:
    """Return one objective on `encoder`.

    Args:
        name: one of `OBJECTIVE_NAMES`.
        encoder: to be trained.
        arguments: of its constructor.
        action_stats: source name to statistics of its actions, for the objectives that use them.

    Raises:
        ConfigError: if the name or an argument is unknown, or a value is not allowed.
    """
    kind: type[Objective]
    match name:
        case "paired_looks":
            kind = PairedLooks
        case "time_contrast":
            kind = TimeContrast
        case "future_frames":
            kind = FutureFrames
        case "future_features":
            kind = FutureFeatures
        case "inverse_dynamics":
            kind = InverseDynamics
        case _:
            allowed = ", ".join(OBJECTIVE_NAMES)
            raise ConfigError(f"objective {name!r} is unknown; use one of {allowed}{closest(name, OBJECTIVE_NAMES)}")
    constructor = kind.__init__
    chosen = checked_arguments(
        constructor, arguments or {}, where=f"objective {name!r}", hidden=("encoder", "action_stats")
    )
    if "action_stats" in inspect.signature(constructor).parameters:
        chosen["action_stats"] = action_stats or {}
    return kind(encoder, **chosen)


def build_objectives(
    specs: Sequence[tuple[str, float, Mapping[str, Any]]],
    encoder: Encoder,
    *,
    action_stats: Mapping[str, ActionStats] | None = None,
    average_momentum: float = 0.0,
) -> WeightedSum:
    """Return the weighted sum of (name, weight, arguments); `average_momentum` as in `WeightedSum`."""
    return WeightedSum(
        [
            (name, weight, build_objective(name, encoder, arguments, action_stats=action_stats))
            for name, weight, arguments in specs
        ],
        average_momentum=average_momentum,
    )
