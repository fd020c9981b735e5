"""Side by side with torchvision, where it is installed: geometry of images, masks, PIL images, boxes and keypoints.

Where the two differ on purpose, the comparison says so:

- Rotation with `expand` and cropping beyond the image: boxes and keypoints move exactly as the pixels do; the peer's
  are up to a pixel off.
- Rotated boxes that do not stay rectangles (shear, perspective, unequal scaling) become the rectangle that holds them;
  the peer's may be too small. Rotated boxes without a visible part have no size, at the nearest point of the image.
- Elastic keypoints keep the part of a pixel that they are at, so they are compared at whole pixels.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vision_core import tv_tensors as tv
from vision_core.transforms import functional as F

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    peer_tv = pytest.importorskip("torchvision.tv_tensors")
    peer = pytest.importorskip("torchvision.transforms.v2.functional")

HEIGHT, WIDTH = 23, 31
CORNERS = [[0, 0], [WIDTH - 1, 0], [WIDTH - 1, HEIGHT - 1], [0, HEIGHT - 1]]
WARPS = ("affine", "rotate", "perspective", "elastic")


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def noise(*shape: int, dtype: torch.dtype = torch.uint8) -> Tensor:
    if dtype.is_floating_point:
        return torch.rand(shape, generator=seeded()).to(dtype)
    top = {torch.uint8: 256, torch.uint16: 65536}.get(dtype, 1000)
    return torch.randint(0, top, shape, generator=seeded(), dtype=torch.int32).to(dtype)


OPERATIONS: list[tuple[str, dict[str, Any]]] = [
    ("horizontal_flip", {}),
    ("vertical_flip", {}),
    ("crop", {"top": -2, "left": 3, "height": 17, "width": 40}),
    ("center_crop", {"output_size": [11, 20]}),
    ("resize", {"size": [13, 40]}),
    ("resize", {"size": [12], "max_size": 15}),
    ("resized_crop", {"top": 2, "left": 3, "height": 15, "width": 20, "size": [30, 11]}),
    ("pad", {"padding": [3, 0, 1, 5]}),
    ("affine", {"angle": 37.0, "translate": [3, -2], "scale": 0.8, "shear": [0.0, 0.0]}),
    ("affine", {"angle": -12.0, "translate": [0, 1], "scale": 1.4, "shear": [9.0, -6.0], "center": [4.0, 9.0]}),
    ("rotate", {"angle": 33.0}),
    ("rotate", {"angle": -140.0, "center": [3.0, 20.0]}),
    ("rotate", {"angle": 65.0, "expand": True}),
    ("perspective", {"startpoints": CORNERS, "endpoints": [[2, 1], [29, 4], [27, 20], [3, 22]]}),
    ("elastic", {"displacement": (torch.rand(1, HEIGHT, WIDTH, 2, generator=seeded()) - 0.5) * 0.3}),
]


def variants(name: str, arguments: dict[str, Any], dtype: torch.dtype) -> list[dict[str, Any]]:
    if name in WARPS:
        fills: list[Any] = [None, 0.5 if dtype.is_floating_point else [7.0, 8.0, 9.0]]
        return [dict(arguments, interpolation=mode, fill=fill) for mode in ("nearest", "bilinear") for fill in fills]
    if name in ("resize", "resized_crop"):
        modes = ("nearest", "nearest-exact", "bilinear", "bicubic")
        return [dict(arguments, interpolation=mode, antialias=anti) for mode in modes for anti in (True, False)]
    if name == "pad":
        return [dict(arguments, padding_mode=mode) for mode in ("constant", "edge", "reflect", "symmetric")]
    return [arguments]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize(("name", "arguments"), OPERATIONS)
def test_images(name: str, arguments: dict[str, Any], dtype: torch.dtype) -> None:
    image = noise(3, HEIGHT, WIDTH, dtype=dtype)
    for given in variants(name, arguments, dtype):
        try:
            expected = getattr(peer, name)(image, **given)
        except (NotImplementedError, RuntimeError):  # a dtype that the peer cannot
            continue
        result = getattr(F, name)(image, **given)
        assert result.shape == expected.shape
        assert result.dtype == dtype
        difference = (result.double() - expected.double()).abs()
        if name in WARPS and given["interpolation"] == "nearest":
            assert (difference > 1e-6).double().mean() < 0.02  # positions just between two pixels
        else:
            assert difference.max() <= (1e-4 if dtype.is_floating_point else 1), given


@pytest.mark.parametrize(("name", "arguments"), OPERATIONS)
def test_masks_and_pictures(name: str, arguments: dict[str, Any]) -> None:
    mask = noise(2, HEIGHT, WIDTH) > 128
    for values in (mask, mask[0]):
        ours, theirs = (
            getattr(F, name + "_mask")(values, **arguments),
            getattr(peer, name + "_mask")(values, **arguments),
        )
        assert ours.shape == theirs.shape
        assert (ours != theirs).double().mean() <= (0.02 if name in WARPS else 0)
    picture = F.to_pil_image(noise(3, HEIGHT, WIDTH))
    ours, theirs = getattr(F, name)(picture, **arguments), getattr(peer, name)(picture, **arguments)
    assert ours.size == theirs.size
    difference = np.abs(np.asarray(ours).astype(int) - np.asarray(theirs).astype(int))
    assert (difference > 1).mean() <= (0.02 if name == "perspective" else 0)  # Pillow cuts off hard at the border


@pytest.mark.parametrize("clamping_mode", ["soft", "hard", None])
@pytest.mark.parametrize("format", ["XYXY", "XYWH", "CXCYWH", "CXCYWHR", "XYWHR", "XYXYXYXY"])
@pytest.mark.parametrize(("name", "arguments"), OPERATIONS)
def test_boxes(name: str, arguments: dict[str, Any], format: str, clamping_mode: Any) -> None:
    rotated = len(format) != 4 and format != "CXCYWH"
    sheared = "shear" in arguments and any(arguments["shear"])
    if arguments.get("expand") or (name == "elastic" and (rotated or format == "CXCYWH")):
        pytest.skip("differs on purpose")
    if rotated and (sheared or name in ("resize", "resized_crop", "perspective") or clamping_mode == "hard"):
        pytest.skip("differs on purpose")
    values = torch.tensor([[12.0, 9.0, 10.0, 8.0], [20.0, 13.0, 14.0, 6.0]], dtype=torch.float64)
    source = "cxcywh"
    if rotated:
        values, source = torch.cat((values, torch.tensor([[30.0], [-70.0]], dtype=torch.float64)), 1), "cxcywhr"
    values = F.convert_bounding_box_format(values, source, format)
    known = {"format": format, "canvas_size": (HEIGHT, WIDTH), "clamping_mode": clamping_mode}
    result = getattr(F, name)(tv.BoundingBoxes(values, **known), **arguments)
    expected = getattr(peer, name)(peer_tv.BoundingBoxes(values, **known), **arguments)
    assert result.canvas_size == tuple(expected.canvas_size)
    ours, theirs = result.as_subclass(Tensor), expected.as_subclass(Tensor)
    if rotated:  # corners, as angles may differ by whole turns
        ours = F.convert_bounding_box_format(ours, format, "XYXYXYXY")
        theirs = F.convert_bounding_box_format(theirs, format, "XYXYXYXY")
        visible = (theirs[:, :2] - theirs[:, 4:6]).abs().amax(1) > 1e-3
        ours, theirs = ours[visible], theirs[visible]
    torch.testing.assert_close(ours, theirs, atol=2e-3, rtol=0)


@pytest.mark.parametrize(("name", "arguments"), OPERATIONS)
def test_keypoints(name: str, arguments: dict[str, Any]) -> None:
    if arguments.get("expand"):
        pytest.skip("differs on purpose")
    values = torch.tensor([[5.0, 6.0], [20.0, 20.0]], dtype=torch.float64)
    result = getattr(F, name)(tv.KeyPoints(values, canvas_size=(HEIGHT, WIDTH)), **arguments)
    expected = getattr(peer, name)(peer_tv.KeyPoints(values, canvas_size=(HEIGHT, WIDTH)), **arguments)
    assert result.canvas_size == tuple(expected.canvas_size)
    torch.testing.assert_close(result.as_subclass(Tensor), expected.as_subclass(Tensor), atol=1e-3, rtol=0)
