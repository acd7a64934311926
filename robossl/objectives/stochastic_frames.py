"""Next frames that may come one way or another: a latent variable with a learned prior."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from robossl.config.schema import Amount, Positive
from robossl.encoders import Encoder
from robossl.objectives.frame_sequence import ACTION_DIM, FrameSequence
from robossl.objectives.parts.conditioning import ActionStats
from robossl.objectives.parts.decoder import FrameDecoder
from robossl.objectives.parts.draws import Draws
from robossl.objectives.parts.encoded import EncodedBatch
from robossl.objectives.parts.gather import joint_mean
from robossl.objectives.parts.stochastic import NormalHead, divergence
from robossl.types import ObjectiveOutput


class StochasticFrames(FrameSequence):
    """Each step samples a latent from a posterior that sees its frame, held near a prior that knows the past alone.

    SVG-LP: stochastic video generation with a learned prior, 2018, arXiv 1802.07687. Here one recurrent state serves
    prior, posterior and drawing, the skip is the last frame seen, and errors are means over pixels.
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        num_context: Positive = 2,
        frame_stride: Positive = 2,
        num_steps: Positive = 3,
        latent_dim: Positive = 16,
        divergence_weight: Amount = 1e-4,
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
            divergence_weight: beta, of the divergence of posterior and prior.
            hidden_dim: of the state.
            action_stats: of each source with actions.
        """
        super().__init__(
            encoder,
            num_context=num_context,
            frame_stride=frame_stride,
            num_steps=num_steps,
            action_stats=action_stats,
        )
        self.latent_dim = latent_dim
        self.divergence_weight = divergence_weight
        self.reader = nn.GRU(encoder.feature_dim, hidden_dim, batch_first=True)
        self.prior = NormalHead(hidden_dim + ACTION_DIM, latent_dim)
        self.posterior = NormalHead(hidden_dim + ACTION_DIM + encoder.feature_dim, latent_dim)
        self.stepper = nn.GRUCell(ACTION_DIM + latent_dim, hidden_dim)
        self.decoder = FrameDecoder(hidden_dim, image_size=encoder.image_size, change=True)
        self.draws = Draws()

    def compute(self, encoded: EncodedBatch) -> ObjectiveOutput:
        """Return the error of frames drawn with the posterior's latents plus the weighted divergence."""
        drawn, divergences = self.rolled_out(encoded, encoded.features("target"))
        output = self.scored(drawn, encoded)
        kl = joint_mean(divergences.flatten(), encoded.valid("target").flatten())
        return ObjectiveOutput(
            loss=output.loss + self.divergence_weight * kl,
            metrics={**output.metrics, "divergence": float(kl.detach())},
        )

    def rolled_out(
        self, encoded: EncodedBatch, truth: Float[Tensor, "B K D"] | None
    ) -> tuple[Float[Tensor, "B K 3 H W"], Float[Tensor, "B K"]]:
        """Return the next frames and each step's divergence.

        Args:
            encoded: the batch.
            truth: features of the next frames, for the posterior; None samples from the prior, with divergence 0.
        """
        _, last = self.reader(encoded.features("context", as_clip=True))
        state, states, divergences = last[0], [], []
        noise = self.draws.normals(encoded.batch, self.num_steps * self.latent_dim).to(state)
        for k, action in enumerate(self.steps_of(encoded, state).unbind(dim=1)):
            known = torch.cat([state, action], dim=1)
            prior = self.prior(known)
            chosen = prior if truth is None else self.posterior(torch.cat([known, truth[:, k]], dim=1))
            latent = chosen.sample(noise[:, k * self.latent_dim : (k + 1) * self.latent_dim])
            state = self.stepper(torch.cat([action, latent], dim=1), state)
            states.append(state)
            divergences.append(divergence(chosen, prior))
        drawn = self.decoder(torch.cat(states)).unflatten(0, (self.num_steps, -1)).transpose(0, 1)
        return self.last_frame(encoded, drawn) + drawn, torch.stack(divergences, dim=1)

    def after_step(self, step: int, num_steps: int) -> None:
        """Draw other latents in the next step."""
        self.draws.advance()
