"""Low-rank adaptation: an encoder is finetuned by few numbers beside its weights, and saved as if by all of them."""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from robossl.encoders import Encoder
from robossl.errors import ConfigError


class LoraLinear(nn.Module):
    """A linear layer W and its change B A of low rank (Hu et al. 2022, LoRA, arXiv 2106.09685); B starts at zero."""

    def __init__(self, linear: nn.Linear, rank: int) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, linear.in_features) / math.sqrt(linear.in_features))
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, inputs: Float[Tensor, "*B X"]) -> Float[Tensor, "*B Y"]:
        """Return the layer's outputs with the change."""
        return self.linear(inputs) + functional.linear(functional.linear(inputs, self.down), self.up)

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """Return the plain layer with the change in its weights."""
        self.linear.weight += self.up @ self.down
        return self.linear


def add_lora(encoder: Encoder, *, rank: int) -> None:
    """Freeze an encoder but for a low-rank change of each of its linear layers, those of attention among them.

    Raises:
        ConfigError: most of the encoder's weights are not in linear layers, as those of a convolutional network.
    """
    linear = dict(_linear_layers(encoder))
    adapted = sum(layer.weight.numel() for layer in linear.values())
    if adapted < 0.5 * sum(parameter.numel() for parameter in encoder.parameters()) or _is_convolutional(encoder):
        raise ConfigError(
            f"mode lora adapts linear and attention layers, of which encoder {encoder.architecture!r} has too few: "
            "use mode finetuned, or a vit_tiny encoder"
        )
    encoder.requires_grad_(False)
    for name, layer in linear.items():
        owner, _, own_name = name.rpartition(".")
        setattr(encoder.get_submodule(owner), own_name, LoraLinear(layer, rank))


def merge_lora(encoder: Encoder) -> None:
    """Put the changes into the weights, so that the encoder is one of the usual kind again."""
    for name, layer in list(encoder.named_modules()):
        if isinstance(layer, LoraLinear):
            owner, _, own_name = name.rpartition(".")
            setattr(encoder.get_submodule(owner), own_name, layer.merged())


def _linear_layers(encoder: Encoder) -> Iterator[tuple[str, nn.Linear]]:
    return ((name, layer) for name, layer in encoder.named_modules() if isinstance(layer, nn.Linear))


def _is_convolutional(encoder: Encoder) -> bool:
    """Tell whether an encoder is built of convolutions: one, which cuts the picture into patches, makes it none."""
    return sum(isinstance(layer, nn.Conv2d) for layer in encoder.modules()) > 1
