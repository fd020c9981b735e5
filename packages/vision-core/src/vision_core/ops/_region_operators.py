"""The linear operators on regions in `torch.ops.vision_core`: each pools by sampling, and knows its transpose.

`roi_align`, `roi_align_rotated`, `roi_align_3d`, `ps_roi_align` and `ps_roi_pool` take the same arguments and differ in
where they look (`_region_taps`). The gradient of each is the operator `<name>_backward`, whose own gradient is the
operator again: pooling is linear in its input.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vision_core import _native
from vision_core._direct import is_transformed, runs_directly
from vision_core._library import library
from vision_core.ops._region_reference import SENSITIVE, pool_reference, spread_reference
from vision_core.ops._regions import check_regions, coordinates, kernel_boxes, wrong_image

__all__ = ["OPERATORS"]


_KINDS = {  # name: number in the native module, values of a box
    "roi_align": (0, 4),
    "roi_align_rotated": (1, 5),
    "roi_align_3d": (2, 6),
    "ps_roi_align": (3, 4),
    "ps_roi_pool": (4, 4),
}
_TOO_LARGE = -2  # images of more than 2**31 pixels, which the kernels do not number
_SETTINGS = "float[] scale, int sampling_ratio, bool aligned"


class _Operator:
    """One operator and its transpose, with all that torch wants to know of them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.number, self.values = _KINDS[name]
        self.sensitive = name in SENSITIVE
        backward = f"{name}_backward"
        library.define(f"{name}(Tensor input, Tensor boxes, SymInt[] output_size, {_SETTINGS}) -> Tensor")
        library.define(f"{backward}(Tensor grad, Tensor boxes, SymInt[] input_shape, {_SETTINGS}) -> Tensor")
        library.impl(name, self.pool_plain, "CompositeExplicitAutograd")
        library.impl(backward, self.spread_plain, "CompositeExplicitAutograd")
        library.impl(name, self.pool, "CPU")
        library.impl(backward, self.spread, "CPU")
        self.forward_operator = getattr(torch.ops.vision_core, name).default
        self.backward_operator = getattr(torch.ops.vision_core, backward).default
        torch.library.register_fake(f"vision_core::{name}", self.pool_fake, lib=library)
        torch.library.register_fake(f"vision_core::{backward}", self.spread_fake, lib=library)
        torch.library.register_autograd(
            f"vision_core::{name}", self.pool_gradient, setup_context=self.remember_input, lib=library
        )
        torch.library.register_autograd(
            f"vision_core::{backward}", self.spread_gradient, setup_context=self.remember_grad, lib=library
        )
        torch.library.register_vmap(f"vision_core::{name}", self.pool_batched, lib=library)
        torch.library.register_vmap(f"vision_core::{backward}", self.spread_batched, lib=library)

    def __call__(
        self,
        input: Tensor,
        boxes: Tensor,
        output_size: list[int],
        scale: list[float],
        sampling_ratio: int,
        aligned: bool,
    ) -> Tensor:
        """Do what the operator in `torch.ops` does, without its overhead where that is possible."""
        if runs_directly(input, boxes):
            if not (input.requires_grad and torch.is_grad_enabled()):
                return self.pool(input, boxes, output_size, scale, sampling_ratio, aligned)
        elif not is_transformed():
            return self.forward_operator(input, boxes, output_size, scale, sampling_ratio, aligned)
        return _Pooling.apply(self, input, boxes, output_size, scale, sampling_ratio, aligned)

    def transpose(self, grad: Tensor, boxes: Tensor, input_shape: list[int], *settings: Any) -> Tensor:
        """Do what the operator for the gradient does."""
        if runs_directly(grad, boxes):
            if not (grad.requires_grad and torch.is_grad_enabled()):
                return self.spread(grad, boxes, input_shape, *settings)
        elif not is_transformed():
            return self.backward_operator(grad, boxes, input_shape, *settings)
        return _Spreading.apply(self, grad, boxes, input_shape, *settings)

    def pool_plain(self, input: Tensor, boxes: Tensor, output_size: list[int], *settings: Any) -> Tensor:
        check_regions(input, boxes, output_size, self.values, self.sensitive)
        return pool_reference(self.name, input, boxes, output_size, *settings)

    def spread_plain(self, grad: Tensor, boxes: Tensor, input_shape: list[int], *settings: Any) -> Tensor:
        return spread_reference(self.name, grad, boxes, input_shape, *settings)

    def pool(
        self,
        input: Tensor,
        boxes: Tensor,
        output_size: list[int],
        scale: list[float],
        sampling_ratio: int,
        aligned: bool,
    ) -> Tensor:
        native = _native.module
        if native is None:
            return self.pool_plain(input, boxes, output_size, scale, sampling_ratio, aligned)
        check_regions(input, boxes, output_size, self.values, self.sensitive)
        dtype = input.dtype
        precise = input if dtype is torch.float32 or dtype is torch.float64 else input.to(torch.float32)
        channels_last = False
        if not precise.is_contiguous():
            channels_last = precise.dim() == 4 and precise.is_contiguous(memory_format=torch.channels_last)
            if not channels_last or self.sensitive or precise.shape[1] < 16:
                precise, channels_last = precise.contiguous(), False
        rois = kernel_boxes(boxes)
        shape = self.pooled_shape(input, boxes, output_size)
        pooled = torch.empty(shape, dtype=precise.dtype)
        bad = native.pool_regions(
            precise.data_ptr(),
            rois.data_ptr(),
            pooled.data_ptr(),
            input.shape,
            shape,
            scale,
            (self.number, sampling_ratio, torch.get_num_threads()),
            (aligned, channels_last, precise.dtype is torch.float64, rois.dtype is torch.float64),
        )
        if bad == _TOO_LARGE:
            return self.pool_plain(input, boxes, output_size, scale, sampling_ratio, aligned)
        if bad >= 0:
            raise wrong_image(boxes, bad, input.shape[0])
        return pooled if precise.dtype is dtype else pooled.to(dtype)

    def spread(
        self,
        grad: Tensor,
        boxes: Tensor,
        input_shape: list[int],
        scale: list[float],
        sampling_ratio: int,
        aligned: bool,
    ) -> Tensor:
        native = _native.module
        if native is None:
            return self.spread_plain(grad, boxes, input_shape, scale, sampling_ratio, aligned)
        dtype = grad.dtype
        precise = (grad if dtype is torch.float32 or dtype is torch.float64 else grad.to(torch.float32)).contiguous()
        rois = kernel_boxes(boxes)
        spread = torch.empty(input_shape, dtype=precise.dtype)
        bad = native.spread_regions(
            precise.data_ptr(),
            rois.data_ptr(),
            spread.data_ptr(),
            input_shape,
            grad.shape,
            scale,
            (self.number, sampling_ratio, torch.get_num_threads()),
            (aligned, False, precise.dtype is torch.float64, rois.dtype is torch.float64),
        )
        if bad == _TOO_LARGE:
            return self.spread_plain(grad, boxes, input_shape, scale, sampling_ratio, aligned)
        if bad >= 0:
            raise wrong_image(boxes, bad, input_shape[0])
        return spread if precise.dtype is dtype else spread.to(dtype)

    def pooled_shape(self, input: Tensor, boxes: Tensor, output_size: list[int]) -> list[int]:
        channels = input.shape[1]
        if self.sensitive:
            channels = channels // (output_size[0] * output_size[1])
        return [boxes.shape[0], channels, *output_size]

    def pool_fake(self, input: Tensor, boxes: Tensor, output_size: list[int], *settings: Any) -> Tensor:
        check_regions(input, boxes, output_size, self.values, self.sensitive)
        return input.new_empty(self.pooled_shape(input, boxes, output_size))

    def spread_fake(self, grad: Tensor, boxes: Tensor, input_shape: list[int], *settings: Any) -> Tensor:
        return grad.new_empty(input_shape)

    def remember_input(self, ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        input, boxes, _, *ctx.settings = inputs
        ctx.save_for_backward(boxes)
        ctx.shape = input.shape

    def pool_gradient(self, ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (boxes,) = ctx.saved_tensors
        return self.transpose(grad, boxes, ctx.shape, *ctx.settings), None, None, None, None, None

    def remember_grad(self, ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        grad, boxes, _, *ctx.settings = inputs
        ctx.save_for_backward(boxes)
        ctx.output_size = grad.shape[2:]

    def spread_gradient(self, ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (boxes,) = ctx.saved_tensors
        return self(grad, boxes, ctx.output_size, *ctx.settings), None, None, None, None, None

    def pool_batched(self, info: Any, dims: tuple[Any, ...], input: Tensor, boxes: Tensor, *rest: Any) -> Any:
        size = info.batch_size
        input, boxes = in_front(input, dims[0], size), in_front(boxes, dims[1], size)
        numbered = number_batches(coordinates(boxes), input.shape[1])
        pooled = self(input.flatten(0, 1), numbered, *rest)
        return pooled.unflatten(0, (size, boxes.shape[1])), 0

    def spread_batched(
        self, info: Any, dims: tuple[Any, ...], grad: Tensor, boxes: Tensor, shape: list[int], *rest: Any
    ) -> Any:
        size = info.batch_size
        grad, boxes = in_front(grad, dims[0], size), in_front(boxes, dims[1], size)
        numbered = number_batches(coordinates(boxes), shape[0])
        spread = self.transpose(grad.flatten(0, 1), numbered, [size * shape[0], *shape[1:]], *rest)
        return spread.unflatten(0, (size, shape[0])), 0


def number_batches(boxes: Tensor, images: int) -> Tensor:
    """Turn boxes `[B, K, V]` on B batches of so many images each into `[B * K, V]` on all of them."""
    shift = torch.arange(boxes.shape[0], dtype=boxes.dtype, device=boxes.device) * images
    return torch.cat((boxes[..., :1] + shift[:, None, None], boxes[..., 1:]), dim=-1).flatten(0, 1)


def in_front(x: Tensor, dim: int | None, size: int) -> Tensor:
    return x.expand(size, *x.shape) if dim is None else x.movedim(dim, 0)


class _Pooling(torch.autograd.Function):
    """The gradient of an operator that is called directly, or under a transformation of `torch.func`."""

    @staticmethod
    def forward(operator: _Operator, input: Tensor, boxes: Tensor, *rest: Any) -> Tensor:
        pool = operator.pool if input.is_cpu and boxes.is_cpu else operator.pool_plain
        return pool(input, boxes, *rest)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.operator = inputs[0]
        ctx.operator.remember_input(ctx, inputs[1:], output)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        return None, *ctx.operator.pool_gradient(ctx, grads[0])

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> Any:
        return inputs[0].pool_batched(info, in_dims[1:], *inputs[1:])


class _Spreading(torch.autograd.Function):
    """The same for the transpose."""

    @staticmethod
    def forward(operator: _Operator, grad: Tensor, boxes: Tensor, *rest: Any) -> Tensor:
        spread = operator.spread if grad.is_cpu and boxes.is_cpu else operator.spread_plain
        return spread(grad, boxes, *rest)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.operator = inputs[0]
        ctx.operator.remember_grad(ctx, inputs[1:], output)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        return None, *ctx.operator.spread_gradient(ctx, grads[0])

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> Any:
        return inputs[0].spread_batched(info, in_dims[1:], *inputs[1:])


OPERATORS = {name: _Operator(name) for name in _KINDS}
