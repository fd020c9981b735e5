"""One name for one operation on every kind of input.

An operation is declared once, by its kernels. The kernel for image tensors carries the documentation and the
signature; the others take the same arguments, or some of them, and those for boxes and keypoints also whatever they
name of `format`, `canvas_size` and `clamping_mode`:

    crop = functional(
        crop_image, mask=crop_mask, boxes=crop_bounding_boxes, keypoints=crop_keypoints, pil=_crop_pil
    )

`crop(inpt, ...)` then takes a tensor, a typed tensor, a PIL image or a NumPy array `[..., H, W, C]` and gives back the
same kind. What has no kernel of its own: PIL images and arrays go through the kernel for tensors, videos through that
for images; masks, boxes and keypoints are refused, and transforms hand them on as they are.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol, cast

import numpy as np
import torch
from torch import Tensor

from vision_core._pillow import is_pil_image
from vision_core.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, TVTensor, Video
from vision_core.tv_tensors._base import plain, take_type

__all__ = ["Functional", "functional", "is_pure_tensor", "mask_kernel", "register_kernel", "video_kernel"]

Kernel = Callable[..., Any]
_DERIVE: Any = object()  # an argument that was not given


class Functional(Protocol):
    """What `functional` returns: a function, with its kernels."""

    __name__: str
    kernels: dict[type, Kernel]
    parameters: tuple[str, ...]

    def __call__(self, inpt: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Run the kernel for the type of `inpt`."""
        ...


def functional(
    kernel: Kernel,
    *,
    image: Kernel | None = _DERIVE,
    video: Kernel | None = _DERIVE,
    mask: Kernel | None = None,
    boxes: Kernel | None = None,
    keypoints: Kernel | None = None,
    pil: Kernel | None = _DERIVE,
    array: Kernel | None = _DERIVE,
) -> Functional:
    """Declare an operation.

    Args:
        kernel: for plain tensors; named `<operation>_image` or `<operation>_video`.
        image: for `Image`; `kernel` unless said otherwise, None: not supported.
        video: for `Video`; `kernel` unless said otherwise, None: not supported.
        mask: for `Mask`; None: not supported.
        boxes: for `BoundingBoxes`; returns the boxes, or (boxes, canvas_size) when the canvas changes.
        keypoints: for `KeyPoints`; returns the points, or (points, canvas_size).
        pil: for PIL images; through `kernel` unless said otherwise, None: not supported.
        array: for NumPy arrays `[..., H, W, C]` or `[H, W]`; through `kernel` unless said otherwise.

    Returns:
        The function; `kernels` maps types to what runs for them, `parameters` are the names of its arguments.
    """
    name = kernel.__name__.removesuffix("_image").removesuffix("_video")
    signature = inspect.signature(kernel)
    first, *others = signature.parameters.values()
    names = tuple(parameter.name for parameter in others)
    kernels: dict[type, Kernel] = {Tensor: kernel, torch.nn.Parameter: kernel}

    def dispatch(inpt: Any = _DERIVE, *args: Any, **kwargs: Any) -> Any:
        chosen = kernels.get(type(inpt))
        if chosen is None:
            if inpt is _DERIVE:
                return dispatch(_input_by_name(name, kwargs), **kwargs)
            chosen = find_kernel(cast("Functional", dispatch), inpt)
            if chosen is None:
                raise TypeError(
                    f"{name}: expected a tensor or a PIL image, {_kinds(kernels)}, got {type(inpt).__name__}"
                )
        return chosen(inpt, *args, **kwargs)

    for kind, own in ((Image, image), (Video, video)):
        own = kernel if own is _DERIVE else own
        if own is not None:
            kernels[kind] = _typed(own, names, kind)
    for kind, own in ((Mask, mask), (BoundingBoxes, boxes), (KeyPoints, keypoints)):
        if own is not None:
            kernels[kind] = _typed(own, names, kind)
    pil = _through_tensor(kernel) if pil is _DERIVE else pil
    if pil is not None:
        kernels[_PIL] = pil
    array = _array(kernel) if array is _DERIVE else array
    if array is not None:
        kernels[np.ndarray] = array

    dispatch.__name__ = dispatch.__qualname__ = name
    dispatch.__module__ = kernel.__module__
    dispatch.__doc__ = kernel.__doc__
    dispatch.__signature__ = signature.replace(parameters=[first.replace(name="inpt"), *others])  # type: ignore[attr-defined]
    dispatch.kernels = kernels  # type: ignore[attr-defined]
    dispatch.parameters = names  # type: ignore[attr-defined]
    return cast("Functional", dispatch)


class _PIL:
    """Stands for `PIL.Image.Image` and its subclasses among the kernels, as Pillow may not be imported yet."""


def find_kernel(operation: Functional, inpt: Any) -> Kernel | None:
    """Return what `operation` runs for `inpt`, or None; derived types get the kernel of their base."""
    kernels = operation.kernels
    kind = type(inpt)
    if kind in kernels:
        return kernels[kind]
    if is_pil_image(inpt):
        return kernels.get(_PIL)
    if not isinstance(inpt, (Tensor, np.ndarray)):
        return None
    for base in kind.__mro__:
        if base in kernels:
            return kernels[base]
        if base is TVTensor:  # a type of its own, not an image
            return None
    return None


def _input_by_name(operation: str, kwargs: dict[str, Any]) -> Any:
    """Take the input out of arguments that all have names: torchvision called it otherwise in its first generation."""
    for key in ("img", "image", "tensor", "pic"):
        if key in kwargs:
            return kwargs.pop(key)
    raise TypeError(f"{operation}: expected an input, a tensor or an image; got only {sorted(kwargs) or 'nothing'}")


def is_pure_tensor(inpt: Any) -> bool:
    """Say whether something is a tensor whose type does not tell what it holds.

    Examples:
        >>> is_pure_tensor(torch.zeros(1)), is_pure_tensor(Mask(torch.zeros(1, 1)))
        (True, False)
    """
    return isinstance(inpt, Tensor) and not isinstance(inpt, TVTensor)


def _kinds(kernels: dict[type, Kernel]) -> str:
    return "a NumPy array or one of " + ", ".join(k.__name__ for k in kernels if issubclass(k, TVTensor))


def register_kernel(functional: Functional, tv_tensor_cls: type[TVTensor]) -> Callable[[Kernel], Kernel]:
    """Decorate the kernel of an operation for an own type of tensor; it gets the input as it is.

    Args:
        functional: the operation, such as `functional.horizontal_flip`.
        tv_tensor_cls: a subclass of `TVTensor`, not one of this package.

    Raises:
        TypeError: `functional` is no operation, or the class is none of yours.

    Examples:
        >>> from vision_core.transforms import functional as F
        >>> class Depth(TVTensor): ...
        >>> @register_kernel(F.horizontal_flip, Depth)
        ... def flip_depth(depth):
        ...     return depth.flip(-1).as_subclass(Depth)
        >>> type(F.horizontal_flip(torch.zeros(2, 2).as_subclass(Depth))).__name__
        'Depth'
    """
    if not hasattr(functional, "kernels"):
        raise TypeError(f"functional: expected an operation of vision_core.transforms.functional, got {functional!r}")
    if not (isinstance(tv_tensor_cls, type) and issubclass(tv_tensor_cls, TVTensor)):
        raise TypeError(f"tv_tensor_cls: expected a subclass of TVTensor, got {tv_tensor_cls!r}")
    if tv_tensor_cls in (Image, Video, Mask, BoundingBoxes, KeyPoints):
        raise TypeError(f"tv_tensor_cls: {tv_tensor_cls.__name__} has its kernels; derive a type of your own")

    def register(kernel: Kernel) -> Kernel:
        functional.kernels[tv_tensor_cls] = kernel
        return kernel

    return register


def _typed(kernel: Kernel, names: tuple[str, ...], kind: type[TVTensor]) -> Kernel:
    """Unwrap a typed input, hand the kernel what it knows of the arguments and of the metadata, and wrap the result."""
    accepted = tuple(inspect.signature(kernel).parameters)[1:]
    if accepted == names:

        def straight(inpt: TVTensor, *args: Any, **kwargs: Any) -> Any:
            return _wrap(kernel(plain(inpt), *args, **kwargs), inpt, kind)

        return straight
    unknown = tuple(name for name in names if name not in accepted)
    asked = tuple(name for name in kind._metadata if name in accepted)

    def chosen(inpt: TVTensor, *args: Any, **kwargs: Any) -> Any:
        if args:
            if len(args) > len(names) or any(name in kwargs for name in names[: len(args)]):
                raise TypeError(f"{kernel.__name__}: expected arguments {names}, got {args} and {kwargs}")
            kwargs.update(zip(names, args, strict=False))
        for name in unknown:
            kwargs.pop(name, None)
        known = {name: getattr(inpt, name) for name in asked}
        return _wrap(kernel(plain(inpt), **kwargs, **known), inpt, kind)

    return chosen


def _wrap(output: Any, like: TVTensor, kind: type[TVTensor]) -> Any:
    """Give what a kernel made of the plain view of `like`, so nobody else holds it, the type of `like`."""
    retype: Any = take_type
    if type(like) is not kind:  # spelt out, as torch.compile follows a type that it knows by name
        kind = type(like)
        retype = _wrap_as
    if isinstance(output, Tensor):
        return retype(output, kind, like)
    if kind._metadata:
        typed = retype(output[0], kind, like)
        typed.canvas_size = tuple(output[1])
        return typed
    return type(output)(retype(tensor, kind, like) for tensor in output)  # several crops


def _wrap_as(tensor: Tensor, kind: type[TVTensor], like: TVTensor) -> TVTensor:
    return kind.wrap(tensor, like)  # a derived type may have its own way


def _through_tensor(kernel: Kernel) -> Kernel:
    """Make a kernel for PIL images of one for tensors."""

    def pil(inpt: Any, *args: Any, **kwargs: Any) -> Any:
        from vision_core.transforms.functional._conversion import pil_to_tensor, to_pil_image

        output = kernel(pil_to_tensor(inpt), *args, **kwargs)
        if isinstance(output, Tensor):
            return to_pil_image(output, _mode(inpt.mode, output))
        return type(output)(to_pil_image(tensor, _mode(inpt.mode, tensor)) for tensor in output)

    return pil


def _mode(mode: str, output: Tensor) -> str | None:
    """Keep the mode where the number of channels still fits it."""
    channels = {"RGB": 3, "RGBA": 4, "RGBX": 4, "CMYK": 4, "YCbCr": 3, "LAB": 3, "HSV": 3, "LA": 2, "F": 1}.get(mode)
    return mode if channels == output.shape[-3] else None


def _array(kernel: Kernel) -> Kernel:
    """Make a kernel for arrays `[..., H, W, C]` and `[H, W]` of one for tensors."""

    def array(inpt: np.ndarray, *args: Any, **kwargs: Any) -> Any:
        output = kernel(array_to_tensor(inpt), *args, **kwargs)
        if isinstance(output, Tensor):
            return tensor_to_array(output, inpt.ndim)
        return type(output)(tensor_to_array(tensor, inpt.ndim) for tensor in output)

    return array


def array_to_tensor(array: np.ndarray) -> Tensor:
    """View `[..., H, W, C]` as `[..., C, H, W]` and `[H, W]` as `[1, H, W]`; copies only what torch cannot view."""
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        array = array.copy()
    tensor = torch.from_numpy(array)
    return tensor[None] if tensor.ndim == 2 else tensor.movedim(-1, -3)


def tensor_to_array(tensor: Tensor, ndim: int) -> np.ndarray:
    """Undo `array_to_tensor` for a result; `ndim` is that of the array which came in."""
    if ndim == 2 and tensor.shape[-3] == 1:
        return tensor[..., 0, :, :].numpy()
    return np.ascontiguousarray(tensor.movedim(-3, -1).numpy())


def mask_kernel(kernel: Kernel) -> Kernel:
    """Derive the kernel for masks of one for images: `[H, W]` is allowed, and the nearest pixel is taken, unmixed.

    Args:
        kernel: `<operation>_image`. Of its arguments, `interpolation` and `antialias` are settled for masks.

    Returns:
        `<operation>_mask`, with the remaining arguments.
    """
    signature = inspect.signature(kernel)
    first, *others = signature.parameters.values()
    settled = {
        name: value
        for name, value in {"interpolation": "nearest", "antialias": False}.items()
        if name in signature.parameters
    }
    kept = [parameter for parameter in others if parameter.name not in settled]
    names = tuple(parameter.name for parameter in kept)

    def mask_of(mask: Tensor, *args: Any, **kwargs: Any) -> Any:
        if settled:
            kwargs = dict(zip(names, args, strict=False), **kwargs, **settled)
            args = ()
        flat = mask.ndim < 3
        output = kernel(mask[None] if flat else mask, *args, **kwargs)
        return output[0] if flat else output

    mask_of.__signature__ = signature.replace(parameters=[first.replace(name="mask"), *kept])  # type: ignore[attr-defined]
    return _named(mask_of, kernel, "mask", "masks `[..., H, W]`")


def video_kernel(kernel: Kernel) -> Kernel:
    """Give a kernel for images `[..., C, H, W]` the name that it has for videos `[..., T, C, H, W]`."""
    signature = inspect.signature(kernel)
    first, *others = signature.parameters.values()

    def video_of(video: Tensor, *args: Any, **kwargs: Any) -> Any:
        return kernel(video, *args, **kwargs)

    video_of.__signature__ = signature.replace(parameters=[first.replace(name="video"), *others])  # type: ignore[attr-defined]
    return _named(video_of, kernel, "video", "videos `[..., T, C, H, W]`")


def _named(made: Kernel, kernel: Kernel, kind: str, inputs: str) -> Kernel:
    made.__name__ = made.__qualname__ = kernel.__name__.removesuffix("_image") + f"_{kind}"
    made.__module__ = kernel.__module__
    made.__doc__ = f"Do to {inputs} what `{kernel.__name__}` does to images; see there."
    return made
