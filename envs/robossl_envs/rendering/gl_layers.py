"""Pictures in the layers of one texture, a view each: any number of them is drawn by one call and read by another.

In a layer of its own a view gets the same bits whatever else is drawn beside it. moderngl has no depths with layers, so
the few calls that make them go to OpenGL itself.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

MAX_LAYERS = 2048
"""What every OpenGL 4.5 driver gives."""
_TEXTURE_2D_ARRAY, _DEPTH_COMPONENT24, _DEPTH_ATTACHMENT = 0x8C1A, 0x81A6, 0x8D00
_RGBA, _DEPTH_COMPONENT, _UNSIGNED_BYTE, _FLOAT = 0x1908, 0x1902, 0x1401, 0x1406
_COMPARE_MODE, _COMPARE_REF_TO_TEXTURE, _MIN_FILTER, _MAG_FILTER, _LINEAR = 0x884C, 0x884E, 0x2801, 0x2800, 0x2601
_int, _uint, _address = ctypes.c_int, ctypes.c_uint, ctypes.c_void_p


class DepthLayers:
    """Depths, 24 bits each, in layers."""

    def __init__(self, *, height_px: int, width_px: int, num_layers: int) -> None:
        name = _uint(0)
        _call("glCreateTextures", _uint, _int, _address)(_TEXTURE_2D_ARRAY, 1, ctypes.byref(name))
        self.number = name.value
        _call("glTextureStorage3D", _uint, _int, _uint, _int, _int, _int)(
            self.number, 1, _DEPTH_COMPONENT24, width_px, height_px, num_layers
        )

    def attach(self, framebuffer: Any) -> None:
        """Let a framebuffer of moderngl draw here."""
        _call("glNamedFramebufferTexture", _uint, _uint, _uint, _int)(
            framebuffer.glo, _DEPTH_ATTACHMENT, self.number, 0
        )
        framebuffer.depth_mask = True

    def compare_in(self, unit: int) -> None:
        """Let shaders compare with these depths: `sampler2DArrayShadow`, smoothed over two pixels."""
        parameter = _call("glTextureParameteri", _uint, _uint, _int)
        for name, value in (
            (_COMPARE_MODE, _COMPARE_REF_TO_TEXTURE),
            (_MIN_FILTER, _LINEAR),
            (_MAG_FILTER, _LINEAR),
        ):
            parameter(self.number, name, value)
        _call("glBindTextureUnit", _uint, _uint)(unit, self.number)

    def release(self) -> None:
        """Give the memory back."""
        _call("glDeleteTextures", _int, _address)(1, ctypes.byref(_uint(self.number)))


class Canvas:
    """Colours and depths of pictures of one size, in layers."""

    def __init__(self, context: Any, *, height_px: int, width_px: int, num_layers: int) -> None:
        self.size = height_px, width_px
        self.num_layers = num_layers
        self._colours = context.texture_array((width_px, height_px, num_layers), 4)
        self._depths = DepthLayers(height_px=height_px, width_px=width_px, num_layers=num_layers)
        self._framebuffer = context.framebuffer(color_attachments=[self._colours])
        self._depths.attach(self._framebuffer)

    def clear(self) -> None:
        """Draw here from now on, on white."""
        self._framebuffer.use()
        self._framebuffer.clear(1.0, 1.0, 1.0, 0.0)

    def colours(self, num_layers: int) -> UInt8[np.ndarray, "V H W 4"]:
        """Return what the first layers show."""
        return _read(self._colours.glo, np.empty((num_layers, *self.size, 4), np.uint8), _RGBA, _UNSIGNED_BYTE)

    def depths(self, num_layers: int) -> Float32[np.ndarray, "V H W"]:
        """Return depths of the first layers: 0 at the near plane and 1 at the far one."""
        return _read(self._depths.number, np.empty((num_layers, *self.size), np.float32), _DEPTH_COMPONENT, _FLOAT)

    def release(self) -> None:
        """Give the memory back."""
        for held in (self._framebuffer, self._colours, self._depths):
            held.release()


class SunCanvas:
    """Depths alone, in layers, for shaders to compare with."""

    def __init__(self, context: Any, *, side_px: int, num_layers: int) -> None:
        self._depths = DepthLayers(height_px=side_px, width_px=side_px, num_layers=num_layers)
        self._framebuffer = context.empty_framebuffer((side_px, side_px), layers=num_layers)
        self._depths.attach(self._framebuffer)

    def clear(self) -> None:
        """Draw here from now on."""
        self._framebuffer.use()
        self._framebuffer.clear()

    def compare_in(self, unit: int) -> None:
        """Let shaders read from this unit."""
        self._depths.compare_in(unit)

    def release(self) -> None:
        """Give the memory back."""
        for held in (self._framebuffer, self._depths):
            held.release()


def _read(texture: int, pixels: np.ndarray, layout: int, kind: int) -> np.ndarray:
    """Fill an array [V,H,W,...] with the first V layers of a texture."""
    num_layers, height_px, width_px = pixels.shape[:3]
    read = _call("glGetTextureSubImage", _uint, *[_int] * 7, _uint, _uint, _int, _address)
    # rows of four bytes a pixel are as OpenGL aligns them
    read(texture, 0, 0, 0, 0, width_px, height_px, num_layers, layout, kind, pixels.nbytes, pixels.ctypes.data)
    return pixels


@cache
def _call(name: str, *kinds: Any) -> Callable[..., None]:
    """Return a function of OpenGL 4.5."""
    egl = ctypes.CDLL("libEGL.so.1")
    egl.eglGetProcAddress.restype = ctypes.c_void_p
    return ctypes.CFUNCTYPE(None, *kinds)(egl.eglGetProcAddress(name.encode()))
