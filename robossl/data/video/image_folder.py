"""A folder of numbered pictures as a video."""

import re
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8

from robossl.data.video.reader import Indices, checked_indices, stacked
from robossl.data.video.scan import display_matrix, error_text, upright
from robossl.errors import VideoReadError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
RATE_HZ = 30.0
"""Pictures carry no clock; this rate is assumed."""
_NUMBERED = re.compile(r"(.*?)(\d+)$")


class ImageFolderReader:
    """Reads numbered pictures as frames. See `Decoder`.

    Raises:
        VideoReadError: the folder holds no such pictures.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.files = numbered_images(self.path)
        self.num_frames = len(self.files)
        if not self.files:
            raise VideoReadError(path, f"the folder holds no numbered pictures ({', '.join(ENDINGS)})")
        self._shape: tuple[int, ...] | None = None

    def read(self, indices: Indices) -> UInt8[np.ndarray, "n C H W"]:
        """Return pictures by their place in the order of numbers; all must have the size of the first one."""
        numbers = checked_indices(self.path, indices, self.num_frames)
        self._shape = self._shape or self._image(0).shape
        found = {number: self._image(number) for number in sorted(set(numbers))}
        for number, image in found.items():
            if image.shape != self._shape:
                raise VideoReadError(
                    self.path, f"its size is {image.shape[:2]}, the first has {self._shape[:2]}", number
                )
        return stacked([found[number] for number in numbers])

    def close(self) -> None:
        """Nothing stays open."""

    def _image(self, number: int) -> np.ndarray:
        file = self.files[number]
        try:
            with av.open(str(file)) as container:
                frame = next(container.decode(video=0))
                return upright(frame.to_ndarray(format="rgb24"), display_matrix(frame))
        except (av.FFmpegError, ValueError, StopIteration, IndexError) as error:
            raise VideoReadError(self.path, f"{file.name} is no picture ({error_text(error)})", number) from error


def numbered_images(folder: Path) -> list[Path]:
    """Return the pictures of a folder by rising number, if two or more are called alike but for a number; else none."""
    found: dict[tuple[str, str], list[tuple[int, Path]]] = {}
    for path in folder.iterdir():
        match = _NUMBERED.fullmatch(path.stem)
        if match and path.suffix.lower() in ENDINGS and path.is_file():
            found.setdefault((match[1], path.suffix.lower()), []).append((int(match[2]), path))
    if len(found) != 1:
        return []
    (pictures,) = found.values()
    return [path for _, path in sorted(pictures)] if len(pictures) > 1 else []
