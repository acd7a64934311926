"""What a run measures: `metrics.jsonl` is the truth, and W&B is fed from it."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from robossl.runs.files import plain, write_text
from robossl.runs.fingerprints import digest_path
from robossl.runs.video_file import write_mp4
from robossl.runs.wandb_feed import WandbFeed


class Tracker:
    """Records metrics, videos and artifacts of one run.

    Args:
        directory: The run directory.
        open_feed: Opens W&B with the rows recorded so far, or is None where W&B is disabled. Called at the first
            thing to send, so that a run that is refused at once leaves no trace there.
    """

    def __init__(
        self, directory: Path, *, open_feed: Callable[[Iterator[dict[str, Any]]], WandbFeed] | None = None
    ) -> None:
        self._directory = directory
        self._path = directory / "metrics.jsonl"
        self._open_feed = open_feed
        self._feed: WandbFeed | None = None
        self.artifacts: dict[str, dict[str, Any]] = {}
        """Name to kind, path, digest and inputs."""

    def log(self, step: int, metrics: Mapping[str, Any]) -> None:
        """Append one row; what is not finite is stored as null. Names may be paths, such as `loss/total`.

        Raises:
            ValueError: A metric is called `step`.
        """
        if "step" in metrics:
            raise ValueError("a metric can't be called 'step': that is the row's own step")
        row = {"step": int(step)} | plain(metrics)
        feed = self._started()  # first, since it sends what the file holds
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        if feed:
            feed.log(row)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows in the order of writing; a last line that a kill cut short is left out."""
        if not self._path.exists():
            return
        for line in self._path.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield json.loads(line)

    def cut_back(self, step: int) -> None:
        """Drop the rows from `step` on: they will be run again."""
        if self._path.exists():
            kept = [json.dumps(row) + "\n" for row in self.rows() if row["step"] < step]
            write_text(self._path, "".join(kept))

    def log_video(
        self, name: str, frames: UInt8[np.ndarray, "T H W C"], *, fps_hz: float = 20.0, step: int = 0
    ) -> Path:
        """Write `videos/<name>.mp4`, slashes in the name becoming dashes, and return its path."""
        path = self._video_path(name)
        path.parent.mkdir(exist_ok=True)
        write_mp4(path, frames, fps_hz=fps_hz)
        if feed := self._started():
            feed.log_video(name, path, step=step)
        return path

    def log_artifact(
        self, name: str, *, kind: str, path: Path, inputs: Mapping[str, str] | None = None, digest: str | None = None
    ) -> str:
        """Record files that the run made, with the digests of what they were made from, and return their digest.

        Args:
            name: For example `encoder`.
            kind: For example `encoder`, `policy`, `episodes`.
            path: A file or a directory.
            inputs: Name of an input to its digest.
            digest: What later stages name it by, where that is not the digest of `path`.
        """
        digest = digest or digest_path(path)
        self.artifacts[name] = {"kind": kind, "path": str(path), "digest": digest, "inputs": dict(inputs or {})}
        if feed := self._started():
            feed.log_artifact(name, kind=kind, path=path, digest=digest, inputs=inputs or {})
        return digest

    def close(self, summary: Mapping[str, Any], *, exit_code: int = 0) -> None:
        """End the W&B run, if one was started or `summary` has something for it."""
        feed = self._started() if summary else self._feed
        if feed:
            feed.finish(summary, exit_code=exit_code)
        self._feed = self._open_feed = None

    def _video_path(self, name: str) -> Path:
        return self._directory / "videos" / f"{name.replace('/', '-')}.mp4"

    def _started(self) -> WandbFeed | None:
        if self._feed is None and self._open_feed is not None:
            self._feed = self._open_feed(self.rows())
        return self._feed


class SilentTracker(Tracker):
    """What the further processes of `torchrun` get: it writes nothing."""

    def log(self, step: int, metrics: Mapping[str, Any]) -> None:
        """Do nothing."""

    def cut_back(self, step: int) -> None:
        """Do nothing."""

    def log_video(
        self, name: str, frames: UInt8[np.ndarray, "T H W C"], *, fps_hz: float = 20.0, step: int = 0
    ) -> Path:
        """Return where the first process writes the video."""
        return self._video_path(name)

    def log_artifact(
        self, name: str, *, kind: str, path: Path, inputs: Mapping[str, str] | None = None, digest: str | None = None
    ) -> str:
        """Do nothing."""
        return ""
