"""Pixels of a Pillow image as CHW tensors, without the copies of ``tobytes``."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_io._native import kernels
from vision_io._pixels.store import empty_uint8

__all__ = ["chw_from_pillow"]

_CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}


class _ArrowArray(ctypes.Structure):
    """The head of the Arrow C data interface's array, as far as pixels need it."""


_ArrowArray._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_ArrowArray))),
]
_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype = ctypes.c_void_p
_capsule_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


def _zero_copy(image: Any) -> tuple[int, object] | None:
    """Address of Pillow's own pixels, 4 bytes each and without row padding, and what keeps them alive.

    ``None`` where Pillow does not export them: before version 11.3, or where a large image lies in several blocks.
    """
    export = getattr(image, "__arrow_c_array__", None)
    if export is None:
        return None
    try:
        schema, capsule = export()
    except (ValueError, MemoryError):
        return None
    array = ctypes.cast(_capsule_pointer(capsule, b"arrow_array"), ctypes.POINTER(_ArrowArray)).contents
    if array.n_children != 1 or array.offset:
        return None
    pixels = array.children[0].contents
    if pixels.offset or pixels.n_buffers != 2 or pixels.length != 4 * image.width * image.height:
        return None
    return pixels.buffers[1], (schema, capsule)


def chw_from_pillow(image: Any) -> Tensor:
    """The pixels of a loaded image.

    Args:
        image: Pillow image of mode L, LA, RGB, RGBA, CMYK (8 bits), or I;16 and its byte orders (16 bits).

    Returns:
        (C, H, W), uint8 or uint16.
    """
    if image.mode.startswith("I;16"):
        return torch.from_numpy(np.array(image, dtype=np.uint16)[None])
    channels, width, height = _CHANNELS[image.mode], image.width, image.height
    if channels == 1:
        return torch.from_numpy(np.array(image))[None]
    if kernels is not None:
        out = empty_uint8(channels, height, width)
        shared = _zero_copy(image) if image.mode != "LA" else None
        if shared is not None:
            address, owner = shared
            kernels.split(
                address, 4 * width, width, height, 4, (0, 1, 2, 3), channels, out.data_ptr(), width * height, width
            )
            del owner
            return out
        pixels = np.asarray(image)
        kernels.split(
            pixels.ctypes.data, channels * width, width, height, channels, (0, 1, 2, 3), channels,
            out.data_ptr(), width * height, width,
        )  # fmt: skip
        return out
    return torch.from_numpy(np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1)))
