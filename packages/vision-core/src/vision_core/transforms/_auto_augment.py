"""AutoAugment, RandAugment and TrivialAugment: chains of operations whose strengths are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from vision_core.transforms import functional as F
from vision_core.transforms._fill import FillByType, check_fill, fill_for
from vision_core.transforms._interpolation import InterpolationMode
from vision_core.transforms._policies import AUTO, POLICIES, RAND, TRIVIAL, AutoAugmentPolicy, Space, Strength
from vision_core.transforms._query import query_size
from vision_core.transforms._random import Random
from vision_core.transforms.functional._dispatch import find_kernel
from vision_core.transforms.functional._values import max_value

__all__ = ["AutoAugment", "ChainOfOperations", "RandAugment", "TrivialAugmentWide"]

Interpolation = str | InterpolationMode | int


class ChainOfOperations(Random):
    """Base of the automatic augmentations: `make_params` draws `ops`, pairs of a name and a magnitude.

    Geometric operations move boxes, masks and keypoints along with the pixels; the others leave them as they are.
    """

    def __init__(
        self,
        interpolation: Interpolation,
        fill: FillByType,
        generator: torch.Generator | None,
        per_sample: bool,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        check_fill(fill)
        self.interpolation = interpolation
        self.fill = fill

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Run the operations that were drawn on one input."""
        for name, magnitude in params["ops"]:
            inpt = self.operate(inpt, name, magnitude)
        return inpt

    def operate(self, inpt: Any, name: str, magnitude: float) -> Any:
        """Run one operation."""
        if name in _MOVES:
            fill = fill_for(self.fill, inpt)
            operation, arguments = _MOVES[name](magnitude)
            arguments.update(interpolation=self.interpolation, fill=fill)
        elif name in _CHANGES:
            operation, arguments = _CHANGES[name](inpt, magnitude)
        else:
            return inpt
        kernel = find_kernel(operation, inpt)
        return inpt if kernel is None else kernel(inpt, **arguments)

    def draw_sign(self, strength: Strength, magnitude: float) -> float:
        """Draw the direction, where there are two."""
        return -magnitude if strength.signed and self.chance(_HALF) else magnitude

    def draw_operation(self, space: Space) -> str:
        """Draw one of the operations of a space."""
        return list(space)[self.integer(0, len(space) - 1)]


_HALF = math.nextafter(0.5, 1.0)  # `chance` is below, the reference implementations draw at most a half

Call = tuple[Any, dict[str, Any]]


def _affine(translate: tuple[int, int] = (0, 0), shear: tuple[float, float] = (0.0, 0.0), **more: Any) -> Call:
    return F.affine, {"angle": 0.0, "translate": list(translate), "scale": 1.0, "shear": list(shear), **more}


def _degrees(slope: float) -> float:
    return math.degrees(math.atan(slope))


# Shears keep the upper left corner where it is, as the papers' reference implementations do.
_MOVES: dict[str, Callable[[float], Call]] = {
    "ShearX": lambda m: _affine(shear=(_degrees(m), 0.0), center=[0, 0]),
    "ShearY": lambda m: _affine(shear=(0.0, _degrees(m)), center=[0, 0]),
    "TranslateX": lambda m: _affine(translate=(int(m), 0)),
    "TranslateY": lambda m: _affine(translate=(0, int(m))),
    "Rotate": lambda m: (F.rotate, {"angle": m}),
}


def _white(inpt: Any) -> int:
    return max_value(inpt.dtype) if isinstance(inpt, Tensor) else 255


_CHANGES: dict[str, Callable[[Any, float], Call]] = {
    "Brightness": lambda inpt, m: (F.adjust_brightness, {"brightness_factor": 1.0 + m}),
    "Color": lambda inpt, m: (F.adjust_saturation, {"saturation_factor": 1.0 + m}),
    "Contrast": lambda inpt, m: (F.adjust_contrast, {"contrast_factor": 1.0 + m}),
    "Sharpness": lambda inpt, m: (F.adjust_sharpness, {"sharpness_factor": 1.0 + m}),
    "Posterize": lambda inpt, m: (F.posterize, {"bits": int(m)}),
    "Solarize": lambda inpt, m: (F.solarize, {"threshold": _white(inpt) * m}),
    "AutoContrast": lambda inpt, m: (F.autocontrast, {}),
    "Equalize": lambda inpt, m: (F.equalize, {}),
    "Invert": lambda inpt, m: (F.invert, {}),
}


class AutoAugment(ChainOfOperations):
    """Runs one of the policies that were learnt for a data set.

    Source: Cubuk et al., "AutoAugment: Learning Augmentation Strategies from Data", CVPR 2019. Boxes, masks and
    keypoints move along where pixels move.

    Args:
        policy: the data set whose policies are used.
        interpolation: of geometric operations, "nearest" or "bilinear".
        fill: value of uncovered pixels, one for each channel, or a dict of these by type; None: zeros.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.

    Raises:
        ValueError: an unknown policy.

    Examples:
        >>> import torch
        >>> AutoAugment()(torch.zeros(3, 8, 8, dtype=torch.uint8)).shape
        torch.Size([3, 8, 8])
    """

    def __init__(
        self,
        policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
        interpolation: Interpolation = "nearest",
        fill: FillByType = None,
        *,
        generator: torch.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(interpolation, fill, generator, per_sample)
        if not isinstance(policy, AutoAugmentPolicy):
            raise ValueError(f"policy: expected one of {[str(p) for p in AutoAugmentPolicy]}, got {policy!r}")
        self.policy = policy

    @staticmethod
    def get_params(transform_num: int) -> tuple[int, Tensor, Tensor]:
        """Draw the number of a policy, and for its two operations whether they happen and in which direction."""
        return int(torch.randint(transform_num, (1,)).item()), torch.rand((2,)), torch.randint(2, (2,))

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw a policy, and which of its operations happen."""
        size = query_size(flat_inputs)
        policies = POLICIES[self.policy]
        ops = []
        for name, probability, index in policies[self.integer(0, len(policies) - 1)]:
            if self.chance(probability):
                ops.append((name, self.draw_sign(AUTO[name], AUTO[name].magnitude(index or 0, 10, size))))
        return {"ops": ops}


class RandAugment(ChainOfOperations):
    """Runs random operations of one strength.

    Source: Cubuk et al., "RandAugment: Practical automated data augmentation with a reduced search space", NeurIPS
    2020. Boxes, masks and keypoints move along where pixels move.

    Args:
        num_ops: operations that run one after the other.
        magnitude: strength, 0 to `num_magnitude_bins` - 1.
        num_magnitude_bins: number of strengths that there are.
        interpolation: of geometric operations, "nearest" or "bilinear".
        fill: value of uncovered pixels, one for each channel, or a dict of these by type; None: zeros.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.

    Examples:
        >>> import torch
        >>> RandAugment()(torch.zeros(3, 8, 8, dtype=torch.uint8)).shape
        torch.Size([3, 8, 8])
    """

    def __init__(
        self,
        num_ops: int = 2,
        magnitude: int = 9,
        num_magnitude_bins: int = 31,
        interpolation: Interpolation = "nearest",
        fill: FillByType = None,
        *,
        generator: torch.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(interpolation, fill, generator, per_sample)
        if not 0 <= magnitude < num_magnitude_bins:
            raise ValueError(f"magnitude: expected 0..{num_magnitude_bins - 1}, got {magnitude}")
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.num_magnitude_bins = num_magnitude_bins

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the operations."""
        size = query_size(flat_inputs)
        ops = []
        for _ in range(self.num_ops):
            name = self.draw_operation(RAND)
            magnitude = RAND[name].magnitude(self.magnitude, self.num_magnitude_bins, size)
            ops.append((name, self.draw_sign(RAND[name], magnitude)))
        return {"ops": ops}


class TrivialAugmentWide(ChainOfOperations):
    """Runs one random operation of random strength.

    Source: Müller and Hutter, "TrivialAugment: Tuning-free Yet State-of-the-Art Data Augmentation", ICCV 2021, with the
    wide range of strengths. Boxes, masks and keypoints move along where pixels move.

    Args:
        num_magnitude_bins: number of strengths that there are.
        interpolation: of geometric operations, "nearest" or "bilinear".
        fill: value of uncovered pixels, one for each channel, or a dict of these by type; None: zeros.
        generator: source of random numbers; torch's global one when None.
        per_sample: draw for each sample of a batch instead of once for all.

    Examples:
        >>> import torch
        >>> TrivialAugmentWide()(torch.zeros(3, 8, 8, dtype=torch.uint8)).shape
        torch.Size([3, 8, 8])
    """

    def __init__(
        self,
        num_magnitude_bins: int = 31,
        interpolation: Interpolation = "nearest",
        fill: FillByType = None,
        *,
        generator: torch.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(interpolation, fill, generator, per_sample)
        self.num_magnitude_bins = num_magnitude_bins

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the operation and its strength."""
        size = query_size(flat_inputs)
        name = self.draw_operation(TRIVIAL)
        strength = TRIVIAL[name]
        index = 0 if strength.strongest is None else self.integer(0, self.num_magnitude_bins - 1)
        return {"ops": [(name, self.draw_sign(strength, strength.magnitude(index, self.num_magnitude_bins, size)))]}
