"""Video understanding for PyTorch: data sets, clip sampling, transforms and models."""

from video.__about__ import __version__

__all__ = ["__version__"]
