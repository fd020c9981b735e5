"""Resizing of images: the operator `resize` that the contract names, and its reference.

uint8 images are filtered with the native kernel where there is one, in 16-bit fixed point; floating-point images go
through torch's `interpolate`, which is differentiable. The filters that torch lacks (box, hamming, lanczos) run on the
same native kernel for uint8 and as two matrix products for floating point.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vision_core import _native, _pixels
from vision_core._direct import nothing_watches
from vision_core._library import library

__all__ = ["resize", "resize_reference"]

_PICKABLE = (torch.uint8, torch.float32, torch.float64, torch.float16, torch.bfloat16)
_nn = torch._C._nn  # pyright: ignore[reportAttributeAccessIssue]
_SMALL = 64  # pixels of a side
# name: (half width in pixels of the coarser grid, number in the native kernel)
FILTERS = {"box": (0.5, 0), "bilinear": (1.0, 1), "hamming": (1.0, 2), "bicubic": (2.0, 3), "lanczos": (3.0, 4)}


def resize(image: Tensor, size: list[int], interpolation: str = "bilinear", antialias: bool = True) -> Tensor:
    """Resize images to a given height and width.

    This is the operator `resize` of `vision_contract`; it can be scripted.

    Args:
        image: `[..., C, H, W]`, any dtype. uint8 in 0..255 stays uint8, rounded to nearest.
        size: `[height, width]` of the result.
        interpolation: "nearest", "nearest-exact", "bilinear", "bicubic", "box", "hamming" or "lanczos".
        antialias: widen the filter when the image shrinks, so that every pixel counts; box, hamming and lanczos always
            do. Without effect on the nearest modes and on enlarging.

    Returns:
        `[..., C, height, width]`, dtype of `image`.

    Raises:
        ValueError: less than three dimensions, sizes below 1, or an unknown interpolation.

    Examples:
        >>> import torch
        >>> resize(torch.zeros(2, 3, 64, 48, dtype=torch.uint8), [16, 12]).shape
        torch.Size([2, 3, 16, 12])
    """
    if image.dim() < 3:
        raise ValueError(f"image: expected [..., C, H, W], got {image.dim()} dimensions")
    if len(size) != 2:
        raise ValueError(f"size: expected [height, width], got {size}")
    filtered = interpolation in ("bilinear", "bicubic", "box", "hamming", "lanczos")
    if not filtered and interpolation not in ("nearest", "nearest-exact"):
        raise ValueError(
            "interpolation: expected nearest, nearest-exact, bilinear, bicubic, box, hamming or lanczos, "
            f"got {interpolation}"
        )
    if filtered and image.dtype == torch.uint8:
        if not torch.jit.is_scripting():  # noqa: SIM102 - TorchScript skips what stands under this alone
            if type(image) is Tensor and image.is_cpu and nothing_watches():  # 20 us of layers less
                return _resize_uint8_cpu(image, size, interpolation, antialias)
        return torch.ops.vision_core.resize_uint8(image, size, interpolation, antialias)
    if not torch.jit.is_scripting():  # noqa: SIM102
        if not filtered and type(image) is Tensor and image.dtype in _PICKABLE and image.is_cpu and nothing_watches():
            return _pick(image, size, interpolation)
    batch = image.reshape([-1, image.shape[-3], image.shape[-2], image.shape[-1]])  # (N, C, H, W)
    if not filtered:
        resized = interpolate(_pickable(batch), size, mode=interpolation).to(image.dtype)
    elif image.dtype == torch.float32 or image.dtype == torch.float64:
        resized = _filter_float(batch, size, interpolation, antialias)
    else:  # torch has no antialiased kernel for half precision either
        resized = _filter_float(batch.to(torch.float32), size, interpolation, antialias)
        resized = (resized if image.is_floating_point() else resized.round()).to(image.dtype)
    return resized.reshape(image.shape[:-2] + resized.shape[-2:])


def _pick(image: Tensor, size: list[int], interpolation: str) -> Tensor:
    """Take nearest pixels as `interpolate` does, without its checks, which take longer than a small image."""
    batch = image if image.dim() == 4 else image.reshape(-1, *image.shape[-3:])
    operator = _nn.upsample_nearest2d if interpolation == "nearest" else _nn._upsample_nearest_exact2d
    resized = operator(batch, size)
    return resized if image.dim() == 4 else resized.reshape(*image.shape[:-2], *size)


def _pickable(batch: Tensor) -> Tensor:
    """Return the same values in a dtype of which torch can pick pixels."""
    if batch.is_floating_point() or batch.dtype == torch.uint8:
        return batch
    return batch.to(torch.uint8) if batch.dtype == torch.bool else batch.to(torch.float64)


def _filter_float(batch: Tensor, size: list[int], interpolation: str, antialias: bool) -> Tensor:
    """Filter a floating-point `[N, C, H, W]`."""
    if interpolation == "bilinear" or interpolation == "bicubic":
        return interpolate(batch, size, mode=interpolation, align_corners=False, antialias=antialias)
    rows = filter_matrix(batch.shape[2], size[0], interpolation, batch)
    columns = filter_matrix(batch.shape[3], size[1], interpolation, batch)
    return rows @ batch @ columns.t()


def filter_matrix(source: int, target: int, interpolation: str, like: Tensor) -> Tensor:
    """Return the weights `[target, source]` of an antialiased filter, of the dtype and on the device of `like`.

    The filter is centred on the target pixel's centre, as wide as a target pixel or a source pixel, whichever is
    larger, and cut at the image's border; the weights of one target pixel sum to 1.
    """
    scale = source / target
    width = max(scale, 1.0)
    half = 1.0
    if interpolation == "box":
        half = 0.5
    elif interpolation == "bicubic":
        half = 2.0
    elif interpolation == "lanczos":
        half = 3.0
    centre = (torch.arange(target, dtype=torch.float64, device=like.device) + 0.5) * scale
    pixel = torch.arange(source, dtype=torch.float64, device=like.device)
    first = torch.clamp_min((centre - half * width + 0.5).to(torch.int64), 0)[:, None]
    last = (centre + half * width + 0.5).to(torch.int64)[:, None]
    inside = (pixel >= first) & (pixel < last)
    weights = torch.where(inside, _filter((pixel + 0.5 - centre[:, None]) / width, interpolation), 0.0)
    return (weights / weights.sum(1, keepdim=True)).to(like.dtype)


def _filter(x: Tensor, interpolation: str) -> Tensor:
    """Evaluate a filter at distance `x` from its centre."""
    a = x.abs()
    if interpolation == "box":
        return ((x > -0.5) & (x <= 0.5)).to(x.dtype)
    if interpolation == "bilinear":
        return torch.clamp_min(1 - a, 0)
    if interpolation == "hamming":
        return torch.where(a < 1, torch.sinc(x) * (0.54 + 0.46 * torch.cos(math.pi * x)), 0.0)
    if interpolation == "bicubic":  # Keys (1981) with a = -0.5
        near = (1.5 * a - 2.5) * a * a + 1
        far = ((-0.5 * a + 2.5) * a - 4) * a + 2
        return torch.where(a < 1, near, torch.where(a < 2, far, 0.0))
    return torch.where(a < 3, torch.sinc(x) * torch.sinc(x / 3), 0.0)  # lanczos


def resize_reference(image: Tensor, size: list[int], interpolation: str = "bilinear") -> Tensor:
    """Filter with antialias in float64, the oracle of the tests: two matrix products, rounded once at the end.

    Args:
        image: `[..., C, H, W]`, uint8 or floating point.
        size: `[height, width]` of the result.
        interpolation: one of the filters: "bilinear", "bicubic", "box", "hamming" or "lanczos".

    Returns:
        `[..., C, height, width]`, dtype of `image`.

    Examples:
        >>> import torch
        >>> resize_reference(torch.ones(1, 4, 4), [2, 2]).tolist()
        [[[1.0, 1.0], [1.0, 1.0]]]
    """
    exact = image.to(torch.float64)
    rows = filter_matrix(exact.shape[-2], size[0], interpolation, exact)
    columns = filter_matrix(exact.shape[-1], size[1], interpolation, exact)
    exact = rows @ exact @ columns.t()
    return exact.to(image.dtype) if image.is_floating_point() else _to_uint8(exact)


def _to_uint8(values: Tensor) -> Tensor:
    return values.add(0.5).floor_().clamp_(0, 255).to(torch.uint8)


library.define("resize_uint8(Tensor image, SymInt[] size, str interpolation, bool antialias) -> Tensor")


@torch.library.impl(library, "resize_uint8", "CPU")
def _resize_uint8_cpu(image: Tensor, size: list[int], interpolation: str, antialias: bool) -> Tensor:
    channels, source_height, source_width = image.shape[-3:]
    height, width = size
    interleaved = is_interleaved(image)
    if _native.module is None or torch_is_better(image.shape, size, interpolation, antialias, interleaved):
        return _resize_uint8_torch(image, size, interpolation, antialias)
    if min(height, width, source_height, source_width) < 1:
        raise ValueError(f"size: expected at least 1 x 1, got {tuple(image.shape[-2:])} -> {(height, width)}")

    source, layout = _pixels.describe(image)
    if (layout[7] > 1) != interleaved:  # a batch that lies too oddly to be seen as one
        source, layout = _pixels.describe(image.movedim(-3, -1).contiguous().movedim(-1, -3))
    elif not interleaved and layout[0] > 1 and layout[4] != channels * layout[5]:  # planes at unequal distances
        source, layout = _pixels.describe(image.contiguous())
    images, _, _, _, image_stride, channel_stride, row_stride, pixel_stride = layout
    resized = _pixels.allocate_as(image, layout, channels, height, width)
    _native.module.resize_u8(
        source.data_ptr(),
        resized.data_ptr(),
        images if pixel_stride > 1 else images * channels,
        pixel_stride,
        source_height,
        source_width,
        height,
        width,
        row_stride,
        image_stride if pixel_stride > 1 else channel_stride,
        FILTERS[interpolation][1],
        torch.get_num_threads(),
    )
    return resized


def torch_is_better(shape: torch.Size, size: list[int], interpolation: str, antialias: bool, interleaved: bool) -> bool:
    """Whether torch's own kernel for uint8 is to be used: where ours does not do the same, or is slower."""
    channels, source_height, source_width = shape[-3:]
    height, width = size
    if interleaved and channels not in (3, 4):
        return True
    if interpolation not in ("bilinear", "bicubic"):
        return False  # torch has no such filter
    if not antialias:  # shrinking leaves pixels out, and torch's curve for bicubic is another one (a = -0.75)
        return interpolation == "bicubic" or height < source_height or width < source_width
    # Interleaved pixels are what torch's kernel is made for; with long filters they are no place to win, but for images
    # on which a call costs more than the work.
    long_filter = interpolation == "bicubic" and 2 * max(source_height, source_width) > 3 * max(height, width)
    return interleaved and long_filter and max(source_height, source_width) > _SMALL


@torch.library.impl(library, "resize_uint8", "CompositeExplicitAutograd")
def _resize_uint8_torch(image: Tensor, size: list[int], interpolation: str, antialias: bool) -> Tensor:
    batch = _as_batch(image)
    # torch 2.13 fails an assertion where the memory order of a single pixel is ambiguous.
    single = size[0] * size[1] == 1 or image.shape[-2] * image.shape[-1] == 1
    if image.device.type == "cpu" and interpolation in ("bilinear", "bicubic") and not single:
        resized = interpolate(batch, size, mode=interpolation, align_corners=False, antialias=antialias)
    else:
        resized = _to_uint8(_filter_float(batch.to(torch.float32), size, interpolation, antialias))
    result = resized.reshape(*image.shape[:-2], *resized.shape[-2:])
    interleaved = is_interleaved(image)
    return result if is_interleaved(result) == interleaved else _empty(image, size, interleaved).copy_(result)


@torch.library.register_fake("vision_core::resize_uint8", lib=library)
def _resize_uint8_fake(image: Tensor, size: list[int], interpolation: str, antialias: bool) -> Tensor:
    return _empty(image, size, is_interleaved(image))


def is_interleaved(image: Tensor) -> bool:
    """Whether the channels of a pixel lie next to each other, as decoders and `channels_last` lay them."""
    channels = image.shape[-3]
    return channels > 1 and image.stride(-3) == 1 and image.stride(-1) == channels


def _as_batch(image: Tensor) -> Tensor:
    """View `[..., C, H, W]` as `[N, C, H, W]`; interleaved images with the strides by which torch knows them."""
    if is_interleaved(image):
        return image.movedim(-3, -1).reshape(-1, *image.shape[-2:], image.shape[-3]).movedim(-1, -3)
    return image.reshape(-1, *image.shape[-3:])


def _empty(image: Tensor, size: list[int], interleaved: bool) -> Tensor:
    """Return an uninitialised result `[..., C, height, width]` in the memory order of the source."""
    *batch, channels = image.shape[:-2]
    height, width = size
    if interleaved:
        return image.new_empty((*batch, height, width, channels)).movedim(-1, -3)
    return image.new_empty((*batch, channels, height, width))
