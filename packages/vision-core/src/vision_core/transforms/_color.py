"""Transforms of colours: gray, inverted, posterized, equalized, sharpened."""

from __future__ import annotations

from typing import Any

import torch

from vision_core.transforms import functional as F
from vision_core.transforms._query import query_chw
from vision_core.transforms._random import Random, RandomTransform
from vision_core.transforms._transform import Transform

__all__ = [
    "RGB",
    "Grayscale",
    "RandomAdjustSharpness",
    "RandomAutocontrast",
    "RandomChannelPermutation",
    "RandomEqualize",
    "RandomGrayscale",
    "RandomInvert",
    "RandomPosterize",
    "RandomSolarize",
]


class Grayscale(Transform, operation=F.rgb_to_grayscale):
    """Makes images gray; see `functional.rgb_to_grayscale`.

    Args:
        num_output_channels: 1, or 3 equal ones.

    Examples:
        >>> import torch
        >>> Grayscale()(torch.rand(3, 8, 8)).shape
        torch.Size([1, 8, 8])
    """

    num_output_channels: int = 1


class RGB(Transform, operation=F.grayscale_to_rgb):
    """Gives gray images three equal channels; see `functional.grayscale_to_rgb`.

    Examples:
        >>> import torch
        >>> RGB()(torch.rand(1, 8, 8)).shape
        torch.Size([3, 8, 8])
    """


class RandomGrayscale(RandomTransform, operation=F.rgb_to_grayscale):
    """Makes images gray with probability `p`; they keep their number of channels.

    Args:
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
        per_sample: decide for each sample of a batch instead of once for all.

    Examples:
        >>> import torch
        >>> RandomGrayscale(p=1.0)(torch.rand(3, 8, 8)).shape
        torch.Size([3, 8, 8])
    """

    p: float = 0.1

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Keep the number of channels."""
        return {"num_output_channels": query_chw(flat_inputs)[0]}


class RandomInvert(RandomTransform, operation=F.invert):
    """Inverts images with probability `p`; see `functional.invert`.

    Args:
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
        per_sample: decide for each sample of a batch instead of once for all.

    Examples:
        >>> import torch
        >>> RandomInvert(p=1.0)(torch.zeros(1, 1, 1)).item()
        1.0
    """


class RandomAutocontrast(RandomTransform, operation=F.autocontrast):
    """Stretches contrast to the whole range with probability `p`; see `functional.autocontrast`.

    Args:
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
        per_sample: decide for each sample of a batch instead of once for all.
    """


class RandomEqualize(RandomTransform, operation=F.equalize):
    """Equalizes histograms with probability `p`; see `functional.equalize`.

    Args:
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
        per_sample: decide for each sample of a batch instead of once for all.
    """


class RandomPosterize(RandomTransform, operation=F.posterize):
    """Keeps the highest bits of values, with probability `p`; see `functional.posterize`.

    Args:
        bits: how many bits are kept, 0..8.
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
        per_sample: decide for each sample of a batch instead of once for all.

    Examples:
        >>> RandomPosterize(2, p=1.0)
        RandomPosterize(p=1.0, bits=2)
    """

    def __init__(
        self, bits: int, p: float = 0.5, *, generator: torch.Generator | None = None, per_sample: bool = False
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.bits = bits

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Nothing is drawn; tells the bits."""
        return {"bits": self.bits}


class RandomSolarize(RandomTransform, operation=F.solarize):
    """Inverts values from a threshold on, with probability `p`; see `functional.solarize`.

    Args:
        threshold: in the range of the images' values.
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
        per_sample: decide for each sample of a batch instead of once for all.
    """

    def __init__(
        self, threshold: float, p: float = 0.5, *, generator: torch.Generator | None = None, per_sample: bool = False
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.threshold = threshold

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Nothing is drawn; tells the threshold."""
        return {"threshold": self.threshold}


class RandomAdjustSharpness(RandomTransform, operation=F.adjust_sharpness):
    """Sharpens or blurs images with probability `p`; see `functional.adjust_sharpness`.

    Args:
        sharpness_factor: 0 blurs, 1 changes nothing, 2 sharpens.
        p: probability, 0..1.
        generator: source of random numbers; torch's global one when None.
        per_sample: decide for each sample of a batch instead of once for all.
    """

    def __init__(
        self,
        sharpness_factor: float,
        p: float = 0.5,
        *,
        generator: torch.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.sharpness_factor = sharpness_factor

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Nothing is drawn; tells the factor."""
        return {"sharpness_factor": self.sharpness_factor}


class RandomChannelPermutation(Random, operation=F.permute_channels):
    """Puts the channels into random order.

    Args:
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.

    Examples:
        >>> import torch
        >>> shuffled = RandomChannelPermutation()(torch.arange(3).view(3, 1, 1))
        >>> sorted(shuffled.flatten().tolist())
        [0, 1, 2]
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the order."""
        return {"permutation": self.permutation(query_chw(flat_inputs)[0])}
