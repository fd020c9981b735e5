"""Optical flow and disparity files.

Formats: Middlebury ``.flo`` (Baker et al., "A Database and Evaluation Methodology for Optical Flow", 2011), portable
float map ``.pfm`` (as used by FlyingThings3D and Middlebury stereo), and the 16-bit PNG of KITTI (Geiger et al., 2012).
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vision_contract import FLOW_2HW
from vision_io._errors import DecodeError, EncodeError
from vision_io._image.dispatch import Request, decode_bytes
from vision_io._image.files import bytes_of_file
from vision_io._limits import DEFAULT_LIMITS, Limits

__all__ = [
    "read_flo",
    "read_flow",
    "read_kitti_flow",
    "read_pfm",
    "write_flo",
    "write_kitti_flow",
    "write_pfm",
]

Path_ = str | os.PathLike[str]

_FLO_TAG = b"PIEH"  # 202021.25 as a float32
_PFM_HEADER = re.compile(rb"(P[Ff])\s+(\d{1,9})\s+(\d{1,9})\s+(-?[0-9.eE+-]{1,30})\s")
_KITTI_ZERO, _KITTI_STEPS = 32768.0, 64.0  # stored = 64 * pixels + 2 ** 15


def read_flow(path: Path_, *, limits: Limits | None = None) -> tuple[Tensor, Tensor | None]:
    """Read optical flow in whichever format the content is.

    Args:
        path: A ``.flo``, ``.pfm`` (three channels) or KITTI ``.png`` file; the name does not matter.
        limits: Bounds that are checked before memory is allocated.

    Returns:
        Flow float32 (2, H, W) in pixels, to the right and downwards; and which pixels are valid, bool (H, W), or
        ``None`` where the format does not say.

    Raises:
        DecodeError: The file is none of them, damaged, or cut off.
        LimitError: It says to be larger than `limits`.

    Examples:
        >>> flow, valid = read_flow("frame_0001.flo")  # doctest: +SKIP
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise DecodeError(f"{os.fspath(path)}: cannot be read: {error.strerror or error}") from error
    if start[:4] == _FLO_TAG:
        return read_flo(path, limits=limits), None
    if start[:1] == b"P":
        picture = read_pfm(path, limits=limits)
        if picture.shape[0] != 3:
            raise DecodeError(f"{os.fspath(path)}: a PFM file of one channel holds disparity, not flow: use read_pfm")
        return picture[:2].contiguous(), None
    if start == b"\x89PNG\r\n\x1a\n":
        return read_kitti_flow(path, limits=limits)
    raise DecodeError(f"{os.fspath(path)}: expected a .flo, .pfm or 16-bit .png file, it begins with {start!r}")


def read_flo(path: Path_, *, limits: Limits | None = None) -> Tensor:
    """Read a Middlebury ``.flo`` file: float32 (2, H, W), in pixels to the right and downwards.

    Raises:
        DecodeError: It is no such file, or cut off.
        LimitError: It says to be larger than `limits`.

    Examples:
        >>> read_flo("frame_0001.flo").shape  # doctest: +SKIP
        torch.Size([2, 436, 1024])
    """
    name, data = os.fspath(path), _bytes(path, limits)
    if data[:4] != _FLO_TAG or len(data) < 12:
        raise DecodeError(f"{name}: not a .flo file: expected it to begin with {_FLO_TAG!r}, got {bytes(data[:4])!r}")
    width, height = struct.unpack_from("<2i", data, 4)
    values = _floats(name, data, 12, (height, width, 2), "<f4", limits)
    return torch.from_numpy(values.transpose(2, 0, 1).astype(np.float32, order="C"))


def write_flo(flow: Tensor, path: Path_) -> None:
    """Write flow (2, H, W), floating point, as a Middlebury ``.flo`` file.

    Raises:
        ContractError: Another shape (a ValueError).

    Examples:
        >>> write_flo(torch.zeros(2, 4, 6), "still.flo")  # doctest: +SKIP
    """
    FLOW_2HW.check(flow, "flow")
    values = flow.detach().cpu().to(torch.float32).permute(1, 2, 0).contiguous().numpy().astype("<f4")
    Path(path).write_bytes(_FLO_TAG + struct.pack("<2i", flow.shape[2], flow.shape[1]) + values.tobytes())


def read_pfm(path: Path_, *, limits: Limits | None = None) -> Tensor:
    """Read a portable float map: float32 (3, H, W) or (1, H, W), first row on top.

    Raises:
        DecodeError: It is no such file, or cut off.
        LimitError: It says to be larger than `limits`.

    Examples:
        >>> read_pfm("disparity.pfm").shape  # doctest: +SKIP
        torch.Size([1, 540, 960])
    """
    name, data = os.fspath(path), _bytes(path, limits)
    header = _PFM_HEADER.match(data)
    try:
        scale = float(header[4]) if header else 0.0
    except ValueError:
        scale = 0.0
    if header is None or scale == 0.0:
        raise DecodeError(f"{name}: not a .pfm file: expected 'PF' or 'Pf', width, height and scale at its start")
    channels = 3 if header[1] == b"PF" else 1
    shape = (int(header[3]), int(header[2]), channels)
    values = _floats(name, data, header.end(), shape, "<f4" if scale < 0 else ">f4", limits)
    return torch.from_numpy(values[::-1].transpose(2, 0, 1).astype(np.float32, order="C"))  # rows are stored upwards


def write_pfm(values: Tensor, path: Path_) -> None:
    """Write (3, H, W) or (1, H, W), floating point, as a portable float map.

    Raises:
        EncodeError: Another shape.

    Examples:
        >>> write_pfm(torch.zeros(1, 4, 6), "flat.pfm")  # doctest: +SKIP
    """
    if values.dim() != 3 or values.shape[0] not in (1, 3):
        raise EncodeError(f"values: got shape {tuple(values.shape)}, expected (3, H, W) or (1, H, W)")
    rows = values.detach().cpu().to(torch.float32).permute(1, 2, 0).numpy()[::-1].astype("<f4")
    header = f"{'PF' if values.shape[0] == 3 else 'Pf'}\n{values.shape[2]} {values.shape[1]}\n-1.0\n"
    Path(path).write_bytes(header.encode() + rows.tobytes())


def read_kitti_flow(path: Path_, *, limits: Limits | None = None) -> tuple[Tensor, Tensor]:
    """Read the 16-bit PNG of KITTI: flow float32 (2, H, W) in pixels, and which pixels are valid, bool (H, W).

    Raises:
        DecodeError: It is no 16-bit RGB PNG, damaged, or cut off.
        LimitError: It says to be larger than `limits`.

    Examples:
        >>> flow, valid = read_kitti_flow("000000_10.png")  # doctest: +SKIP
    """
    name, data = os.fspath(path), _bytes(path, limits)
    if data[24:26] != b"\x10\x02":  # bit depth and colour type of the header
        raise DecodeError(f"{name}: expected a PNG of 16 bits with three channels, as KITTI stores flow")
    stored = decode_bytes(np.frombuffer(data, np.uint8), name, Request(limits=limits, expected="PNG"))
    valid = stored[2] != 0
    flow = (stored[:2].to(torch.float32) - _KITTI_ZERO) / _KITTI_STEPS
    return torch.where(valid, flow, torch.zeros(())), valid


def write_kitti_flow(flow: Tensor, path: Path_, valid: Tensor | None = None) -> None:
    """Write flow as the 16-bit PNG of KITTI, in steps of 1/64 pixel.

    Args:
        flow: (2, H, W), -512 to 511.98 pixels; values beyond are an error where they are valid.
        path: The file.
        valid: bool (H, W); ``None``: all are.

    Raises:
        ContractError: Another shape (a ValueError).
        EncodeError: A valid value is too large or not finite.

    Examples:
        >>> write_kitti_flow(torch.zeros(2, 4, 6), "still.png")  # doctest: +SKIP
    """
    FLOW_2HW.check(flow, "flow")
    height, width = int(flow.shape[1]), int(flow.shape[2])
    mask = np.ones((height, width), bool) if valid is None else valid.cpu().numpy().astype(bool)
    if mask.shape != (height, width):
        raise EncodeError(f"valid: got shape {mask.shape}, expected {(height, width)}")
    steps = np.rint(flow.detach().cpu().double().numpy() * _KITTI_STEPS + _KITTI_ZERO)
    if not ((steps >= 0) & (steps <= 65535))[:, mask].all():
        raise EncodeError("flow: KITTI's format holds -512 to 511.98 pixels; mark others as not valid")
    stored = np.zeros((height, width, 3), ">u2")
    stored[..., :2] = np.where(mask, np.nan_to_num(steps).clip(0, 65535), 0).transpose(1, 2, 0)
    stored[..., 2] = mask
    rows = np.zeros((height, 1 + 6 * width), np.uint8)  # each row begins with its filter: none
    rows[:, 1:] = stored.reshape(height, -1).view(np.uint8)
    header = struct.pack(">2I5B", width, height, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part)) for kind, part in chunks
    )
    Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def _bytes(path: Path_, limits: Limits | None) -> memoryview:
    return bytes_of_file(path, limits or DEFAULT_LIMITS).data


def _floats(
    name: str, data: memoryview, start: int, shape: tuple[int, int, int], dtype: str, limits: Limits | None
) -> np.ndarray:
    height, width, channels = shape
    if height < 1 or width < 1:
        raise DecodeError(f"{name}: damaged: its size is {width}x{height}")
    (limits or DEFAULT_LIMITS).check_picture(width, height, name)
    count = height * width * channels
    if len(data) - start < 4 * count:
        raise DecodeError(f"{name}: cut off: {width}x{height} takes {4 * count} bytes, there are {len(data) - start}")
    return np.frombuffer(data, dtype, count, start).reshape(shape)
