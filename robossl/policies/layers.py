"""The weights of an encoder layer by layer, so that each layer can have a learning rate of its own."""

from collections.abc import Iterator
from typing import Any

from torch import nn

from robossl.encoders import Encoder

_LISTS = (nn.Sequential, nn.ModuleList)
_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)
_NORMS = (nn.GroupNorm, nn.LayerNorm, nn.BatchNorm2d, nn.BatchNorm3d)


def layer_groups(module: nn.Module, *, learning_rate: float, layer_decay: float) -> list[dict[str, Any]]:
    """Return an optimizer's groups of the weights that are trained.

    Args:
        module: an encoder.
        learning_rate: of the layer that is furthest from the picture.
        layer_decay: factor on it from one layer to the one before.
    """
    return [
        {"params": trained, "lr": learning_rate * layer_decay**depth}
        for depth, weights in enumerate(reversed(parameters_by_layer(module)))
        if (trained := [weight for weight in weights if weight.requires_grad])
    ]


def parameters_by_layer(module: nn.Module) -> list[list[nn.Parameter]]:
    """Return the weights of each layer or block, from the picture on, in the order in which it is passed through.

    A norm counts to the convolution before it, and what belongs to no layer, as the places of patches, to the first.
    """
    layers: list[list[nn.Parameter]] = []
    before: nn.Module | None = None
    for layer in _layers(module):
        weights = list(layer.parameters())
        if isinstance(layer, _NORMS) and isinstance(before, _CONVOLUTIONS):
            layers[-1] += weights
        elif weights:
            layers.append(weights)
        before = layer
    taken = {id(weight) for weights in layers for weight in weights}
    others = [weight for weight in module.parameters() if id(weight) not in taken]
    return [[*others, *layers[0]], *layers[1:]] if layers else [others]


def _layers(module: nn.Module) -> Iterator[nn.Module]:
    for child in module.from_picture() if isinstance(module, Encoder) else module.children():
        if isinstance(child, _LISTS):
            for item in child:
                yield from _layers(item) if isinstance(item, _LISTS) else (item,)
        elif any(isinstance(inner, _LISTS) for inner in child.children()):
            yield from _layers(child)
        else:
            yield child
