"""Rectangles of an image erased at random."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vision_core.transforms import functional as F
from vision_core.transforms._query import query_chw
from vision_core.transforms._random import RandomTransform
from vision_core.transforms.functional._dispatch import find_kernel

__all__ = ["RandomErasing"]

_ATTEMPTS = 10


class RandomErasing(RandomTransform):
    """Erases a random rectangle with probability `p`.

    Source: Zhong et al., "Random Erasing Data Augmentation", AAAI 2020. Boxes, masks and keypoints stay as they are.

    Args:
        p: probability, 0..1.
        scale: smallest and largest part of the image's area.
        ratio: smallest and largest ratio of height to width.
        value: what is written: a number, one for each channel, or "random" for normally distributed noise.
        inplace: write into the inputs.
        generator: source of random numbers; torch's global one when None.
        per_sample: decide and draw for each sample of a batch instead of once for all.

    Raises:
        TypeError: `scale` or `ratio` is no sequence, `value` is neither a number nor a sequence.
        ValueError: parts outside 0..1, another string than "random", or a number of values other than the channels'.

    Examples:
        >>> import torch
        >>> erased = RandomErasing(p=1.0)(torch.ones(3, 32, 32))
        >>> 0 < (erased == 0).float().mean() < 0.4
        tensor(True)
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: float | str | Sequence[float] = 0.0,
        inplace: bool = False,
        *,
        generator: torch.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        for name, limits in (("scale", scale), ("ratio", ratio)):
            if not isinstance(limits, Sequence) or len(limits) != 2:
                raise TypeError(f"{name}: expected (smallest, largest), got {limits!r}")
            if limits[0] > limits[1]:
                warnings.warn(f"{name}: expected (smallest, largest), got {limits!r}", stacklevel=2)
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError(f"scale: expected parts of the area in 0..1, got {scale!r}")
        self.scale = scale
        self.ratio = ratio
        self.value = _values(value)
        self.inplace = inplace

    @staticmethod
    def get_params(
        img: Tensor, scale: Sequence[float], ratio: Sequence[float], value: Sequence[float] | None = None
    ) -> tuple[int, int, int, int, Tensor]:
        """Draw a rectangle (top, left, height, width) and what to write; the whole image, unchanged, if none fits."""
        transform = RandomErasing(1.0, scale, ratio, "random" if value is None else value)
        drawn = transform.make_params([img])
        kept = img if drawn["v"] is None else drawn["v"]
        return drawn["i"], drawn["j"], drawn["h"], drawn["w"], kept

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the rectangle and what to write; nothing to write if no rectangle fitted."""
        channels, height, width = query_chw(flat_inputs)
        if self.value is not None and len(self.value) not in (1, channels):
            raise ValueError(f"value: expected one or {channels}, one for each channel, got {len(self.value)}")
        low, high = math.log(self.ratio[0]), math.log(self.ratio[1])
        for _ in range(_ATTEMPTS):
            area = height * width * self.uniform(self.scale[0], self.scale[1])
            aspect = math.exp(self.uniform(low, high))
            h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if h < height and w < width:
                values = self._written(channels, h, w)
                i, j = self.integer(0, height - h), self.integer(0, width - w)
                return {"i": i, "j": j, "h": h, "w": w, "v": values}
        return {"i": 0, "j": 0, "h": height, "w": width, "v": None}

    def _written(self, channels: int, height: int, width: int) -> Tensor:
        if self.value is not None:
            return torch.tensor(self.value)[:, None, None]
        device = None if self.generator is None else self.generator.device
        return torch.empty(channels, height, width, device=device).normal_(generator=self.generator)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Erase the rectangle in one image."""
        v = params["v"]
        kernel = None if v is None else find_kernel(F.erase, inpt)
        if v is None or kernel is None:
            return inpt
        v = v.to(inpt.device) if isinstance(inpt, Tensor) else v
        return kernel(inpt, params["i"], params["j"], params["h"], params["w"], v, self.inplace)


def _values(value: float | str | Sequence[float]) -> list[float] | None:
    if isinstance(value, str):
        if value != "random":
            raise ValueError(f'value: expected numbers or "random", got {value!r}')
        return None
    if isinstance(value, (int, float)):
        return [float(value)]
    if not isinstance(value, Sequence):
        raise TypeError(f'value: expected a number, one for each channel or "random", got {type(value).__name__}')
    return [float(v) for v in value]
