"""Boxes around masks, masks put into images, and run-length masks, against torchvision and pycocotools.

Run it as `python packages/vision-core/benchmarks/bench_masks.py --json out.json`.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.harness import race, script, show, write_json
from vision_core import ops

# name: (masks, height, width)
SIZES = {
    "1 x 1 x 1": (1, 1, 1),
    "1 x 32 x 32": (1, 32, 32),
    "20 x 480 x 640": (20, 480, 640),
    "100 x 800 x 1333": (100, 800, 1333),
}


def blobs(count: int, height: int, width: int) -> Tensor:
    """Ellipses with a hole, like the masks of objects: `[N, H, W]` bool."""
    generator = torch.Generator().manual_seed(0)
    y, x = torch.arange(height)[:, None], torch.arange(width)
    centre = torch.rand(count, 2, generator=generator) * torch.tensor([height, width])
    radius = (0.05 + 0.25 * torch.rand(count, 2, generator=generator)) * torch.tensor([height, width])
    masks = []
    for (cy, cx), (ry, rx) in zip(centre.tolist(), radius.tolist(), strict=True):
        distance = ((y - cy) / max(ry, 1)) ** 2 + ((x - cx) / max(rx, 1)) ** 2
        masks.append((distance <= 1) & (distance > 0.05))
    return torch.stack(masks)


def peer_module(name: str) -> Any:
    """The module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def dense(results: dict, name: str, masks: Tensor, repeat: int) -> None:
    """masks_to_boxes, mask_iou and paste_masks."""
    peer = peer_module("torchvision.ops")
    for dtype in (torch.bool, torch.float32):
        typed = masks.to(dtype)
        entrants = {"vision-core": lambda m=typed: ops.masks_to_boxes(m)}
        if peer is not None:
            assert torch.equal(peer.masks_to_boxes(typed), ops.masks_to_boxes(typed))
            entrants["torchvision"] = lambda m=typed: peer.masks_to_boxes(m)
        results[f"masks_to_boxes, {name} {str(dtype)[6:]}"] = race(entrants, repeat=repeat)

    flat = masks.flatten(1)

    def with_matmul() -> Tensor:
        wide = flat.float()
        inter, area = wide @ wide.t(), wide.sum(1)
        return inter / (area[:, None] + area - inter).clamp(min=1)

    torch.testing.assert_close(ops.mask_iou(masks, masks), with_matmul())
    entrants = {"vision-core": lambda: ops.mask_iou(masks, masks), "torch matmul": with_matmul}
    results[f"mask_iou, {name} with themselves"] = race(entrants, repeat=repeat)

    heads = peer_module("torchvision.models.detection.roi_heads")
    size = (masks.shape[1], masks.shape[2])
    small = torch.rand(len(masks), 28, 28, generator=torch.Generator().manual_seed(1))
    boxes = ops.masks_to_boxes(masks)
    entrants = {"vision-core": lambda: ops.paste_masks(small, boxes, size)}
    entrants["vision-core, threshold"] = lambda: ops.paste_masks(small, boxes, size, threshold=0.5)
    if heads is not None:
        expected = heads.paste_masks_in_image(small[:, None], boxes, size)[:, 0]
        torch.testing.assert_close(ops.paste_masks(small, boxes, size), expected, rtol=1e-5, atol=1e-5)
        entrants["torchvision"] = lambda: heads.paste_masks_in_image(small[:, None], boxes, size)
        entrants["torchvision, threshold"] = lambda: heads.paste_masks_in_image(small[:, None], boxes, size) > 0.5
    results[f"paste_masks, {name}"] = race(entrants, repeat=repeat)


def run_lengths(results: dict, name: str, masks: Tensor, repeat: int) -> None:
    """Encoding, decoding, areas, boxes, IoU and union of run-length masks."""
    peer = peer_module("pycocotools.mask")
    rles = ops.rle_encode(masks)
    columns = masks.numpy().transpose(1, 2, 0).astype("uint8", order="F")  # the peer's layout, made beforehand
    crowd = [0] * len(rles)
    cases = {
        "encode": (lambda: ops.rle_encode(masks), lambda: peer.encode(columns)),
        "decode": (lambda: ops.rle_decode(rles), lambda: peer.decode(rles)),
        "area": (lambda: ops.rle_area(rles), lambda: peer.area(rles)),
        "to_boxes": (lambda: ops.rle_to_boxes(rles), lambda: peer.toBbox(rles)),
        "iou": (lambda: ops.rle_iou(rles, rles), lambda: peer.iou(rles, rles, crowd)),
        "merge": (lambda: ops.rle_merge(rles), lambda: peer.merge(rles)),
    }
    if peer is not None:
        assert peer.encode(columns) == rles
        assert peer.merge(rles) == ops.rle_merge(rles)
        assert (torch.from_numpy(peer.iou(rles, rles, crowd)) == ops.rle_iou(rles, rles)).all()
    for operation, (ours, theirs) in cases.items():
        entrants = {"vision-core": ours}
        if peer is not None:
            entrants["pycocotools"] = theirs
        results[f"rle_{operation}, {name}"] = race(entrants, repeat=repeat)

    size = (masks.shape[1], masks.shape[2])
    angle = torch.arange(64) * (2 * torch.pi / 64)
    centre, radius = size[1] * 0.5, min(size) * 0.4
    polygon = torch.stack((centre + radius * angle.cos(), centre + radius * angle.sin()), 1).flatten().double().tolist()
    entrants = {"vision-core": lambda: ops.rle_from_polygons([polygon] * len(rles), size)}
    if peer is not None:
        assert peer.frPyObjects([polygon], *size) == ops.rle_from_polygons([polygon], size)
        entrants["pycocotools"] = lambda: peer.frPyObjects([polygon] * len(rles), *size)
    results[f"rle_from_polygons, {name}"] = race(entrants, repeat=repeat)


def main(path: Path) -> None:
    """Time every case and write the results."""
    results: dict = {}
    for name, size in SIZES.items():
        masks = blobs(*size)
        repeat = 5 if masks.numel() > 10**7 else 15
        dense(results, name, masks, repeat)
        run_lengths(results, name, masks, repeat)
    show(results, title="masks")
    write_json(path, results)


if __name__ == "__main__":
    script(main)
