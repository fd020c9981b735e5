"""The native module, or the reason why it is missing. Everything works without it, through the NumPy reference."""

from __future__ import annotations

from types import ModuleType
from typing import TypedDict

from vision_io.__about__ import __version__

__all__ = ["BuildInfo", "build_info", "kernels", "reason"]

kernels: ModuleType | None = None
reason: str | None = None
try:
    from vision_io import _native_ext  # pyright: ignore[reportAttributeAccessIssue]
except ImportError as error:
    reason = f"{type(error).__name__}: {error}"
else:
    if _native_ext.environment_error:
        raise ValueError(_native_ext.environment_error)
    kernels = _native_ext


class BuildInfo(TypedDict):
    """What :func:`build_info` returns."""

    version: str
    native: bool
    reason: str | None
    isa: str | None
    isas: list[str]
    compiler: str | None
    jpeg: str
    png: str


def build_info() -> BuildInfo:
    """Facts for bug reports: whether the native kernels are in use, and which instruction set they run.

    Returns:
        ``version``; ``native``: the kernels are in use; ``reason``: why they are not; ``isa``: the instruction set in
        use; ``isas``: those that this machine has; ``compiler``; ``jpeg`` and ``png``: the library that reads them
        (``"Pillow"`` where this build has none of its own).

    Examples:
        >>> from vision_io import build_info
        >>> sorted(build_info())
        ['compiler', 'isa', 'isas', 'jpeg', 'native', 'png', 'reason', 'version']
    """
    return BuildInfo(
        version=__version__,
        native=kernels is not None,
        reason=reason,
        isa=kernels.active_isa() if kernels else None,
        isas=kernels.isas() if kernels else [],
        compiler=getattr(kernels, "compiler", None),
        jpeg=getattr(kernels, "jpeg_library", None) or "Pillow",
        png=getattr(kernels, "inflate_library", None) or "Pillow",
    )
