"""A small policy network for the point env, for tests of reinforcement learning."""

import torch

from robossl.encoders import build_encoder
from robossl.policies.heads import HeadSpec
from robossl.policies.network import PolicyNetwork


def small_policy(
    kind: str = "sac",
    *,
    visual: bool,
    chunk_length: int = 1,
    num_observation_steps: int = 1,
    dropout: float = 0.0,
    seed: int = 0,
) -> PolicyNetwork:
    """Return a network that sees 16 x 16 px of `front`, or simulator state."""
    torch.manual_seed(seed)
    encoder = build_encoder("conv", image_size=16, feature_dim=8, widths=(8, 8)) if visual else None
    spec = HeadSpec(
        proprio_dim=4,
        state_dim=0 if visual else 6,
        action_dim=3,
        chunk_length=chunk_length,
        hidden=(16, 16),
        dropout=dropout,
        kind=kind,
        num_observation_steps=num_observation_steps,
    )
    return PolicyNetwork(spec, encoder=encoder, cameras=("front",) if visual else ()).eval()
