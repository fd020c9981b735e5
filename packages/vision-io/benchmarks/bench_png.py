"""PNG: decoding and encoding beside torchvision, OpenCV and Pillow; sizes of the written files are printed.

OpenCV and Pillow give interleaved pixels (HWC), which is less work than planes; their times stand as they are.
"""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import vision_io
from benchmarks.harness import race, script, show, write_json


def _picture(height: int, width: int, channels: int, noise: float) -> torch.Tensor:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    planes = [
        110 + 60 * np.sin(x / (37 + 9 * c)) * np.cos(y / (29 + 5 * c)) + 50 * ((x // 61 + y // 47) % 2)
        for c in range(channels)
    ]
    noisy = np.stack(planes) + rng.normal(0, noise, (channels, height, width))
    return torch.from_numpy(np.clip(noisy, 0, 255).astype(np.uint8))


CASES = {
    "8x8 RGB": (8, 8, 3, 4.0),
    "500x375 RGB, as a photo": (375, 500, 3, 4.0),
    "1280x720 RGB, as a photo": (720, 1280, 3, 4.0),
    "1280x720 RGB, drawn": (720, 1280, 3, 0.0),
    "500x375 RGBA": (375, 500, 4, 4.0),
    "500x375 gray": (375, 500, 1, 4.0),
}


def _peer(name: str) -> Any:
    try:
        module = importlib.import_module(name)
        if name == "torchvision":
            importlib.import_module("torchvision.io")
        return module
    except ImportError:
        return None


def _decode(data: torch.Tensor, picture: torch.Tensor) -> dict[str, Callable[[], Any]]:
    from PIL import Image

    raw, vector = data.numpy().tobytes(), data.numpy()
    runs: dict[str, Callable[[], Any]] = {"ours": lambda: vision_io.decode_png(data)}
    torchvision, cv2 = _peer("torchvision"), _peer("cv2")
    if torchvision:
        runs["torchvision, contiguous"] = lambda: torchvision.io.decode_png(data).contiguous()
    for run in runs.values():
        assert torch.equal(run(), picture)
    runs["Pillow (HWC)"] = lambda: np.asarray(Image.open(io.BytesIO(raw)))
    if cv2:
        runs["OpenCV (HWC)"] = lambda: cv2.imdecode(vector, -1)
    return runs


def _encode(picture: torch.Tensor) -> dict[str, Callable[[], Any]]:
    from PIL import Image

    pixels = picture.permute(1, 2, 0).contiguous().numpy()
    shown = pixels[..., 0] if pixels.shape[2] == 1 else pixels

    def pillow() -> bytes:
        file = io.BytesIO()
        Image.fromarray(shown).save(file, "PNG")
        return file.getvalue()

    runs: dict[str, Callable[[], Any]] = {
        "ours": lambda: vision_io.encode_png(picture),
        "ours, level 1": lambda: vision_io.encode_png(picture, 1),
        "Pillow (HWC)": pillow,
    }
    torchvision, cv2 = _peer("torchvision"), _peer("cv2")
    if torchvision and picture.shape[0] in (1, 3):
        runs["torchvision"] = lambda: torchvision.io.encode_png(picture)
    if cv2:
        runs["OpenCV (HWC)"] = lambda: cv2.imencode(".png", shown)[1]
    return runs


def main(out: Path) -> None:
    cases = {}
    for name, settings in CASES.items():
        picture = _picture(*settings)
        cases[f"decode {name}"] = race(_decode(vision_io.encode_png(picture), picture), repeat=15, threads=(1,))
        runs = _encode(picture)
        sizes = {writer: len(run()) for writer, run in runs.items()}
        print(f"{name}: bytes {sizes}", file=sys.stderr)
        result = race(runs, repeat=7, threads=(1,))
        result["bytes"] = sizes
        cases[f"encode {name}"] = result
    show(cases)
    write_json(out, cases)


if __name__ == "__main__":
    script(main)
