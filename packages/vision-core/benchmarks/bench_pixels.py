"""Every operation on 8-bit images against torchvision, OpenCV, Pillow, albumentations and kornia.

Run it as `python packages/vision-core/benchmarks/bench_pixels.py --json out.json`. Ours are timed on planar (CHW) and
interleaved (HWC) images, torchvision on both, the others on what they work on. "clone" is a copy of the image, the
floor of what reads and writes it once. Before it is timed, what a library returns is compared with our result. At the
end stands one table of all cases, those first in which a peer is fastest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import pixel_peers as peers

from benchmarks.harness import race, script, write_json
from vision_core.transforms import functional as F

SIZES = ((1080, 1920), (500, 375), (32, 32), (1, 1))
OURS = ("vision-core CHW", "vision-core HWC")
MIRRORED = ("gaussian blur 5x5", "pad reflect", "pad symmetric")  # not of images smaller than their borders
# How far the mean of another library's result may be from ours, in steps of 1/255; 1 where nothing stands here. The
# others round otherwise, take other weights or borders, or a coarser grid of positions.
FAR = {
    "sharpness": 3.0,
    "autocontrast": 3.0,
    "equalize": 3.0,
    "adjust contrast": 2.0,
    "adjust brightness": 3.0,
    "adjust saturation": 3.0,
    "posterize": 16.0,
    "rotate nearest": 4.0,
    "perspective bilinear": 2.0,
    "resize, smaller": 4.0,
    "resize, larger": 2.0,
    "resize bicubic, smaller": 2.0,
}


def picture(height: int, width: int) -> Tensor:
    """Interleaved smooth noise, so that tables and histograms meet realistic values."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, max(height // 8, 1), max(width // 8, 1), generator=generator) * 255
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear").to(torch.uint8)
    return smooth[0].permute(1, 2, 0).contiguous().permute(2, 0, 1)


def displacement(height: int, width: int) -> Tensor:
    """A random field of up to 2 % of the image."""
    return torch.rand((1, height, width, 2), generator=torch.Generator().manual_seed(1)) * 0.04 - 0.02


def candidates(height: int, width: int) -> dict[str, tuple[dict[str, peers.Run], Any]]:
    """What takes part: name to its functions and the image that it gets."""
    hwc = picture(height, width)
    chw, array = hwc.contiguous(), hwc.permute(1, 2, 0).numpy()
    field = displacement(height, width)
    own = peers.tensor_runs(F, height, width, field)
    found: dict[str, tuple[dict[str, peers.Run], Any]] = {OURS[0]: (own, chw), OURS[1]: (own, hwc)}
    try:
        from torchvision.transforms.v2 import functional as torchvision

        theirs = peers.tensor_runs(torchvision, height, width, field)
        found["torchvision CHW"], found["torchvision HWC"] = (theirs, chw), (theirs, hwc)
    except ImportError:
        pass
    found["OpenCV"] = (peers.opencv_runs(height, width, field), array)
    found["Pillow"] = (peers.pillow_runs(height, width), F.to_pil_image(chw))
    found["albumentations"] = (peers.albumentations_runs(height, width), array)
    found["kornia"] = (peers.kornia_runs(height, width), chw[None] / 255)
    return found


def as_planes(result: Any) -> Tensor:
    """Turn anybody's result into float64 `[C, H, W]`."""
    if not isinstance(result, Tensor):
        import numpy as np

        values = torch.from_numpy(np.array(result))
        return (values if values.dim() == 3 else values[..., None]).permute(2, 0, 1).double()
    return (result[0] if result.dim() == 4 else result).double()


def agree(name: str, peer: str, result: Any, expected: Tensor) -> bool:
    """Whether two results are the same: but for rounding torchvision's, on the whole the others'."""
    if peer.startswith(("vision-core", "torchvision")):
        most = 1e-5 if expected.is_floating_point() else 3 if name in ("brightness, contrast, saturation, hue",) else 1
        return bool((result.double() - expected.double()).abs().max() <= most)
    planes = as_planes(result) * (255 if peer == "kornia" and name != "normalize to float" else 1)
    unit = 0.02 if expected.is_floating_point() else 1.0
    return bool((planes - expected.double()).abs().mean() <= FAR.get(name, 1.0) * unit)


def measure(
    name: str, entrants: dict[str, tuple[dict[str, peers.Run], Any]], threads: Sequence[int], repeat: int
) -> dict[str, Any]:
    """Compare and time one operation."""
    expected = entrants[OURS[0]][0][name](entrants[OURS[0]][1])
    runs: dict[str, Callable[[], object]] = {}
    for peer, (functions, image) in entrants.items():
        if name not in functions:
            continue
        run = functions[name]
        if min(expected.shape[-2:]) >= 100:  # what is smaller is nearly all border
            assert agree(name, peer, run(image), expected), f"{name}: {peer} returns something else"
        runs[peer] = lambda run=run, image=image: run(image)
    runs["clone"] = entrants[OURS[0]][1].clone
    return race(runs, repeat=repeat, threads=threads)


def summary(results: dict[str, Any]) -> list[tuple[float, str]]:
    """Lines for all cases and both memory orders, sorted by the best peer's time over ours, which comes with each."""
    lines = []
    for case, result in results.items():
        for count, rows in result["threads"].items():
            fastest = {name: row["min_ms"] for name, row in rows.items() if name not in (*OURS, "clone")}
            for own in OURS:
                order = own[-3:]
                fair = {n: t for n, t in fastest.items() if not n.startswith("torchvision") or n.endswith(order)}
                if not fair:
                    continue
                best, mine = min(fair, key=lambda n: fair[n]), rows[own]["min_ms"]
                text = (
                    f"{case}, {order}, {count} threads: {mine:.4g} ms; {best} {fair[best]:.4g}; "
                    f"clone {rows['clone']['min_ms']:.4g}; "
                    + ", ".join(f"{n} {t / mine:.1f}x" for n, t in sorted(fair.items()))
                )
                lines.append((fair[best] / mine, text))
    return sorted(lines)


def main(path: Path) -> None:
    """Time every operation at every size and write the results."""
    results = {}
    for height, width in SIZES:
        entrants = candidates(height, width)
        for name in entrants[OURS[0]][0]:
            if name in MIRRORED and min(height, width) <= 10:
                continue
            repeat = 7 if height > 1000 else 11
            results[f"{name}, {height}x{width}"] = measure(name, entrants, (1, 2), repeat)
    for ratio, text in summary(results):
        print(f"{ratio:6.2f}x  {text}", file=sys.stderr)
    write_json(path, results)


if __name__ == "__main__":
    script(main)
