"""Colours against torchvision's: functions on floating-point images, transforms with their random draws on 8-bit ones.

`bench_pixels.py` has the kernels for 8-bit images. Run this as
`python packages/vision-core/benchmarks/bench_colours.py --json out.json`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.harness import race, script, show, write_json
from vision_core import transforms as T

Run = Callable[[Tensor], Any]
SIZES = {"8x8": (8, 8), "500x375": (375, 500), "1080p": (1080, 1920)}

FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "adjust_brightness": (1.3,),
    "adjust_contrast": (1.3,),
    "adjust_saturation": (1.3,),
    "adjust_hue": (0.1,),
    "adjust_gamma": (0.7,),
    "adjust_sharpness": (1.5,),
    "autocontrast": (),
    "equalize": (),
    "invert": (),
    "posterize": (3,),
    "solarize": (0.4,),
    "rgb_to_grayscale": (),
    "gaussian_blur": ([5, 5], [1.0, 1.0]),
    "normalize": ([0.5] * 3, [0.2] * 3),
}
CLASSES: dict[str, tuple[Any, ...]] = {
    "ColorJitter": (0.4, 0.4, 0.4, 0.1),
    "GaussianBlur": (5,),
    "RandomErasing": (1.0,),
    "RandomInvert": (1.0,),
    "ToImage": (),
    "TrivialAugmentWide": (),
}


def candidates_of(ours: Run, theirs: Run | None, image: Tensor) -> dict[str, Callable[[], object]]:
    """The two functions on one image."""
    runs: dict[str, Callable[[], object]] = {"vision-core": lambda: ours(image)}
    if theirs is not None:
        runs["torchvision"] = lambda: theirs(image)
    return runs


def main(path: Path) -> None:
    """Time every function and class and write the results."""
    try:
        from torchvision.transforms import v2 as peer
    except ImportError:
        peer = None
    results = {}
    generator = torch.Generator().manual_seed(0)
    for size, (height, width) in SIZES.items():
        pixels = torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=generator)
        repeat = 15 if height < 1000 else 5
        for name, arguments in FUNCTIONS.items():
            image = pixels / 255
            ours: Run = partial(call, getattr(T.functional, name), arguments)
            theirs = partial(call, getattr(peer.functional, name), arguments) if peer is not None else None
            if theirs is not None:
                assert (ours(image) - theirs(image)).abs().max() <= 1e-4, name
            results[f"{name}, float32, {size}"] = race(candidates_of(ours, theirs, image), repeat=repeat)
        for name, arguments in CLASSES.items():
            other = getattr(peer, name)(*arguments) if peer is not None else None
            runs = candidates_of(getattr(T, name)(*arguments), other, pixels)
            results[f"{name}, uint8, {size}"] = race(runs, repeat=repeat)
    show(results, title="colours")
    write_json(path, results)


def call(function: Callable[..., object], arguments: tuple[Any, ...], image: Tensor) -> Any:
    """Call a function of an image and arguments."""
    return function(image, *arguments)


if __name__ == "__main__":
    script(main)
