"""Operators, transforms, drawing and metrics for computer vision in PyTorch, with native CPU kernels."""

from vision_core import ops, transforms, utils
from vision_core.__about__ import __version__
from vision_core._build_info import BuildInfo, build_info

__all__ = ["BuildInfo", "__version__", "build_info", "ops", "transforms", "utils"]
