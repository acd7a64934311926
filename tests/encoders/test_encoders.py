"""What every encoder promises: sizes, independence of frames, positions that can be read, and a safe way to disk."""

import json

import pytest
import torch

from robossl.encoders import Encoder, build_encoder, load_card, load_encoder, save_encoder
from robossl.errors import EncoderError, RobosslError
from robossl.resize import resize

ENCODERS = [
    ("conv", {}),
    ("conv", {"pooling": "spatial_softmax", "feature_dim": 64}),
    ("resnet18", {}),
    ("resnet18", {"feature_dim": 128}),
    ("vit_tiny", {"depth": 2}),
    ("vit_small", {"depth": 1}),
    ("resnet50", {"feature_dim": 64}),
    ("impala", {}),
    ("conv2plus1d", {}),
    ("impala", {"pooling": "spatial_softmax", "widths": (8, 16)}),
]


def frames(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("name", "arguments"), ENCODERS)
def test_features_have_the_promised_shape_and_frames_are_independent(name: str, arguments: dict) -> None:
    encoder = build_encoder(name, **arguments)
    images = frames(3, 3, 64, 64)
    features = encoder(images)
    assert features.shape == (3, encoder.feature_dim)
    assert features.dtype == torch.float32
    assert encoder.feature_map(images).ndim == 4
    torch.testing.assert_close(encoder(images[1:2]), features[1:2], rtol=1e-4, atol=1e-4)
    clip = encoder.encode_clip(images[None] if not encoder.num_before else images[:, None]).reshape(1, 3, -1)
    torch.testing.assert_close(clip[0], features, rtol=1e-4, atol=1e-4)


def test_larger_frames_give_the_features_of_their_resized_copies() -> None:
    encoder = build_encoder("conv").eval()
    images = frames(2, 3, 120, 160)
    assert torch.equal(encoder(images), encoder(resize(images, (64, 64))))


def test_images_may_be_wider_than_high() -> None:
    for name in ("conv", "resnet18", "vit_tiny"):
        encoder = build_encoder(name, image_size=(48, 64))
        assert encoder(frames(1, 3, 48, 64)).shape == (1, encoder.feature_dim)


@pytest.mark.parametrize("pooling", ["flatten", "spatial_softmax"])
def test_the_position_of_a_dot_reads_out_linearly_of_random_features(pooling: str) -> None:
    torch.manual_seed(0)
    encoder = build_encoder("conv", pooling=pooling)
    corners = torch.randint(4, 56, (1000, 2), generator=torch.Generator().manual_seed(1))
    images = torch.zeros(1000, 3, 64, 64, dtype=torch.uint8)
    for image, (row, column) in zip(images, corners.tolist(), strict=True):
        image[:, row : row + 6, column : column + 6] = 255
    with torch.no_grad():
        features = torch.cat([encoder(images), torch.ones(1000, 1)], dim=1)
    weights = torch.linalg.lstsq(features[:900], corners[:900].float(), driver="gelsd").solution
    error_px = (features[900:] @ weights - corners[900:]).norm(dim=1).mean()
    assert error_px < 8.0, f"a linear read-out misses by {error_px:.1f} px"


@pytest.mark.parametrize("images", [torch.zeros(2, 3, 64, 64), frames(2, 64, 64, 3), frames(3, 64, 64)])
def test_other_inputs_are_refused_in_one_line(images: torch.Tensor) -> None:
    with pytest.raises(EncoderError, match=r"uint8 images \[B,3,H,W\], got torch"):
        build_encoder("conv")(images)


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("convv", {}, "encoder 'convv' is unknown.*did you mean 'conv'"),
        ("conv", {"feature_dims": 3}, "no argument 'feature_dims'.*did you mean 'feature_dim'"),
        ("conv", {"widths": (30, 64), "strides": (2, 2)}, "multiples of 8"),
        ("conv", {"widths": (32, 64), "strides": (2,)}, "equally many"),
        ("conv", {"image_size": 8}, "too small for strides"),
        ("conv", {"pooling": "mean"}, "pooling: input should be 'flatten' or 'spatial_softmax', got 'mean'"),
        ("vit_tiny", {"image_size": 60}, "multiple of patch_size 8"),
        ("conv", {"image_size": 0}, "image_size must be positive"),
    ],
)
def test_wrong_arguments_are_named(name: str, arguments: dict, text: str) -> None:
    with pytest.raises(RobosslError, match=text):
        build_encoder(name, **arguments)


@pytest.mark.parametrize(("name", "arguments"), ENCODERS)
def test_a_saved_encoder_gives_the_same_features(name: str, arguments: dict, tmp_path) -> None:
    encoder = build_encoder(name, **arguments).eval()
    path = save_encoder(encoder, tmp_path / "encoder", {"inputs": {"episodes": "sha256:1"}})
    loaded = load_encoder(path)
    images = frames(2, 3, 64, 64)
    assert torch.equal(loaded(images), encoder(images))
    card = load_card(path)
    assert card["feature_dim"] == encoder.feature_dim
    assert card["inputs"] == {"episodes": "sha256:1"}
    assert [child.name for child in tmp_path.iterdir()] == ["encoder"], "nothing temporary is left"


def test_saving_again_replaces_the_earlier_encoder(tmp_path) -> None:
    save_encoder(build_encoder("conv"), tmp_path / "encoder")
    later = build_encoder("conv", feature_dim=32).eval()
    save_encoder(later, tmp_path / "encoder")
    assert load_encoder(tmp_path / "encoder").feature_dim == 32


def test_an_encoder_of_another_size_is_refused(tmp_path) -> None:
    path = save_encoder(build_encoder("conv"), tmp_path / "encoder")
    with pytest.raises(EncoderError, match=r"takes images of \(64, 64\) px, not \(96, 96\)"):
        load_encoder(path, image_size=(96, 96))


def test_damaged_encoders_are_refused_in_one_line(tmp_path) -> None:
    path = save_encoder(build_encoder("conv"), tmp_path / "encoder")
    card = json.loads((path / "card.json").read_text())

    with pytest.raises(EncoderError, match=r"no encoder at .*card.json is missing") as missing:
        load_encoder(tmp_path / "nowhere")
    assert "\n" not in str(missing.value)

    (path / "card.json").write_text(json.dumps({**card, "arguments": {**card["arguments"], "feature_dim": 64}}))
    with pytest.raises(EncoderError, match="don't fit their card") as unfit:
        load_encoder(path)
    assert "\n" not in str(unfit.value)

    (path / "card.json").write_text("{}")
    with pytest.raises(EncoderError, match="lacks architecture, arguments"):
        load_encoder(path)
    (path / "card.json").write_text("{")
    with pytest.raises(EncoderError, match="not valid JSON"):
        load_encoder(path)

    (path / "card.json").write_text(json.dumps(card))
    (path / "model.safetensors").write_bytes((path / "model.safetensors").read_bytes()[:1000])
    with pytest.raises(EncoderError, match="can't read") as broken:
        load_encoder(path)
    assert "\n" not in str(broken.value)
    (path / "model.safetensors").unlink()
    with pytest.raises(EncoderError, match="can't read"):
        load_encoder(path)


def clip_encoder() -> Encoder:
    torch.manual_seed(0)
    return build_encoder("conv2plus1d", image_size=32, widths=(8, 16), feature_dim=16).eval()


def test_a_video_backbone_sees_the_frames_before_and_none_after() -> None:
    encoder, clip = clip_encoder(), frames(2, 8, 3, 32, 32)
    features = encoder.encode_clip(clip)
    assert features.shape == (2, 8, 16)
    assert encoder.num_before == 4
    for changed in range(8):
        other = clip.clone()
        other[:, changed] = 255 - other[:, changed]
        moved = (encoder.encode_clip(other) - features).abs().amax(dim=(0, 2)) > 1e-5
        assert moved.tolist() == [changed <= t <= changed + encoder.num_before for t in range(8)]
    torch.testing.assert_close(encoder.encode_clip(clip[1:])[0], features[1], rtol=1e-4, atol=1e-5)


def test_a_clip_that_stands_still_is_an_image() -> None:
    encoder, images = clip_encoder(), frames(2, 3, 32, 32)
    still = encoder.encode_clip(images[:, None].expand(-1, 5, -1, -1, -1))
    for number in range(5):
        torch.testing.assert_close(still[:, number], encoder(images), rtol=1e-5, atol=1e-5)
    moving = frames(1, 6, 3, 32, 32, seed=1)
    padded = torch.cat([moving[:, :1].expand(-1, encoder.num_before, -1, -1, -1), moving], dim=1)
    torch.testing.assert_close(
        encoder.encode_clip(padded)[:, encoder.num_before :], encoder.encode_clip(moving), rtol=1e-4, atol=1e-5
    )


def test_a_video_backbone_of_one_frame_is_refused() -> None:
    with pytest.raises(EncoderError, match="num_taps must be at least 2, got 1; for single frames use conv"):
        build_encoder("conv2plus1d", num_taps=1)
