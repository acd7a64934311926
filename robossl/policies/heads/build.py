"""Heads by name."""

from collections.abc import Sequence

from robossl.policies.heads.actor import PpoHead, SacHead
from robossl.policies.heads.diffusion import DiffusionHead
from robossl.policies.heads.flow import FlowHead
from robossl.policies.heads.head import Head, HeadKind, HeadSpec
from robossl.policies.heads.mlp import MlpHead
from robossl.policies.heads.recurrent import RecurrentHead
from robossl.policies.heads.residual import ResidualHead
from robossl.policies.heads.transformer import TransformerHead

HEADS: dict[HeadKind, type[Head]] = {
    "mlp": MlpHead,
    "residual": ResidualHead,
    "recurrent": RecurrentHead,
    "transformer": TransformerHead,
    "diffusion": DiffusionHead,
    "flow": FlowHead,
    "sac": SacHead,
    "ppo": PpoHead,
}


def build_head(sizes: Sequence[int], spec: HeadSpec) -> Head:
    """Return the head of a spec for a context whose parts have these sizes."""
    return HEADS[spec.kind](sizes, spec)
