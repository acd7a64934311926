"""Behaviour cloning: fit a policy network to demonstrations, on an encoder that is frozen or trained along."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from robossl.encoders import Encoder
from robossl.errors import TrainingError
from robossl.policies.augment import colour_jitter, feature_statistics, random_shift
from robossl.policies.demonstrations import Demonstrations
from robossl.policies.heads import Loss
from robossl.policies.layers import layer_groups
from robossl.policies.lora import add_lora, merge_lora
from robossl.policies.network import PolicyNetwork

EncoderMode = Literal["frozen", "finetuned", "lora", "scratch"]
MIN_STD = 0.05
"""Least standard deviation that is divided by, so that what hardly moves is not blown up: of an action; of proprio and
state relative to the largest of their columns."""
ENCODE_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class CloningRecipe:
    """How a policy is fitted."""

    num_steps: int = 1000
    batch_size: int = 128
    learning_rate: float = 1e-3
    encoder_learning_rate: float = 3e-4
    layer_decay: float = 1.0
    """Factor on the encoder's learning rate from one layer to the one before it."""
    lora_rank: int = 8
    weight_decay: float = 1e-2
    loss: Loss = "l1"
    num_augmentations: int = 8
    """Augmented copies of each frame that a frozen encoder is shown once, beside the frame itself."""
    shift_px: int = 2
    jitter: float = 0.15
    """Half width of the colour draws, 0-1."""
    seed: int = 0
    log_every: int = 50


OnStep = Callable[[int, dict[str, float]], None]
"""(step, metrics): called every `log_every` steps."""


class BehaviourCloning:
    """Fits one network. A frozen encoder sees each frame (and its augmented copies) once, before the first step.

    Args:
        network: to be fitted, in place.
        demonstrations: what to imitate.
        mode: `frozen` leaves the encoder as it is; `finetuned` and `scratch` train it along, on augmented frames, and
            `lora` a low-rank change of its linear layers.
        recipe: steps, rates and augmentation.
        device: where to train.
    """

    def __init__(
        self,
        network: PolicyNetwork,
        demonstrations: Demonstrations,
        *,
        mode: EncoderMode,
        recipe: CloningRecipe,
        device: torch.device | None = None,
    ) -> None:
        self.device = device or torch.device("cpu")
        self.network = network.to(self.device)
        self.recipe = recipe
        self.trains_encoder = mode != "frozen" and network.encoder is not None
        self._prepare_encoder(network.encoder, mode)
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self.pixels = None if demonstrations.pixels is None else torch.from_numpy(demonstrations.pixels)
        self.proprio = self._tensor(demonstrations.proprio)
        state = demonstrations.environment_state
        self.state = None if state is None else self._tensor(state)
        self.valid = torch.from_numpy(demonstrations.valid).to(self.device)
        self.past = torch.from_numpy(demonstrations.past(network.spec.num_observation_steps))  # [n,T]
        starts = np.flatnonzero(demonstrations.step == 0)
        episode_lengths = np.diff([*starts, len(demonstrations)]).tolist()
        self.splits = ENCODE_BATCH if network.spec.num_observation_steps == 1 else episode_lengths
        self._set_statistics(demonstrations)
        chunks = self._tensor(demonstrations.chunks)
        self.targets = (chunks - network.get_buffer("action_mean")) / network.get_buffer("action_std")  # [n,K,A]
        self.table = self._encode_all() if self.pixels is not None and not self.trains_encoder else None
        if self.pixels is not None and mode in ("finetuned", "lora"):  # fresh weights say nothing yet
            self.network.eval()
            self._standardize_features(self._encode(augmented=False))

    def _prepare_encoder(self, encoder: Encoder | None, mode: EncoderMode) -> None:
        if encoder is None:
            return
        encoder.requires_grad_(self.trains_encoder)
        if mode == "lora":
            add_lora(encoder, rank=self.recipe.lora_rank)
            encoder.to(self.device)

    def fit(self, on_step: OnStep | None = None) -> dict[str, float]:
        """Train for `num_steps` and return the last metrics.

        Raises:
            TrainingError: the loss is not finite.
        """
        recipe = self.recipe
        optimizer = torch.optim.AdamW(self._param_groups(), weight_decay=recipe.weight_decay)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=max(recipe.num_steps, 1))
        self.network.train()
        metrics: dict[str, float] = {}
        for step in range(recipe.num_steps):
            loss = self.loss()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            if step % recipe.log_every == 0 or step == recipe.num_steps - 1:
                metrics = self._metrics(step, loss)
                if on_step is not None:
                    on_step(step, metrics)
        if self.network.encoder is not None:
            merge_lora(self.network.encoder)
        self.network.eval()
        return metrics

    def loss(self) -> Float[Tensor, ""]:
        """Draw a batch of steps and return the loss of their chunks."""
        rows = torch.randint(len(self.targets), (self.recipe.batch_size,), generator=self.generator)
        return self.network.loss(
            self.targets[rows],
            self.valid[rows],
            features=self._features(rows),
            proprio=self.proprio[rows],
            state=None if self.state is None else self.state[rows],
            kind=self.recipe.loss,
            generator=self.generator,
        )

    def _features(self, rows: Int64[Tensor, " B"]) -> Float[Tensor, "B X"] | None:
        if self.pixels is None:
            return None
        if self.table is not None:
            copies = torch.randint(len(self.table), (len(rows),), generator=self.generator)
            return self.table[copies[:, None], self.past[rows]].flatten(1)
        return self.network.features(self._augmented(self.pixels[self.past[rows]]).flatten(1, 2))

    def _encode_all(self) -> Float[Tensor, "copies n VD"]:
        """Return the features of all frames: as they are, then augmented; and standardize with their statistics."""
        self.network.eval()
        table = torch.stack([self._encode(augmented=copy > 0) for copy in range(self.recipe.num_augmentations + 1)])
        self._standardize_features(table.flatten(0, 1))
        return table

    def _standardize_features(self, features: Float[Tensor, "n VD"]) -> None:
        mean, std = feature_statistics(features)
        num_steps = self.network.spec.num_observation_steps
        self.network.set_statistics("feature", mean.repeat(num_steps), std.repeat(num_steps))

    @torch.no_grad()
    def _encode(self, *, augmented: bool) -> Float[Tensor, "n VD"]:
        if self.pixels is None:
            raise TrainingError("there are no frames to encode")
        parts = []
        for pixels in self.pixels.split(self.splits):
            clips = pixels.unsqueeze(1 if self.splits == ENCODE_BATCH else 0)
            shown = self._augmented(clips) if augmented else clips.to(self.device)
            parts += [self.network.features(frames) for frames in shown.flatten(0, 1).split(ENCODE_BATCH)]
        return torch.cat(parts)

    def _augmented(self, clips: UInt8[Tensor, "B T V 3 H W"]) -> UInt8[Tensor, "B T V 3 H W"]:
        """Return the frames under a draw for each clip and camera."""
        seen = clips.to(self.device).transpose(1, 2)
        views = seen.flatten(0, 1)
        views = random_shift(views, pad_px=self.recipe.shift_px, generator=self.generator)
        views = colour_jitter(views, strength=self.recipe.jitter, generator=self.generator)
        return views.view(seen.shape).transpose(1, 2)

    def _set_statistics(self, demonstrations: Demonstrations) -> None:
        actions = demonstrations.chunks[demonstrations.valid]  # [m,A]
        self.network.set_statistics("action", *statistics(actions, floor=MIN_STD))
        if self.network.spec.proprio_dim:
            self.network.set_statistics("proprio", *statistics(demonstrations.proprio))
        if self.network.spec.state_dim and demonstrations.environment_state is not None:
            self.network.set_statistics("state", *statistics(demonstrations.environment_state))

    def _param_groups(self) -> list[dict[str, object]]:
        groups: list[dict[str, object]] = [
            {"params": list(self.network.head.parameters()), "lr": self.recipe.learning_rate}
        ]
        encoder = self.network.encoder
        if encoder is None or not self.trains_encoder:
            return groups
        rate, decay = self.recipe.encoder_learning_rate, self.recipe.layer_decay
        return groups + layer_groups(encoder, learning_rate=rate, layer_decay=decay)

    def _metrics(self, step: int, loss: Tensor) -> dict[str, float]:
        value = float(loss.detach())
        if not np.isfinite(value):
            raise TrainingError(f"the cloning loss is {value} at step {step}; lower learning_rate or check the actions")
        return {"loss": value}

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(self.device)


def furthest_action(demonstrations: Demonstrations) -> float:
    """Return how many standard deviations from its mean an action of the demonstrations lies at most."""
    actions = demonstrations.chunks[demonstrations.valid]  # [m,A]
    mean, std = statistics(actions, floor=MIN_STD)
    return float(((torch.from_numpy(actions) - mean) / std).abs().max())


def statistics(values: np.ndarray, *, floor: float | None = None) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each column, the deviation never below the floor."""
    std = values.std(axis=0)
    floor = max(1e-6, MIN_STD * float(std.max())) if floor is None else floor
    return torch.from_numpy(values.mean(axis=0)).float(), torch.from_numpy(np.maximum(std, floor)).float()
