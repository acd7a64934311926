"""Open video files of one process, kept from one read to the next."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import av

from robossl.data.video.open import Damaged, DecoderName, open_video
from robossl.data.video.reader import VideoReader
from robossl.data.video.scan import scan_video

# a decoder holds tens of MB, in proportion to its frames; an unbounded cache of them grows with the data set
MAX_OPEN_READERS, MAX_OPEN_PIXELS = 64, 8 * 1920 * 1080


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
            room = MAX_OPEN_PIXELS - _pixels(path)
            while readers and (len(readers) >= MAX_OPEN_READERS or sum(map(_pixels, readers)) > room):
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


def _pixels(path: Path) -> int:
    """Return the size of a frame; 0 for folders of pictures, which keep none, and for what PyAV can't decode."""
    try:
        height, width = scan_video(path).size if path.is_file() else (0, 0)
    except av.DecoderNotFoundError:
        return 0
    return height * width
