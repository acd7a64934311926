"""Open video files of one process, kept from one read to the next."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

from robossl.data.video.open import Damaged, open_video
from robossl.data.video.reader import VideoReader

MAX_OPEN_READERS = 8  # a decoder holds tens of MB; an unbounded cache of them grows with the data set


class Readers:
    """Open video files of one process, the least recently used closed first."""

    def __init__(self, *, damaged: Damaged = "strict") -> None:
        self._damaged: Damaged = damaged
        self._open: OrderedDict[Path, VideoReader] = OrderedDict()

    def __getitem__(self, path: Path) -> VideoReader:
        """Return the reader of a file, opened when first asked for."""
        if path not in self._open:
            while len(self._open) >= MAX_OPEN_READERS:
                self._open.popitem(last=False)[1].close()
            self._open[path] = open_video(path, damaged=self._damaged)
        self._open.move_to_end(path)
        return self._open[path]

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process without the open files, which would not survive."""
        return {"_damaged": self._damaged, "_open": OrderedDict()}
