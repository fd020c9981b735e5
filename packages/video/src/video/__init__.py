"""Video understanding for PyTorch: data sets, clip sampling, transforms and models.

Its parts (``video.models``, ``video.data``, ...) are imported on first use.
"""

import importlib
from typing import TYPE_CHECKING

from video.__about__ import __version__

if TYPE_CHECKING:
    from video import data, layers, losses, models, transforms

__all__ = ["__version__", "data", "layers", "losses", "models", "transforms"]


def __getattr__(name: str):
    if name in __all__:
        return importlib.import_module(f"video.{name}")
    raise AttributeError(f"module 'video' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
