"""How alike frames look to a network that was trained on photographs: LPIPS, with weights from this machine."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8

from robossl.errors import ConfigError

LPIPS_MIN_SIZE_PX = 31
"""AlexNet leaves nothing of a smaller frame."""
_CHUNK = 64
_FIRST = "features.0.weight"
_NETS = {(64, 3, 11, 11): "alex", (64, 3, 3, 3): "vgg"}


class Lpips:
    """LPIPS (Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric, 2018, 1801.03924).

    The weights of the backbone are a file of this machine, those on top of it (version 0.1 of the paper's authors) come
    with torchmetrics; nothing is downloaded. 0 for equal frames, below 1 as a rule.

    Args:
        weights: torchvision's checkpoint of AlexNet or VGG-16.

    Raises:
        ConfigError: the file can't be read, or holds neither.
    """

    def __init__(self, weights: Path) -> None:
        from torchmetrics.functional.image.lpips import _LPIPS

        found = _read(weights)
        net = _NETS.get(tuple(getattr(found.get(_FIRST), "shape", ())))
        if net is None:
            raise ConfigError(
                f"lpips_weights {weights} holds neither AlexNet nor VGG-16: give torchvision's checkpoint of one"
            )
        self._net = _LPIPS(net=net, pnet_rand=True)
        wanted = {name: f"features.{name.split('.', 1)[1]}" for name in self._net.net.state_dict()}
        missing = sorted(set(wanted.values()) - found.keys())
        if missing:
            raise ConfigError(
                f"lpips_weights {weights} lacks {missing[0]!r} of {net}: give torchvision's whole checkpoint"
            )
        try:
            self._net.net.load_state_dict({ours: found[theirs] for ours, theirs in wanted.items()})
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise ConfigError(f"lpips_weights {weights} are not torchvision's: {reason}") from error

    @torch.no_grad()
    def __call__(
        self, frames: UInt8[np.ndarray, "n C H W"], truth: UInt8[np.ndarray, "n C H W"]
    ) -> Float[np.ndarray, " n"]:
        """Return the distance of each pair of frames, at their size, RGB scaled to -1 to 1 as in the paper's code."""
        parts = []
        for start in range(0, len(frames), _CHUNK):
            ours, theirs = (torch.from_numpy(f[start : start + _CHUNK]).float() / 255 for f in (frames, truth))
            parts.append(self._net(ours, theirs, normalize=True).flatten())
        return torch.cat(parts).numpy()


def _read(path: Path) -> dict[str, Any]:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"can't read lpips_weights {path} ({reason}); give torchvision's AlexNet or VGG-16"
        ) from error
    return found if isinstance(found, dict) else {}
