"""What features tell about which thing an episode shows: by its env, its task, or a drawn value such as its size."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from robossl.errors import DataError
from robossl.evaluation.identity import IdentityProbe, chance
from robossl.stages.probe_frames import Sampled
from robossl.stages.probe_time import Features

COLUMNS = ("features", "data", "what", "classes", "n", "accuracy", "chance")
NOTE = (
    "A logistic regression on frozen features of single frames, fitted on training episodes, for what is the same in "
    "all of an episode; n: frames of held-out episodes; chance: naming always the most frequent class of the fit."
)


Together = Sequence[Sampled]
"""Frames of one data set or of several."""


def identity_rows(
    what: str, train: Together, tests: Sequence[Together], features_of: Features, *, label: str, data: Sequence[str]
) -> list[list[Any]]:
    """Return the rows of one thing that is asked, one for each test.

    Raises:
        DataError: no episode of the fit has it, or all have the same, or it has too many values.
    """
    known = [name for part in train for name in labels_of(what, part)]
    # episodes of two data sets have the same numbers
    episode = np.concatenate([number * 10**9 + part.episode for number, part in enumerate(train)])
    try:
        fitted = IdentityProbe().fit(_joined(train, features_of), known, episode)
    except DataError as error:
        raise DataError(f"identity {what!r} can't be told: {error}; {_usable(train)}") from None
    rows = []
    for name, test in zip(data, tests, strict=True):
        asked = [value for part in test for value in labels_of(what, part)]
        accuracy = fitted.accuracy(_joined(test, features_of), asked)
        rows.append([label, name, what, len(fitted.names), len(asked), accuracy, chance(known, asked)])
    return rows


def labels_of(what: str, sampled: Sampled) -> list[str]:
    """Return the value of each frame's episode as text.

    Raises:
        DataError: an episode has none.
    """
    values = {int(episode): _value(sampled.metadata(int(episode)), what) for episode in np.unique(sampled.episode)}
    if None in values.values():
        raise DataError(f"identity {what!r} is not known of all episodes; {_usable([sampled])}")
    return [str(values[episode]) for episode in sampled.episode.tolist()]


def _joined(together: Together, features_of: Features) -> Float[np.ndarray, "n D"]:
    return np.concatenate([features_of(part, 0) for part in together])


def _value(metadata: dict[str, Any], what: str) -> Any:
    return metadata[what] if what in metadata else metadata.get("variations", {}).get(what)


def _usable(together: Together) -> str:
    """Say what of the episodes has a few values."""
    everything = [part.metadata(int(episode)) for part in together for episode in np.unique(part.episode)]
    names = sorted({name for one in everything for name in (*one, *one.get("variations", {})) if name != "variations"})
    few = [name for name in names if 2 <= len({str(_value(one, name)) for one in everything}) <= len(everything) // 3]
    return f"of these episodes {', '.join(few) or 'nothing'} can be asked"
