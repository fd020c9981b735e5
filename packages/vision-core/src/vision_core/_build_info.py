"""What this installation is made of, for bug reports."""

from __future__ import annotations

from typing import TypedDict

from vision_core import _native
from vision_core.__about__ import __version__

__all__ = ["BuildInfo", "build_info"]


class BuildInfo(TypedDict):
    """What :func:`build_info` returns.

    Attributes:
        version: version of `vision_core`.
        native: whether the native kernels are in use; otherwise every operator runs its pure-torch reference.
        reason: why the native module is absent, None when it is there.
        isa: instruction set that the kernels use now (`VISION_ISA` chooses another), None without native module.
        isas: instruction sets that this machine has, in ascending order.
        compiler: compiler that built the native module, None without one.
    """

    version: str
    native: bool
    reason: str | None
    isa: str | None
    isas: list[str]
    compiler: str | None


def build_info() -> BuildInfo:
    """Return what this installation is made of.

    Examples:
        >>> import vision_core
        >>> vision_core.build_info()["version"] == vision_core.__version__
        True
    """
    module = _native.module
    return BuildInfo(
        version=__version__,
        native=module is not None,
        reason=_native.reason,
        isa=module.active_isa() if module else None,
        isas=module.isas() if module else [],
        compiler=getattr(module, "compiler", None),
    )
