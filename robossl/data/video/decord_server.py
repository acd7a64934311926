"""Runs decord for another process: a script, started by `decord_process`, that imports nothing of robossl.

Requests come as lines of JSON on stdin, answers go to stdout: a line of JSON, and behind it the bytes of a frame.
A decoder that hangs (even while it holds the interpreter's lock) is ended by the kernel's alarm clock, also when nobody
waits for it any more.
"""

import json
import os
import signal
import sys
from typing import Any, BinaryIO


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the requests end."""
    import decord

    readers: dict[int, Any] = {}
    _send(answers, {"ready": True})
    for line in requests:
        request = json.loads(line)
        try:
            match request["do"]:
                case "open":
                    with _Alarm(request["limit_s"]):
                        reader = decord.VideoReader(request["path"], ctx=decord.cpu(0), num_threads=1)
                        readers[request["id"]] = reader
                        _send(answers, {"num_frames": len(reader)})
                case "read":
                    for number in request["numbers"]:
                        with _Alarm(request["limit_s"]):
                            image = readers[request["id"]].get_batch([number]).asnumpy()[0].transpose(2, 0, 1)
                        _send(answers, {"shape": image.shape}, image.tobytes())
                case "close":
                    readers.pop(request["id"], None)
        except (decord.DECORDError, RuntimeError, IndexError) as error:
            _send(answers, {"error": _last_line(error)})


class _Alarm:
    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s

    def __enter__(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self.limit_s)  # ends the process: nobody handles SIGALRM

    def __exit__(self, *error: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _send(answers: BinaryIO, header: dict[str, Any], content: bytes = b"") -> None:
    answers.write(json.dumps(header).encode() + b"\n" + content)
    answers.flush()


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1][:200] if str(error).strip() else type(error).__name__


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "wb") as stdout:
        os.dup2(2, 1)  # what a library prints must not end up between the answers
        try:
            serve(sys.stdin.buffer, stdout)
        except BrokenPipeError:
            os._exit(0)
