"""Next frames that also have to look recorded."""

from collections.abc import Mapping
from typing import Any

from jaxtyping import Float
from torch import Tensor

from robossl.config.schema import Amount, Positive, Rate
from robossl.encoders import Encoder
from robossl.objectives.parts.conditioning import ActionStats
from robossl.objectives.parts.discriminator import Discriminator
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.frame_errors import unit_frames
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.stochastic_frames import StochasticFrames
from robossl.types import ObjectiveOutput


class AdversarialFrames(StochasticFrames):
    """L1 and divergence of frames with the posterior's latents, and a discriminator for those and for the prior's.

    SAVP: stochastic adversarial video prediction, 2018, arXiv 1804.01523, without feature matching and with one
    discriminator of frame pairs. One scalar and one optimizer: drawn frames are judged by frozen weights, and the
    discriminator learns from detached frames, at a rate of its own.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_context: Positive = 2,
        frame_stride: Positive = 2,
        num_steps: Positive = 3,
        latent_dim: Positive = 16,
        pixel_weight: Amount = 10.0,
        divergence_weight: Amount = 1e-3,
        adversarial_weight: Amount = 0.01,
        discriminator_rate: Rate = 0.2,
        hidden_dim: Positive = 256,
        action_stats: Mapping[str, ActionStats] | None = None,
    ) -> None:
        """Build the task.

        Args:
            encoder: to be trained.
            num_context: frames that the prediction sees.
            frame_stride: source frames, and so actions, of one step.
            num_steps: K, frames that are predicted.
            latent_dim: Z, numbers that each step samples.
            pixel_weight: of the mean absolute error.
            divergence_weight: of the divergence of posterior and prior.
            adversarial_weight: of what frames cost that look drawn; a hundredth or thousandth of the pixels' as there.
            discriminator_rate: learning rate of the discriminator, in parts of that of the rest.
            hidden_dim: of the state.
            action_stats: of each source with actions.
        """
        super().__init__(
            encoder,
            num_context=num_context,
            frame_stride=frame_stride,
            num_steps=num_steps,
            latent_dim=latent_dim,
            divergence_weight=divergence_weight,
            hidden_dim=hidden_dim,
            action_stats=action_stats,
        )
        self.pixel_weight = pixel_weight
        self.adversarial_weight = adversarial_weight
        self.discriminator_rate = discriminator_rate
        self.discriminator = Discriminator()

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the sum of the generator's and the discriminator's loss."""
        with_truth, divergences = self.rolled_out(encoded, encoded.features("target"))
        from_prior, _ = self.rolled_out(encoded, None)
        truth, valid = unit_frames(encoded.pixels("target"), with_truth), encoded.valid("target").flatten()
        last = self.last_frame(encoded, with_truth).expand_as(truth).flatten(0, 1)
        error = joint_mean((with_truth - truth).abs().mean(dim=(2, 3, 4)).flatten(), valid)
        kl = joint_mean(divergences.flatten(), valid)
        fooled, own = self._judged(
            last, [with_truth.flatten(0, 1), from_prior.flatten(0, 1)], truth.flatten(0, 1), valid
        )
        generator = self.pixel_weight * error + self.divergence_weight * kl + self.adversarial_weight * fooled
        metrics = {**self.scored(with_truth, encoded).metrics, "divergence": float(kl.detach())}
        return ObjectiveOutput(loss=generator + own, metrics={**metrics, "discriminator": float(own.detach())})

    def _judged(
        self, last: Float[Tensor, "N 3 H W"], drawn: list[Tensor], truth: Float[Tensor, "N 3 H W"], valid: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return what drawn frames cost and what the discriminator costs, as means over both kinds of drawn frames."""
        judge = self.discriminator
        fooled = sum((judge.fooled_loss(last, frames) for frames in drawn), start=last.new_zeros(len(last)))
        own = sum((judge.own_loss(last, frames, truth) for frames in drawn), start=last.new_zeros(len(last)))
        return joint_mean(fooled / len(drawn), valid), joint_mean(own / len(drawn), valid)

    def own_groups(self) -> list[dict[str, Any]]:
        """Return the discriminator, which learns at a rate of its own."""
        return [
            {
                "params": list(self.discriminator.parameters()),
                "weight_decay": 0.0,
                "lr_scale": self.discriminator_rate,
            }
        ]
