"""Which files belong to a data set: its metadata may come from anywhere and name any path."""

from pathlib import Path

REPOSITORIES = ("datasets--", "models--")


def lies_inside(path: Path, root: Path) -> bool:
    """Return whether a path below `root` also ends there, once its links are followed.

    A snapshot in the Hugging Face cache, `datasets--OWNER--NAME/snapshots/REVISION`, consists of links into `blobs` of
    the same repository; these count as inside, if the path has no `..` of its own.
    """
    target, home = path.resolve(), root.resolve()
    if target.is_relative_to(home):
        return True
    blobs = home.parent.parent / "blobs"
    is_snapshot = home.parent.name == "snapshots" and blobs.parent.name.startswith(REPOSITORIES)
    is_below = path.is_relative_to(root) and ".." not in path.relative_to(root).parts
    return is_snapshot and is_below and target.is_relative_to(blobs)
