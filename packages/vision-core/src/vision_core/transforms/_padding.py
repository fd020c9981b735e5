"""Transforms that surround images, and move boxes, masks and keypoints along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from vision_core.transforms import functional as F
from vision_core.transforms._fill import FillByType, check_fill
from vision_core.transforms._query import query_size
from vision_core.transforms._random import RandomTransform
from vision_core.transforms._transform import Transform
from vision_core.transforms.functional._pad import parse_padding

__all__ = ["Pad", "PaddingMode", "RandomZoomOut"]

PaddingMode = Literal["constant", "edge", "reflect", "symmetric"]


class Pad(Transform, operation=F.pad):
    """Adds a border to images; see `functional.pad`.

    Args:
        padding: on all sides, (left and right, top and bottom) or (left, top, right, bottom).
        fill: value of a constant border: one, one per channel, or a dict of these by type of input.
        padding_mode: what the border shows.

    Examples:
        >>> import torch
        >>> Pad([1, 0], fill=9)(torch.tensor([[[1, 2]]])).tolist()
        [[[9, 1, 2, 9]]]
    """

    padding: int | Sequence[int]
    fill: FillByType = 0
    padding_mode: PaddingMode = "constant"

    def __post_init__(self) -> None:
        parse_padding(self.padding)
        check_fill(self.fill)

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Cut the border off."""
        left, top, _, _ = parse_padding(self.padding)
        return self.call(F.crop, inpt, top, left, *canvas_size)


class RandomZoomOut(RandomTransform, operation=F.pad):
    """Lays images at a random place of a larger canvas, with probability `p`: Liu et al. (2016), "SSD".

    Args:
        fill: value of the canvas: one, one per channel, or a dict of these by type of input.
        side_range: bounds of the canvas's sides, relative to those of the image; 1 or more.
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch; the results then need one size.

    Examples:
        >>> import torch
        >>> RandomZoomOut(side_range=(2.0, 2.0), p=1.0)(torch.zeros(3, 4, 6)).shape
        torch.Size([3, 8, 12])
    """

    def __init__(
        self,
        fill: FillByType = 0,
        side_range: Sequence[float] = (1.0, 4.0),
        p: float = 0.5,
        *,
        generator: Any = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        check_fill(fill)
        if len(side_range) != 2 or not 1.0 <= side_range[0] <= side_range[1]:
            raise ValueError(f"side_range: expected (low, high), both 1 or more, got {side_range!r}")
        self.fill = fill
        self.side_range = tuple(side_range)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the canvas and the place on it."""
        height, width = query_size(flat_inputs)
        low, high = self.side_range
        ratio = low + self.uniform() * (high - low)
        spare_rows, spare_columns = int(height * ratio) - height, int(width * ratio) - width
        left, top = int(spare_columns * self.uniform()), int(spare_rows * self.uniform())
        return {"padding": [left, top, spare_columns - left, spare_rows - top]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self.call(F.pad, inpt, **params, fill=self.fill_for(inpt))

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Cut the canvas off."""
        left, top, _, _ = params["padding"]
        return self.call(F.crop, inpt, top, left, *canvas_size)
