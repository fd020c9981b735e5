"""Mosaic: four pictures of a batch around one point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vision_core.transforms import functional as F
from vision_core.transforms._random import Random
from vision_core.transforms._scenes import Batch, Scene, join
from vision_core.transforms._visible import Region, cut

__all__ = ["Mosaic", "scale_scene"]


class Mosaic(Random):
    """Puts each picture of a batch together with three others, which meet in a random point.

    Source: Bochkovskiy et al., "YOLOv4: Optimal Speed and Accuracy of Object Detection", 2020. Each picture is scaled,
    laid with one corner at the point, and cut off at its quarter; what stays empty is filled. Boxes, masks, keypoints
    and maps of classes follow, and objects of which little is left are dropped.

    Args:
        size: (height, width) of the result, or one for both; that of each picture itself when None.
        center: where the point may lie, as smallest and largest part of the height and of the width.
        zoom: smallest and largest factor by which a picture is scaled beyond what just fits into its quarter; above 1
            it may be cut off.
        fill: value of what stays empty, in the range of the images' values.
        mask_fill: class of what stays empty in maps of classes.
        min_visible: part of an object's mask or box that must be left, 0..1.
        p: probability for each picture to become a mosaic.
        generator: source of random numbers; torch's global one when None.

    Raises:
        ValueError: inputs that are no batch of pictures with targets, or ranges in the wrong order.

    Examples:
        >>> import torch
        >>> images = torch.rand(4, 3, 32, 32)
        >>> targets = [{"boxes": torch.tensor([[4.0, 4, 20, 28]]), "labels": torch.tensor([i])} for i in range(4)]
        >>> images, targets = Mosaic()(images, targets)
        >>> images.shape, len(targets)
        (torch.Size([4, 3, 32, 32]), 4)
    """

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        center: tuple[float, float] = (0.25, 0.75),
        zoom: tuple[float, float] = (1.0, 1.5),
        fill: float = 0.0,
        mask_fill: int = 0,
        min_visible: float = 0.1,
        p: float = 1.0,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(generator=generator)
        if not 0.0 < center[0] <= center[1] < 1.0:
            raise ValueError(f"center: expected 0 < smallest <= largest < 1, got {center}")
        if not 0.0 < zoom[0] <= zoom[1]:
            raise ValueError(f"zoom: expected 0 < smallest <= largest, got {zoom}")
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"p: expected a probability in 0..1, got {p}")
        self.size = (size, size) if isinstance(size, int) else None if size is None else tuple(size)
        self.center = center
        self.zoom = zoom
        self.fill = fill
        self.mask_fill = mask_fill
        self.min_visible = min_visible
        self.p = p

    def forward(self, *inputs: Any) -> Any:
        """Make mosaics of a batch of pictures with targets."""
        return self.apply(self.sample(*inputs), *inputs)

    def sample(self, *inputs: Any) -> list[dict[str, Any] | None]:
        """Draw what a call with these inputs would draw, for `apply`: a dict or None for each picture."""
        count = len(self._parse(inputs).scenes)
        return [self._draw_one(number, count) if self.chance(self.p) else None for number in range(count)]

    def _draw_one(self, number: int, count: int) -> dict[str, Any]:
        others = [self.integer(0, count - 1) for _ in range(3)]
        places = self.permutation(4)
        return {
            "sources": [[number, *others][place] for place in places],
            "center": (self.uniform(*self.center), self.uniform(*self.center)),
            "zoom": [self.uniform(*self.zoom) for _ in range(4)],
        }

    def apply(self, params: Any, *inputs: Any) -> Any:
        """Make mosaics with what `sample` returned, instead of drawing."""
        if not inputs and callable(params):
            return super().apply(params)
        batch = self._parse(inputs)
        made = [
            self._resized(scene) if own is None else self._assemble(batch.scenes, scene, own)
            for scene, own in zip(batch.scenes, params, strict=True)
        ]
        return batch.rebuild(made)

    def inverse(self, params: Any, *inputs: Any) -> Any:
        """Refused: pictures that were cut off cannot be restored."""
        raise TypeError("Mosaic: pictures that were put together cannot be taken apart")

    def _parse(self, inputs: tuple[Any, ...]) -> Batch:
        batch = Batch.parse(inputs)
        if batch is None:
            raise ValueError(
                "Mosaic: expected a batch of pictures with targets: (images, list of dicts), a list of (image, dict) "
                "or a list of dicts with an 'image'"
            )
        return batch

    def _resized(self, scene: Scene) -> Scene:
        return scene if self.size is None else scale_scene(scene, (self.size[0], self.size[1]))

    def _assemble(self, scenes: list[Scene], base: Scene, params: dict[str, Any]) -> Scene:
        height, width = self.size or base.size
        y, x = round(params["center"][0] * height), round(params["center"][1] * width)
        quarters: list[Region] = [(0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)]
        parts = []
        for corner, (region, source, zoom) in enumerate(zip(quarters, params["sources"], params["zoom"], strict=True)):
            quarter_width, quarter_height = region[2] - region[0], region[3] - region[1]
            scene = scenes[source]
            factor = zoom * min(quarter_height / scene.size[0], quarter_width / scene.size[1])
            scaled = scale_scene(scene, (max(1, round(scene.size[0] * factor)), max(1, round(scene.size[1] * factor))))
            left = x - scaled.size[1] if corner in (0, 2) else x
            top = y - scaled.size[0] if corner in (0, 1) else y
            placed = self._place(scaled, (left, top), (height, width), region)
            seen = (
                max(region[0], left),
                max(region[1], top),
                min(region[2], left + scaled.size[1]),
                min(region[3], top + scaled.size[0]),
            )
            parts.append(cut(placed, seen, self.min_visible))
        mosaic = join(*parts)
        mosaic.rest, mosaic.types = dict(base.rest), dict(base.types)
        mosaic.image = _join_quarters([part.image for part in parts], quarters)
        for name in base.maps:
            mosaic.maps[name] = _join_quarters([part.maps[name] for part in parts], quarters)
        return mosaic

    def _place(self, scene: Scene, at: tuple[int, int], size: tuple[int, int], region: Region) -> Scene:
        """Lay a scene on an empty picture of `size`, its upper left corner at `at` (x, y)."""
        left, top = at
        placed = Scene(_lay(scene.image, at, size, self.fill), {}, {}, scene.rest, scene.types)
        for name, values in scene.objects.items():
            if name == "boxes":
                placed.objects[name] = values + values.new_tensor([left, top, left, top])
            elif name == "keypoints":
                shift = values.new_tensor([left, top, *[0] * (values.shape[-1] - 2)])
                placed.objects[name] = values + shift
            elif name == "masks":
                placed.objects[name] = _lay(values, at, size, 0)
            else:
                placed.objects[name] = values
        placed.maps = {name: _lay(values, at, size, self.mask_fill) for name, values in scene.maps.items()}
        return placed


def scale_scene(scene: Scene, size: tuple[int, int]) -> Scene:
    """Resize a picture and all that belongs to it."""
    if size == scene.size:
        return scene
    ratio_y, ratio_x = size[0] / scene.size[0], size[1] / scene.size[1]
    image = F.resize_image(scene.image, list(size), antialias=True)
    scaled = Scene(image, dict(scene.objects), {}, scene.rest, scene.types)
    for name, values in scene.objects.items():
        if name == "boxes":
            boxes = values if values.is_floating_point() else values.float()
            scaled.objects[name] = boxes * boxes.new_tensor([ratio_x, ratio_y, ratio_x, ratio_y])
        elif name == "keypoints":
            points = values if values.is_floating_point() else values.float()
            scaled.objects[name] = points * points.new_tensor([ratio_x, ratio_y, *[1] * (points.shape[-1] - 2)])
        elif name == "masks":
            scaled.objects[name] = _nearest(values, size)
    scaled.maps = {name: _nearest(values, size) for name, values in scene.maps.items()}
    return scaled


def _nearest(masks: Tensor, size: tuple[int, int]) -> Tensor:
    rows = ((torch.arange(size[0], device=masks.device) + 0.5) * (masks.shape[-2] / size[0])).long()
    columns = ((torch.arange(size[1], device=masks.device) + 0.5) * (masks.shape[-1] / size[1])).long()
    return masks[..., rows[:, None], columns]


def _lay(values: Tensor, at: tuple[int, int], size: tuple[int, int], fill: float) -> Tensor:
    laid = values.new_full((*values.shape[:-2], *size), fill)
    left, top = at
    x1, y1 = max(left, 0), max(top, 0)
    x2, y2 = min(left + values.shape[-1], size[1]), min(top + values.shape[-2], size[0])
    if x2 > x1 and y2 > y1:
        laid[..., y1:y2, x1:x2] = values[..., y1 - top : y2 - top, x1 - left : x2 - left]
    return laid


def _join_quarters(parts: list[Tensor], quarters: list[Region]) -> Tensor:
    whole = parts[0].clone()
    for part, (left, top, right, bottom) in zip(parts[1:], quarters[1:], strict=True):
        whole[..., top:bottom, left:right] = part[..., top:bottom, left:right]
    return whole
