"""The namespace `torch.ops.vision_core`, which all operators of this package are registered in."""

from __future__ import annotations

import torch

__all__ = ["library"]

library = torch.library.Library("vision_core", "DEF")
