"""Deformable convolution: a convolution whose taps are moved by learnt offsets, and weighted by learnt masks."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import init
from torch.nn.modules.utils import _pair

from vision_core import _native
from vision_core._library import library
from vision_core.ops._deform_reference import check_deform_arguments, deform_conv2d_reference

__all__ = ["DeformConv2d", "deform_conv2d"]

_MOST_COLUMNS = 1 << 19  # values that are sampled before they are multiplied: so many stay in the cache of a core
_LEAST_POSITIONS = 64  # but no fewer at a time, so that matrices are not too narrow
_SMALL = 1 << 16  # multiplications that take no longer than a call of torch's matrix product


def deform_conv2d(
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    dilation: tuple[int, int] = (1, 1),
    mask: Tensor | None = None,
) -> Tensor:
    """Convolve images, each tap taken at its place plus an offset, bilinearly.

    Without `mask` this is Dai et al., "Deformable Convolutional Networks", ICCV 2017; with it Zhu et al., "Deformable
    ConvNets v2", CVPR 2019. It can be scripted, compiled and exported, and is differentiable with respect to all
    tensors.

    Args:
        input: `[N, C, H, W]` floating point.
        offset: `[N, 2 * G * kh * kw, H', W']`: for each of G offset groups and each tap, what is added to y and to x,
            in pixels. G divides C; each group moves C / G channels.
        weight: `[C', C / groups, kh, kw]`.
        bias: `[C']`.
        stride: distance of the output's positions, (vertical, horizontal) or one value for both.
        padding: rows and columns of zeros around the image.
        dilation: distance of taps.
        mask: `[N, G * kh * kw, H', W']`: what the value of each tap is multiplied with.

    Returns:
        `[N, C', H', W']`, dtype of `input`; half precision is computed in float32. Pixels outside of the image count as
        0, and so do taps whose offset is NaN.

    Raises:
        ValueError: shapes that do not fit, or settings out of their ranges.
        TypeError: a tensor that is not floating point.

    Examples:
        >>> import torch
        >>> image = torch.arange(9.0).view(1, 1, 3, 3)
        >>> half_a_pixel_right = torch.tensor([0.0, 0.5]).view(1, 2, 1, 1).expand(1, 2, 3, 3)
        >>> deform_conv2d(image, half_a_pixel_right, torch.ones(1, 1, 1, 1))[0, 0].tolist()
        [[0.5, 1.5, 1.0], [3.5, 4.5, 2.5], [6.5, 7.5, 4.0]]
    """
    return torch.ops.vision_core.deform_conv2d(
        input, offset, weight, bias, mask, _two(stride), _two(padding), _two(dilation)
    )


def _two(value: tuple[int, int]) -> list[int]:
    if isinstance(value, int):  # not where types are enforced, in TorchScript
        return [value, value]
    return [value[0], value[1]]


class DeformConv2d(nn.Module):
    """`deform_conv2d` with learnt weights, which start as those of `torch.nn.Conv2d` do.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: taps, (vertical, horizontal) or one value for both.
        stride: distance of the output's positions.
        padding: rows and columns of zeros around the image.
        dilation: distance of taps.
        groups: groups of channels that are convolved apart.
        bias: whether there is one.

    Raises:
        ValueError: channels that are no multiple of `groups`.

    Examples:
        >>> import torch
        >>> convolution = DeformConv2d(4, 8, kernel_size=3, padding=1)
        >>> convolution(torch.zeros(1, 4, 5, 6), torch.zeros(1, 18, 5, 6)).shape
        torch.Size([1, 8, 5, 6])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups != 0:
                raise ValueError(f"{name}: expected a multiple of groups={groups}, got {channels}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _pair(kernel_size)
        self.stride = _pair(stride)
        self.padding = _pair(padding)
        self.dilation = _pair(dilation)
        self.groups = groups
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels // groups, *self.kernel_size))
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.weight[0].numel())
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor, offset: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve; see `deform_conv2d`."""
        return deform_conv2d(input, offset, self.weight, self.bias, self.stride, self.padding, self.dilation, mask=mask)

    def extra_repr(self) -> str:
        """List the settings that differ from their defaults."""
        settings = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        settings += f", padding={self.padding}" if self.padding != (0, 0) else ""
        settings += f", dilation={self.dilation}" if self.dilation != (1, 1) else ""
        settings += f", groups={self.groups}" if self.groups != 1 else ""
        return settings + (", bias=False" if self.bias is None else "")


_TENSORS = "Tensor input, Tensor offset, Tensor weight, Tensor? bias, Tensor? mask"
_SETTINGS = "int[2] stride, int[2] padding, int[2] dilation"
library.define(f"deform_conv2d({_TENSORS}, {_SETTINGS}) -> Tensor")
library.define(
    f"deform_conv2d_backward(Tensor grad, {_TENSORS}, {_SETTINGS}, bool[] needed) -> (Tensor, Tensor, Tensor, Tensor)"
)
torch.library.impl(library, "deform_conv2d", "CompositeExplicitAutograd")(deform_conv2d_reference)


_Extent = tuple[int, int, int, int]  # of the output: height and width; groups of weights and of offsets
_Settings = tuple[list[int], list[int], list[int]]  # stride, padding, dilation


def _sizes(input: Tensor, weight: Tensor, settings: _Settings, extent: _Extent) -> tuple[int, ...]:
    """What the native functions need to know, in their order."""
    stride, padding, dilation = settings
    _, channels, height, width = input.shape
    kernel_height, kernel_width = weight.shape[2:]
    return (
        height, width, channels, kernel_height, kernel_width, *stride, *padding, *dilation, extent[0], extent[1],
        extent[3], extent[2],
    )  # fmt: skip


def _address(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


def _as_dtype(tensor: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    return None if tensor is None else tensor.to(dtype).contiguous()


class _Plan:
    """A convolution cut into parts whose columns fit the cache."""

    def __init__(
        self,
        tensors: tuple[Tensor, Tensor, Tensor, Tensor | None],
        settings: _Settings,
        extent: _Extent,
        dtype: torch.dtype,
    ) -> None:
        input, offset, weight, mask = tensors
        self.sizes = _sizes(input, weight, settings, extent)
        self.groups, self.dtype = extent[2], dtype
        self.positions = extent[0] * extent[1]
        self.batch, channels = input.shape[:2]
        self.columns = weight.shape[2] * weight.shape[3] * weight.shape[1]  # of a group and position
        self.pixels = input.to(dtype).permute(0, 2, 3, 1).contiguous()
        self.offset, self.mask = offset.to(dtype).contiguous(), _as_dtype(mask, dtype)
        # (groups, C' / groups, taps * C / groups): a position's columns are ordered like that, too.
        outputs, inputs = weight.shape[0] // self.groups, channels // self.groups
        grouped = weight.to(dtype).reshape(self.groups, outputs, inputs, weight.shape[2] * weight.shape[3])
        self.weight = grouped.transpose(2, 3).reshape(self.groups, outputs, self.columns)
        self.memory = torch.empty(0, dtype=dtype)
        self.threads = torch.get_num_threads()

    def parts(self) -> list[tuple[int, int, int, int]]:
        """(first image, images, first position, last position + 1) of each part."""
        fitting = max(self.threads * _MOST_COLUMNS // max(self.columns * self.groups, 1), _LEAST_POSITIONS)
        if fitting >= self.positions:
            step = max(fitting // self.positions, 1)
            starts = range(0, self.batch, step)
            return [(i, min(step, self.batch - i), 0, self.positions) for i in starts]
        count = -(-self.positions // fitting)
        step = -(-self.positions // count)
        starts = range(0, self.positions, step)
        return [(i, 1, p, min(p + step, self.positions)) for i in range(self.batch) for p in starts]

    def pointers(self) -> tuple[int, int, int, bool, int]:
        is_double = self.dtype == torch.float64
        return self.pixels.data_ptr(), self.offset.data_ptr(), _address(self.mask), is_double, self.threads

    def empty_columns(self, part: tuple[int, int, int, int]) -> Tensor:
        shape = (part[1], self.groups, part[3] - part[2], self.columns)
        values = math.prod(shape)
        if self.memory.numel() < values:  # all parts but the last are equally large
            self.memory = torch.empty(values, dtype=self.dtype)
        return self.memory[:values].view(shape)

    def sample(self, part: tuple[int, int, int, int]) -> Tensor:
        """(images, groups, positions, taps * C / groups)."""
        columns = self.empty_columns(part)
        _native.module.deform_conv_sample(self.sizes, *part, *self.pointers(), columns.data_ptr())
        return columns


def _runs_native(input: Tensor) -> bool:
    return _native.module is not None and input.device.type == "cpu"


@torch.library.impl(library, "deform_conv2d", "CPU")
def _forward(
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    mask: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
) -> Tensor:
    if _native.module is None:
        return deform_conv2d_reference(input, offset, weight, bias, mask, stride, padding, dilation)
    extent = check_deform_arguments(input, offset, weight, bias, mask, stride, padding, dilation)
    settings = (stride, padding, dilation)
    dtype = torch.float64 if input.dtype == torch.float64 else torch.float32
    batch, out_channels = input.shape[0], weight.shape[0]
    if batch * extent[0] * extent[1] * weight.numel() <= _SMALL:
        out = torch.empty((batch, out_channels, extent[0], extent[1]), dtype=dtype)
        tensors = [_as_dtype(tensor, dtype) for tensor in (input, offset, weight, bias, mask)]
        sizes = _sizes(input, weight, settings, extent)
        addresses = [_address(tensor) for tensor in tensors]
        _native.module.deform_conv_small(sizes, batch, out_channels, *addresses, dtype == torch.float64, out.data_ptr())
        return out.to(input.dtype)
    plan = _Plan((input, offset, weight, mask), settings, extent, dtype)
    out = torch.empty((batch, plan.groups, out_channels // plan.groups, plan.positions), dtype=dtype)
    for part in plan.parts():
        columns = plan.sample(part).transpose(2, 3)
        _multiply(plan.weight, columns, out[part[0] : part[0] + part[1], :, :, part[2] : part[3]])
    if bias is not None:
        out += bias.to(dtype).reshape(plan.groups, out_channels // plan.groups, 1)
    return out.view(batch, out_channels, extent[0], extent[1]).to(input.dtype)


def _multiply(weight: Tensor, columns: Tensor, target: Tensor) -> None:
    """target[i, g] = weight[g] @ columns[i, g], into the memory of `target`."""
    if columns.shape[0] * columns.shape[1] == 1:
        torch.mm(weight[0], columns[0, 0], out=target[0, 0])
    else:
        torch.matmul(weight, columns, out=target)


@torch.library.impl(library, "deform_conv2d_backward", "CPU")
def _backward(
    grad: Tensor,
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    mask: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    needed: list[bool],
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients of input, offset, weight and mask, as far as needed; the others are empty."""
    extent = check_deform_arguments(input, offset, weight, bias, mask, stride, padding, dilation)
    dtype = torch.float64 if input.dtype == torch.float64 else torch.float32
    plan = _Plan((input, offset, weight, mask), (stride, padding, dilation), extent, dtype)
    grad = grad.to(plan.dtype).reshape(plan.batch, plan.groups, weight.shape[0] // plan.groups, plan.positions)
    pixels = torch.zeros_like(plan.pixels) if needed[0] else None
    offsets = torch.empty_like(plan.offset) if needed[1] else None  # every value will be written
    masks = torch.empty_like(plan.mask) if needed[3] and plan.mask is not None else None
    weights = None
    targets = (_address(pixels), _address(offsets), _address(masks))
    for part in plan.parts():
        slice_of_grad = grad[part[0] : part[0] + part[1], :, :, part[2] : part[3]]
        if any(targets):
            columns = plan.empty_columns(part)
            torch.matmul(slice_of_grad.transpose(2, 3), plan.weight, out=columns)
            _native.module.deform_conv_gradients(plan.sizes, *part, *plan.pointers(), columns.data_ptr(), *targets)
        if needed[2]:
            product = slice_of_grad @ plan.sample(part)
            product = product[0] if part[1] == 1 else product.sum(0)
            weights = product if weights is None else weights.add_(product)
    if needed[2] and weights is None:  # there are no images
        weights = torch.zeros_like(plan.weight)
    empty = grad.new_empty(0)
    return (
        empty if pixels is None else pixels.permute(0, 3, 1, 2).to(input.dtype).contiguous(),
        empty if offsets is None else offsets.to(offset.dtype),
        empty if weights is None else _as_weight(weights, weight),
        empty if masks is None or mask is None else masks.to(mask.dtype),
    )


def _as_weight(gradient: Tensor, weight: Tensor) -> Tensor:
    taps = weight.shape[2] * weight.shape[3]
    ordered = gradient.view(gradient.shape[0], gradient.shape[1], taps, weight.shape[1]).transpose(2, 3)
    return ordered.reshape(weight.shape).to(weight.dtype).contiguous()


@torch.library.register_fake("vision_core::deform_conv2d", lib=library)
def _forward_fake(
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    mask: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
) -> Tensor:
    extent = check_deform_arguments(input, offset, weight, bias, mask, stride, padding, dilation)
    return input.new_empty((input.shape[0], weight.shape[0], extent[0], extent[1]))


@torch.library.register_fake("vision_core::deform_conv2d_backward", lib=library)
def _backward_fake(
    grad: Tensor,
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    mask: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    needed: list[bool],
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    tensors = (input, offset, weight, mask)
    dtype = torch.float64 if input.dtype == torch.float64 else torch.float32
    first, second, third, fourth = (
        tensor.new_empty(tensor.shape) if tensor is not None and need else grad.new_empty(0, dtype=dtype)
        for tensor, need in zip(tensors, needed, strict=True)
    )
    return first, second, third, fourth


def _is_plain(tensor: Tensor) -> bool:
    """Whether nothing but kernels wants to see what happens to a tensor: no tracing, no subclass."""
    return type(tensor) in (Tensor, nn.Parameter) and torch._C._len_torch_dispatch_stack() == 0


def _below_autograd(input: Tensor, *others: Any) -> Tensor:
    if _is_plain(input) and _is_plain(others[1]):
        return _forward(input, *others)  # what the dispatcher would come to, 10 us later
    with torch._C._AutoDispatchBelowAutograd():
        return torch.ops.vision_core.deform_conv2d(input, *others)


class _Differentiable(torch.autograd.Function):
    """The native operator and its gradients. Gradients of gradients come from the reference."""

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> Tensor:
        ctx.save_for_backward(*arguments[:5])
        ctx.settings = arguments[5:]
        return _below_autograd(*arguments)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        tensors, grad = ctx.saved_tensors, grads[0]
        if torch.is_grad_enabled():
            result = deform_conv2d_reference(*tensors, *ctx.settings)
            wanted = [tensor for tensor, need in zip(tensors, ctx.needs_input_grad, strict=False) if need]
            found = iter(torch.autograd.grad(result, wanted, grad, create_graph=True))
            return (*(next(found) if need else None for need in ctx.needs_input_grad[:5]), None, None, None)
        input, offset, weight, bias, mask = ctx.needs_input_grad[:5]
        needed = [input, offset, weight, mask]
        gradients = [None] * 4
        if any(needed):
            run: Any = _backward if _is_plain(grad) else torch.ops.vision_core.deform_conv2d_backward
            gradients = run(grad, *tensors, *ctx.settings, needed)
        for_bias = grad.sum((0, 2, 3)).to(tensors[3].dtype) if bias else None
        first, second, third, fourth = (g if need else None for g, need in zip(gradients, needed, strict=True))
        return first, second, third, for_bias, fourth, None, None, None


@torch.library.impl(library, "deform_conv2d", "Autograd")
def _autograd(
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    mask: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
) -> Tensor:
    arguments = (input, offset, weight, bias, mask, stride, padding, dilation)
    if not _runs_native(input):
        return deform_conv2d_reference(*arguments)
    if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in arguments[:5]):
        return _Differentiable.apply(*arguments)  # type: ignore[no-any-return]
    return _below_autograd(*arguments)
