"""What is found out about a video is kept by its content."""

import hashlib
import logging
import os
import tempfile
from pathlib import Path

import numpy as np

from robossl.data.video.image_folder import numbered_images

_BLOCK, _NUM_BLOCKS = 1 << 16, 64
logger = logging.getLogger(__name__)


def content_name(path: Path, versions: str) -> str:
    """Return a name for a file's content: blocks spread over it, its size and time of change.

    Args:
        path: a file, or a folder of numbered pictures, which is named by the sizes and times of its files.
        versions: of what looks at it; another text gives another name.
    """
    if path.is_dir():
        about = [(image.name, image.stat().st_size, image.stat().st_mtime_ns) for image in numbered_images(path)]
        return hashlib.blake2b(f"{about} {versions}".encode(), digest_size=16).hexdigest()
    status = path.stat()
    digest = hashlib.blake2b(f"{status.st_size} {status.st_mtime_ns} {versions}".encode(), digest_size=16)
    starts = np.linspace(0, max(0, status.st_size - _BLOCK), _NUM_BLOCKS).astype(np.int64)
    with path.open("rb") as file:
        for start in dict.fromkeys(starts.tolist()):
            file.seek(start)
            digest.update(file.read(_BLOCK))
    return digest.hexdigest()


def keep(record: Path, content: bytes, *, about: Path) -> None:
    """Write a record as a whole or not at all; where that can't be done, it is found out again the next time."""
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=record.parent, prefix=".", suffix=record.suffix)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, record)
    except OSError as error:
        logger.debug("what was found out about %s can't be kept (%s)", about, error)
