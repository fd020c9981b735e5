"""JPEG: whole, region, batch, fused to normalised floats, and encoding, beside torchvision, simplejpeg, OpenCV, Pillow.

``whole`` and ``region`` compare contiguous pixels of the same values. simplejpeg, OpenCV and Pillow give interleaved
pixels (HWC), which is less work than planes; their times stand as they are. ``region`` is a whole decode and a crop for
libraries that cannot decode a part.
"""

from __future__ import annotations

import importlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import vision_io
from benchmarks.harness import Candidate, race, script, show, write_json

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
SIZES = ((8, 8), (100, 120), (375, 500), (720, 1280))
SHARED = Path(os.environ.get("VISION_SHARED", Path(__file__).resolve().parents[3].parent / "shared"))
PHOTOS = {"dog-1461239_1280.jpg": (225, 440, 400, 400), "snail-4345504_1280.jpg": (226, 440, 400, 400)}


def _picture(height: int, width: int) -> torch.Tensor:
    """As hard to code as a photo: smooth areas, edges, a little noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    planes = [
        110 + 60 * np.sin(x / (37 + 9 * c)) * np.cos(y / (29 + 5 * c)) + 50 * ((x // 61 + y // 47) % 2)
        for c in range(3)
    ]
    noisy = np.stack(planes) + rng.normal(0, 7, (3, height, width))
    return torch.from_numpy(np.clip(noisy, 0, 255).astype(np.uint8))


def _peers() -> dict[str, Any]:
    found = {}
    for name in ("torchvision", "simplejpeg", "cv2"):
        try:
            found[name] = importlib.import_module(name)
        except ImportError:
            continue
    if "torchvision" in found:
        for module in ("io", "transforms.v2.functional"):
            importlib.import_module(f"torchvision.{module}")
    return found


def _planes(result: Any) -> np.ndarray:
    array = np.asarray(result)
    return array.transpose(2, 0, 1) if array.shape[-1] == 3 else array


def _decoders(data: torch.Tensor, peers: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    from PIL import Image

    raw, vector = data.numpy().tobytes(), data.numpy()
    runs: dict[str, Callable[[], Any]] = {}
    if "simplejpeg" in peers:
        runs["simplejpeg (HWC)"] = lambda: peers["simplejpeg"].decode_jpeg(raw)
    if "torchvision" in peers:
        runs["torchvision, contiguous"] = lambda: peers["torchvision"].io.decode_jpeg(data).contiguous()
    runs["Pillow (HWC)"] = lambda: np.asarray(Image.open(io.BytesIO(raw)))
    for name, run in runs.items():
        np.testing.assert_array_equal(_planes(run()), vision_io.decode_jpeg(data), err_msg=name)
    if "cv2" in peers:  # BGR
        runs["OpenCV (HWC)"] = lambda: peers["cv2"].imdecode(vector, 1)
    return runs


def _cropped(run: Callable[[], Any], area: tuple[int, int, int, int]) -> Callable[[], Any]:
    """A whole decode and a contiguous copy of the region: what libraries do that cannot decode a part."""
    rows, columns = slice(area[0], area[0] + area[2]), slice(area[1], area[1] + area[3])

    def crop() -> Any:
        whole = run()
        if isinstance(whole, torch.Tensor):
            return whole[:, rows, columns].contiguous()
        return np.ascontiguousarray(whole[rows, columns])

    return crop


def _files() -> dict[str, tuple[torch.Tensor, tuple[int, int, int, int] | None]]:
    """Name to file and region: drawn pictures, and photos where the shared data is there."""
    files: dict[str, tuple[torch.Tensor, tuple[int, int, int, int] | None]] = {}
    for height, width in SIZES:
        data = vision_io.encode_jpeg(_picture(height, width), 87)
        assert isinstance(data, torch.Tensor)
        centre = (height // 4, width // 4, height // 2, width // 2)
        files[f"{width}x{height}"] = data, centre if height >= 100 else None
    for name, region in PHOTOS.items():
        path = SHARED / "data" / "images" / "jpeg" / name
        if path.exists():
            files[name] = vision_io.read_file(path), region
    return files


def _whole(peers: dict[str, Any]) -> dict[str, Any]:
    cases = {}
    for name, (data, region) in _files().items():
        out = vision_io.decode_jpeg(data)
        assert isinstance(out, torch.Tensor)
        runs: dict[str, Any] = {"ours": lambda data=data: vision_io.decode_jpeg(data)}
        runs["ours, out="] = lambda data=data, out=out: vision_io.decode_jpeg(data, out=out)
        others = _decoders(data, peers)
        cases[f"whole {name}"] = race(runs | others)
        if region is not None:
            part = {"ours": lambda data=data, region=region: vision_io.decode_jpeg(data, region=region)}
            others = {name: _cropped(run, region) for name, run in others.items()}
            cases[f"region {region[3]}x{region[2]} of {name}"] = race(part | others)
    return cases


def _batch(peers: dict[str, Any]) -> dict[str, Any]:
    files = [vision_io.encode_jpeg(_picture(300 + 20 * i, 500 - 10 * i), 87) for i in range(16)]
    runs: dict[str, Any] = {
        "ours": Candidate(
            run=lambda: vision_io.decode_jpeg_batch(files, threads=1),  # pyright: ignore[reportArgumentType]
            threads=lambda count: lambda: vision_io.decode_jpeg_batch(files, threads=count),  # pyright: ignore[reportArgumentType]
        )
    }
    if "torchvision" in peers:
        runs["torchvision"] = lambda: peers["torchvision"].io.decode_jpeg(files)
    return {"batch of 16, 500x300 to 350x600": race(runs)}


def _crops(count: int, height: int, width: int) -> list[tuple[int, int, int, int]]:
    """Random areas of 8 to 100 % and sides of 3:4 to 4:3, as training takes them."""
    rng, crops = np.random.default_rng(0), []
    while len(crops) < count:
        area, ratio = height * width * rng.uniform(0.08, 1), np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
        w, h = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
        if w <= width and h <= height:
            crops.append((int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1)), h, w))
    return crops


def _fused(peers: dict[str, Any]) -> dict[str, Any]:
    data = vision_io.encode_jpeg(_picture(375, 500), 87)
    assert isinstance(data, torch.Tensor)
    crops = _crops(20, 375, 500)

    def ours() -> torch.Tensor:
        results = [vision_io.decode_resized_crop(data, 224, crop, flip=True, mean=MEAN, std=STD) for crop in crops]
        return results[0]

    runs: dict[str, Any] = {"ours": ours}
    runs["ours, one batch"] = lambda: vision_io.decode_jpeg_batch(
        [data] * len(crops), regions=crops, size=224, flips=[True] * len(crops), mean=MEAN, std=STD
    )
    if "torchvision" in peers:
        functional, decode = peers["torchvision"].transforms.v2.functional, peers["torchvision"].io.decode_jpeg

        def theirs() -> torch.Tensor:
            results = []
            for crop in crops:
                x = functional.resized_crop(decode(data), *crop, [224, 224], antialias=True)
                x = functional.to_dtype(functional.horizontal_flip(x), torch.float32, scale=True)
                results.append(functional.normalize(x, MEAN, STD))
            return results[0]

        assert (ours() - theirs()).abs().max() < 0.02  # theirs rounds to bytes in between
        runs["torchvision"] = theirs
    return {"20 files of 500x375 -> random crop -> 224 -> flip -> normalised": race(runs)}


def _encode(peers: dict[str, Any]) -> dict[str, Any]:
    from PIL import Image

    cases = {}
    for height, width in SIZES:
        picture = _picture(height, width)
        pixels = picture.permute(1, 2, 0).contiguous().numpy()
        size = len(vision_io.encode_jpeg(picture))  # pyright: ignore[reportArgumentType]

        def pillow(pixels: np.ndarray = pixels) -> bytes:
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, "JPEG", quality=75)
            return file.getvalue()

        runs: dict[str, Any] = {"ours": lambda picture=picture: vision_io.encode_jpeg(picture), "Pillow (HWC)": pillow}
        if "torchvision" in peers:
            runs["torchvision"] = lambda picture=picture: peers["torchvision"].io.encode_jpeg(picture)
        if "simplejpeg" in peers:
            runs["simplejpeg (HWC)"] = lambda pixels=pixels: peers["simplejpeg"].encode_jpeg(pixels, 75, "RGB", "420")
        if "cv2" in peers:
            runs["OpenCV (HWC)"] = lambda pixels=pixels: peers["cv2"].imencode(".jpg", pixels, [1, 75])[1]
        for name, run in runs.items():
            assert abs(len(run()) - size) < 0.02 * size + 64, name
        cases[f"encode {width}x{height}, quality 75"] = race(runs, threads=(1,))
    return cases


def main(out: Path) -> None:
    peers = _peers()
    cases = _whole(peers) | _batch(peers) | _fused(peers) | _encode(peers)
    show(cases)
    write_json(out, cases)


if __name__ == "__main__":
    script(main)
