"""decord in a process of its own: a hang or a crash of it ends that process and nothing else."""

import atexit
import contextlib
import importlib.util
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from robossl.data.video.reader import Indices, checked_indices
from robossl.errors import VideoReadError

FRAME_LIMIT_S = 4.0
"""For opening a file and for each frame; the slowest honest one (the end of a GOP of 250 in 1080p) takes 2 s."""
START_LIMIT_S = 30.0
MAX_OPENS = 200
"""Files after which the process is replaced: decord keeps memory of each."""


class DecoderDiedError(VideoReadError):
    """The decoder hung or crashed on this file; another one may still read it."""


class DecordReader:
    """Reads with decord on one thread of another process. See `Decoder`; frames come upright but never mirrored.

    Raises:
        ImportError: decord is not installed (it has wheels for x86-64 only).
        DecoderDiedError: decord hung or crashed on this file.
        VideoReadError: decord can't open it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._id, self._server = _server().open(self.path)
        self.num_frames = self._server.num_frames[self._id]

    def read(self, indices: Indices) -> UInt8[np.ndarray, "n C H W"]:
        """Return frames by number; see `VideoReader.read`."""
        numbers = checked_indices(self.path, indices, self.num_frames)
        if not self._server.is_alive or self._id not in self._server.num_frames:  # ended since, over another file
            self._id, self._server = _server().open(self.path)
        wanted = sorted(set(numbers))
        found = dict(zip(wanted, self._server.read(self._id, wanted, path=self.path), strict=True))
        return np.stack([found[number] for number in numbers])

    def close(self) -> None:
        """Free the decoder."""
        self._server.close(self._id)


class _Server:
    """The process that decodes, as seen from the thread that asks; it ends with that thread."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        if importlib.util.find_spec("decord") is None:
            raise ImportError("decord is not installed; it has wheels for x86-64 only")
        script = Path(__file__).with_name("decord_server.py")
        # in a session of its own, so that Ctrl-C reaches only the one who can say what to do about it
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        self._lock = threading.Lock()
        self._buffer = b""
        self._next_id = 0
        self.num_frames: dict[int, int] = {}
        self.is_alive = True
        try:
            self._header(START_LIMIT_S)
        except _SilentError as error:
            raise ImportError(f"decord can't be started ({error})") from None

    def open(self, path: Path) -> tuple[int, "_Server"]:
        """Open a file and return its id, and the process that has it."""
        with self._lock:
            self._next_id += 1
            answer = self._ask({"do": "open", "id": self._next_id, "path": str(path.resolve())}, path, number=None)
            self.num_frames[self._next_id] = answer["num_frames"]
            return self._next_id, self

    def read(self, reader: int, numbers: list[int], *, path: Path) -> list[UInt8[np.ndarray, "C H W"]]:
        """Return frames in rising order."""
        with self._lock:
            images = []
            request: dict[str, Any] | None = {"do": "read", "id": reader, "numbers": numbers}
            for number in numbers:
                answer = self._ask(request, path, number=number)
                image = np.empty(answer["shape"], dtype=np.uint8)
                self._guarded(partial(self._fill, image.reshape(-1).data), path, number)
                images.append(image)
                request = None
            return images

    def close(self, reader: int) -> None:
        """Forget a file."""
        with self._lock:
            if self.num_frames.pop(reader, None) is not None and self.is_alive:
                with contextlib.suppress(OSError):
                    self._write({"do": "close", "id": reader})

    def retire(self) -> bool:
        """End the process if it has opened so many files that a fresh one is better; its readers open theirs again."""
        if self._next_id < MAX_OPENS:
            return False
        with self._lock:
            self.end()
        return True

    def end(self) -> None:
        """End the process."""
        self.is_alive = False
        self._process.kill()
        self._process.wait()
        self.forget()

    def __del__(self) -> None:
        """End the process with the last reader and the thread that started it; after a fork it is the parent's."""
        if getattr(self, "is_alive", False):
            if self._owner == os.getpid():
                self.end()
            else:
                self.forget()

    def forget(self) -> None:
        """Let go of a process that is ended, or that belongs to the parent of this one."""
        self.is_alive = False
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.returncode = self._process.returncode or 0  # else Python warns that it still runs

    def _ask(self, request: dict[str, Any] | None, path: Path, *, number: int | None) -> dict[str, Any]:
        def ask() -> dict[str, Any]:
            if request is not None:
                self._write(request | {"limit_s": FRAME_LIMIT_S})
            return self._header(FRAME_LIMIT_S + 0.5)

        answer = self._guarded(ask, path, number)
        if "error" in answer:
            raise VideoReadError(path, f"decord failed ({answer['error']})", number)
        return answer

    def _guarded(self, action: Callable[[], Any], path: Path, number: int | None) -> Any:
        try:
            return action()
        except (_SilentError, OSError) as error:
            self.end()
            raise DecoderDiedError(path, f"decord {error}", number) from None
        except BaseException:  # Ctrl-C in between: what is under way in the pipe belongs to nobody
            self.end()
            raise

    def _write(self, request: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        line = memoryview(json.dumps(request).encode() + b"\n")
        while line:
            line = line[self._process.stdin.write(line) :]

    def _header(self, limit_s: float) -> dict[str, Any]:
        deadline_s = time.monotonic() + limit_s
        while b"\n" not in self._buffer:
            self._buffer += self._receive(1 << 16, deadline_s)
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)

    def _fill(self, into: memoryview) -> None:
        deadline_s = time.monotonic() + FRAME_LIMIT_S
        taken = min(len(into), len(self._buffer))
        into[:taken], self._buffer = self._buffer[:taken], self._buffer[taken:]
        while taken < len(into):
            part = self._receive(len(into) - taken, deadline_s)
            into[taken : taken + len(part)] = part
            taken += len(part)

    def _receive(self, size: int, deadline_s: float) -> bytes:
        assert self._process.stdout is not None
        left_s = max(0.0, deadline_s - time.monotonic())
        if not select.select([self._process.stdout], [], [], left_s)[0]:
            raise _SilentError(f"gave no answer within {FRAME_LIMIT_S:.0f} s")
        part = self._process.stdout.read(size)
        if not part:
            raise _SilentError("hung or crashed")
        return part


class _SilentError(Exception):
    """The process gives no answer."""


class _OfThread(threading.local):
    """What a thread decodes with: each has a process of its own, so that threads decode side by side."""

    server: _Server | None = None


_own = _OfThread()


def _server() -> _Server:
    """Return the decoding process of this thread, started when first needed."""
    if _own.server is None or not _own.server.is_alive or _own.server.retire():
        _own.server = _Server()
    return _own.server


def _end_own() -> None:
    if _own.server is not None and _own.server.is_alive:
        _own.server.end()


def _forget_own() -> None:
    """After a fork: the process belongs to the parent."""
    if _own.server is not None:
        _own.server.forget()
        _own.server = None


atexit.register(_end_own)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_own)
