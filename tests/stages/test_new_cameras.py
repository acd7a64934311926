"""A policy that looks through cameras which its encoder has never seen says so."""

from pathlib import Path

import pytest

from robossl.encoders import build_encoder, save_encoder
from robossl.stages.encoders import warn_of_new_cameras


def _encoder(path: Path, **card: object) -> str:
    save_encoder(build_encoder("conv", image_size=16, feature_dim=8, widths=(8,)), path, card)
    return str(path)


def test_cameras_that_an_encoder_has_not_seen_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen = _encoder(tmp_path / "seen", trained_on={"cameras": ["front", "wrist"]})
    warn_of_new_cameras(seen, ["front", "wrist"])
    warn_of_new_cameras(_encoder(tmp_path / "old"), ["side"])  # it does not say what it saw
    warn_of_new_cameras("random", ["side"])
    assert caplog.messages == []
    warn_of_new_cameras(seen, ["front", "side"])
    (told,) = caplog.messages
    assert told.endswith("was trained on pictures of front, wrist, and the policy looks through side")
