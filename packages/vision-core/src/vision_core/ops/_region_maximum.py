"""RoI pooling in `torch.ops.vision_core`.

`roi_pool_argmax` gives the greatest values and their places, which the gradient needs; `roi_pool` spares the places,
and finds them again should a gradient be asked for after all.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vision_core import _native
from vision_core._direct import is_transformed, runs_directly
from vision_core._library import library
from vision_core.ops._region_operators import in_front, number_batches
from vision_core.ops._region_reference import maximum_reference
from vision_core.ops._regions import check_regions, coordinates, kernel_boxes, wrong_image

__all__ = ["pool_maximum"]


_ARGUMENTS = "(Tensor input, Tensor boxes, SymInt[] output_size, float spatial_scale)"
library.define(f"roi_pool{_ARGUMENTS} -> Tensor")
library.define(f"roi_pool_argmax{_ARGUMENTS} -> (Tensor, Tensor)")
library.define("roi_pool_backward(Tensor grad, Tensor boxes, Tensor argmax, SymInt[] input_shape) -> Tensor")


def pool_maximum(input: Tensor, boxes: Tensor, output_size: list[int], spatial_scale: float) -> Tensor:
    """Do what `roi_pool` in `torch.ops` does, without its overhead where that is possible.

    The places of the maxima are only worth their memory where a gradient is wanted.
    """
    differentiated = input.requires_grad and torch.is_grad_enabled()
    if runs_directly(input, boxes):
        if not differentiated:
            return _pool(input, boxes, output_size, spatial_scale)
    elif not is_transformed():
        if differentiated:
            return torch.ops.vision_core.roi_pool_argmax(input, boxes, output_size, spatial_scale)[0]
        return torch.ops.vision_core.roi_pool(input, boxes, output_size, spatial_scale)
    return _Pooling.apply(input, boxes, output_size, spatial_scale)[0]


def _transpose(grad: Tensor, boxes: Tensor, argmax: Tensor, input_shape: list[int]) -> Tensor:
    """Do what `roi_pool_backward` does."""
    if runs_directly(grad, boxes):
        if not (grad.requires_grad and torch.is_grad_enabled()):
            return _backward(grad, boxes, argmax, input_shape)
    elif not is_transformed():
        return torch.ops.vision_core.roi_pool_backward(grad, boxes, argmax, input_shape)
    return _Spreading.apply(grad, boxes, argmax, input_shape)


class _Pooling(torch.autograd.Function):
    """The gradient of a direct call, or of one under a transformation of `torch.func`."""

    @staticmethod
    def forward(input: Tensor, boxes: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
        return (_argmax if input.is_cpu and boxes.is_cpu else _argmax_plain)(input, boxes, *rest)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        _remember_argmax(ctx, inputs, output)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        return _argmax_gradient(ctx, grads[0], None)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> Any:
        return _argmax_batched(info, in_dims, *inputs)


class _Spreading(torch.autograd.Function):
    """The same for the transpose."""

    @staticmethod
    def forward(grad: Tensor, boxes: Tensor, *rest: Any) -> Tensor:
        return (_backward if grad.is_cpu and boxes.is_cpu else _backward_plain)(grad, boxes, *rest)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _remember_grad(ctx, inputs, output)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        return _backward_gradient(ctx, grads[0])

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> Any:
        return _backward_batched(info, in_dims, *inputs)


@torch.library.impl(library, "roi_pool", "CompositeExplicitAutograd")
def _pool_plain(input: Tensor, boxes: Tensor, output_size: list[int], spatial_scale: float) -> Tensor:
    return _argmax_plain(input, boxes, output_size, spatial_scale)[0]


@torch.library.impl(library, "roi_pool_argmax", "CompositeExplicitAutograd")
def _argmax_plain(input: Tensor, boxes: Tensor, output_size: list[int], spatial_scale: float) -> tuple[Tensor, Tensor]:
    check_regions(input, boxes, output_size, 4, False)
    return maximum_reference(input, boxes, output_size, spatial_scale)


@torch.library.impl(library, "roi_pool_backward", "CompositeExplicitAutograd")
def _backward_plain(grad: Tensor, boxes: Tensor, argmax: Tensor, input_shape: list[int]) -> Tensor:
    spread = grad.new_zeros(input_shape, dtype=torch.float64 if grad.dtype == torch.float64 else torch.float32)
    if spread.numel() > 0:
        values = torch.where(argmax >= 0, grad, 0).to(spread.dtype)
        spread.view(-1).index_add_(0, _places(boxes, argmax, input_shape).flatten(), values.flatten())
    return spread.to(grad.dtype)


def _places(boxes: Tensor, argmax: Tensor, input_shape: list[int]) -> Tensor:
    """Return the places of maxima in the whole input, `[K, C, height, width]`."""
    plane = boxes[:, 0].to(torch.int64)[:, None] * input_shape[1]
    plane = plane + torch.arange(input_shape[1], device=boxes.device)
    return plane[:, :, None, None] * (input_shape[2] * input_shape[3]) + argmax.clamp(min=0)


@torch.library.impl(library, "roi_pool", "CPU")
def _pool(input: Tensor, boxes: Tensor, output_size: list[int], spatial_scale: float) -> Tensor:
    if _native.module is None:
        return _pool_plain(input, boxes, output_size, spatial_scale)
    return _run(input, boxes, output_size, spatial_scale, places=False)[0]


@torch.library.impl(library, "roi_pool_argmax", "CPU")
def _argmax(input: Tensor, boxes: Tensor, output_size: list[int], spatial_scale: float) -> tuple[Tensor, Tensor]:
    if _native.module is None:
        return _argmax_plain(input, boxes, output_size, spatial_scale)
    return _run(input, boxes, output_size, spatial_scale, places=True)


def _run(
    input: Tensor, boxes: Tensor, output_size: list[int], spatial_scale: float, places: bool
) -> tuple[Tensor, Tensor]:
    check_regions(input, boxes, output_size, 4, False)
    dtype = input.dtype
    precise = (input if dtype is torch.float32 or dtype is torch.float64 else input.to(torch.float32)).contiguous()
    rois = kernel_boxes(boxes)
    shape = [boxes.shape[0], input.shape[1], output_size[0], output_size[1]]
    pooled = torch.empty(shape, dtype=precise.dtype)
    argmax = torch.empty(shape if places else 0, dtype=torch.int32)
    bad = _native.module.max_regions(
        precise.data_ptr(),
        rois.data_ptr(),
        pooled.data_ptr(),
        argmax.data_ptr() if places else 0,
        input.shape,
        shape,
        spatial_scale,
        torch.get_num_threads(),
        (precise.dtype is torch.float64, rois.dtype is torch.float64),
    )
    if bad >= 0:
        raise wrong_image(boxes, bad, input.shape[0])
    if bad != -1:
        raise ValueError(f"input: expected images of less than 2**31 pixels, got {tuple(input.shape)}")
    if precise.dtype is not dtype:
        pooled = pooled.clamp(min=torch.finfo(dtype).min).to(dtype)
    return pooled, argmax


@torch.library.impl(library, "roi_pool_backward", "CPU")
def _backward(grad: Tensor, boxes: Tensor, argmax: Tensor, input_shape: list[int]) -> Tensor:
    native = _native.module
    if native is None:
        return _backward_plain(grad, boxes, argmax, input_shape)
    dtype = grad.dtype
    precise = (grad if dtype is torch.float32 or dtype is torch.float64 else grad.to(torch.float32)).contiguous()
    rois = kernel_boxes(boxes)
    argmax = argmax.contiguous()
    spread = torch.empty(input_shape, dtype=precise.dtype)
    bad = native.spread_max_regions(
        precise.data_ptr(),
        rois.data_ptr(),
        argmax.data_ptr(),
        spread.data_ptr(),
        input_shape,
        grad.shape,
        torch.get_num_threads(),
        (precise.dtype is torch.float64, rois.dtype is torch.float64),
    )
    if bad >= 0:
        raise wrong_image(boxes, bad, input_shape[0])
    return spread if precise.dtype is dtype else spread.to(dtype)


@torch.library.register_fake("vision_core::roi_pool", lib=library)
def _pool_fake(input: Tensor, boxes: Tensor, output_size: list[int], spatial_scale: float) -> Tensor:
    check_regions(input, boxes, output_size, 4, False)
    return input.new_empty([boxes.shape[0], input.shape[1], *output_size])


@torch.library.register_fake("vision_core::roi_pool_argmax", lib=library)
def _argmax_fake(input: Tensor, boxes: Tensor, output_size: list[int], spatial_scale: float) -> tuple[Tensor, Tensor]:
    pooled = _pool_fake(input, boxes, output_size, spatial_scale)
    return pooled, torch.empty_like(pooled, dtype=torch.int32)


@torch.library.register_fake("vision_core::roi_pool_backward", lib=library)
def _backward_fake(grad: Tensor, boxes: Tensor, argmax: Tensor, input_shape: list[int]) -> Tensor:
    return grad.new_empty(input_shape)


def _remember_input(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    input, boxes, ctx.output_size, ctx.spatial_scale = inputs
    ctx.save_for_backward(input, boxes)


def _pool_gradient(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    input, boxes = ctx.saved_tensors
    _, argmax = torch.ops.vision_core.roi_pool_argmax(input.detach(), boxes, ctx.output_size, ctx.spatial_scale)
    return _transpose(grad, boxes, argmax, input.shape), None, None, None


def _remember_argmax(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(inputs[1], output[1])
    ctx.mark_non_differentiable(output[1])
    ctx.set_materialize_grads(False)  # else zeros as large as the places are made for them at each call
    ctx.shape = inputs[0].shape


def _argmax_gradient(ctx: Any, grad: Tensor | None, _: Tensor | None) -> tuple[Tensor | None, ...]:
    if grad is None:
        return None, None, None, None
    boxes, argmax = ctx.saved_tensors
    return _transpose(grad, boxes, argmax, ctx.shape), None, None, None


def _remember_grad(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    _, boxes, argmax, ctx.shape = inputs
    ctx.save_for_backward(boxes, argmax)


def _backward_gradient(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    """Look up what arrives at the places of the maxima."""
    boxes, argmax = ctx.saved_tensors
    if grad.numel() == 0:
        return grad.new_zeros(argmax.shape), None, None, None
    found = grad.reshape(-1)[_places(boxes, argmax, ctx.shape)]
    return torch.where(argmax >= 0, found, 0), None, None, None


def _pool_batched(
    info: Any, dims: tuple[Any, ...], input: Tensor, boxes: Tensor, output_size: list[int], spatial_scale: float
) -> Any:
    (pooled, _), dims = _argmax_batched(info, dims, input, boxes, output_size, spatial_scale)
    return pooled, dims[0]


def _argmax_batched(
    info: Any, dims: tuple[Any, ...], input: Tensor, boxes: Tensor, output_size: list[int], spatial_scale: float
) -> Any:
    size = info.batch_size
    input, boxes = in_front(input, dims[0], size), in_front(boxes, dims[1], size)
    numbered = number_batches(coordinates(boxes), input.shape[1])
    both = _Pooling.apply if is_transformed() else torch.ops.vision_core.roi_pool_argmax  # another one may follow
    found = both(input.flatten(0, 1), numbered, output_size, spatial_scale)
    return tuple(x.unflatten(0, (size, boxes.shape[1])) for x in found), (0, 0)


def _backward_batched(
    info: Any, dims: tuple[Any, ...], grad: Tensor, boxes: Tensor, argmax: Tensor, input_shape: list[int]
) -> Any:
    size = info.batch_size
    grad, boxes, argmax = (in_front(x, dim, size) for x, dim in zip((grad, boxes, argmax), dims, strict=False))
    numbered = number_batches(coordinates(boxes), input_shape[0])
    shape = [size * input_shape[0], *input_shape[1:]]
    spread = _transpose(grad.flatten(0, 1), numbered, argmax.flatten(0, 1), shape)
    return spread.unflatten(0, (size, input_shape[0])), 0


for _name, _gradient, _remember, _batched in (
    ("roi_pool", _pool_gradient, _remember_input, _pool_batched),
    ("roi_pool_argmax", _argmax_gradient, _remember_argmax, _argmax_batched),
    ("roi_pool_backward", _backward_gradient, _remember_grad, _backward_batched),
):
    torch.library.register_autograd(f"vision_core::{_name}", _gradient, setup_context=_remember, lib=library)
    torch.library.register_vmap(f"vision_core::{_name}", _batched, lib=library)
