"""Open video files of one process, kept from one read to the next."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from robossl.data.video.open import Damaged, DecoderName, open_video
from robossl.data.video.reader import VideoReader

MAX_OPEN_READERS = 8  # a decoder holds tens of MB; an unbounded cache of them grows with the data set


class Readers:
    """Open video files, the least recently used closed first; each thread has its own, so that all may decode at once.

    Args:
        damaged, decoder: see `open_video`.
    """

    def __init__(self, *, damaged: Damaged = "strict", decoder: DecoderName = "auto") -> None:
        self._damaged: Damaged = damaged
        self._decoder: DecoderName = decoder
        self._of_thread = threading.local()

    @property
    def _open(self) -> OrderedDict[Path, VideoReader]:
        if not hasattr(self._of_thread, "open"):
            self._of_thread.open = OrderedDict()
        found: OrderedDict[Path, VideoReader] = self._of_thread.open
        return found

    def __getitem__(self, path: Path) -> VideoReader:
        """Return the reader of a file, opened when this thread first asks for it."""
        readers = self._open
        if path not in readers:
            while len(readers) >= MAX_OPEN_READERS:
                readers.popitem(last=False)[1].close()
            readers[path] = open_video(path, damaged=self._damaged, decoder=self._decoder)
        readers.move_to_end(path)
        return readers[path]

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process without the open files, which would not survive."""
        return {"_damaged": self._damaged, "_decoder": self._decoder}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Arrive without open files."""
        self.__dict__.update(state)
        self._of_thread = threading.local()
