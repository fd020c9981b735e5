"""What this installation is made of, for bug reports."""

from __future__ import annotations

from dataclasses import dataclass

from vision_core import _native
from vision_core.__about__ import __version__

__all__ = ["BuildInfo", "build_info"]


@dataclass(frozen=True)
class BuildInfo:
    """Facts about the installed package.

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
    isas: tuple[str, ...]
    compiler: str | None


def build_info() -> BuildInfo:
    """Return what this installation is made of.

    Examples:
        >>> import vision_core
        >>> vision_core.build_info().version == vision_core.__version__
        True
    """
    module = _native.module
    if module is None:
        return BuildInfo(__version__, native=False, reason=_native.reason, isa=None, isas=(), compiler=None)
    return BuildInfo(
        __version__,
        native=True,
        reason=None,
        isa=module.active_isa(),
        isas=tuple(module.isas()),
        compiler=getattr(module, "compiler", None),
    )
