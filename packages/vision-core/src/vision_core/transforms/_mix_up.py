"""MixUp: pictures blended."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor

from vision_core.transforms._labels import LabelsGetter
from vision_core.transforms._mixing import Mixing
from vision_core.transforms._scenes import Scene, join
from vision_core.transforms.functional._values import from_working, to_working

__all__ = ["MixUp"]


class MixUp(Mixing):
    """Blends each picture of a batch with the one before it, and its labels likewise.

    Sources: Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018; for pictures with objects Zhang et
    al., "Bag of Freebies for Training Object Detection Neural Networks", 2019: both pictures' objects are kept, and
    the entry `weights` `[N]` tells how much of each is seen.

    Args:
        alpha: of the Beta distribution of the share.
        num_classes: number of classes, for labels that are numbers, and for maps of classes, which become shares
            `[num_classes, H, W]`.
        labels_getter: where the labels are: "default" (the second input, or a key with `label` in it), a key, a
            function of the inputs, or None for no labels.
        generator: source of random numbers; torch's global one when None.
        per_sample: a share for each picture of the batch instead of one for all.

    Raises:
        ValueError: no batch, labels that do not fit, pictures of different sizes.

    Examples:
        >>> import torch
        >>> images, labels = MixUp(num_classes=3)(torch.rand(2, 3, 8, 8), torch.tensor([0, 2]))
        >>> labels.sum(1)
        tensor([1., 1.])
    """

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        num_classes: int | None = None,
        labels_getter: LabelsGetter = "default",
        generator: torch.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(
            alpha=alpha,
            num_classes=num_classes,
            labels_getter=labels_getter,
            generator=generator,
            per_sample=per_sample,
        )

    def draw_mixture(self, size: tuple[int, int]) -> dict[str, Any]:
        """Draw the share of the picture itself."""
        return {"share": self.dirichlet(1, 2, self.alpha)[0, 0].item()}

    def mix_images(self, images: Tensor, others: Tensor, params: dict[str, Any]) -> Tensor:
        """Blend images; integers are rounded."""
        share = params["share"]
        mixed = to_working(others).mul(1.0 - share).add_(to_working(images).mul(share))
        if images.is_floating_point():
            return mixed.to(images.dtype)
        return from_working(mixed.round_(), images.dtype)

    def mix_maps(self, masks: Tensor, others: Tensor, params: dict[str, Any]) -> Tensor:
        """Turn maps of classes `[..., H, W]` into shares `[..., num_classes, H, W]` and blend them."""
        if masks.is_floating_point():
            return others * (1.0 - params["share"]) + masks * params["share"]
        if self.num_classes is None:
            raise ValueError("num_classes: needed to blend maps of classes")
        first, second = (nnf.one_hot(m.long(), self.num_classes).movedim(-1, -3).float() for m in (masks, others))
        return second * (1.0 - params["share"]) + first * params["share"]

    def mix_scenes(self, scene: Scene, other: Scene, params: dict[str, Any]) -> Scene:
        """Blend two pictures and keep the objects of both."""
        share = params["share"]
        weighted = []
        for part, own in ((scene, share), (other, 1.0 - share)):
            part = part.keep(torch.arange(part.count))
            weight = torch.full((part.count,), own, device=part.image.device)
            part.objects["weights"] = part.objects.get("weights", torch.ones_like(weight)) * weight
            weighted.append(part)
        mixed = join(*weighted)
        mixed.image = self.mix_images(scene.image, other.image, params)
        for name in scene.maps:
            mixed.maps[name] = self.mix_maps(scene.maps[name], other.maps[name], params)
        return mixed
