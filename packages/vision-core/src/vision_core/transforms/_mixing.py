"""What MixUp and CutMix share: batches found among the inputs, and each picture given the one before it."""

from __future__ import annotations

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
from vision_core.transforms._scenes import Batch, Scene
from vision_core.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, TVTensor, Video
from vision_core.tv_tensors._base import plain

__all__ = ["Mixing"]


class Mixing(Random, ABC):
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
