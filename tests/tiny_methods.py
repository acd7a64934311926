"""Every pretext task, small, on episodes in memory, in float64."""

from dataclasses import fields, replace
from typing import Any

import torch
from memory_source import MemorySource

from robossl.data.clip_dataset import ClipDataset
from robossl.encoders import build_encoder
from robossl.objectives import ActionStats, Objective, build_objective
from robossl.types import ClipBatch

STATS = {"memory": ActionStats(mean=[0.1, -0.2], std=[0.5, 0.6], state_mean=[16.0, 16.0], state_std=[5.0, 5.0])}
CONTRAST: dict[str, dict[str, Any]] = {
    "r3m": {"length_weight": 0.01},
    "tcn_triplet": {"num_anchors": 3, "projection_dim": 8},
    "tcn_n_pairs": {"num_anchors": 3, "projection_dim": 8},
    "multi_view_tcn": {"num_instants": 3, "projection_dim": 8, "negative_window_s": 0.6},
    "cycle_consistency": {"num_instants": 5, "projection_dim": 8},
    "implicit_value": {},
    "predictive_coding": {"num_frames": 4, "num_ahead": 2, "hidden_dim": 16, "projection_dim": 8},
    "augmented_time_contrast": {"hidden_dim": 16, "projection_dim": 8},
    "curl": {"num_instants": 2, "projection_dim": 8},
    "self_prediction": {"num_steps": 3, "hidden_dim": 16, "projection_dim": 8},
}
FEATURES: dict[str, dict[str, Any]] = {
    "vicreg": {"projection_dim": 8},
    "gaussian_embedding": {"projection_dim": 8, "num_directions": 16},
    "barlow_twins": {"projection_dim": 8},
    "simclr": {"projection_dim": 8},
    "byol": {"projection_dim": 8},
    "slow_features": {"projection_dim": 8},
    "frame_order": {"hidden_dim": 16},
    "latent_rollout": {"hidden_dim": 16, "projection_dim": 8, "num_directions": 16},
    "forward_dynamics": {"hidden_dim": 16},
    "masked_latents": {"hidden_dim": 16},
}
FRAMES: dict[str, dict[str, Any]] = {
    "masked_video": {},
    "autoencoder": {},
    "recurrent_frames": {"hidden_dim": 16},
    "parallel_frames": {"hidden_dim": 16},
    "stochastic_frames": {"hidden_dim": 16, "latent_dim": 4, "divergence_weight": 0.1},
    "adversarial_frames": {"hidden_dim": 16, "latent_dim": 4},
    "other_look": {},
}
METHODS: dict[str, dict[str, Any]] = {**CONTRAST, **FEATURES, **FRAMES}
OLDER: dict[str, dict[str, Any]] = {
    "paired_looks": {"num_instants": 2, "projection_dim": 8},
    "time_contrast": {"num_anchors": 2, "projection_dim": 8},
    "future_frames": {"num_context": 2, "horizons": (1, 3), "widths": (8, 16)},
    "future_features": {"num_context": 2, "horizons": (1, 3), "hidden_dim": 16},
    "inverse_dynamics": {"frame_stride": 1, "hidden_dim": 16},
}
"""Those with tests of their own in other files."""
LONG, SHORT = (24, 30, 17, 40), (1, 2, 30, 40)
"""Lengths of episodes; among the short ones groups don't fit, and hold fillers."""


def tiny_method(name: str, **changes: Any) -> Objective:
    """Return one task on an encoder of its own; the same weights whenever it is asked for."""
    torch.manual_seed(0)
    encoder = build_encoder("conv", image_size=32, feature_dim=16, widths=(8, 16), strides=(4, 2))
    objective = build_objective(name, encoder, {**METHODS[name], **changes}, action_stats=STATS)
    with torch.no_grad():  # layers that start at zero would hide what depends on them
        for parameter in objective.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return objective.double()


def batch_for(
    objective: Objective, *, lengths: tuple[int, ...] = LONG, actions: bool = True, items: int = 4
) -> ClipBatch:
    """Return clips of different episodes (as long as there are enough)."""
    source = MemorySource(lengths=lengths, actions=actions)
    dataset = ClipDataset(source, objective.window, seed=0, views=source.cameras)
    first = [int((dataset.episode_of_item == episode % len(lengths)).argmax()) for episode in range(items)]
    return replace(dataset.batch(first, positions=range(items)), source="memory")


def rows_of(batch: ClipBatch, rows: list[int]) -> ClipBatch:
    """Return some clips of a batch, also the same one several times."""
    chosen = {
        field.name: getattr(batch, field.name)[rows]
        for field in fields(batch)
        if isinstance(getattr(batch, field.name), torch.Tensor)
    }
    return replace(batch, **chosen)
