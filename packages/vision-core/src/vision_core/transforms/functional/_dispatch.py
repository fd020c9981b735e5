"""One name for one operation on every kind of image.

The kernel for tensors carries the documentation and the signature; one line declares the operation by naming its
kernel for each kind of input:

    crop = functional(crop_image, pil=_crop_pil)

`crop(inpt, ...)` then takes a tensor or a PIL image and gives back the same kind.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from torch import Tensor

from vision_core._pillow import is_pil_image

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["functional"]

P = ParamSpec("P")
T = TypeVar("T", "Tensor", "Image")


def functional(
    image: Callable[Concatenate[Tensor, P], Tensor], *, pil: Callable[Concatenate[Image, P], Image]
) -> Callable[Concatenate[T, P], T]:
    """Declare an operation by its kernels: `image`, named `<operation>_image`, for tensors, `pil` for PIL images."""
    name = image.__name__.removesuffix("_image")

    def dispatch(inpt: Any, *args: P.args, **kwargs: P.kwargs) -> Any:
        if isinstance(inpt, Tensor):
            return image(inpt, *args, **kwargs)
        if is_pil_image(inpt):
            return pil(inpt, *args, **kwargs)
        raise TypeError(f"{name}: expected a tensor or a PIL image, got {type(inpt).__name__}")

    signature = inspect.signature(image)
    first, *others = signature.parameters.values()
    dispatch.__name__ = dispatch.__qualname__ = name
    dispatch.__module__ = image.__module__
    dispatch.__doc__ = image.__doc__
    dispatch.__signature__ = signature.replace(parameters=[first.replace(name="inpt"), *others])  # type: ignore[attr-defined]
    return dispatch
