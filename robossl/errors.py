"""The errors that robossl raises on purpose: one line of text that says what was wrong, what is allowed, what to do."""

import difflib
from collections.abc import Iterable
from pathlib import Path


class RobosslError(Exception):
    """Base of every error that a user can mend; the command line prints its text and ends with exit code 2."""


class ConfigError(RobosslError):
    """A configuration holds an unknown key or a value that is not allowed."""


class DataError(RobosslError):
    """A data set, an episode or a file is not what it should be."""


class VideoReadError(DataError):
    """A video can't give the frame that was asked for."""

    def __init__(self, path: str | Path, reason: str, index: int | None = None) -> None:
        self.path = Path(path)
        self.index = index
        self.reason = reason
        where = f"{path}" if index is None else f"{path}, frame {index}"
        super().__init__(f"can't read video {where}: {reason}")


class EncoderError(RobosslError):
    """An encoder does not fit its weights, its input or what is built on it."""


class TrainingError(RobosslError):
    """Training can't go on, for example because the loss is not finite."""


def closest(name: str, allowed: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the allowed name nearest to `name`, or an empty text."""
    match = difflib.get_close_matches(name, list(allowed), n=1)
    return f"; did you mean {match[0]!r}?" if match else ""
