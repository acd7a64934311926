"""Short names for settings and files, by their content."""

import hashlib
import json
from pathlib import Path
from typing import Any

from robossl.errors import DataError

_LENGTH = 32
_RUN_FOLDER = "robossl"
"""In a data set: where the run that wrote it is recorded. It grows while the data stays, so it does not count."""


def fingerprint(value: Any) -> str:
    """Return a short digest of plain values (dicts, lists, numbers, texts); the order of keys does not matter."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return _short(hashlib.sha256(text.encode()))


def digest_path(path: Path | str) -> str:
    """Return `sha256:...` of a file, or of a directory's relative names and contents.

    Raises:
        DataError: There is nothing at `path`.
    """
    path = Path(path)
    if path.is_file():
        return f"sha256:{_short(_hash_file(path))}"
    if not path.is_dir():
        raise DataError(f"there is no file or directory {str(path)!r}; nothing to digest")
    joined = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        name = file.relative_to(path)
        if name.parts[0] != _RUN_FOLDER:
            joined.update(f"{name.as_posix()}\0{_hash_file(file).hexdigest()}\n".encode())
    return f"sha256:{_short(joined)}"


def _hash_file(path: Path) -> Any:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256")


def _short(digest: Any) -> str:
    return digest.hexdigest()[:_LENGTH]
