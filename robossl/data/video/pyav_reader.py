"""PyAV as a decoder: every frame is found by its own time, so a seek can't land on another one."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from jaxtyping import Float64, UInt8

from robossl.data.video.reader import Indices, checked_indices, stacked
from robossl.data.video.scan import display_matrix, error_text, scan_video, upright, video_stream
from robossl.errors import VideoReadError

NUM_CHECKED_FRAMES = 8
# FFmpeg's triangle filter, with a colour for every pixel before it scales: nearest to `robossl.resize`
_SCALING = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


class PyAVReader:
    """Reads through FFmpeg as shipped in PyAV. See `Decoder`.

    Where the times in the file number its frames, it seeks to the key frame before and decodes forward. Elsewhere it
    counts the frames from the start, which is slow but right.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._scan = scan_video(self.path)
        self._container: av.container.InputContainer | None = None
        self._frames: Iterator[av.VideoFrame] = iter(())
        self._position = 0  # number of the frame that comes next
        self._reformatter = VideoReformatter()  # kept: to prepare a conversion costs more than to convert a small frame
        self.damage = ""
        """Why the frames end before the file does; known here only where they had to be counted."""
        self._restart()
        self._times = self._trusted_times()
        self.times_were_counted = self._times is None
        """Whether every frame had to be decoded to number them."""
        if self._times is None:
            self.times_s = self._counted_times_s()
        else:
            self.times_s = (self._times - self._times[0]) * self._scan.tick_s
        self.num_frames = len(self.times_s)

    def read(self, indices: Indices) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames by number; see `VideoReader.read`."""
        numbers = checked_indices(self.path, indices, self.num_frames)
        found = {number: self._image(number) for number in sorted(set(numbers))}
        return stacked([found[number] for number in numbers])

    def read_scaled(self, indices: Indices, size: tuple[int, int]) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames by number at the size (H, W), scaled as they are decoded.

        About a grey level off `robossl.resize.resize`, which takes several times as long as decoding.
        """
        numbers = checked_indices(self.path, indices, self.num_frames)
        found = {number: self._image(number, size) for number in sorted(set(numbers))}
        return stacked([found[number] for number in numbers])

    def whole_prefix(self) -> tuple[int, str]:
        """Decode every frame once.

        Returns:
            How many frames from the start are sure to be right, and why it is not all of them (empty if it is).
        """
        if self.damage:
            return self.num_frames, self.damage
        self._restart()
        try:
            while self._position < self.num_frames:
                self._next(self._position)
        except VideoReadError as error:
            return self._sure_before(error.index or 0), error.reason
        return self.num_frames, ""

    def close(self) -> None:
        """Free the decoder."""
        if self._container is not None:
            self._container.close()
        self._container, self._frames = None, iter(())

    def _image(self, number: int, size: tuple[int, int] | None = None) -> np.ndarray:
        if self._container is None or number < self._position or self._key_before(number) > self._position:
            self._seek(number)
        while True:
            frame = self._next(number)
            if self._position > number:
                matrix = display_matrix(frame)
                return upright(self._converted(frame, size, turned=matrix is not None and not matrix[0, 0]), matrix)

    def _converted(self, frame: av.VideoFrame, size: tuple[int, int] | None, *, turned: bool) -> np.ndarray:
        """Return the picture [H, W, C] as it is stored, which for a turned one is on its side."""
        if size is None:
            return self._reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray()
        height, width = size[::-1] if turned else size
        return self._reformatter.reformat(
            frame, width, height, format="rgb24", interpolation=_SCALING, threads=1
        ).to_ndarray()

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
        number = self._position if self._times is None else self._number_of(frame)
        if number > wanted or (number < 0 and self._position > 0):
            self.close()
            raise VideoReadError(self.path, "the decoder skipped it", wanted)
        self._position = number + 1
        return frame

    def _number_of(self, frame: av.VideoFrame) -> int:
        """Return the number of a frame by its time, -1 if no packet promised it."""
        if self._times is None or frame.pts is None:
            return -1
        place = int(np.searchsorted(self._times, frame.pts))
        return place if place < len(self._times) and self._times[place] == frame.pts else -1

    def _seek(self, number: int) -> None:
        key = self._key_before(number)
        if key == 0 or self._times is None:
            self._restart()
            return
        container = self._container or self._restart()  # opening costs more than all of the decoding of a small frame
        stream = video_stream(container, self.path)
        container.seek(int(self._times[key]), stream=stream, backward=True)
        self._frames = container.decode(stream)
        try:
            first = next(self._frames, None)
        except (av.FFmpegError, ValueError):
            first = None
        landed = -1 if first is None else self._number_of(first)
        if first is None or not 0 <= landed <= number:
            self._restart()  # the seek went too far, as it does in program streams: count from the start
            return
        self._frames, self._position = _chain(first, self._frames), landed

    def _restart(self) -> av.container.InputContainer:
        self.close()
        try:
            container = av.open(str(self.path))
        except (av.FFmpegError, OSError) as error:
            raise VideoReadError(self.path, f"it can't be opened ({error_text(error)})") from error
        stream = video_stream(container, self.path)
        stream.codec_context.thread_count = 1  # many readers share the cores; more threads also delay the first frame
        self._container, self._frames, self._position = container, container.decode(stream), 0
        return container

    def _key_before(self, number: int) -> int:
        place = int(np.searchsorted(self._scan.key_indices, number, side="right")) - 1
        return int(self._scan.key_indices[place]) if place >= 0 else 0

    def _sure_before(self, number: int) -> int:
        """Return how many frames from the start were decoded before the damaged frame `number` was."""
        places = self._scan.decode_places
        if self._times is None or places is None:
            return number
        return int(np.argmax(places >= places[number]))  # a frame shown earlier may have been made from the damaged one

    def _trusted_times(self) -> np.ndarray | None:
        """Return the times of the packets, if the first frames really come in the order that these promise."""
        times = self._scan.times
        if times is None:
            return None
        try:
            shown = [frame.pts for frame, _ in zip(self._frames, range(NUM_CHECKED_FRAMES), strict=False)]
        except (av.FFmpegError, ValueError):
            shown = []  # reading that frame will name the fault
        self._restart()
        return times if times[: len(shown)].tolist() == shown else None

    def _counted_times_s(self) -> Float64[np.ndarray, " n"]:
        """Count the frames by decoding all of them; a file may say nothing of them or not the truth."""
        found: list[int | None] = []
        try:
            for frame in self._frames:
                if frame.is_corrupt:
                    self.damage = "its data is damaged there"
                    break
                found.append(frame.pts)
        except (av.FFmpegError, ValueError) as error:
            self.damage = f"decoding failed ({error_text(error)})"
        if not found and not self.damage:
            raise VideoReadError(self.path, "it holds no frame")
        self._restart()
        if None in found or not found:
            return np.arange(len(found)) / self._scan.fps_hz
        ticks = np.maximum.accumulate(np.array(found, dtype=np.int64))  # a clock that jumps back stands still
        return (ticks - ticks[0]) * self._scan.tick_s


def _chain(first: av.VideoFrame, rest: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    yield first
    yield from rest
