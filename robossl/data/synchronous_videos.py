"""Videos of several cameras that filmed the same thing at the same time, as episodes with several cameras."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from robossl.data.video.open import Damaged
from robossl.data.video_folder import MAX_DRIFT_FRAMES, VideoFolder
from robossl.errors import ConfigError, DataError


class SynchronousVideos(VideoFolder):
    """Files whose paths differ only by the name of a camera are one episode, in which their frames k are one instant.

    `run_3/left.mp4` and `run_3/right.mp4` are an episode of the cameras left and right, and so are `run_3_left.mp4` and
    `run_3_right.mp4`. An episode is as long as its shortest file. What lacks a camera, or whose cameras don't keep
    time, is left out: `skipped` holds the path and the reason.

    Args:
        root: a folder, searched recursively.
        cameras: their names as they stand in the paths below it, set off by anything but letters and digits.
        damaged: see `VideoFolder`.

    Raises:
        ConfigError: there are not two names or more, all distinct.
        DataError: no recording has all cameras.
    """

    def __init__(self, root: str | Path, *, cameras: Sequence[str], damaged: Damaged = "strict") -> None:
        if len(set(cameras)) < max(2, len(cameras)):
            raise ConfigError(f"cameras are {', '.join(cameras)}; name two or more, each once")
        super().__init__(root, damaged=damaged)
        self.cameras = tuple(cameras)
        self._of_camera: list[dict[str, Path]] = []
        files = dict(zip(self.paths, zip(self.lengths.tolist(), self.rates_hz.tolist(), strict=True), strict=True))
        times_s = {path: self.times_s(number) for number, path in enumerate(self.paths)}
        for name, found in self._recordings().items():
            reason = _fault(name, found, self.cameras) or _drift(name, [times_s[path] for path in found.values()])
            if reason:
                self.skipped |= dict.fromkeys(found.values(), reason)
            else:
                self._of_camera.append(found)
        if not self._of_camera:
            reason = next(iter(self.skipped.values()))
            raise DataError(f"{root} has no recording by all of {', '.join(cameras)} ({reason})")
        self.paths = [found[self.cameras[0]] for found in self._of_camera]
        self.lengths = np.array([min(files[path][0] for path in found.values()) for found in self._of_camera])
        self.starts = np.zeros_like(self.lengths)
        self.rates_hz = np.array([files[path][1] for path in self.paths])
        self.fps_hz = float(np.median(self.rates_hz))

    def video(self, episode: int, camera: str = "") -> tuple[Path, int]:
        """Return the file of a camera; see `ScalingSource.video`."""
        if camera not in self.cameras:
            raise DataError(f"{self.root} has no camera {camera!r}; it has {', '.join(self.cameras)}")
        return self._of_camera[episode][camera], 0

    def episode_key(self, episode: int) -> str:
        """Return the path below the folder, without the name of the camera."""
        return self._without_camera(self.paths[episode])[0]

    def _recordings(self) -> dict[str, dict[str, Path]]:
        """Return name of a recording to camera to file; files that name no camera are skipped."""
        found: dict[str, dict[str, Path]] = {}
        for path in self.paths:
            key, camera = self._without_camera(path)
            if camera:
                found.setdefault(key, {})[camera] = path
            else:
                self.skipped[path] = f"{path} names none of the cameras {', '.join(self.cameras)}"
        return found

    def _without_camera(self, path: Path) -> tuple[str, str]:
        name = path.relative_to(self.root).as_posix() if path != self.root else path.name
        for camera in self.cameras:
            key, count = re.subn(rf"(?<![A-Za-z0-9]){re.escape(camera)}(?![A-Za-z0-9])", "*", name)
            if count:
                return key, camera
        return name, ""


def _fault(name: str, found: dict[str, Path], cameras: Sequence[str]) -> str:
    missing = [camera for camera in cameras if camera not in found]
    return f"{name} lacks the cameras {', '.join(missing)}" if missing else ""


def _drift(name: str, times_s: Sequence[np.ndarray]) -> str:
    """Return what is wrong with the clocks of cameras that are to show the same instants, or nothing."""
    length = min(len(times) for times in times_s)
    if length < 2:
        return ""
    together = np.stack([times[:length] for times in times_s])
    apart_s = float(np.ptp(together, axis=0).max())
    frame_s = float(together[0, -1]) / (length - 1)
    if apart_s <= MAX_DRIFT_FRAMES * frame_s:
        return ""
    return f"{name}: its cameras drift {apart_s:.2f} s apart, frame k of one is not frame k of the other"
