"""Files on the network: what is an address, and all bytes of one."""

from __future__ import annotations

import os
from typing import Any

from vision_io._errors import DecodeError
from vision_io._limits import Limits

__all__ = ["SILENCE", "bytes_of_address", "is_address"]

SILENCE = 30.0  # seconds after which a server that sends nothing is taken for dead
_PIECE = 1 << 16


def is_address(source: object) -> bool:
    """Whether a source names something on the network rather than a file.

    Examples:
        >>> is_address("https://example.org/a.jpg"), is_address("a.jpg")
        (True, False)
    """
    return isinstance(source, (str, os.PathLike)) and "://" in os.fspath(source)[:16]


def bytes_of_address(address: str, limits: Limits) -> bytes:
    """Download a file by HTTP.

    Args:
        address: ``http://`` or ``https://``.
        limits: Bounds on its size and, where a call has been started, on the time.

    Raises:
        DecodeError: The server cannot be reached, refuses, is silent, or sends less than it announced.
        LimitError: The file is larger than ``limits`` admit, or it takes too long.
    """
    import http.client
    import urllib.request

    if not address.lower().startswith(("http://", "https://")):
        raise DecodeError(f"{address}: expected a path, or an address that begins with http:// or https://")
    limits = limits if limits.remaining() is not None else limits.started()
    left = limits.remaining()
    try:
        request = urllib.request.Request(address, headers={"User-Agent": "vision-io"})
        with urllib.request.urlopen(request, timeout=SILENCE if left is None else max(left, 1e-3)) as response:
            return _content(response, address, limits)
    except DecodeError:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        limits.check_deadline(address)
        words = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise DecodeError(f"{address}: cannot be read: {words}") from error


def _content(response: Any, address: str, limits: Limits) -> bytes:
    announced = response.headers.get("Content-Length")
    expected = int(announced) if announced is not None and announced.isdigit() else None
    limits.check_bytes(expected or 0, address)
    pieces: list[bytes] = []
    size = 0
    while piece := response.read1(_PIECE):
        limits.check_deadline(address)
        pieces.append(piece)
        size += len(piece)
        limits.check_bytes(size, address)
    if expected is not None and size < expected:
        raise DecodeError(f"{address}: the server closed after {size} of {expected} bytes")
    return b"".join(pieces)
