"""What a call of a transform costs beside torchvision's, on images so small that little else is timed.

Run it as `python packages/vision-core/benchmarks/bench_transform_calls.py --json out.json`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.harness import race, script, show, write_json
from vision_core import transforms, tv_tensors

FUNCTIONALS: dict[str, dict[str, Any]] = {
    "horizontal_flip": {},
    "crop": {"top": 1, "left": 1, "height": 2, "width": 2},
    "center_crop": {"output_size": [2, 2]},
    "pad": {"padding": [1, 1]},
    "resize": {"size": [5, 5]},
    "rotate": {"angle": 30.0},
    "affine": {"angle": 30.0, "translate": [1, 1], "scale": 1.0, "shear": [0.0, 0.0]},
}
CLASSES: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "Identity": lambda module: module.Identity(),
    "RandomHorizontalFlip": lambda module: module.RandomHorizontalFlip(1.0),
    "CenterCrop": lambda module: module.CenterCrop(2),
    "RandomCrop": lambda module: module.RandomCrop(2),
    "Resize": lambda module: module.Resize((5, 5)),
    "Pad": lambda module: module.Pad(1),
    "RandomRotation": lambda module: module.RandomRotation(30),
    "Compose": lambda module: module.Compose([module.RandomHorizontalFlip(1.0), module.CenterCrop(2)]),
}


def inputs(module: Any) -> dict[str, Any]:
    """One input of each type."""
    pixels = torch.arange(48, dtype=torch.uint8).view(3, 4, 4)
    box = [[1.0, 1.0, 3.0, 3.0]]
    return {
        "tensor": pixels,
        "Image": module.Image(pixels),
        "Mask": module.Mask(pixels),
        "BoundingBoxes": module.BoundingBoxes(box, format="XYXY", canvas_size=(4, 4)),
        "KeyPoints": module.KeyPoints([[1.0, 1.0]], canvas_size=(4, 4)),
    }


def main(path: Path) -> None:
    """Time every call and write the results."""
    try:
        import torchvision.transforms.v2 as peer
        import torchvision.tv_tensors as peer_types
    except ImportError:
        peer = peer_types = None
    results = {}
    ours, theirs = inputs(tv_tensors), inputs(peer_types) if peer_types is not None else {}
    for name, arguments in FUNCTIONALS.items():
        for kind, inpt in ours.items():
            function = getattr(transforms.functional, name)
            runs: dict[str, Callable[[], object]] = {
                "vision-core": lambda f=function, x=inpt, a=arguments: f(x, **a),
            }
            if peer is not None:
                other, same = getattr(peer.functional, name), theirs[kind]
                if name not in ("rotate", "affine"):  # there nearest pixels may be other ones
                    difference = function(inpt, **arguments).float() - other(same, **arguments).float()
                    assert difference.abs().max() <= 1
                runs["torchvision"] = lambda f=other, x=same, a=arguments: f(x, **a)
            results[f"functional.{name}, {kind}"] = race(runs)
    for name, make in CLASSES.items():
        for kind in ("tensor", "Image"):
            transform = make(transforms)
            runs = {"vision-core": lambda t=transform, x=ours[kind]: t(x)}
            if peer is not None:
                transform = make(peer)
                runs["torchvision"] = lambda t=transform, x=theirs[kind]: t(x)
            results[f"{name}, {kind}"] = race(runs)
    show(results, title="calls of transforms, 3 x 4 x 4 pixels")
    write_json(path, results)


if __name__ == "__main__":
    script(main)
