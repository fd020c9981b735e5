"""RoIAlign over a feature pyramid: each box is pooled from the level that fits its size.

Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017, equation 1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vision_core.ops._boxes import box_area
from vision_core.ops._regions import as_rois
from vision_core.ops.roi_align import roi_align

__all__ = ["LevelMapper", "MultiScaleRoIAlign", "initLevelMapper"]


class LevelMapper:
    """Choose the level of a pyramid for each box by the box's size.

    The level is floor(canonical_level + log2(sqrt(area) / canonical_scale)), at least `k_min` and at most `k_max`.

    Args:
        k_min: lowest level.
        k_max: highest level.
        canonical_scale: side of a square box that belongs to `canonical_level`.
        canonical_level: see `canonical_scale`.
        eps: added before rounding down.

    Examples:
        >>> import torch
        >>> LevelMapper(2, 5)([torch.tensor([[0.0, 0, 224, 224], [0, 0, 30, 30]])]).tolist()
        [2, 0]
    """

    def __init__(
        self, k_min: int, k_max: int, canonical_scale: int = 224, canonical_level: int = 4, eps: float = 1e-6
    ) -> None:
        self.k_min = k_min
        self.k_max = k_max
        self.s0 = canonical_scale
        self.lvl0 = canonical_level
        self.eps = eps

    def __call__(self, boxlists: list[Tensor]) -> Tensor:
        """Return the level of each box, counted from `k_min`, `[K]` int64, for lists of `[L, 4]` boxes."""
        side = torch.sqrt(torch.cat([box_area(boxes) for boxes in boxlists]))
        level = torch.floor(self.lvl0 + torch.log2(side / self.s0) + self.eps)
        # A box that is inside out has no size (NaN): it goes to the lowest level.
        level = torch.where(torch.isnan(level), torch.full_like(level, self.k_min), level)
        return (torch.clamp(level, min=self.k_min, max=self.k_max) - self.k_min).to(torch.int64)


def initLevelMapper(  # noqa: N802  (the name that users know)
    k_min: int, k_max: int, canonical_scale: int = 224, canonical_level: int = 4, eps: float = 1e-6
) -> LevelMapper:
    """Return a `LevelMapper` with these settings; a function, because TorchScript makes objects only in functions."""
    return LevelMapper(k_min, k_max, canonical_scale, canonical_level, eps)


def _exponent(scale: float) -> int:
    """Return the power of two that is nearest to a scale."""
    return int(round(math.log(scale) / math.log(2.0)))  # noqa: RUF046  (TorchScript rounds to a float)


def _infer_scale(feature: Tensor, original_size: list[int]) -> float:
    """Return the power of two that leads from the size of images to that of a feature map."""
    exponent = _exponent(float(feature.shape[-2]) / float(original_size[0]))
    if exponent != _exponent(float(feature.shape[-1]) / float(original_size[1])):
        raise ValueError(
            f"x: a feature map of {feature.shape[-2]} x {feature.shape[-1]} for images of {original_size[0]} x "
            f"{original_size[1]} has not the same scale in both directions"
        )
    return 2.0**exponent


class MultiScaleRoIAlign(nn.Module):
    """Pool each box from the level of a feature pyramid that fits its size.

    The scales of the levels follow from the sizes of the first feature maps and images that are seen, rounded to powers
    of two.

    Args:
        featmap_names: which of the feature maps are used, finest first.
        output_size: bins of each box, (height, width), or one value for both.
        sampling_ratio: samples per bin in each direction; when <= 0, ceil(size of the box / bins).
        canonical_scale: side of a square box, in pixels of the image, that belongs to `canonical_level`.
        canonical_level: level k of the pyramid, 1 / 2**k of the image's size.

    Examples:
        >>> import torch
        >>> pool = MultiScaleRoIAlign(["0", "1"], 3, 2)
        >>> features = {"0": torch.zeros(1, 5, 64, 64), "1": torch.zeros(1, 5, 32, 32)}
        >>> pool(features, [torch.tensor([[0.0, 0, 100, 100], [3, 3, 400, 400]])], [(512, 512)]).shape
        torch.Size([2, 5, 3, 3])
    """

    __annotations__ = {"scales": list[float] | None, "map_levels": LevelMapper | None}

    def __init__(
        self,
        featmap_names: list[str],
        output_size: int | tuple[int] | list[int],
        sampling_ratio: int,
        *,
        canonical_scale: int = 224,
        canonical_level: int = 4,
    ) -> None:
        super().__init__()
        if isinstance(output_size, int):
            output_size = (output_size, output_size)  # type: ignore[assignment]
        self.featmap_names = featmap_names
        self.sampling_ratio = sampling_ratio
        self.output_size = tuple(output_size)  # type: ignore[arg-type]
        self.scales = None
        self.map_levels = None
        self.canonical_scale = canonical_scale
        self.canonical_level = canonical_level

    def forward(self, x: dict[str, Tensor], boxes: list[Tensor], image_shapes: list[tuple[int, int]]) -> Tensor:
        """Pool boxes from feature maps.

        Args:
            x: feature maps `[N, C, H, W]` by name, the same N and C for all levels.
            boxes: `[L, 4]` boxes for each image, x1, y1, x2, y2 in pixels of the image.
            image_shapes: (height, width) of each image, of which the largest tells the scales.

        Returns:
            `[K, C, height, width]` for all boxes, those of the first image first.

        Raises:
            ValueError: no feature map of the given names, no image shapes, or feature maps that are not scaled alike in
                both directions.
        """
        features: list[Tensor] = []
        for name, feature in x.items():
            if name in self.featmap_names:
                features.append(feature)
        if len(features) == 0:
            raise ValueError(f"x: expected feature maps of the names {self.featmap_names}, got {list(x.keys())}")
        if self.scales is None or self.map_levels is None:
            self._setup(features, image_shapes)
        scales, map_levels = self.scales, self.map_levels
        assert scales is not None
        assert map_levels is not None
        rois = as_rois(boxes, 4)
        size = [self.output_size[0], self.output_size[1]]
        if len(features) == 1:
            return roi_align(features[0], rois, size, scales[0], self.sampling_ratio)
        levels = map_levels(boxes)
        first = features[0]
        result = torch.zeros([rois.shape[0], first.shape[1], size[0], size[1]], dtype=first.dtype, device=first.device)
        for level, feature in enumerate(features):
            chosen = torch.where(levels == level)[0]
            pooled = roi_align(feature, rois[chosen], size, scales[level], self.sampling_ratio)
            result[chosen] = pooled.to(result.dtype)
        return result

    def _setup(self, features: list[Tensor], image_shapes: list[tuple[int, int]]) -> None:
        """Find the scales of the feature maps."""
        if len(image_shapes) == 0:
            raise ValueError("image_shapes: expected the size of at least one image, got none")
        height, width = 0, 0
        for shape in image_shapes:
            height, width = max(shape[0], height), max(shape[1], width)
        scales = [_infer_scale(feature, [height, width]) for feature in features]
        self.scales = scales
        self.map_levels = initLevelMapper(
            -_exponent(scales[0]),
            -_exponent(scales[-1]),
            canonical_scale=self.canonical_scale,
            canonical_level=self.canonical_level,
        )

    def extra_repr(self) -> str:
        """List the settings."""
        return (
            f"featmap_names={self.featmap_names}, output_size={self.output_size}, sampling_ratio={self.sampling_ratio}"
        )
