"""The one OpenGL context of a process that the batched renderers share."""

import ctypes
import os
from importlib.util import find_spec
from typing import Any

from robossl_envs.rendering.gl_context import NoGlError, load_triton
from robossl_envs.rendering.gl_shaders import LAYER_EXTENSIONS

_HINT = "use renderer='tiny'"
_opened: dict[str, Any] = {}


def check_available() -> None:
    """Raise `NoGlError` where moderngl or EGL is missing; nothing is started, so the process may still fork."""
    if find_spec("moderngl") is None:
        raise NoGlError(f"renderer='gl' needs moderngl: pip install moderngl, or {_HINT}")
    try:
        ctypes.CDLL("libEGL.so.1")
    except OSError as error:
        raise NoGlError(f"renderer='gl' finds no EGL library ({error}): install libegl1, or {_HINT}") from error


def shared_context() -> Any:
    """Return the process's moderngl context; enter it (`with context:`) before drawing, from one thread at a time.

    It is made on first use and kept to the end of the process: making one for each env would leak, since Mesa gives
    memory back only with the process.

    Raises:
        NoGlError: EGL is missing, does not start or is too old, or the process was forked after drawing.
    """
    if "context" in _opened and _opened["process"] != os.getpid():
        raise NoGlError(
            "this process was forked from one that had drawn, and OpenGL does not survive that: "
            f"start it with multiprocessing's 'spawn', or {_HINT}"
        )
    if "context" not in _opened:
        _opened["context"], _opened["process"] = _open(), os.getpid()
    return _opened["context"]


def _open() -> Any:
    check_available()
    load_triton()
    os.environ.setdefault("EGL_LOG_LEVEL", "fatal")  # Mesa warns on stderr about every device that it can't open
    # Mesa's CPU driver in this thread alone: threads of its own made no batch faster on two cores, and a single picture
    # then waits for them, on a busy machine ten times as long as it takes; worker processes use the cores better
    os.environ.setdefault("LP_NUM_THREADS", "0")
    import moderngl

    wanted: dict[str, Any] = {"standalone": True, "backend": "egl", "require": 450}
    try:
        context = moderngl.create_context(**wanted)
    except Exception as error:  # moderngl raises a plain Exception
        reason = " ".join(str(error).split())
        raise NoGlError(f"EGL does not start OpenGL 4.5 for renderer='gl' ({reason}): {_HINT}") from error
    if not context.extensions.intersection(LAYER_EXTENSIONS):
        raise NoGlError(f"this OpenGL driver has neither of {', '.join(LAYER_EXTENSIONS)} for renderer='gl': {_HINT}")
    return context
