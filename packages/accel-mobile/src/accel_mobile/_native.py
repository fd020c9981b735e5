"""The compiled kernels, or None with the reason why they are absent."""

from __future__ import annotations

from types import ModuleType
from typing import TypedDict

from accel_mobile.__about__ import __version__

__all__ = ["BuildInfo", "build_info", "extension", "reason"]

extension: ModuleType | None
reason: str | None
try:
    from accel_mobile import _native_ext as extension  # type: ignore[attr-defined,no-redef]

    reason = None
except ImportError as error:
    extension, reason = None, str(error)
if extension is not None and extension.environment_error:
    raise ValueError(extension.environment_error)


class BuildInfo(TypedDict):
    """What :func:`build_info` returns."""

    version: str
    native: bool
    reason: str | None
    isa: str | None
    isas: list[str]
    compiler: str | None


def build_info() -> BuildInfo:
    """Return how this package was built and what it uses on this machine, for bug reports.

    Returns:
        `version`, `native` (whether the compiled kernels are there), `reason` (why not, or None), `isa` (the
        instruction set in use; the environment variable `VISION_ISA` forces one), `isas` (all that are present),
        `compiler`.

    Examples:
        >>> build_info()["version"]
        '0.1.0'
    """
    return BuildInfo(
        version=__version__,
        native=extension is not None,
        reason=reason,
        isa=extension.active_isa() if extension else None,
        isas=extension.isas() if extension else [],
        compiler=getattr(extension, "compiler", None),
    )
