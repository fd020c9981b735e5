"""MixUp and CutMix: each picture of a batch mixed with the one before it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor

from vision_core._pillow import is_pil_image
from vision_core.transforms._labels import LabelsGetter, to_labels_getter
from vision_core.transforms._random import Random
from vision_core.transforms._sample import Sample, is_pure
from vision_core.transforms._scenes import Batch, Scene, join
from vision_core.transforms._visible import Region, cover, cut
from vision_core.transforms.functional._values import from_working, to_working
from vision_core.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, TVTensor, Video
from vision_core.tv_tensors._base import plain

__all__ = ["CutMix", "MixUp"]


class _Mixing(Random, ABC):
    """Base of both: finds images, labels and objects; the subclasses say how two of each are mixed."""

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        num_classes: int | None = None,
        labels_getter: LabelsGetter = "default",
        min_visible: float = 0.1,
        generator: torch.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        if not alpha > 0:
            raise ValueError(f"alpha: expected above 0, got {alpha}")
        self.alpha = float(alpha)
        self.num_classes = num_classes
        self.labels_getter = labels_getter
        self.min_visible = min_visible
        self._labels: Callable[[Any], Any] = to_labels_getter(labels_getter)

    def forward(self, *inputs: Any) -> Any:
        """Mix a batch: images with labels, or with targets that hold boxes, masks and keypoints."""
        return self.apply(self.sample(*inputs), *inputs)

    def sample(self, *inputs: Any) -> Any:
        """Draw what a call with these inputs would draw, for `apply`."""
        batch = Batch.parse(inputs)
        if batch is not None:
            sizes = {scene.size for scene in batch.scenes}
            if len(sizes) != 1:
                raise ValueError(f"images: expected one size in the batch, got {sorted(sizes)}")
            return self._draw_all(len(batch.scenes), sizes.pop())
        image = self._find_image(Sample(inputs))
        return self._draw_all(image.shape[0], (image.shape[-2], image.shape[-1]))

    def _draw_all(self, count: int, size: tuple[int, int]) -> Any:
        if not self.per_sample:
            return self.draw_mixture(size)
        return [self.draw_mixture(size) for _ in range(count)]

    def apply(self, params: Any, *inputs: Any) -> Any:
        """Mix with what `sample` returned, instead of drawing."""
        if not inputs and callable(params):
            return super().apply(params)
        batch = Batch.parse(inputs)
        if batch is None:
            return self._mix_tensors(params, inputs)
        per_scene = params if isinstance(params, list) else [params] * len(batch.scenes)
        before = [batch.scenes[-1], *batch.scenes[:-1]]
        trios = zip(batch.scenes, before, per_scene, strict=True)
        return batch.rebuild([self.mix_scenes(scene, other, own) for scene, other, own in trios])

    def inverse(self, params: Any, *inputs: Any) -> Any:
        """Refused: what was mixed cannot be told apart."""
        raise TypeError(f"{type(self).__name__}: mixed pictures cannot be taken apart")

    @abstractmethod
    def draw_mixture(self, size: tuple[int, int]) -> dict[str, Any]:
        """Draw how two pictures of `size` (height, width) are mixed."""

    @abstractmethod
    def mix_images(self, images: Tensor, others: Tensor, params: dict[str, Any]) -> Tensor:
        """Mix `[..., C, H, W]` with others of the same shape."""

    @abstractmethod
    def mix_maps(self, masks: Tensor, others: Tensor, params: dict[str, Any]) -> Tensor:
        """Mix maps of classes `[..., H, W]`."""

    @abstractmethod
    def mix_scenes(self, scene: Scene, other: Scene, params: dict[str, Any]) -> Scene:
        """Mix two pictures with their objects."""

    def _find_image(self, sample: Sample) -> Tensor:
        """The batch of images or videos, checked."""
        if any(is_pil_image(leaf) or isinstance(leaf, (BoundingBoxes, KeyPoints)) for leaf in sample.leaves):
            raise ValueError(
                f"{type(self).__name__}: expected a batch of tensors with labels; pictures with objects come as "
                "(images, list of dicts) or as a list of dicts, and PIL images need ToImage() before"
            )
        found = [leaf for i in sample.chosen() if _is_picture(leaf := sample.leaves[i])]
        if not found:
            raise ValueError(f"{type(self).__name__}: expected a batch of images or videos among the inputs")
        dims = 5 if isinstance(found[0], Video) else 4
        if found[0].ndim != dims:
            raise ValueError(f"images: expected a batch with {dims} dimensions, got shape {tuple(found[0].shape)}")
        return found[0]

    def _mix_tensors(self, params: Any, inputs: tuple[Any, ...]) -> Any:
        sample = Sample(inputs)
        count = self._find_image(sample).shape[0]
        labels = self._labels(inputs if len(inputs) != 1 else inputs[0])
        has_maps = any(isinstance(leaf, Mask) for leaf in sample.leaves)
        if labels is not None and not (has_maps and not _are_labels(labels, count)):
            self._check_labels(labels, count)
        else:
            labels = None
        chosen = set(sample.chosen())
        for i, leaf in enumerate(sample.leaves):
            if leaf is labels and labels is not None:
                sample.leaves[i] = self._mix_labels(leaf, params)
            elif i in chosen and isinstance(leaf, Mask):
                sample.leaves[i] = self._each(leaf, params, self.mix_maps)
            elif i in chosen and _is_picture(leaf):
                sample.leaves[i] = self._each(leaf, params, self.mix_images)
        return sample.rebuild()

    def _each(self, leaf: Tensor, params: Any, mix: Callable[..., Tensor]) -> Tensor:
        values = plain(leaf) if isinstance(leaf, TVTensor) else leaf
        others = values.roll(1, 0)
        if isinstance(params, list):
            mixed = torch.stack([mix(*own) for own in zip(values, others, params, strict=True)])
        else:
            mixed = mix(values, others, params)
        return type(leaf).wrap(mixed, leaf) if isinstance(leaf, TVTensor) else mixed

    def _check_labels(self, labels: Any, count: int) -> None:
        if not isinstance(labels, Tensor):
            raise ValueError(f"labels: expected a tensor, got {type(labels).__name__}; pass labels_getter")
        if labels.ndim not in (1, 2):
            raise ValueError(
                f"labels: expected numbers [B] or probabilities [B, num_classes], got shape {tuple(labels.shape)}"
            )
        if labels.shape[0] != count:
            raise ValueError(f"labels: expected one for each of {count} images, got {labels.shape[0]}")
        if labels.ndim == 1 and self.num_classes is None:
            raise ValueError("num_classes: needed for labels [B] that are numbers of classes")
        if labels.ndim == 2 and self.num_classes is not None and labels.shape[1] != self.num_classes:
            raise ValueError(f"labels: expected [B, {self.num_classes}] as num_classes says, got {tuple(labels.shape)}")

    def _mix_labels(self, labels: Tensor, params: Any) -> Tensor:
        shares = nnf.one_hot(labels, num_classes=self.num_classes or -1) if labels.ndim == 1 else labels
        shares = shares if shares.is_floating_point() else shares.float()
        if isinstance(params, list):
            lam: Any = torch.tensor([own["share"] for own in params], dtype=shares.dtype, device=shares.device)[:, None]
        else:
            lam = params["share"]
        return shares.roll(1, 0) * (1.0 - lam) + shares * lam


def _is_picture(leaf: Any) -> bool:
    return isinstance(leaf, (Image, Video)) or (isinstance(leaf, Tensor) and is_pure(leaf))


def _are_labels(labels: Any, count: int) -> bool:
    is_plain = isinstance(labels, Tensor) and not isinstance(labels, Mask)
    return is_plain and labels.ndim in (1, 2) and len(labels) == count


class MixUp(_Mixing):
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


class CutMix(_Mixing):
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
