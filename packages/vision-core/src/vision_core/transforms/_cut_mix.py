"""CutMix: a rectangle of one picture pasted into another."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from vision_core.transforms._mixing import Mixing
from vision_core.transforms._scenes import Scene, join
from vision_core.transforms._visible import Region, cover, cut

__all__ = ["CutMix"]


class CutMix(Mixing):
    """Pastes a random rectangle of the picture before into each picture of a batch; labels are mixed by area.

    Source: Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features", ICCV
    2019. In pictures with objects, masks and maps are pasted like pixels, boxes are cut at the rectangle or shrink
    where it covers a whole side of them, and objects of which little is left are dropped.

    Args:
        alpha: of the Beta distribution of the area that stays.
        num_classes: number of classes, for labels that are numbers.
        labels_getter: where the labels are: "default" (the second input, or a key with `label` in it), a key, a
            function of the inputs, or None for no labels.
        min_visible: part of an object's mask or box that must be left, 0..1.
        generator: source of random numbers; torch's global one when None.
        per_sample: a rectangle for each picture of the batch instead of one for all.

    Raises:
        ValueError: no batch, labels that do not fit, pictures of different sizes.

    Examples:
        >>> import torch
        >>> images, labels = CutMix(num_classes=3)(torch.rand(2, 3, 8, 8), torch.tensor([0, 2]))
        >>> labels.sum(1)
        tensor([1., 1.])
    """

    def draw_mixture(self, size: tuple[int, int]) -> dict[str, Any]:
        """Draw the rectangle; the share of the picture itself follows from its area."""
        height, width = size
        kept = self.dirichlet(1, 2, self.alpha)[0, 0].item()
        x, y = self.integer(0, width - 1), self.integer(0, height - 1)
        half = 0.5 * math.sqrt(1.0 - kept)
        half_width, half_height = int(half * width), int(half * height)
        box = (
            max(x - half_width, 0),
            max(y - half_height, 0),
            min(x + half_width, width),
            min(y + half_height, height),
        )
        return {"box": box, "share": 1.0 - (box[2] - box[0]) * (box[3] - box[1]) / (width * height)}

    def mix_images(self, images: Tensor, others: Tensor, params: dict[str, Any]) -> Tensor:
        """Paste the rectangle."""
        return _paste(images, others, params["box"])

    def mix_maps(self, masks: Tensor, others: Tensor, params: dict[str, Any]) -> Tensor:
        """Paste the rectangle."""
        return _paste(masks, others, params["box"])

    def mix_scenes(self, scene: Scene, other: Scene, params: dict[str, Any]) -> Scene:
        """Paste the rectangle with the objects in it."""
        box = params["box"]
        mixed = join(cover(scene, box, self.min_visible), cut(other, box, self.min_visible))
        mixed.image = _paste(scene.image, other.image, box)
        for name in scene.maps:
            mixed.maps[name] = _paste(scene.maps[name], other.maps[name], box)
        return mixed


def _paste(values: Tensor, others: Tensor, box: Region) -> Tensor:
    left, top, right, bottom = box
    pasted = values.clone()
    pasted[..., top:bottom, left:right] = others[..., top:bottom, left:right]
    return pasted
