"""Model zoo for computer vision in PyTorch: builders, registry, published weights."""

from vision_models.__about__ import __version__

__all__ = ["__version__"]
