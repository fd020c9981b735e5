"""Copy-paste: objects of one picture pasted into another."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vision_core.ops import masks_to_boxes
from vision_core.transforms import functional as F
from vision_core.transforms._mosaic import scale_scene
from vision_core.transforms._random import Random
from vision_core.transforms._scenes import Batch, Scene, join
from vision_core.transforms.functional._values import from_working, to_working

__all__ = ["SimpleCopyPaste"]


class SimpleCopyPaste(Random):
    """Pastes a random choice of the objects of the picture before into each picture of a batch.

    Source: Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for Instance Segmentation", CVPR
    2021. Targets need `masks` `[N, H, W]`; boxes are drawn anew around what is seen of each object, and objects of
    which little is left are dropped. A picture of another size is resized first.

    Args:
        blending: soften the edges of what is pasted.
        min_visible: part of a covered object's mask that must be left, 0..1.
        p: probability for each picture.
        generator: source of random numbers; torch's global one when None.

    Raises:
        ValueError: inputs that are no batch of pictures with masks.

    Examples:
        >>> import torch
        >>> masks = torch.zeros(1, 16, 16, dtype=torch.bool)
        >>> masks[:, 2:6, 2:6] = True
        >>> targets = [{"masks": masks.roll(8 * i, -1), "labels": torch.tensor([i])} for i in range(2)]
        >>> images, targets = SimpleCopyPaste(p=1.0)(torch.rand(2, 3, 16, 16), targets)
        >>> targets[0]["labels"].tolist()
        [0, 1]
    """

    def __init__(
        self,
        blending: bool = True,
        min_visible: float = 0.1,
        p: float = 0.5,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(generator=generator)
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"p: expected a probability in 0..1, got {p}")
        self.blending = blending
        self.min_visible = min_visible
        self.p = p

    def forward(self, *inputs: Any) -> Any:
        """Paste objects within a batch of pictures with targets."""
        return self.apply(self.sample(*inputs), *inputs)

    def sample(self, *inputs: Any) -> list[list[int] | None]:
        """Draw what a call with these inputs would draw, for `apply`: for each picture the objects that come."""
        scenes = self._parse(inputs).scenes
        drawn: list[list[int] | None] = []
        for number in range(len(scenes)):
            count = scenes[number - 1].count
            if count and self.chance(self.p):
                drawn.append(sorted({self.integer(0, count - 1) for _ in range(count)}))
            else:
                drawn.append(None)
        return drawn

    def apply(self, params: Any, *inputs: Any) -> Any:
        """Paste what `sample` returned, instead of drawing."""
        if not inputs and callable(params):
            return super().apply(params)
        batch = self._parse(inputs)
        made = []
        for number, (scene, chosen) in enumerate(zip(batch.scenes, params, strict=True)):
            other = batch.scenes[number - 1]
            made.append(scene if chosen is None else self._paste(scene, other.keep(torch.tensor(chosen))))
        return batch.rebuild(made)

    def inverse(self, params: Any, *inputs: Any) -> Any:
        """Refused: what was covered cannot be restored."""
        raise TypeError("SimpleCopyPaste: what was covered cannot be restored")

    def _parse(self, inputs: tuple[Any, ...]) -> Batch:
        batch = Batch.parse(inputs)
        if batch is None or not all("masks" in scene.objects for scene in batch.scenes):
            raise ValueError(
                "SimpleCopyPaste: expected a batch of pictures with masks [N, H, W]: (images, list of dicts), a list "
                "of (image, dict) or a list of dicts with an 'image'"
            )
        return batch

    def _paste(self, scene: Scene, other: Scene) -> Scene:
        other = scale_scene(other, scene.size)
        pasted = other.objects["masks"].bool().any(0)
        left = scene.keep(torch.arange(scene.count))
        before = left.objects["masks"].bool().flatten(1).sum(1)
        left.objects["masks"] = left.objects["masks"] * ~pasted
        after = left.objects["masks"].bool().flatten(1).sum(1)
        if "boxes" in left.objects:
            changed = after != before
            around = masks_to_boxes(left.objects["masks"].bool())  # to the last pixel, boxes reach to its far edge
            around = (around + around.new_tensor([0, 0, 1, 1])).to(left.objects["boxes"].dtype)
            left.objects["boxes"] = torch.where(changed[:, None], around, left.objects["boxes"])
        left = left.keep((after > 0) & (after >= self.min_visible * before))
        left.objects["masks"] = left.objects["masks"].to(scene.objects["masks"].dtype)
        mixed = join(left, other)
        mixed.image = self._blend(scene.image, other.image, pasted)
        for name in scene.maps:
            if name in other.maps:
                mixed.maps[name] = torch.where(pasted, other.maps[name], scene.maps[name])
        return mixed

    def _blend(self, image: Tensor, other: Tensor, pasted: Tensor) -> Tensor:
        if not self.blending or min(image.shape[-2:]) < 3:
            return torch.where(pasted, other, image)
        share = F.gaussian_blur_image(pasted[None].float(), [5, 5] if min(image.shape[-2:]) > 4 else [3, 3], [2.0, 2.0])
        mixed = to_working(image) * (1.0 - share) + to_working(other) * share
        return mixed.to(image.dtype) if image.is_floating_point() else from_working(mixed.round_(), image.dtype)
