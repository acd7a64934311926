"""LoRA and layer-wise learning rates: what moves, what stays, and what is refused."""

import numpy as np
import pytest
import torch

from robossl.encoders import build_encoder
from robossl.errors import ConfigError
from robossl.policies.behaviour_cloning import BehaviourCloning, CloningRecipe
from robossl.policies.demonstrations import Demonstrations
from robossl.policies.heads import HeadSpec
from robossl.policies.layers import parameters_by_layer
from robossl.policies.lora import LoraLinear, add_lora, merge_lora
from robossl.policies.network import PolicyNetwork

IMAGES = torch.randint(256, (2, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def vit():
    torch.manual_seed(0)
    return build_encoder("vit_tiny", image_size=32, depth=2).eval()


def demonstrations() -> Demonstrations:
    generator = np.random.default_rng(0)
    return Demonstrations(
        pixels=generator.integers(256, size=(12, 1, 3, 32, 32), dtype=np.uint8),
        cameras=("front",),
        proprio=generator.normal(size=(12, 4)).astype(np.float32),
        environment_state=None,
        chunks=generator.uniform(-1, 1, (12, 2, 3)).astype(np.float32),
        valid=np.ones((12, 2), bool),
        episode=np.zeros(12, np.int64),
        step=np.arange(12),
    )


def cloned(encoder, mode: str, **settings) -> PolicyNetwork:
    spec = HeadSpec(proprio_dim=4, state_dim=0, action_dim=3, chunk_length=2, hidden=(16,))
    network = PolicyNetwork(spec, encoder=encoder, cameras=("front",))
    recipe = CloningRecipe(num_steps=2, batch_size=4, **settings)
    BehaviourCloning(network, demonstrations(), mode=mode, recipe=recipe).fit()
    return network


@torch.no_grad()
def test_a_fresh_change_changes_nothing_and_merging_keeps_what_was_learned() -> None:
    encoder = vit()
    before, names = encoder(IMAGES), set(encoder.state_dict())
    add_lora(encoder, rank=4)
    assert torch.allclose(encoder(IMAGES), before, atol=1e-5)
    for layer in encoder.modules():
        if isinstance(layer, LoraLinear):
            layer.up.normal_(std=0.05)
    changed = encoder(IMAGES)
    assert not torch.allclose(changed, before, atol=1e-2)
    merge_lora(encoder)
    assert torch.allclose(encoder(IMAGES), changed, atol=1e-4)
    assert set(encoder.state_dict()) == names  # an encoder of the usual kind


def test_only_linear_layers_move_and_by_a_low_rank() -> None:
    encoder, start = vit(), vit().state_dict()
    cloned(encoder, "lora", lora_rank=2, encoder_learning_rate=1e-2)
    moved = {name for name, value in encoder.state_dict().items() if not torch.equal(value, start[name])}
    assert moved
    assert all(name.endswith("weight") for name in moved)
    assert not any("patch_embed" in name or "norm" in name for name in moved)
    change = encoder.state_dict()["backbone.blocks.0.attn.qkv.weight"] - start["backbone.blocks.0.attn.qkv.weight"]
    values = torch.linalg.svdvals(change.double())
    assert values[2] < 1e-4 * values[0]


def test_a_convolutional_encoder_is_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match=r"mode lora adapts linear and attention layers.*'conv'.*use mode finetuned"):
        cloned(build_encoder("conv", image_size=32), "lora")


def test_layers_near_the_picture_move_least() -> None:
    encoder = build_encoder("conv", image_size=32)
    start = [[weight.detach().clone() for weight in layer] for layer in parameters_by_layer(encoder)]
    cloned(encoder, "finetuned", layer_decay=0.5, encoder_learning_rate=1e-2, weight_decay=0.0)
    after = parameters_by_layer(encoder)
    moves = [
        max(float((new.detach() - old).abs().max()) for new, old in zip(layer, before, strict=True))
        for layer, before in zip(after, start, strict=True)
    ]
    # Adam's first steps are as long as the learning rate, whatever the gradient
    assert moves[0] == pytest.approx(moves[-1] * 0.5 ** (len(moves) - 1), rel=0.3)


@pytest.mark.parametrize("name", ["conv", "conv2plus1d", "impala", "vit_tiny", "resnet18"])
def test_every_weight_belongs_to_one_layer(name: str) -> None:
    encoder = build_encoder(name, image_size=32)
    layers = parameters_by_layer(encoder)
    found = [id(weight) for layer in layers for weight in layer]
    assert sorted(found) == sorted(id(weight) for weight in encoder.parameters())
    assert len(layers) > 3


def test_layers_over_time_lie_between_those_over_space() -> None:
    encoder = build_encoder("conv2plus1d", image_size=32, widths=(8, 16))
    names = {id(weight): key for key, weight in encoder.named_parameters()}
    first = [names[id(layer[0])] for layer in parameters_by_layer(encoder)]
    assert first[:4] == ["layers.0.weight", "over_time.0.mix.weight", "layers.3.weight", "over_time.1.mix.weight"]
    assert all(name.startswith("pooling.") for name in first[4:])


@pytest.mark.parametrize(("name", "num_layers"), [("conv", 5), ("resnet18", 9), ("vit_tiny", 15)])
def test_a_convolution_and_its_norm_are_one_layer(name: str, num_layers: int) -> None:
    encoder = build_encoder(name, image_size=32)
    layers = parameters_by_layer(encoder)
    assert len(layers) == num_layers  # conv: four and the pooling; vit: places and patches, 12 blocks, norm, pooling
    if name == "conv":
        names = {id(weight): key for key, weight in encoder.named_parameters()}
        assert [names[id(weight)] for weight in layers[0]] == ["layers.0.weight", "layers.1.weight", "layers.1.bias"]
