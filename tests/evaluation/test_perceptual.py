"""LPIPS from a local checkpoint: torchmetrics' own numbers, no download, and clear refusals."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torchmetrics.functional.image.lpips import _LPIPS
from torchvision.models import alexnet

from robossl.errors import ConfigError
from robossl.evaluation.perceptual import Lpips


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint as torchvision writes it, with weights that mean nothing."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "alexnet.pth"
    names = alexnet(weights=None).features.state_dict()
    torch.save({f"features.{name}": value for name, value in names.items()}, path)
    return path


def test_the_numbers_are_those_of_the_network_with_these_weights(checkpoint: Path) -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 256, (3, 3, 48, 64), np.uint8)
    frames = truth.copy()
    frames[1, :, 10:30] = 0
    frames[2] = generator.integers(0, 256, (3, 48, 64), np.uint8)
    found = Lpips(checkpoint)(frames, truth)
    assert found[0] == 0
    assert found[1:].min() > 0
    network = _LPIPS(net="alex", pnet_rand=True)
    backbone = alexnet(weights=None)
    backbone.load_state_dict(torch.load(checkpoint, weights_only=True), strict=False)
    for part in (network.net.slice1, network.net.slice2, network.net.slice3, network.net.slice4, network.net.slice5):
        for name, layer in part.named_children():
            layer.load_state_dict(backbone.features[int(name)].state_dict())
    images = (torch.from_numpy(part).float() / 127.5 - 1 for part in (frames, truth))
    with torch.no_grad():
        expected = network(*images).flatten()
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-6)


def test_other_files_are_refused_in_one_line(checkpoint: Path, tmp_path: Path) -> None:
    whole = torch.load(checkpoint, weights_only=True)
    files = {
        "other.pth": {"conv1.weight": torch.zeros(64, 3, 7, 7)},
        "half.pth": {name: value for name, value in whole.items() if not name.startswith("features.10")},
        "shapes.pth": whole | {"features.3.weight": torch.zeros(2, 2)},
        "no_table.pth": torch.zeros(2),
    }
    for name, values in files.items():
        torch.save(values, tmp_path / name)
    (tmp_path / "broken.pth").write_bytes(b"nothing")
    for name, text in {
        "other.pth": "holds neither AlexNet nor VGG-16",
        "no_table.pth": "holds neither AlexNet nor VGG-16",
        "half.pth": "lacks 'features.10.bias' of alex",
        "shapes.pth": "are not torchvision's: size mismatch",
        "broken.pth": "can't read lpips_weights",
        "nowhere.pth": "can't read lpips_weights",
    }.items():
        with pytest.raises(ConfigError, match=text) as error:
            Lpips(tmp_path / name)
        assert "\n" not in str(error.value)
