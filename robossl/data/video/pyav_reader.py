"""PyAV as a VideoReader: every frame is found by its own time, so a seek can't land on another one."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8

from robossl.data.video.reader import Indices, checked_indices, stacked
from robossl.data.video.scan import display_matrix, error_text, scan_video, upright
from robossl.errors import VideoReadError

NUM_CHECKED_FRAMES = 8


class PyAVReader:
    """Reads through FFmpeg as shipped in PyAV. See `VideoReader`.

    Where the times in the file number its frames, it seeks to the key frame before and decodes forward. Elsewhere it
    counts the frames from the start, which is slow but right.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._scan = scan_video(self.path)
        self._container: av.container.InputContainer | None = None
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._position = 0  # number of the frame that comes next
        self._restart()
        self._number_of = self._trusted_numbers()
        self.fps_hz = self._scan.fps_hz
        self.num_frames = len(self._number_of) if self._number_of else self._count()

    def read(self, indices: Indices) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames by number; see `VideoReader.read`."""
        numbers = checked_indices(self.path, indices, self.num_frames)
        found = {number: self._image(number) for number in sorted(set(numbers))}
        return stacked([found[number] for number in numbers])

    def check(self) -> None:
        """Decode every frame once.

        Raises:
            VideoReadError: a frame is damaged.
        """
        self._restart()
        while self._position < self.num_frames:
            self._next(self._position)

    def close(self) -> None:
        """Free the decoder."""
        if self._container is not None:
            self._container.close()
        self._container, self._frames = None, iter(())

    def _image(self, number: int) -> np.ndarray:
        if self._container is None or number < self._position or self._key_before(number) > self._position:
            self._seek(number)
        while True:
            frame = self._next(number)
            if self._position > number:
                return upright(frame.to_ndarray(format="rgb24"), display_matrix(frame))

    def _next(self, wanted: int) -> av.VideoFrame:
        """Decode one frame and set the position behind it."""
        try:
            frame = next(self._frames)
        except StopIteration:
            raise VideoReadError(self.path, f"its data ends after frame {self._position - 1}", wanted) from None
        except (av.FFmpegError, ValueError) as error:
            self.close()  # the decoder's state is not to be trusted any more
            raise VideoReadError(self.path, f"decoding failed ({error_text(error)})", wanted) from error
        if frame.is_corrupt:
            self.close()
            raise VideoReadError(self.path, "its data is damaged there", wanted)
        number = self._position if self._number_of is None else self._number_of.get(frame.pts, -1)
        if number > wanted or (number < 0 and self._position > 0):
            self.close()
            raise VideoReadError(self.path, "the decoder skipped it", wanted)
        self._position = number + 1
        return frame

    def _seek(self, number: int) -> None:
        key = self._key_before(number)
        if key == 0 or self._scan.times is None:
            self._restart()
            return
        container = self._container or self._restart()  # opening costs more than all of the decoding of a small frame
        stream = container.streams.video[0]
        container.seek(self._scan.times[key], stream=stream, backward=True)
        self._frames = container.decode(stream)
        first = next(self._frames, None)
        landed = None if first is None or self._number_of is None else self._number_of.get(first.pts)
        if first is None or landed is None or landed > number:
            self._restart()  # the seek went too far, as it does in program streams: count from the start
            return
        self._frames, self._position = _chain(first, self._frames), landed

    def _restart(self) -> av.container.InputContainer:
        self.close()
        try:
            container = av.open(str(self.path))
        except (av.FFmpegError, OSError) as error:
            raise VideoReadError(self.path, f"it can't be opened ({error_text(error)})") from error
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1  # many readers share the cores; more threads also delay the first frame
        self._container, self._frames, self._position = container, container.decode(stream), 0
        return container

    def _key_before(self, number: int) -> int:
        keys = self._scan.key_indices
        return keys[int(np.searchsorted(keys, number, side="right")) - 1] if keys and number >= keys[0] else 0

    def _trusted_numbers(self) -> dict[int, int] | None:
        """Return time -> frame number, if the first frames really come in the order that the packets promise."""
        if self._scan.times is None:
            return None
        try:
            shown = [frame.pts for frame, _ in zip(self._frames, range(NUM_CHECKED_FRAMES), strict=False)]
        except (av.FFmpegError, ValueError):
            shown = []  # reading that frame will name the fault
        self._restart()
        return (
            {pts: number for number, pts in enumerate(self._scan.times)}
            if _is_prefix(shown, self._scan.times)
            else None
        )

    def _count(self) -> int:
        count = 0
        try:
            for _ in self._frames:
                count += 1
        except (av.FFmpegError, ValueError) as error:
            raise VideoReadError(self.path, f"decoding failed ({error_text(error)})", count) from error
        if count == 0:
            raise VideoReadError(self.path, "it holds no frame")
        self._restart()
        return count


def _is_prefix(shown: list[int | None], times: tuple[int, ...]) -> bool:
    return list(times[: len(shown)]) == shown


def _chain(first: av.VideoFrame, rest: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    yield first
    yield from rest
