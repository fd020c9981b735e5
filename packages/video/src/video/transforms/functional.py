"""Transforms of clips as functions. Clips are ``[C, T, H, W]``, uint8 (0..255) or float, on any device."""

import math

import torch
from torch import Tensor

from video.transforms.resizing import ResizeOperator, find_resize

__all__ = [
    "center_crop",
    "convert_to_one_hot",
    "crop_parameters",
    "div_255",
    "normalize",
    "random_resized_crop",
    "short_side_scale",
    "short_side_size",
    "uniform_crop",
    "uniform_temporal_subsample",
    "uniform_temporal_subsample_repeated",
]


def uniform_temporal_subsample(x: Tensor, num_samples: int, temporal_dim: int = -3) -> Tensor:
    """Keep ``num_samples`` frames at equal distances, the first and the last among them; too few frames are repeated.

    Frame ``k`` of the result is frame ``floor(k * (T - 1) / (num_samples - 1))``, computed in integers.

    Args:
        x: A clip, e.g. ``[C, T, H, W]``.
        num_samples: Frames to keep.
        temporal_dim: Axis of time.

    Raises:
        ValueError: When there is no frame, or ``num_samples`` is less than 1.

    Examples:
        >>> uniform_temporal_subsample(torch.arange(10), 4, temporal_dim=0)
        tensor([0, 3, 6, 9])
    """
    frames = x.shape[temporal_dim]
    if num_samples < 1 or frames < 1:
        raise ValueError(f"expected at least 1 frame and num_samples >= 1, got {frames} frames and {num_samples}")
    steps = num_samples - 1 if num_samples > 1 else 1
    indices = torch.arange(num_samples, device=x.device) * (frames - 1) // steps
    return x.index_select(temporal_dim, indices)


def uniform_temporal_subsample_repeated(
    frames: Tensor, frame_ratios: tuple[int, ...], temporal_dim: int = -3
) -> list[Tensor]:
    """Subsample a clip once for each ratio: the pathways of a SlowFast network.

    Args:
        frames: A clip, e.g. ``[C, T, H, W]``.
        frame_ratios: Pathway ``i`` has ``T // frame_ratios[i]`` frames.
        temporal_dim: Axis of time.

    Examples:
        >>> [x.shape[1] for x in uniform_temporal_subsample_repeated(torch.rand(3, 32, 4, 4), (4, 1))]
        [8, 32]
    """
    length = frames.shape[temporal_dim]
    return [uniform_temporal_subsample(frames, length // ratio, temporal_dim) for ratio in frame_ratios]


def short_side_size(height: int, width: int, size: int) -> list[int]:
    """Return ``[height, width]`` with the short side at ``size`` and the long one in proportion, rounded down."""
    if width < height:
        return [math.floor(float(height) / width * size), size]
    return [size, math.floor(float(width) / height * size)]


def short_side_scale(
    x: Tensor,
    size: int,
    interpolation: str = "bilinear",
    antialias: bool = False,
    resize: ResizeOperator | None = None,
) -> Tensor:
    """Resize a clip so that its short side is ``size``.

    Args:
        x: ``[C, T, H, W]``, uint8 or float.
        size: Short side of the result, in pixels.
        interpolation: ``"nearest"``, ``"bilinear"`` or ``"bicubic"``.
        antialias: Widen the filter when shrinking. Published networks were trained without.
        resize: The resizing operator; ``None`` for the installed one.

    Examples:
        >>> short_side_scale(torch.rand(3, 8, 60, 80), 30).shape
        torch.Size([3, 8, 30, 40])
    """
    _check_clip(x)
    target = short_side_size(x.shape[-2], x.shape[-1], size)
    return find_resize(resize)(x, target, interpolation, antialias)


def center_crop(x: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Cut the centre out of a clip.

    Args:
        x: ``[..., H, W]``.
        size: Height and width of the result; one number for a square.

    Raises:
        ValueError: When the clip is smaller.

    Examples:
        >>> center_crop(torch.rand(3, 8, 30, 40), 20).shape
        torch.Size([3, 8, 20, 20])
    """
    height, width = (size, size) if isinstance(size, int) else size
    _check_fits(x, height, width)
    top = round((x.shape[-2] - height) / 2)
    left = round((x.shape[-1] - width) / 2)
    return x[..., top : top + height, left : left + width]


def uniform_crop(images: Tensor, size: int, spatial_idx: int) -> Tensor:
    """Cut one of three squares out of a clip: along the long side, at its start, centre or end.

    Args:
        images: ``[..., H, W]``.
        size: Side of the square in pixels.
        spatial_idx: 0 for left (or top), 1 for the centre, 2 for right (or bottom).

    Raises:
        ValueError: When ``spatial_idx`` is something else, or the clip is smaller than ``size``.

    Examples:
        >>> uniform_crop(torch.arange(12.0).reshape(1, 1, 2, 6), 2, 2)
        tensor([[[[ 4.,  5.],
                  [10., 11.]]]])
    """
    if spatial_idx not in (0, 1, 2):
        raise ValueError(f"spatial_idx must be 0, 1 or 2, got {spatial_idx}")
    _check_fits(images, size, size)
    height, width = images.shape[-2], images.shape[-1]
    top = math.ceil((height - size) / 2)
    left = math.ceil((width - size) / 2)
    if height > width:
        top = (0, top, height - size)[spatial_idx]
    else:
        left = (0, left, width - size)[spatial_idx]
    return images[..., top : top + size, left : left + size]


def div_255(x: Tensor) -> Tensor:
    """Divide by 255, giving float: ``[0, 255]`` becomes ``[0, 1]``."""
    return x / 255.0


def normalize(x: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Subtract the mean and divide by the standard deviation of each channel.

    Args:
        x: ``[..., C, T, H, W]``; float, or uint8, which is brought to 0..1 on the way, in the same pass.
        mean: Mean of each channel, for values in 0..1.
        std: Standard deviation of each channel.

    Returns:
        Float tensor of the same shape.

    Raises:
        ValueError: When the number of channels does not fit, or a deviation is 0.

    Examples:
        >>> normalize(torch.full((1, 1, 1, 2), 255, dtype=torch.uint8), (0.5,), (0.5,))
        tensor([[[[1., 1.]]]])
    """
    channels = x.shape[-4]
    if len(mean) != channels or len(std) != channels:
        raise ValueError(
            f"expected a clip [..., C, T, H, W] with C={len(mean)} channels, got shape {tuple(x.shape)}, "
            f"{len(mean)} means and {len(std)} deviations"
        )
    if not all(std):
        raise ValueError(f"std must not contain 0, got {tuple(std)}")
    dtype = x.dtype if x.is_floating_point() else torch.float32
    scale = 1.0 if x.is_floating_point() else 1 / 255
    shift = torch.tensor(mean, dtype=dtype, device=x.device).reshape(-1, 1, 1, 1)
    spread = torch.tensor(std, dtype=dtype, device=x.device).reshape(-1, 1, 1, 1)
    if x.is_floating_point():
        return (x - shift) / spread
    return x.to(dtype).mul_(scale / spread).sub_(shift / spread)


def random_resized_crop(
    frames: Tensor,
    target_height: int,
    target_width: int,
    scale: tuple[float, float],
    aspect_ratio: tuple[float, float],
    shift: bool = False,
    log_uniform_ratio: bool = True,
    interpolation: str = "bilinear",
    num_tries: int = 10,
    antialias: bool = False,
    resize: ResizeOperator | None = None,
) -> Tensor:
    """Cut a random box out of a clip and resize it.

    Args:
        frames: ``[C, T, H, W]``, uint8 or float.
        target_height: Height of the result.
        target_width: Width of the result.
        scale: Range of the box's area, as a share of the frame's.
        aspect_ratio: Range of the box's width over height.
        shift: Let the box move evenly from one random box in the first frame to another in the last.
        log_uniform_ratio: Draw the logarithm of the ratio uniformly.
        interpolation: ``"nearest"``, ``"bilinear"`` or ``"bicubic"``.
        num_tries: Draws before falling back to a centred box.
        antialias: Widen the filter when shrinking.
        resize: The resizing operator; ``None`` for the installed one.

    Examples:
        >>> random_resized_crop(torch.rand(3, 8, 30, 40), 20, 20, (0.5, 1.0), (0.75, 1.33)).shape
        torch.Size([3, 8, 20, 20])
    """
    _check_clip(frames)
    resize = find_resize(resize)
    height, width = frames.shape[-2], frames.shape[-1]
    size = [target_height, target_width]
    box = crop_parameters(scale, aspect_ratio, height, width, log_uniform_ratio, num_tries)
    if not shift:
        top, left, h, w = box
        return resize(frames[..., top : top + h, left : left + w], size, interpolation, antialias)
    last = crop_parameters(scale, aspect_ratio, height, width, log_uniform_ratio, num_tries)
    steps = max(frames.shape[1] - 1, 1)
    parts = []
    for t in range(frames.shape[1]):
        top, left, h, w = (a + (b - a) * t // steps for a, b in zip(box, last, strict=True))
        parts.append(resize(frames[:, t : t + 1, top : top + h, left : left + w], size, interpolation, antialias))
    return torch.cat(parts, dim=1)


def crop_parameters(
    scale: tuple[float, float],
    ratio: tuple[float, float],
    height: int,
    width: int,
    log_uniform_ratio: bool = True,
    num_tries: int = 10,
) -> tuple[int, int, int, int]:
    """Draw a box of random area and aspect ratio; see :func:`random_resized_crop`.

    Returns:
        Top, left, height, width in pixels.

    Raises:
        ValueError: When a range is not positive and ascending.

    Source: Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, https://arxiv.org/abs/1409.4842.
    """
    for name, (low, high) in (("scale", scale), ("ratio", ratio)):
        if not 0 < low <= high:
            raise ValueError(f"{name} must be a positive ascending range, got {(low, high)}")
    for _ in range(num_tries):
        u, v, y, x = torch.rand(4).tolist()
        area = height * width * (scale[0] + (scale[1] - scale[0]) * u)
        if log_uniform_ratio:
            aspect = math.exp(math.log(ratio[0]) + (math.log(ratio[1]) - math.log(ratio[0])) * v)
        else:
            aspect = ratio[0] + (ratio[1] - ratio[0]) * v
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            return int(y * (height - h + 1)), int(x * (width - w + 1)), h, w
    w, h = width, height
    if width / height < ratio[0]:
        h = round(width / ratio[0])
    elif width / height > ratio[1]:
        w = round(height * ratio[1])
    return (height - h) // 2, (width - w) // 2, h, w


def convert_to_one_hot(targets: Tensor, num_class: int, label_smooth: float = 0.0) -> Tensor:
    """Turn class indices into rows of class weights.

    Args:
        targets: ``[N]`` integers.
        num_class: Number of classes.
        label_smooth: Share of the weight that is spread over all classes.

    Returns:
        ``[N, num_class]``, int64 without smoothing, float32 with.

    Raises:
        ValueError: When an index is not in ``[0, num_class)``.

    Source: Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016, https://arxiv.org/abs/1512.00567.

    Examples:
        >>> convert_to_one_hot(torch.tensor([2]), 3)
        tensor([[0, 0, 1]])
    """
    if targets.numel() and not 0 <= int(targets.min()) <= int(targets.max()) < num_class:
        raise ValueError(
            f"targets must lie in [0, {num_class}), got values from {int(targets.min())} to {int(targets.max())}"
        )
    rest = label_smooth / num_class
    dtype = torch.long if label_smooth == 0.0 else torch.float32
    out = torch.full((targets.shape[0], num_class), rest, dtype=dtype, device=targets.device)
    return out.scatter_(1, targets.long().view(-1, 1), 1.0 - label_smooth + rest)


def _check_clip(x: Tensor) -> None:
    if x.ndim != 4:
        raise ValueError(f"expected a clip [C, T, H, W], got shape {tuple(x.shape)}")


def _check_fits(x: Tensor, height: int, width: int) -> None:
    if x.shape[-2] < height or x.shape[-1] < width:
        raise ValueError(
            f"cannot cut {height} x {width} pixels out of {x.shape[-2]} x {x.shape[-1]}: scale the clip up first, e.g. "
            "with ShortSideScale"
        )
