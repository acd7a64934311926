"""The network of behaviour cloning: encoder, normalization and a head that gives an action chunk."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from robossl.encoders import Encoder
from robossl.errors import EncoderError
from robossl.policies.heads import HeadSpec, Loss, build_head

REINFORCED = ("sac", "ppo")
"""Kinds of heads whose context is standardized with play, which may hardly move what reward makes move later on."""
LIMIT = 10.0
"""Largest standardized value that they see, as VecNormalize of Stable-Baselines3 has it."""


class PolicyNetwork(nn.Module):
    """Observation to action chunk. Statistics of features, proprio, state and actions are buffers, hence saved."""

    def __init__(self, spec: HeadSpec, *, encoder: Encoder | None, cameras: Sequence[str]) -> None:
        """Build the head on an encoder.

        Args:
            spec: sizes.
            encoder: shared by all cameras; None for a policy on simulator state.
            cameras: names, in the order in which `features` takes the views; empty without an encoder.
        """
        super().__init__()
        if (encoder is None) != (len(cameras) == 0):
            raise EncoderError(f"a policy with cameras {list(cameras)} needs an encoder, and one without has none")
        self.spec = spec
        self.encoder = encoder
        self.cameras = tuple(cameras)
        self.num_views = len(cameras) * spec.num_observation_steps
        self.feature_dim = 0 if encoder is None else encoder.feature_dim * self.num_views  # X
        sizes = {"feature": self.feature_dim, "proprio": spec.proprio_dim, "state": spec.state_dim}
        for name, size in (sizes | {"action": spec.action_dim}).items():
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_std", torch.ones(size))
        for name, bounds, usual in (("low", spec.action_low, -1.0), ("high", spec.action_high, 1.0)):
            values = torch.tensor(bounds or (usual,) * spec.action_dim)
            self.register_buffer(f"action_{name}", values, persistent=False)
        self.feature_dropout = nn.Dropout(spec.dropout)
        self.context_dim = self.feature_dim + spec.proprio_dim + spec.state_dim  # C
        views = [encoder.feature_dim] * self.num_views if encoder is not None else []
        self.head = build_head((*views, spec.proprio_dim, spec.state_dim), spec)

    def set_statistics(self, name: str, mean: Float[Tensor, " d"], std: Float[Tensor, " d"]) -> None:
        """Set what `feature`, `proprio`, `state` or `action` is normalized with."""
        self.get_buffer(f"{name}_mean").copy_(mean)
        self.get_buffer(f"{name}_std").copy_(std)

    def features(self, pixels: UInt8[Tensor, "B V 3 H W"]) -> Float[Tensor, "B X"]:
        """Return the encoder's features of all views, joined and not yet standardized.

        Views are the cameras at one step, then at the next one, up to that of now.
        """
        if self.encoder is None:
            raise EncoderError("a policy on simulator state has no encoder, so it has no features")
        features = self.encoder(pixels.flatten(0, 1))  # [BV,D]
        return features.unflatten(0, pixels.shape[:2]).flatten(1)

    def loss(
        self,
        targets: Float[Tensor, "B K A"],
        valid: Bool[Tensor, "B K"],
        *,
        features: Float[Tensor, "B X"] | None,
        proprio: Float[Tensor, "B S"],
        state: Float[Tensor, "B E"] | None,
        kind: Loss,
        generator: torch.Generator,
    ) -> Float[Tensor, ""]:
        """Return the head's loss against chunks in units of the demonstrations' standard deviation."""
        context = self.context(features=features, proprio=proprio, state=state)
        return self.head.loss(context, targets, valid, kind=kind, generator=generator)

    def forward(
        self,
        *,
        pixels: UInt8[Tensor, "B V 3 H W"] | None,
        proprio: Float[Tensor, "B S"],
        state: Float[Tensor, "B E"] | None = None,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "B K A"]:
        """Return the chunk of actions, within the bounds of the spec; heads that sample draw from the generator."""
        features = None if pixels is None else self.features(pixels)
        chunk = self.head(self.context(features=features, proprio=proprio, state=state), generator)
        chunk = chunk * self.get_buffer("action_std") + self.get_buffer("action_mean")
        return chunk.clamp(self.get_buffer("action_low"), self.get_buffer("action_high"))

    def context(
        self,
        *,
        features: Float[Tensor, "B X"] | None,
        proprio: Float[Tensor, "B S"],
        state: Float[Tensor, "B E"] | None,
    ) -> Float[Tensor, "B C"]:
        """Return what the head sees, standardized; for a reinforced one within `LIMIT`."""
        parts = []
        if features is not None:
            parts.append(self.feature_dropout(self._normalized("feature", features)))
        if self.spec.proprio_dim:
            parts.append(self._normalized("proprio", proprio))
        if state is not None and self.spec.state_dim:
            parts.append(self._normalized("state", state))
        context = torch.cat(parts, dim=1)
        return context.clamp(-LIMIT, LIMIT) if self.spec.kind in REINFORCED else context

    def _normalized(self, name: str, values: Float[Tensor, "B d"]) -> Float[Tensor, "B d"]:
        return (values - self.get_buffer(f"{name}_mean")) / self.get_buffer(f"{name}_std")
