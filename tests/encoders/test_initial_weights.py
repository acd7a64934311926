"""Encoders start from weights of others, under whatever names these were saved."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from robossl.encoders import Encoder, build_encoder, load_encoder, load_initial_weights, save_encoder
from robossl.errors import EncoderError


@pytest.fixture(scope="module")
def backbone() -> torch.nn.Module:
    torch.manual_seed(1)
    return timm.create_model("resnet18", pretrained=False, num_classes=3)


@pytest.fixture
def encoder() -> Encoder:
    torch.manual_seed(0)
    return build_encoder("resnet18", norm="batch", feature_dim=16)


def weights_of(layout: str, backbone: torch.nn.Module) -> dict:
    names = backbone.state_dict()
    match layout:
        case "r3m":
            return {
                "r3m": {f"module.convnet.{name}": value for name, value in names.items()}
                | {"module.lang": torch.ones(2)}
            }
        case "wrapped":
            return {"epoch": 3, "state_dict": {f"backbone.{name}": value for name, value in names.items()}}
        case "torchvision":
            return {name: value for name, value in names.items() if not name.endswith("num_batches_tracked")}
        case _:
            return names


@pytest.mark.parametrize("layout", ["plain", "wrapped", "r3m", "torchvision", "safetensors"])
def test_layouts_of_others_give_the_same_backbone(layout: str, backbone, encoder: Encoder, tmp_path: Path) -> None:
    path = tmp_path / ("weights.safetensors" if layout == "safetensors" else "weights.pt")
    (save_file if layout == "safetensors" else torch.save)(weights_of(layout, backbone), path)
    fresh = encoder.pooling.linear.weight.clone()
    load_initial_weights(encoder, path)
    for name, value in encoder.backbone.state_dict().items():
        assert torch.equal(value, backbone.state_dict()[name]), name
    assert torch.equal(encoder.pooling.linear.weight, fresh), "what follows the backbone stays"


@pytest.mark.parametrize("layout", ["torchvision", "r3m"])
def test_a_file_of_resnet_weights_is_an_encoder(layout: str, backbone, tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save(weights_of(layout, backbone), path)
    encoder = load_encoder(path)
    assert encoder.architecture == "resnet18"
    assert not encoder.training
    backbone.eval()
    images = torch.randint(256, (2, 3, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        expected = backbone.forward_features(encoder.preprocess(images)).mean(dim=(2, 3))
        assert torch.allclose(encoder(images), expected, atol=1e-5)
    with pytest.raises(EncoderError, match="takes images of"):
        load_encoder(path, image_size=(32, 32))
    again = load_encoder(save_encoder(encoder, tmp_path / "encoder"))
    assert torch.equal(again(images), encoder(images))
    with pytest.raises(EncoderError, match="is a file of an encoder directory; pass"):
        load_encoder(tmp_path / "encoder/model.safetensors")


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save(timm.create_model("resnet34", pretrained=False).state_dict(), path)
    with pytest.raises(EncoderError, match="holds neither a resnet18 nor a resnet50"):
        load_encoder(path)


def test_an_encoder_of_ours_is_taken_whole(tmp_path: Path) -> None:
    first, second = (build_encoder("conv", image_size=32, widths=(8, 16)) for _ in range(2))
    save_encoder(first, tmp_path / "encoder")
    load_initial_weights(second, tmp_path / "encoder")
    assert all(torch.equal(value, second.state_dict()[name]) for name, value in first.state_dict().items())


def test_what_does_not_fit_is_said_in_one_line_and_changes_nothing(backbone, encoder: Encoder, tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save(backbone.state_dict(), path)
    other = build_encoder("resnet50", norm="batch", feature_dim=16)
    before = other.backbone.conv1.weight.clone()
    unreadable = [
        ("broken.pt", b"nothing", "a file of weights does not begin with b'nothing'"),
        ("text.pt", b"hello\n", "a file of weights does not begin with b'hello"),
        ("empty.pt", b"", "the file is empty"),
        ("pointer.pt", b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "it is a pointer of Git LFS"),
        ("cut.pt", path.read_bytes()[:1000], r"it is cut off, or holds more than tensors; .*state_dict\(\)"),
        ("module.pt", b"", r"it is cut off, or holds more than tensors; .*state_dict\(\)"),
        ("cut.safetensors", b"nothing", "it is no safetensors file, or cut off"),
    ]
    cases = [
        (other, path, r"don't fit 'resnet50': \d+ of \d+ tensors, the first 'layer1.0.conv1.weight' is .* there"),
        (build_encoder("conv"), path, "encoder 'conv' starts only from an encoder directory"),
        *((encoder, tmp_path / name, f"can't read weights .*{name}: {text}") for name, _, text in unreadable),
        (encoder, tmp_path, "can't read weights .*: Is a directory"),
    ]
    for name, content, _ in unreadable:
        (tmp_path / name).write_bytes(content)
    torch.save(backbone, tmp_path / "module.pt")
    for target, file, text in cases:
        with pytest.raises(EncoderError, match=text) as error:
            load_initial_weights(target, file)
        assert "\n" not in str(error.value)
    assert torch.equal(other.backbone.conv1.weight, before)
