"""Name files by their content."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest_files(files: Iterable[Path], *, root: Path) -> str:
    """Return a short digest of the files' names below `root` and their contents."""
    joined = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        joined.update(f"{path.relative_to(root).as_posix()}\0{content}\n".encode())
    return f"sha256:{joined.hexdigest()[:32]}"
