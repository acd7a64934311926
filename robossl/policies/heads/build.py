"""Heads by name."""

from collections.abc import Sequence

from robossl.errors import ConfigError
from robossl.policies.heads.actor import PpoHead, SacHead
from robossl.policies.heads.diffusion import DiffusionHead
from robossl.policies.heads.flow import FlowHead
from robossl.policies.heads.head import Head, HeadKind, HeadSpec
from robossl.policies.heads.mlp import MlpHead
from robossl.policies.heads.recurrent import RecurrentHead
from robossl.policies.heads.residual import ResidualHead
from robossl.policies.heads.transformer import NUM_HEADS, TransformerHead

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


WITHOUT_HIDDEN: tuple[HeadKind, ...] = ("mlp", "sac", "ppo")
"""Heads that may have no hidden layer: then they are linear. The first width of the others is theirs."""


def check_hidden(kind: HeadKind, hidden: Sequence[int]) -> None:
    """Refuse widths that a head can't be built with.

    Raises:
        ConfigError: there are none, or the width does not go evenly into the transformer's attention heads.
    """
    if not hidden and kind not in WITHOUT_HIDDEN:
        raise ConfigError(f"hidden is empty, but head {kind} takes its width from there; give at least one number")
    if kind == "transformer" and hidden[0] % NUM_HEADS:
        raise ConfigError(
            f"hidden begins with {hidden[0]}, but head transformer shares its width among {NUM_HEADS} attention heads; "
            f"give a multiple of {NUM_HEADS}"
        )


def build_head(sizes: Sequence[int], spec: HeadSpec) -> Head:
    """Return the head of a spec for a context whose parts have these sizes."""
    return HEADS[spec.kind](sizes, spec)
