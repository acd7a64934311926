"""Where robossl keeps what it can make again."""

import os
from pathlib import Path


def cache_dir(name: str) -> Path:
    """Return the folder `name` of `$ROBOSSL_CACHE`, else of `robossl` in the user's cache; it need not exist."""
    root = os.environ.get("ROBOSSL_CACHE")
    users = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")  # as robossl_envs does with its meshes
    return (Path(root) if root else users / "robossl") / name
