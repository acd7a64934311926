"""The best encoder of a run so far, kept beside the last: late collapse then costs no more than the steps after it."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from robossl.encoders import Encoder, load_card, save_encoder
from robossl.errors import EncoderError
from robossl.evaluation.health import Health

CARD_KEY = "best"


class BestEncoder:
    """Keeps the encoder of the look whose probe was the best, among the looks that found no collapse.

    Where no probe can be fitted (one held-out episode), the last of these looks is kept.
    """

    def __init__(self, directory: Path, card: Mapping[str, Any]) -> None:
        """Keep it in `directory`, with the card's values and, as `best`, its step and health."""
        self._directory = directory
        self._card = dict(card)
        self.found: dict[str, float] = {}
        """Step and probe of the encoder that is kept; empty while there is none."""

    def resume(self, step: int) -> None:
        """Go on from what lies in the directory, unless it is of a step that will be taken again."""
        try:
            self.found = load_card(self._directory)[CARD_KEY]
        except (EncoderError, KeyError):
            self.found = {}
        if self.found.get("step", math.inf) > step:
            self.found = {}

    def offer(self, encoder: Encoder, health: Health, *, step: int, collapsed: bool) -> None:
        """Save the encoder after so many steps if it is better than what there is."""
        if collapsed or health.probe_r2 <= self.found.get("probe_r2", -math.inf):
            return
        known = {} if math.isnan(health.probe_r2) else {"probe_r2": health.probe_r2}
        self.found = {"step": step, **known}
        save_encoder(encoder, self._directory, self._card | {CARD_KEY: self.found})
