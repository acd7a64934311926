"""Windowless OpenGL for MuJoCo's renderer: EGL where it works, else OSMesa, without the user choosing."""

import contextlib
import ctypes
import ctypes.util
import importlib
import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import Protocol

from robossl_envs.errors import EnvError

EGL_PLATFORM_DEVICE_EXT = 0x313F
MAX_DEVICES = 16


class NoGlError(EnvError):
    """This machine has no library that draws without a window."""


class GlContext(Protocol):
    """What MuJoCo's own context classes offer."""

    def make_current(self) -> None:
        """Let the calls that follow draw here."""
        ...

    def free(self) -> None:
        """Give the context back."""
        ...


def make_context() -> tuple[str, GlContext]:
    """Return `egl` or `osmesa` and a current context of that kind. Raises `NoGlError` where there is neither."""
    load_triton()
    backend = choose_backend()
    try:
        context: GlContext = importlib.import_module(f"mujoco.{backend}").GLContext(64, 64)
        context.make_current()
    except Exception as error:  # PyOpenGL's own errors can't be imported before its platform is chosen
        raise NoGlError(f"{backend} is there but does not start: {error}; use renderer='tiny'") from error
    return backend, context


@cache
def load_triton() -> None:
    """Load the LLVM inside triton before that of Mesa's CPU driver; the other way round triton crashes the process.

    torch loads triton with its first optimizer, which may well come after the first picture.
    """
    found = importlib.util.find_spec("triton")
    for folder in found.submodule_search_locations or () if found else ():
        for path in Path(folder).glob("_C/libtriton*.so"):
            with contextlib.suppress(OSError):  # a triton that does not load does not crash either
                ctypes.CDLL(str(path))


@cache
def choose_backend() -> str:
    """Return `egl` or `osmesa`; $MUJOCO_GL decides if it names one of them.

    The libraries are tried by hand first: PyOpenGL binds itself to the first platform that a process imports.
    """
    wanted = os.environ.get("MUJOCO_GL", "").lower()
    if wanted in ("egl", "osmesa"):
        return wanted
    os.environ.setdefault("EGL_LOG_LEVEL", "fatal")  # Mesa warns on stderr about every device that it can't open
    if _egl_starts():
        return "egl"
    if ctypes.util.find_library("OSMesa"):
        return "osmesa"
    raise NoGlError("no EGL and no OSMesa library: install libegl1 or libosmesa6, or use renderer='tiny'")


def _egl_starts() -> bool:
    """Tell whether EGL opens a device without a window system."""
    try:
        egl = ctypes.CDLL("libEGL.so.1")
    except OSError:
        return False
    egl.eglGetProcAddress.restype = ctypes.c_void_p
    names = (b"eglQueryDevicesEXT", b"eglGetPlatformDisplayEXT")
    addresses = [egl.eglGetProcAddress(name) for name in names]
    if not all(addresses):
        return False
    query = ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(addresses[0])
    open_display = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p)(addresses[1])
    devices, count = (ctypes.c_void_p * MAX_DEVICES)(), ctypes.c_int(0)
    if not query(MAX_DEVICES, devices, ctypes.byref(count)):
        return False
    egl.eglInitialize.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    displays = (open_display(EGL_PLATFORM_DEVICE_EXT, device, None) for device in devices[: count.value])
    return any(display and egl.eglInitialize(display, None, None) for display in displays)
