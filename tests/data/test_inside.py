"""A data set's files lie inside of it, or are links of a Hugging Face snapshot into the blobs of its own repository."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from doctor_sets import ROWS, edit_info, video, write

from robossl.data.doctor import examine
from robossl.data.lerobot.inside import lies_inside
from robossl.data.sources import LeRobotSource
from robossl.errors import DataError


def as_snapshot(plain: Path, repository: Path) -> Path:
    """Lay a data set out as the Hugging Face cache does: blobs, and a snapshot of relative links into them."""
    root = repository / "snapshots/0f3c"
    (repository / "blobs").mkdir(parents=True)
    for number, path in enumerate(sorted(path for path in plain.rglob("*") if path.is_file())):
        link, blob = root / path.relative_to(plain), repository / f"blobs/{number:040x}"
        shutil.copy(path, blob)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    return root


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("plain") / "set")


def test_a_snapshot_of_the_hub_is_read_and_is_healthy(plain: Path, tmp_path: Path) -> None:
    root = as_snapshot(plain, tmp_path / "hub/datasets--someone--arm")
    assert examine(root).findings == []
    one, other = LeRobotSource(plain), LeRobotSource(root)
    assert np.array_equal(one.values(2, [5, 99], "action"), other.values(2, [5, 99], "action"))
    assert np.array_equal(one.frames(1, [0, 42], "front"), other.frames(1, [0, 42], "front"))


def to_another_repository(root: Path) -> None:
    other = root.parents[2] / "datasets--someone--else/blobs/0"
    other.parent.mkdir(parents=True)
    other.write_bytes(video(root).read_bytes())
    video(root).unlink()
    video(root).symlink_to(other)


def beside_the_blobs(root: Path) -> None:
    shutil.move((root / ROWS).resolve(), root.parents[1] / "rows.parquet")
    (root / ROWS).unlink()
    (root / ROWS).symlink_to(root.parents[1] / "rows.parquet")


def dots_in_the_metadata(root: Path) -> None:
    edit_info(root, video_path="../../blobs/{file_index:040d}")


def absolute_in_the_metadata(root: Path) -> None:
    edit_info(root, data_path=str(root.parents[1] / "blobs/{file_index:040d}"))


@pytest.mark.parametrize(
    "change", [to_another_repository, beside_the_blobs, dots_in_the_metadata, absolute_in_the_metadata]
)
def test_a_snapshot_may_not_lead_anywhere_else(change: Callable[[Path], None], plain: Path, tmp_path: Path) -> None:
    root = as_snapshot(plain, tmp_path / "hub/datasets--someone--arm")
    change(root)
    assert "hostile_path" in {finding.kind for finding in examine(root).faults}
    source = LeRobotSource(root)
    is_video = change in (to_another_repository, dots_in_the_metadata)
    with pytest.raises(DataError, match="lies outside of it: it is refused"):
        source.frames(0, [0], "front") if is_video else source.values(0, [0], "action")


@pytest.mark.parametrize("repository", ["arm", "datasets--someone--arm/old"])
def test_blobs_count_only_in_a_repository_of_the_hub(repository: str, plain: Path, tmp_path: Path) -> None:
    root = as_snapshot(plain, tmp_path / "hub" / repository)
    assert not lies_inside(video(root), root)
