"""Operators, transforms, drawing and metrics for computer vision in PyTorch, with native CPU kernels."""

from vision_core.__about__ import __version__

__all__ = ["__version__"]
