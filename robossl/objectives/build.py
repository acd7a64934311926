"""From names and plain arguments to objectives."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from robossl.config.checked import checked_arguments
from robossl.encoders import Encoder
from robossl.errors import ConfigError, closest
from robossl.objectives.adversarial_frames import AdversarialFrames
from robossl.objectives.augmented_time_contrast import AugmentedTimeContrast
from robossl.objectives.autoencoder import Autoencoder
from robossl.objectives.barlow_twins import BarlowTwins
from robossl.objectives.byol import Byol
from robossl.objectives.curl import Curl
from robossl.objectives.cycle_consistency import CycleConsistency
from robossl.objectives.forward_dynamics import ForwardDynamics
from robossl.objectives.frame_order import FrameOrder
from robossl.objectives.future_features import FutureFeatures
from robossl.objectives.future_frames import FutureFrames
from robossl.objectives.gaussian_embedding import GaussianEmbedding
from robossl.objectives.implicit_value import ImplicitValue
from robossl.objectives.inverse_dynamics import InverseDynamics
from robossl.objectives.latent_rollout import LatentRollout
from robossl.objectives.masked_latents import MaskedLatents
from robossl.objectives.masked_video import MaskedVideo
from robossl.objectives.multi_view_tcn import MultiViewTcn
from robossl.objectives.objective import Objective
from robossl.objectives.other_look import OtherLook
from robossl.objectives.paired_looks import PairedLooks
from robossl.objectives.parallel_frames import ParallelFrames
from robossl.objectives.parts.conditioning import ActionStats
from robossl.objectives.parts.ramp import Ramp
from robossl.objectives.predictive_coding import PredictiveCoding
from robossl.objectives.r3m import R3M
from robossl.objectives.recurrent_frames import RecurrentFrames
from robossl.objectives.self_prediction import SelfPrediction
from robossl.objectives.simclr import SimClr
from robossl.objectives.slow_features import SlowFeatures
from robossl.objectives.stochastic_frames import StochasticFrames
from robossl.objectives.tcn_n_pairs import TcnNPairs
from robossl.objectives.tcn_triplet import TcnTriplet
from robossl.objectives.time_contrast import TimeContrast
from robossl.objectives.vicreg import VicReg
from robossl.objectives.weighted_sum import WeightedSum

KINDS: dict[str, type[Objective]] = {
    "paired_looks": PairedLooks,
    "time_contrast": TimeContrast,
    "future_frames": FutureFrames,
    "future_features": FutureFeatures,
    "inverse_dynamics": InverseDynamics,
    "r3m": R3M,
    "tcn_triplet": TcnTriplet,
    "tcn_n_pairs": TcnNPairs,
    "multi_view_tcn": MultiViewTcn,
    "cycle_consistency": CycleConsistency,
    "implicit_value": ImplicitValue,
    "predictive_coding": PredictiveCoding,
    "augmented_time_contrast": AugmentedTimeContrast,
    "curl": Curl,
    "self_prediction": SelfPrediction,
    "vicreg": VicReg,
    "gaussian_embedding": GaussianEmbedding,
    "barlow_twins": BarlowTwins,
    "simclr": SimClr,
    "byol": Byol,
    "slow_features": SlowFeatures,
    "frame_order": FrameOrder,
    "latent_rollout": LatentRollout,
    "forward_dynamics": ForwardDynamics,
    "masked_latents": MaskedLatents,
    "masked_video": MaskedVideo,
    "autoencoder": Autoencoder,
    "recurrent_frames": RecurrentFrames,
    "parallel_frames": ParallelFrames,
    "stochastic_frames": StochasticFrames,
    "adversarial_frames": AdversarialFrames,
    "other_look": OtherLook,
}
"""What a configuration may name."""
OBJECTIVE_NAMES = tuple(KINDS)


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
    if name not in KINDS:
        allowed = ", ".join(OBJECTIVE_NAMES)
        raise ConfigError(f"objective {name!r} is unknown; use one of {allowed}{closest(name, OBJECTIVE_NAMES)}")
    kind = KINDS[name]
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
    ramps: Mapping[str, Ramp] | None = None,
) -> WeightedSum:
    """Return the weighted sum of (name, weight, arguments); `average_momentum` and `ramps` as in `WeightedSum`."""
    return WeightedSum(
        [
            (name, weight, build_objective(name, encoder, arguments, action_stats=action_stats))
            for name, weight, arguments in specs
        ],
        average_momentum=average_momentum,
        ramps=ramps,
    )
