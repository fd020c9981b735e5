"""Which decoder reads JPEG and PNG: the native one or Pillow."""

from __future__ import annotations

from vision_io._native import kernels

__all__ = ["get_image_backend", "set_image_backend", "uses_native_jpeg", "uses_native_png"]

_BACKENDS = ("native", "pillow")
_chosen: str | None = None
_HAS_JPEG = kernels is not None and kernels.jpeg_library is not None
_HAS_PNG = kernels is not None and kernels.inflate_library is not None


def get_image_backend() -> str:
    """The backend that reads and writes JPEG and PNG: ``"native"`` or ``"pillow"``.

    It is ``"native"`` unless :func:`set_image_backend` chose otherwise or the native module is missing. Other formats
    always go through Pillow, and so does each of the two whose library this build lacks
    (:func:`vision_io.build_info` tells).

    Examples:
        >>> from vision_io import get_image_backend
        >>> get_image_backend() in ("native", "pillow")
        True
    """
    if _chosen is not None:
        return _chosen
    return "native" if kernels is not None else "pillow"


def set_image_backend(backend: str) -> None:
    """Choose the backend for the whole process.

    Args:
        backend: ``"native"`` or ``"pillow"`` (``"PIL"`` is the same).

    Raises:
        ValueError: There is no such backend, or the native module is missing.

    Examples:
        >>> from vision_io import get_image_backend, set_image_backend
        >>> before = get_image_backend()
        >>> set_image_backend("pillow")
        >>> get_image_backend()
        'pillow'
        >>> set_image_backend(before)
    """
    global _chosen
    name = "pillow" if backend == "PIL" else backend
    if name not in _BACKENDS:
        raise ValueError(f"backend: got {backend!r}, expected one of {', '.join(_BACKENDS)}")
    if name == "native" and kernels is None:
        raise ValueError("backend: 'native' is not there; vision_io.build_info() says why")
    _chosen = name


def uses_native_jpeg() -> bool:
    """Whether JPEG goes through libjpeg-turbo."""
    return _HAS_JPEG and _chosen != "pillow"


def uses_native_png() -> bool:
    """Whether PNG goes through the native reader."""
    return _HAS_PNG and _chosen != "pillow"
