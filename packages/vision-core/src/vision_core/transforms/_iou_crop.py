"""Cropping around objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vision_core._pillow import is_pil_image
from vision_core.ops import box_iou
from vision_core.transforms import functional as F
from vision_core.transforms._query import get_bounding_boxes, has_any, query_size
from vision_core.transforms._random import Random
from vision_core.transforms._sample import is_pure
from vision_core.transforms.functional._boxes import corners_of, to_float
from vision_core.tv_tensors import BoundingBoxes, Image, Video, is_rotated_bounding_format
from vision_core.tv_tensors._base import plain

__all__ = ["RandomIoUCrop"]


class RandomIoUCrop(Random):
    """Cuts out a random region that overlaps objects enough: Liu et al. (2016), "SSD".

    Boxes whose centre falls outside of the region get size 0; `SanitizeBoundingBoxes` then drops them with their labels
    and masks.

    Args:
        min_scale: smallest side of the region, relative to that of the image.
        max_scale: largest side of the region, relative to that of the image.
        min_aspect_ratio: smallest width / height of the region.
        max_aspect_ratio: largest width / height of the region.
        sampler_options: intersections over union to choose from, one of which the region and a box must reach; 1 or
            more stands for the whole image. Default: 0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.
        trials: regions to try for each option.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch; the results then need one size.

    Raises:
        TypeError: there are no boxes or no images among the inputs.

    Examples:
        >>> import torch
        >>> from vision_core.tv_tensors import BoundingBoxes
        >>> boxes = BoundingBoxes([[0, 0, 6, 8]], format="XYXY", canvas_size=(8, 8))
        >>> image, boxes = RandomIoUCrop()(torch.zeros(3, 8, 8), boxes)
        >>> tuple(image.shape[-2:]) == boxes.canvas_size
        True
    """

    def __init__(
        self,
        min_scale: float = 0.3,
        max_scale: float = 1.0,
        min_aspect_ratio: float = 0.5,
        max_aspect_ratio: float = 2.0,
        sampler_options: Sequence[float] | None = None,
        trials: int = 40,
        *,
        generator: torch.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        self.min_scale, self.max_scale = min_scale, max_scale
        self.min_aspect_ratio, self.max_aspect_ratio = min_aspect_ratio, max_aspect_ratio
        self.options = [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0] if sampler_options is None else list(sampler_options)
        self.trials = trials

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Refuse inputs without boxes or without images."""
        if not (has_any(flat_inputs, BoundingBoxes) and has_any(flat_inputs, Image, Video, is_pil_image, is_pure)):
            raise TypeError("RandomIoUCrop: expected an image and boxes among the inputs")

    def draw(self, flat_inputs: list[Any]) -> dict[str, Any] | None:
        """Draw the region; None is the whole image."""
        height, width = query_size(flat_inputs)
        boxes = _upright(get_bounding_boxes(flat_inputs))
        while True:
            least = self.options[self.integer(0, len(self.options) - 1)]
            if least >= 1.0:
                return None
            for _ in range(self.trials):
                region = self._region(height, width)
                within = None if region is None else _centres_within(boxes, region)
                if region is None or within is None or not bool(within.any()):
                    continue
                top, left, h, w = region
                corners = boxes.new_tensor([[left, top, left + w, top + h]])
                if float(box_iou(boxes[within], corners).max()) >= least:
                    return {"top": top, "left": left, "height": h, "width": w, "is_within_crop_area": within}

    def _region(self, height: int, width: int) -> tuple[int, int, int, int] | None:
        span = self.max_scale - self.min_scale
        w = int(width * (self.min_scale + span * self.uniform()))
        h = int(height * (self.min_scale + span * self.uniform()))
        if w == 0 or h == 0 or not self.min_aspect_ratio <= w / h <= self.max_aspect_ratio:
            return None
        left, top = int((width - w) * self.uniform()), int((height - h) * self.uniform())
        return top, left, h, w

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        region = params["top"], params["left"], params["height"], params["width"]
        cropped = self.call(F.crop, inpt, *region)
        if isinstance(cropped, BoundingBoxes):
            kept = params["is_within_crop_area"].to(cropped.device)[:, None]
            return BoundingBoxes.wrap(torch.where(kept, plain(cropped), 0), cropped)
        return cropped

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Put the region back to its place, surrounded with 0."""
        return self.call(F.crop, inpt, -params["top"], -params["left"], *canvas_size)


def _upright(boxes: BoundingBoxes) -> Tensor:
    """Return left, top, right and bottom of boxes, around them if they are rotated."""
    values = to_float(plain(boxes))
    if is_rotated_bounding_format(boxes.format):
        corners = F.convert_bounding_box_format(values, boxes.format, "XYXYXYXY")
        x, y = corners[..., 0::2], corners[..., 1::2]
        return torch.stack((x.amin(-1), y.amin(-1), x.amax(-1), y.amax(-1)), dim=-1)
    return torch.stack(corners_of(values, boxes.format), dim=-1)


def _centres_within(boxes: Tensor, region: tuple[int, int, int, int]) -> Tensor:
    top, left, height, width = region
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    return (left < x) & (x < left + width) & (top < y) & (y < top + height)
