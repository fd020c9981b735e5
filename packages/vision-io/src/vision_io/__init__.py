"""Image and video decoding and encoding for PyTorch: from file to tensor in one pass."""

from vision_io.__about__ import __version__

__all__ = ["__version__"]
