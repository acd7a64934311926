"""Pretext tasks: each says which frames it needs and what it asks of the encoder."""

from robossl.objectives.build import OBJECTIVE_NAMES, build_objective, build_objectives
from robossl.objectives.future_features import FutureFeatures
from robossl.objectives.future_frames import FutureFrames
from robossl.objectives.inverse_dynamics import InverseDynamics
from robossl.objectives.objective import Objective, can_serve
from robossl.objectives.paired_looks import PairedLooks
from robossl.objectives.parts.conditioning import ActionStats
from robossl.objectives.parts.frame_conditioning import RobotTrack
from robossl.objectives.parts.ramp import Ramp
from robossl.objectives.time_contrast import TimeContrast
from robossl.objectives.weighted_sum import WeightedSum

__all__ = [
    "OBJECTIVE_NAMES",
    "ActionStats",
    "FutureFeatures",
    "FutureFrames",
    "InverseDynamics",
    "Objective",
    "PairedLooks",
    "Ramp",
    "RobotTrack",
    "TimeContrast",
    "WeightedSum",
    "build_objective",
    "build_objectives",
    "can_serve",
]
