"""Operators, transforms, drawing and metrics for computer vision in PyTorch, with native CPU kernels."""

from vision_core import metrics, ops, transforms, tv_tensors, utils
from vision_core.__about__ import __version__
from vision_core._build_info import BuildInfo, build_info

__all__ = ["BuildInfo", "__version__", "build_info", "metrics", "ops", "transforms", "tv_tensors", "utils"]
