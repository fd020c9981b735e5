"""The call that `torch.compile` must not look into. Imported under it only: the decorator loads the compiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

__all__ = ["call"]


def _call(function: Callable[..., Any], *args: Any) -> Any:
    """Return `function(*args)`, run as it stands between two compiled graphs."""
    return function(*args)


call: Any = torch.compiler.disable(_call)
