"""What the automatic augmentations may do: operations with their strengths, and AutoAugment's published policies."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

import torch

__all__ = [
    "AUGMIX",
    "AUGMIX_PARTIAL",
    "AUTO",
    "POLICIES",
    "RAND",
    "TRIVIAL",
    "AutoAugmentPolicy",
    "Space",
    "Strength",
]


class AutoAugmentPolicy(Enum):
    """The data sets whose policies AutoAugment publishes."""

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


class Strength(NamedTuple):
    """How strong an operation can be.

    Attributes:
        strongest: magnitude at the strongest setting, by (height, width); None for an operation without any.
        weakest: magnitude at the weakest one.
        signed: whether the direction is random.
        whole: whether magnitudes are whole numbers.
    """

    strongest: Callable[[int, int], float] | None = None
    weakest: float = 0.0
    signed: bool = False
    whole: bool = False

    def magnitude(self, index: int, bins: int, size: tuple[int, int]) -> float:
        """Return the magnitude at setting `index` of `bins` for an image of `size` (height, width)."""
        if self.strongest is None:
            return 0.0
        value = torch.linspace(self.weakest, self.strongest(*size), bins)[index].item()
        return float(round(value)) if self.whole else value


Space = dict[str, Strength]


def _signed(value: float) -> Strength:
    return Strength(lambda height, width: value, signed=True)


_ENHANCING = ("Brightness", "Color", "Contrast", "Sharpness")
_NO_STRENGTH = ("AutoContrast", "Equalize")


def _space(shear: float, x: Callable[[int, int], float], y: Callable[[int, int], float], turn: float) -> Space:
    return {
        "ShearX": _signed(shear),
        "ShearY": _signed(shear),
        "TranslateX": Strength(x, signed=True),
        "TranslateY": Strength(y, signed=True),
        "Rotate": _signed(turn),
    }


def _posterize(most_bits: int, fewest_bits: int) -> Strength:
    return Strength(lambda height, width: fewest_bits, weakest=most_bits, whole=True)


_SOLARIZE = Strength(lambda height, width: 0.0, weakest=1.0)

AUTO: Space = {
    **_space(0.3, lambda h, w: 150.0 / 331.0 * w, lambda h, w: 150.0 / 331.0 * h, 30.0),
    **{name: _signed(0.9) for name in _ENHANCING},
    "Posterize": _posterize(8, 4),
    "Solarize": _SOLARIZE,
    **{name: Strength() for name in (*_NO_STRENGTH, "Invert")},
}
RAND: Space = {"Identity": Strength(), **{name: strength for name, strength in AUTO.items() if name != "Invert"}}
TRIVIAL: Space = {
    "Identity": Strength(),
    **_space(0.99, lambda h, w: 32.0, lambda h, w: 32.0, 135.0),
    **{name: _signed(0.99) for name in _ENHANCING},
    "Posterize": _posterize(8, 2),
    "Solarize": _SOLARIZE,
    **{name: Strength() for name in _NO_STRENGTH},
}
AUGMIX_PARTIAL: Space = {
    **_space(0.3, lambda h, w: w / 3.0, lambda h, w: h / 3.0, 30.0),
    "Posterize": _posterize(4, 0),
    "Solarize": _SOLARIZE,
    **{name: Strength() for name in _NO_STRENGTH},
}
AUGMIX: Space = {**AUGMIX_PARTIAL, **{name: _signed(0.9) for name in _ENHANCING}}

# Sub-policies of two operations each: name, probability in tenths, strength 0..9 (a dash where there is none). From the
# appendix of Cubuk et al., "AutoAugment: Learning Augmentation Strategies from Data", CVPR 2019.
_PUBLISHED = {
    AutoAugmentPolicy.IMAGENET: """
        Posterize 4 8 Rotate 6 9, Solarize 6 5 AutoContrast 6 -, Equalize 8 - Equalize 6 -, Posterize 6 7 Posterize 6 6,
        Equalize 4 - Solarize 2 4, Equalize 4 - Rotate 8 8, Solarize 6 3 Equalize 6 -, Posterize 8 5 Equalize 10 -,
        Rotate 2 3 Solarize 6 8, Equalize 6 - Posterize 4 6, Rotate 8 8 Color 4 0, Rotate 4 9 Equalize 6 -,
        Equalize 0 - Equalize 8 -, Invert 6 - Equalize 10 -, Color 6 4 Contrast 10 8, Rotate 8 8 Color 10 2,
        Color 8 8 Solarize 8 7, Sharpness 4 7 Invert 6 -, ShearX 6 5 Equalize 10 -, Color 4 0 Equalize 6 -,
        Equalize 4 - Solarize 2 4, Solarize 6 5 AutoContrast 6 -, Invert 6 - Equalize 10 -, Color 6 4 Contrast 10 8,
        Equalize 8 - Equalize 6 -""",
    AutoAugmentPolicy.CIFAR10: """
        Invert 1 - Contrast 2 6, Rotate 7 2 TranslateX 3 9, Sharpness 8 1 Sharpness 9 3, ShearY 5 8 TranslateY 7 9,
        AutoContrast 5 - Equalize 9 -, ShearY 2 7 Posterize 3 7, Color 4 3 Brightness 6 7, Sharpness 3 9 Brightness 7 9,
        Equalize 6 - Equalize 5 -, Contrast 6 7 Sharpness 6 5, Color 7 7 TranslateX 5 8, Equalize 3 - AutoContrast 4 -,
        TranslateY 4 3 Sharpness 2 6, Brightness 9 6 Color 2 8, Solarize 5 2 Invert 0 -, Equalize 2 - AutoContrast 6 -,
        Equalize 2 - Equalize 6 -, Color 9 9 Equalize 6 -, AutoContrast 8 - Solarize 2 8, Brightness 1 3 Color 7 0,
        Solarize 4 5 AutoContrast 9 -, TranslateY 9 9 TranslateY 7 9, AutoContrast 9 - Solarize 8 3,
        Equalize 8 - Invert 1 -, TranslateY 7 9 AutoContrast 9 -""",
    AutoAugmentPolicy.SVHN: """
        ShearX 9 4 Invert 2 -, ShearY 9 8 Invert 7 -, Equalize 6 - Solarize 6 6, Invert 9 - Equalize 6 -,
        Equalize 6 - Rotate 9 3, ShearX 9 4 AutoContrast 8 -, ShearY 9 8 Invert 4 -, ShearY 9 5 Solarize 2 6,
        Invert 9 - AutoContrast 8 -, Equalize 6 - Rotate 9 3, ShearX 9 4 Solarize 3 3, ShearY 8 8 Invert 7 -,
        Equalize 9 - TranslateY 6 6, Invert 9 - Equalize 6 -, Contrast 3 3 Rotate 8 4, Invert 8 - TranslateY 0 2,
        ShearY 7 6 Solarize 4 8, Invert 6 - Rotate 8 4, ShearY 3 7 TranslateX 9 3, ShearX 1 6 Invert 6 -,
        Solarize 7 2 TranslateY 6 7, ShearY 8 4 Invert 8 -, ShearX 7 9 TranslateY 8 3, ShearY 8 5 AutoContrast 7 -,
        ShearX 7 2 Invert 1 -""",
}

Step = tuple[str, float, int | None]


def _parse(text: str) -> list[tuple[Step, ...]]:
    policies = []
    for line in text.split(","):
        words = line.split()
        steps = [words[start : start + 3] for start in range(0, len(words), 3)]
        policies.append(tuple((name, int(p) / 10, None if at == "-" else int(at)) for name, p, at in steps))
    return policies


POLICIES: dict[AutoAugmentPolicy, list[tuple[Step, ...]]] = {name: _parse(text) for name, text in _PUBLISHED.items()}
