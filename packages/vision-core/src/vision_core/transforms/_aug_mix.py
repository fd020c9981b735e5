"""AugMix: an image mixed with augmented versions of itself."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vision_core.transforms._auto_augment import ChainOfOperations, Interpolation
from vision_core.transforms._fill import FillByType
from vision_core.transforms._policies import AUGMIX, AUGMIX_PARTIAL
from vision_core.transforms._query import has_any, query_size
from vision_core.transforms._sample import is_pure
from vision_core.transforms.functional._dispatch import find_kernel, functional
from vision_core.transforms.functional._values import to_working
from vision_core.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, Video

__all__ = ["AugMix"]

_STRENGTHS = 10


class AugMix(ChainOfOperations):
    """Mixes images with chains of random operations on them, each image of a batch with weights of its own.

    Source: Hendrycks et al., "AugMix: A Simple Data Processing Method to Improve Robustness and Uncertainty", ICLR
    2020.

    Args:
        severity: strongest strength of the operations, 1..10.
        mixture_width: number of chains.
        chain_depth: operations in a chain; 1 to 3 at random when -1.
        alpha: concentration of the Dirichlet and Beta distributions of the weights.
        all_ops: brightness, color, contrast and sharpness too, which overlap with the corruptions of ImageNet-C.
        interpolation: of geometric operations, "nearest" or "bilinear".
        fill: value of uncovered pixels, one for each channel, or a dict of these by type; None: zeros.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw the operations, too, for each sample of a batch.

    Raises:
        ValueError: a severity outside 1..10.
        TypeError: boxes, masks or keypoints among the inputs, which cannot follow several mixed images.

    Examples:
        >>> import torch
        >>> AugMix()(torch.zeros(3, 8, 8, dtype=torch.uint8)).dtype
        torch.uint8
    """

    def __init__(
        self,
        severity: int = 3,
        mixture_width: int = 3,
        chain_depth: int = -1,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: Interpolation = "bilinear",
        fill: FillByType = None,
        *,
        generator: torch.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(interpolation, fill, generator, per_sample)
        if not 1 <= severity <= _STRENGTHS:
            raise ValueError(f"severity: expected 1..{_STRENGTHS}, got {severity}")
        self.severity = severity
        self.mixture_width = mixture_width
        self.chain_depth = chain_depth
        self.alpha = alpha
        self.all_ops = all_ops

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Refuse what cannot be mixed."""
        if has_any(flat_inputs, BoundingBoxes, Mask, KeyPoints):
            raise TypeError("AugMix: boxes, masks and keypoints cannot follow several mixed images; pass images only")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the weights of the original and of the chains, and the operations of the chains."""
        size = query_size(flat_inputs)
        count = next((_count(i) for i in flat_inputs if isinstance(i, (Image, Video)) or is_pure(i)), 1)
        shares = self.dirichlet(count, 2, self.alpha)
        weights = self.dirichlet(count, self.mixture_width, self.alpha) * shares[:, 1:]
        space = AUGMIX if self.all_ops else AUGMIX_PARTIAL
        chains = []
        for _ in range(self.mixture_width):
            depth = self.chain_depth if self.chain_depth > 0 else self.integer(1, 3)
            chain = []
            for _ in range(depth):
                name = self.draw_operation(space)
                strength = space[name]
                index = 0 if strength.strongest is None else self.integer(0, self.severity - 1)
                chain.append((name, self.draw_sign(strength, strength.magnitude(index, _STRENGTHS, size))))
            chains.append(chain)
        return {"original": shares[:, 0], "weights": weights, "chains": chains}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Mix one input."""
        kernel = find_kernel(_mix, inpt)
        return inpt if kernel is None else kernel(inpt, self, params)


def _count(image: Any) -> int:
    """Images of a batch `[..., C, H, W]`."""
    count = 1
    for size in image.shape[:-3]:
        count *= size
    return count


def _mix_image(image: Tensor, transform: AugMix, params: dict[str, Any]) -> Tensor:
    batch = image.reshape(-1, *image.shape[-3:]) if image.ndim > 2 else image[None, None]
    original = params["original"].to(image.device).view(-1, 1, 1, 1)
    mixed = to_working(batch) * original
    for chain, weight in zip(params["chains"], params["weights"].to(image.device).unbind(1), strict=True):
        augmented = batch
        for name, magnitude in chain:
            augmented = transform.operate(augmented, name, magnitude)
        mixed.add_(weight.view(-1, 1, 1, 1) * augmented)
    return mixed.view(image.shape).to(image.dtype)


_mix = functional(_mix_image)
