"""Operators, transforms, drawing and metrics for computer vision in PyTorch, with native CPU kernels."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from vision_core import ops  # registers the operators with torch: programs that were exported need no more than this
from vision_core.__about__ import __version__
from vision_core._build_info import BuildInfo, build_info

if TYPE_CHECKING:
    from vision_core import metrics, transforms, tv_tensors, utils

__all__ = ["BuildInfo", "__version__", "build_info", "metrics", "ops", "transforms", "tv_tensors", "utils"]


def __getattr__(name: str) -> Any:
    """Import the other modules when they are asked for: the transforms alone take longer than all operators."""
    if name in ("metrics", "transforms", "tv_tensors", "utils"):
        return importlib.import_module(f"vision_core.{name}")
    raise AttributeError(f"module 'vision_core' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
