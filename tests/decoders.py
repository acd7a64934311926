"""Decoders in tests: which are there, and decord as the choice."""

import math

import pytest

from robossl.data.video import open as opening
from robossl.data.video.open import DecoderName

DECODERS: tuple[DecoderName, ...] = ("auto", "decord", "pyav", "opencv")


def require(decoder: str) -> None:
    try:
        __import__({"decord": "decord", "opencv": "cv2"}.get(decoder, "av"))
    except ImportError as error:
        pytest.skip(f"{decoder}: {error}")


@pytest.fixture
def prefer_decord(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make decord the choice wherever it is right, also on a machine on which it is slow."""
    require("decord")
    monkeypatch.setattr(opening, "MAX_SLOWDOWN", math.inf)
    monkeypatch.setattr(opening, "MAX_SLOWDOWN_OTHERS", math.inf)
