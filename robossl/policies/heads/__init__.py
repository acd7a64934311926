"""Heads: what turns the context of a step into a chunk of actions."""

from robossl.policies.heads.build import build_head, check_hidden
from robossl.policies.heads.head import Head, HeadKind, HeadSpec, Loss, chunk_loss

__all__ = ["Head", "HeadKind", "HeadSpec", "Loss", "build_head", "check_hidden", "chunk_loss"]
