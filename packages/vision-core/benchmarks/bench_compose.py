"""Whole chains of transforms against torchvision, albumentations and kornia, and against ours without fusion.

One timing is of 8 images, as chains draw random numbers; torchvision draws the same ones as we do for the same seed,
and its results are compared with ours before it is timed. Run it as
`python packages/vision-core/benchmarks/bench_compose.py --json out.json`.
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

IMAGES = 8
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def _ends(m: Any) -> list[Any]:
    return [m.ToDtype(torch.float32, scale=True), m.Normalize(MEAN, STD)]


def classic(m: Any) -> list[Any]:
    """What image classifiers are trained with."""
    return [m.RandomResizedCrop(224), m.RandomHorizontalFlip(), m.ColorJitter(0.4, 0.4, 0.4, 0.1), *_ends(m)]


def plain(m: Any) -> list[Any]:
    """The same without changes of colour."""
    return [m.RandomResizedCrop(224), m.RandomHorizontalFlip(), *_ends(m)]


def evaluation(m: Any) -> list[Any]:
    """What they are tested with."""
    return [m.Resize(256), m.CenterCrop(224), *_ends(m)]


def contrastive(m: Any) -> list[Any]:
    """Views for contrastive learning."""
    jitter = m.RandomApply([m.ColorJitter(0.4, 0.4, 0.2, 0.1)], p=0.8)
    blur = m.RandomApply([m.GaussianBlur(23, (0.1, 2.0))], p=0.5)
    crop = m.RandomResizedCrop(224, interpolation=m.InterpolationMode.BICUBIC)
    return [crop, m.RandomHorizontalFlip(), jitter, m.RandomGrayscale(0.2), blur, m.RandomSolarize(128, 0.1), *_ends(m)]


def small(m: Any) -> list[Any]:
    """For images of 32 x 32 pixels."""
    return [m.RandomHorizontalFlip(), m.RandomCrop(28), *_ends(m)]


def colours(m: Any) -> list[Any]:
    """Changes of single values, one after the other."""
    return [m.ColorJitter(0.3, 0.3), m.RandomInvert(0.5), m.RandomPosterize(4, 0.5), m.RandomSolarize(99, 0.5)]


def warps(m: Any) -> list[Any]:
    """Warps one after the other."""
    mode = m.InterpolationMode.BILINEAR
    return [m.RandomRotation(20, mode), m.RandomHorizontalFlip(), m.RandomAffine(10, (0.1, 0.1), interpolation=mode)]


def flips(m: Any) -> list[Any]:
    """Copies only."""
    return [m.RandomHorizontalFlip(1.0), m.RandomVerticalFlip(1.0), m.CenterCrop(8)]


CHAINS: dict[str, tuple[Callable[[Any], list[Any]], tuple[int, int]]] = {
    "crop, flip, jitter, normalise": (classic, (375, 500)),
    "crop, flip, normalise": (plain, (375, 500)),
    "resize, crop, normalise": (evaluation, (375, 500)),
    "contrastive": (contrastive, (375, 500)),
    "flip, crop, normalise": (small, (32, 32)),
    "colours": (colours, (375, 500)),
    "rotation, flip, affine": (warps, (375, 500)),
    "flips, crop": (flips, (16, 16)),
}


def albumentations_chains() -> dict[str, Any]:
    """Those of the chains that albumentations has, on arrays `[H, W, C]`."""
    try:
        import albumentations as a
        from albumentations.pytorch import ToTensorV2
    except ImportError:
        return {}
    end = [a.Normalize(MEAN, STD), ToTensorV2()]
    factors = dict.fromkeys(("brightness", "contrast", "saturation"), (0.6, 1.4))
    jitter = a.ColorJitter(**factors, hue=(-0.1, 0.1), p=1.0)
    crop, flip = a.RandomResizedCrop(size=(224, 224)), a.HorizontalFlip(p=0.5)
    shorter = a.SmallestMaxSize(256)
    return {
        "crop, flip, jitter, normalise": a.Compose([crop, flip, jitter, *end]),
        "crop, flip, normalise": a.Compose([crop, flip, *end]),
        "resize, crop, normalise": a.Compose([shorter, a.CenterCrop(224, 224), *end]),
        "flip, crop, normalise": a.Compose([flip, a.RandomCrop(28, 28), *end]),
        "rotation, flip, affine": a.Compose(
            [a.Rotate(20, p=1.0), flip, a.Affine(rotate=(-10, 10), translate_percent=(-0.1, 0.1), p=1.0)]
        ),
    }


def kornia_chains() -> dict[str, Any]:
    """Those of the chains that kornia has, on floating-point batches."""
    try:
        import kornia.augmentation as k
    except ImportError:
        return {}
    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    crop, flip = k.RandomResizedCrop((224, 224)), k.RandomHorizontalFlip()
    jitter = k.ColorJitter(0.4, 0.4, 0.4, 0.1, p=1.0)
    return {
        "crop, flip, jitter, normalise": torch.nn.Sequential(crop, flip, jitter, k.Normalize(mean, std)),
        "crop, flip, normalise": torch.nn.Sequential(crop, flip, k.Normalize(mean, std)),
        "rotation, flip, affine": torch.nn.Sequential(k.RandomRotation(20), flip, k.RandomAffine(10, (0.1, 0.1))),
    }


def picture(height: int, width: int) -> Tensor:
    """Smooth, with some noise."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, height // 8, width // 8, generator=generator)
    fine = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")[0].clamp(0, 1) * 240
    return (fine + torch.rand(fine.shape, generator=generator) * 15).to(torch.uint8)


def several(chain: Callable[[Any], Any], image: Any) -> Any:
    """Run a chain on as many images as one timing is of."""
    torch.manual_seed(0)
    result = None
    for _ in range(IMAGES):
        result = chain(image)
    return result


def runs_of(name: str, peer: Any, others: dict[str, dict[str, Any]]) -> dict[str, Callable[[], object]]:
    """All that run a chain, those whose random numbers are ours compared with ours."""
    make, size = CHAINS[name]
    image = picture(*size)
    interleaved = image.movedim(0, -1).contiguous()
    chain = T.Compose(make(T))
    runs: dict[str, Callable[[], object]] = {
        "vision-core": partial(several, chain, image),
        "vision-core HWC": partial(several, chain, interleaved.movedim(-1, 0)),
        "fuse=off": partial(several, T.Compose(make(T), fuse="off"), image),
        "fuse=tolerant": partial(several, T.Compose(make(T), fuse="tolerant"), image),
    }
    if peer is not None:
        theirs = peer.Compose(make(peer))
        runs["torchvision"] = partial(several, theirs, image)
        runs["torchvision HWC"] = partial(several, theirs, interleaved.movedim(-1, 0))
        ours, reference = runs["vision-core"](), runs["torchvision"]()
        assert isinstance(ours, Tensor)
        assert isinstance(reference, Tensor)
        scale = 1.0 if ours.dtype == torch.uint8 else 255 * min(STD)
        assert (ours.float() - reference.float()).abs().mean() * scale <= 2.0, name
    if name in others["albumentations"]:
        array = interleaved.numpy()
        other = others["albumentations"][name]
        runs["albumentations"] = partial(several, lambda x: other(image=x), array)
    if name in others["kornia"]:
        runs["kornia"] = partial(several, others["kornia"][name], image[None] / 255)
    return runs


def main(path: Path) -> None:
    """Time every chain and write the results."""
    try:
        from torchvision.transforms import v2 as peer
    except ImportError:
        peer = None
    others = {"albumentations": albumentations_chains(), "kornia": kornia_chains()}
    results = {name: race(runs_of(name, peer, others), repeat=5, warmup=1) for name in CHAINS}
    show(results, title=f"{IMAGES} images through chains of transforms")
    write_json(path, results)


if __name__ == "__main__":
    script(main)
