"""Soft actor-critic from pictures with random shifts, which learns to see from reward."""

from typing import Any

import torch
from jaxtyping import Float
from stable_baselines3 import SAC
from stable_baselines3.common.utils import polyak_update
from torch import Tensor, nn
from torch.nn import functional

from robossl.policies.augment import random_shift
from robossl.policies.layers import layer_groups
from robossl.policies.network import PolicyNetwork

Observations = dict[str, Tensor]


class Drq(SAC):
    """Random shifts of what is replayed, and an encoder that only the critic trains.

    Image augmentation is all you need (DrQ), 2020, arXiv 2004.13649, with one draw of the shift for values and targets
    (K = M = 1) and without a target of the encoder, as in DrQ-v2, 2021, arXiv 2107.09645.

    Args:
        network: whose encoder is trained, as far as its weights want gradients; the policy's extractor is a
            `PictureContext` of it.
        shift_px: largest shift of a picture.
        encoder_learning_rate, layer_decay: of the encoder, as in `layer_groups`.
        settings: of Stable-Baselines3's SAC.
    """

    def __init__(
        self,
        *args: Any,
        network: PolicyNetwork,
        shift_px: int,
        encoder_learning_rate: float,
        layer_decay: float,
        **settings: Any,
    ) -> None:
        if network.encoder is None:
            raise ValueError("learning from pictures needs a network with an encoder")
        self._network, self._encoder, self._shift_px = network, network.encoder, shift_px
        self._rates = {"learning_rate": encoder_learning_rate, "layer_decay": layer_decay}
        self.shifts = torch.Generator().manual_seed(settings.get("seed") or 0)
        super().__init__(*args, **settings)

    def _setup_model(self) -> None:
        super()._setup_model()
        critic = {"params": _weights(self.critic), "lr": self.lr_schedule(1)}
        self.critic.optimizer = torch.optim.Adam([critic, *layer_groups(self._encoder, **self._rates)])

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        """Take so many steps of critic, encoder, actor and temperature."""
        self.policy.set_training_mode(True)
        for _ in range(gradient_steps):
            data = self.replay_buffer.sample(batch_size)
            temperature = self.log_ent_coef.detach().exp()
            context = self._context(data.observations)
            self._step(self.critic.optimizer, self._critic_loss(data, context, temperature))
            actions, log_prob = self._act(context.detach())
            values = _values(self.critic, context.detach(), actions)
            self._step(self.actor.optimizer, (temperature * log_prob - values.min(1).values).mean())
            missing = (log_prob + self.target_entropy).detach()
            self._step(self.ent_coef_optimizer, -(self.log_ent_coef * missing).mean())
            polyak_update(_weights(self.critic), _weights(self.critic_target), self.tau)
        self._n_updates += gradient_steps

    def _critic_loss(self, data: Any, context: Float[Tensor, "B C"], temperature: Tensor) -> Float[Tensor, ""]:
        with torch.no_grad():
            following = self._context(data.next_observations)
            actions, log_prob = self._act(following)
            best = _values(self.critic_target, following, actions).min(1).values - temperature * log_prob
            target = data.rewards + (1 - data.dones) * self.gamma * best[:, None]  # [B,1]
        values = _values(self.critic, context, data.actions)  # [B,2]
        return functional.mse_loss(values, target.expand_as(values))

    def _context(self, observations: Observations) -> Float[Tensor, "B C"]:
        pixels = observations["pixels"]
        shifted = random_shift(pixels, pad_px=self._shift_px, generator=self.shifts)  # all views alike
        features = self._network.features(shifted)
        return self._network.context(features=features, proprio=observations["proprio"], state=None)

    def _act(self, context: Float[Tensor, "B C"]) -> tuple[Float[Tensor, "B A"], Float[Tensor, " B"]]:
        hidden = self.actor.latent_pi(context)
        log_std = self.actor.log_std(hidden).clamp(-20, 2)  # as in Stable-Baselines3's actor
        return self.actor.action_dist.log_prob_from_params(self.actor.mu(hidden), log_std)

    @staticmethod
    def _step(optimizer: torch.optim.Optimizer, loss: Float[Tensor, ""]) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _weights(critic: Any) -> list[nn.Parameter]:
    return [weight for network in critic.q_networks for weight in network.parameters()]


def _values(critic: Any, context: Float[Tensor, "B C"], actions: Float[Tensor, "B A"]) -> Float[Tensor, "B 2"]:
    together = torch.cat([context, actions], dim=1)
    return torch.cat([network(together) for network in critic.q_networks], dim=1)
