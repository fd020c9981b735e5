"""Operators on regions against sums over single samples, in double precision and without vectors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vision_contract.testing import exact_roi_align
from vision_core import _native
from vision_core.ops import ps_roi_align, ps_roi_pool, roi_align, roi_align_3d, roi_pool


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def boxes_on(images: int, size: Sequence[int], count: int, seed: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    """Boxes of all sizes on images of (height, width) or (depth, height, width), many across the border."""
    generator = torch.Generator().manual_seed(seed)
    extent = torch.tensor(list(size)[::-1], dtype=torch.float64)
    first = torch.rand(count, len(size), generator=generator, dtype=torch.float64) * (extent + 6) - 4
    sides = torch.rand(count, len(size), generator=generator, dtype=torch.float64) ** 2 * extent * 1.3 + 0.3
    image = torch.randint(0, images, (count, 1), generator=generator)
    return torch.cat((image, first, first + sides), 1).to(dtype)


def rotated_on(images: int, size: Sequence[int], count: int, dtype: torch.dtype = torch.float32) -> Tensor:
    upright = boxes_on(images, size, count, dtype=torch.float64)
    low, high = upright[:, 1:3], upright[:, 3:]
    angle = torch.rand(count, 1, generator=torch.Generator().manual_seed(3), dtype=torch.float64) * 720 - 360
    return torch.cat((upright[:, :1], (low + high) / 2, high - low, angle), 1).to(dtype)


def at(image: Tensor, position: Sequence[float]) -> Tensor:
    """The value of an image [C, (D,) H, W] at a position (z,) y, x: 0 more than a pixel outside of it."""
    corners = []
    for p, pixels in zip(position, image.shape[1:], strict=True):
        if not -1 <= p <= pixels:
            return image.new_zeros(image.shape[0])
        p = min(max(p, 0.0), pixels - 1.0)
        low = int(p)
        corners.append(((low, 1 - (p - low)), (min(low + 1, pixels - 1), p - low)))
    total = image.new_zeros(image.shape[0])
    for corner in itertools.product(*corners):
        weight = math.prod(w for _, w in corner)
        total = total + image[(slice(None), *(i for i, _ in corner))] * weight
    return total


def by_samples(
    image: Tensor, starts: Sequence[float], extents: Sequence[float], bins: Sequence[int], ratio: int, place: Callable
) -> Tensor:
    """Average samples bin by bin; `place` turns a position in the box into one in the image."""
    counts = [ratio if ratio > 0 else math.ceil(e / b) for e, b in zip(extents, bins, strict=True)]
    result = image.new_zeros(image.shape[0], *bins)
    for index in itertools.product(*(range(b) for b in bins)):
        for sample in itertools.product(*(range(n) for n in counts)):
            position = [
                s + e / b * (i + (k + 0.5) / n)
                for s, e, b, i, k, n in zip(starts, extents, bins, index, sample, counts, strict=True)
            ]
            result[(slice(None), *index)] += at(image, place(position)) / math.prod(counts)
    return result


def exact_rotated(image: Tensor, boxes: Tensor, bins: Sequence[int], scale: float, ratio: int, aligned: bool) -> Tensor:
    results = []
    for n, cx, cy, w, h, r in boxes.double().tolist():
        shift = 0.5 if aligned else 0.0
        cx, cy, w, h, r = cx * scale - shift, cy * scale - shift, w * scale, h * scale, math.radians(r)
        if not aligned:
            w, h = max(w, 1.0), max(h, 1.0)

        def place(position: Sequence[float], cx=cx, cy=cy, r=r) -> tuple[float, float]:
            v, u = position
            # x grows to the right, y downwards: counter-clockwise turns the box's x axis upwards.
            return cy + v * math.cos(r) - u * math.sin(r), cx + v * math.sin(r) + u * math.cos(r)

        results.append(by_samples(image[int(n)].double(), (-h / 2, -w / 2), (h, w), bins, ratio, place))
    return torch.stack(results)


def exact_3d(image: Tensor, boxes: Tensor, bins: Sequence[int], scale: Sequence[float], ratio: int, aligned: bool):
    results = []
    for n, *corners in boxes.double().tolist():
        shift = 0.5 if aligned else 0.0
        low = [corners[2 - axis] * scale[axis] - shift for axis in range(3)]
        high = [corners[5 - axis] * scale[axis] - shift for axis in range(3)]
        extents = [b - a if aligned else max(b - a, 1.0) for a, b in zip(low, high, strict=True)]
        results.append(by_samples(image[int(n)].double(), low, extents, bins, ratio, tuple))
    return torch.stack(results)


def exact_sensitive(image: Tensor, boxes: Tensor, bins: Sequence[int], scale: float, ratio: int) -> Tensor:
    """Every bin from RoIAlign of the plane that belongs to it."""
    planes = bins[0] * bins[1]
    pooled = exact_roi_align(image, boxes, list(bins), scale, ratio, True)
    pooled = pooled.reshape(len(boxes), -1, planes, planes)
    return torch.diagonal(pooled, dim1=2, dim2=3).reshape(len(boxes), -1, *bins)


def ranges(low: float, high: float, bins: int, pixels: int, inclusive: bool) -> list[range]:
    first, last = (math.floor(abs(v) + 0.5) * (1 if v >= 0 else -1) for v in (low, high))
    size = max(last - first + inclusive, 1)
    limit = pixels if inclusive else pixels - 1
    clip = lambda v: min(max(v, 0), limit)  # noqa: E731
    return [range(clip(first + b * size // bins), clip(first - (-(b + 1) * size // bins))) for b in range(bins)]


def exact_bins(image: Tensor, boxes: Tensor, bins: Sequence[int], scale: float, inclusive: bool):
    """Yield (box, row, column, pixels [C, h, w]) for pooling in whole pixels."""
    for k, (n, x1, y1, x2, y2) in enumerate(boxes.double().tolist()):
        rows = ranges(y1 * scale, y2 * scale, bins[0], image.shape[2], inclusive)
        columns = ranges(x1 * scale, x2 * scale, bins[1], image.shape[3], inclusive)
        for (i, row), (j, column) in itertools.product(enumerate(rows), enumerate(columns)):
            inside = image[
                int(n), :, row.start : max(row.stop, row.start), column.start : max(column.stop, column.start)
            ]
            yield k, i, j, inside


def exact_roi_pool(image: Tensor, boxes: Tensor, bins: Sequence[int], scale: float) -> Tensor:
    result = image.new_zeros(len(boxes), image.shape[1], *bins)
    for k, i, j, inside in exact_bins(image, boxes, bins, scale, inclusive=True):
        if inside.shape[1] * inside.shape[2] > 0:
            result[k, :, i, j] = inside.amax((1, 2))
    return result


def exact_ps_roi_pool(image: Tensor, boxes: Tensor, bins: Sequence[int], scale: float) -> Tensor:
    planes = bins[0] * bins[1]
    result = image.new_zeros(len(boxes), image.shape[1] // planes, *bins)
    for k, i, j, inside in exact_bins(image, boxes, bins, scale, inclusive=False):
        if inside.shape[1] * inside.shape[2] > 0:
            result[k, :, i, j] = inside[i * bins[1] + j :: planes].mean((1, 2))
    return result


def close(got: Tensor, expected: Tensor, dtype: torch.dtype = torch.float32) -> None:
    assert got.dtype == dtype
    tolerance = {torch.float64: 1e-10, torch.float32: 2e-5, torch.float16: 4e-3, torch.bfloat16: 3e-2}[dtype]
    torch.testing.assert_close(got.double(), expected.double(), atol=tolerance, rtol=tolerance)


DTYPES = [torch.float32, torch.float64]
# images, channels, height, width, boxes: few and many channels and boxes, so that kernels read in place and packed
SCENES = [(2, 3, 11, 14, 5), (1, 40, 9, 7, 40), (2, 17, 12, 33, 70)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scene", SCENES)
def test_roi_align(backend: str, threads: int, dtype: torch.dtype, scene: tuple[int, ...]) -> None:
    n, c, h, w, k = scene
    image, boxes = random(n, c, h, w, dtype=dtype), boxes_on(n, (h, w), k, dtype=dtype)
    for size, scale, ratio, aligned in (((7, 5), 1.0, -1, False), ((2, 3), 0.6, 2, True), ((1, 1), 0.25, 3, False)):
        for x in (image, image.contiguous(memory_format=torch.channels_last)):
            got = roi_align(x, boxes, size, scale, ratio, aligned)
            assert got.is_contiguous()
            close(got, exact_roi_align(image, boxes, list(size), scale, ratio, aligned), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rotated(backend: str, dtype: torch.dtype) -> None:
    for n, c, h, w, k in ((2, 2, 9, 12, 6), (1, 18, 8, 7, 24)):
        image, boxes = random(n, c, h, w, dtype=dtype), rotated_on(n, (h, w), k, dtype)
        for size, scale, ratio, aligned in (((3, 2), 1.0, -1, True), ((2, 2), 0.7, 2, False)):
            got = roi_align(image, boxes, size, scale, ratio, aligned, fmt="cxcywhr")
            expected = exact_rotated(image, boxes, size, scale, ratio, aligned)
            torch.testing.assert_close(got.double(), expected, atol=2e-5 if dtype == torch.float32 else 1e-9, rtol=0)


def test_rotation_by_right_angles_turns_the_bins(backend: str) -> None:
    image = random(1, 9, 16, 16)
    upright = roi_align(image, torch.tensor([[0.0, 3, 4, 11, 12]]), 4, sampling_ratio=2, aligned=True)
    for angle, turn in ((0, 0), (90, -1), (180, 2), (-90, 1), (360, 0)):
        box = torch.tensor([[0.0, 7, 8, 8, 8, angle]])
        got = roi_align(image, box, 4, sampling_ratio=2, aligned=True, fmt="cxcywhr")
        torch.testing.assert_close(got, torch.rot90(upright, turn, (2, 3)), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_3d(backend: str, dtype: torch.dtype) -> None:
    for n, c, d, h, w, k in ((2, 2, 5, 6, 7, 4), (1, 18, 3, 5, 6, 12)):
        image, boxes = random(n, c, d, h, w, dtype=dtype), boxes_on(n, (d, h, w), k, dtype=dtype)
        for size, scale, depth, ratio, aligned in (((2, 3, 2), 1.0, None, -1, False), ((2, 1, 2), 0.7, 0.5, 2, True)):
            got = roi_align_3d(image, boxes, size, scale, ratio, aligned, depth_scale=depth)
            scales = (scale if depth is None else depth, scale, scale)
            close(got, exact_3d(image, boxes, size, scales, ratio, aligned), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scene", SCENES)
def test_position_sensitive(backend: str, threads: int, dtype: torch.dtype, scene: tuple[int, ...]) -> None:
    n, _, h, w, k = scene
    size = (2, 3)
    image, boxes = random(n, 18, h, w, dtype=dtype), boxes_on(n, (h, w), k, dtype=dtype)
    close(ps_roi_align(image, boxes, size, 0.8), exact_sensitive(image, boxes, size, 0.8, -1), dtype)
    close(ps_roi_align(image, boxes, size, 1.0, 2), exact_sensitive(image, boxes, size, 1.0, 2), dtype)
    close(ps_roi_pool(image, boxes, size, 0.5), exact_ps_roi_pool(image, boxes, size, 0.5), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scene", SCENES)
def test_roi_pool(backend: str, threads: int, dtype: torch.dtype, scene: tuple[int, ...]) -> None:
    n, c, h, w, k = scene
    image, boxes = random(n, c, h, w, dtype=dtype), boxes_on(n, (h, w), k, dtype=dtype)
    for size, scale in (((3, 4), 1.0), ((1, 2), 0.5)):
        expected = exact_roi_pool(image, boxes, size, scale)
        assert torch.equal(roi_pool(image, boxes, size, scale), expected)
        assert torch.equal(roi_pool(image.clone().requires_grad_(), boxes, size, scale), expected)


CALLS = {
    "roi_align": lambda x, b: roi_align(x, b, (3, 2), 0.9),
    "roi_align ratio": lambda x, b: roi_align(x, b, (3, 2), 0.9, 2, True),
    "roi_pool": lambda x, b: roi_pool(x, b, (3, 2), 0.9),
    "ps_roi_align": lambda x, b: ps_roi_align(x, b, (3, 2), 0.9),
    "ps_roi_pool": lambda x, b: ps_roi_pool(x, b, (3, 2), 0.9),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(backend: str, name: str, dtype: torch.dtype) -> None:
    image, boxes = random(2, 24, 8, 9).to(dtype), boxes_on(2, (8, 9), 30).to(dtype)
    got = CALLS[name](image, boxes)
    close(got, CALLS[name](image.float(), boxes.float()), dtype)
    leaf = image.clone().requires_grad_()
    CALLS[name](leaf, boxes).float().sum().backward()
    assert leaf.grad is not None
    assert leaf.grad.dtype == dtype
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(CALLS[name](image, boxes.float()), got)
        assert CALLS[name](image.float(), boxes.float()).dtype == torch.float32


@pytest.mark.parametrize("name", CALLS)
def test_any_layout_of_input_boxes_and_gradient(backend: str, name: str) -> None:
    call = CALLS[name]
    image, boxes = random(2, 24, 8, 9), boxes_on(2, (8, 9), 30)
    wide = torch.zeros(2, 24, 16, 12)
    wide[:, :, ::2, 2:11] = image
    gradients = []
    results = []
    for x in (image, image.contiguous(memory_format=torch.channels_last), wide[:, :, ::2, 2:11]):
        leaf = x.detach().requires_grad_()
        result = call(leaf, boxes.t().contiguous().t())
        weights = torch.arange(result.shape[1], dtype=torch.float32)[:, None, None].expand_as(result)
        results.append(result.detach())
        gradients.append(torch.autograd.grad(result, leaf, weights)[0])
    for result, gradient in zip(results, gradients, strict=True):
        torch.testing.assert_close(result, results[0], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(gradient, gradients[0], atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(call(image, boxes.double()), results[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", CALLS)
def test_nothing_in_nothing_out(backend: str, name: str) -> None:
    image, boxes = random(2, 12, 8, 9), boxes_on(2, (8, 9), 4)
    for x, b in ((image, boxes[:0]), (image[:, :0], boxes), (image[:, :, :0], boxes), (image[:0], boxes[:0])):
        leaf = x.clone().requires_grad_()
        result = CALLS[name](leaf, b)
        assert result.shape == (len(b), x.shape[1] // (6 if name.startswith("ps") else 1), 3, 2)
        assert result.abs().sum() == 0
        result.sum().backward()
        assert leaf.grad is not None
        assert leaf.grad.shape == x.shape
        assert leaf.grad.abs().sum() == 0


@pytest.mark.parametrize("channels", [1, 20])
def test_odd_boxes_have_defined_results(backend: str, channels: int) -> None:
    nan, inf, huge = math.nan, math.inf, 1e30
    odd = torch.tensor(
        [
            [nan, 0, 4, 4],
            [0, 0, nan, 4],
            [0, -inf, 4, inf],
            [0, 0, inf, 4],
            [huge, huge, 2 * huge, 2 * huge],
            [-huge, -huge, huge, huge],
            [-3e9, -3e9, 3e9, 3e9],
            [6, 6, 2, 2],
            [3, 3, 3, 3],
            [-1e5, 2, 1e5, 4],
        ]
    )
    boxes = torch.cat((torch.zeros(len(odd), 1), odd), 1).repeat(6, 1)
    image = random(1, channels * 4, 7, 8).abs() + 1
    for aligned in (False, True):
        for ratio in (-1, 2):
            pooled = roi_align(image, boxes, 2, 1.0, ratio, aligned)
            assert pooled.isfinite().all()
            assert pooled[:5].abs().sum() == 0
            rotated = torch.cat((boxes, boxes[:, :1] + 30.0), 1)
            turned = roi_align(image, rotated, 2, 1.0, ratio, aligned, fmt="cxcywhr")
            assert turned.isfinite().all()
            assert turned[:4].abs().sum() == 0
    for call in (roi_pool, ps_roi_pool, ps_roi_align):
        pooled = call(image, boxes, 2)
        assert pooled.isfinite().all()
        assert pooled[:4].abs().sum() == 0
    assert roi_pool(image, boxes, 2)[6].min() >= 0
    turned = torch.tensor([[0.0, 4, 3, 3, -2, 10], [0, 4, 3, -3, -2, 10]])  # sizes below 0, and no other box
    assert roi_align(image, turned, 2, aligned=True, fmt="cxcywhr").abs().sum() == 0
    mirrored = roi_align(image, boxes[7:8], 2, 1.0, 2, True)
    straight = roi_align(image, torch.tensor([[0.0, 2, 2, 6, 6]]), 2, 1.0, 2, True)
    torch.testing.assert_close(mirrored, straight.flip(2, 3))


@pytest.mark.parametrize("name", CALLS)
def test_images_that_do_not_exist_are_named(backend: str, name: str) -> None:
    for image in (-1.0, 2.0, 1e12, math.nan, math.inf):
        boxes = boxes_on(2, (8, 9), 4)
        boxes[2, 0] = image
        with pytest.raises(IndexError, match=r"box 2 is of image .* input has 2 images"):
            CALLS[name](random(2, 12, 8, 9), boxes)


def test_images_are_cut_off_to_integers(backend: str) -> None:
    image, boxes = random(2, 3, 8, 9), boxes_on(2, (8, 9), 4)
    cut = boxes.clone()
    cut[:, 0] += 0.7
    assert torch.equal(roi_align(image, cut, 2), roi_align(image, boxes, 2))


def test_lists_of_boxes(backend: str) -> None:
    image, boxes = random(2, 12, 8, 9), boxes_on(2, (8, 9), 9)
    boxes = boxes[boxes[:, 0].argsort(stable=True)]
    parts = [boxes[boxes[:, 0] == n][:, 1:] for n in (0, 1)]
    for call in CALLS.values():
        assert torch.equal(call(image, parts), call(image, boxes))
        assert torch.equal(call(image, tuple(parts)), call(image, boxes))
    assert roi_align(image, [parts[0]], 2).shape[0] == len(parts[0])
    assert roi_align(image[:0], [], 2).shape == (0, 12, 2, 2)


def test_wrong_arguments_name_themselves(backend: str) -> None:
    image, boxes = random(2, 12, 8, 9), boxes_on(2, (8, 9), 4)
    for call in CALLS.values():
        with pytest.raises(ValueError, match="boxes"):
            call(image, boxes[:, 1:])
        with pytest.raises(ValueError, match="for image 1"):
            call(image, [boxes[:, 1:], boxes])
        with pytest.raises(ValueError, match="input"):
            call(image[0], boxes)
        with pytest.raises(TypeError, match="floating point"):
            call(image, boxes.long())
    for call in (ps_roi_align, ps_roi_pool):
        with pytest.raises(ValueError, match="divide"):
            call(image, boxes, 5)
    with pytest.raises(ValueError, match="output_size"):
        roi_align(image, boxes, (2, -1))
    with pytest.raises(ValueError, match="fmt"):
        roi_align(image, boxes, 2, fmt="xywh")
    with pytest.raises(ValueError, match="boxes"):
        roi_align(image, boxes, 2, fmt="cxcywhr")
    with pytest.raises(RuntimeError, match="one device"):
        roi_align(image, boxes.to("meta"), 2)


def test_threads_change_no_bit(backend: str) -> None:
    image, boxes = random(1, 64, 30, 31), boxes_on(1, (30, 31), 200)
    results = []
    before = torch.get_num_threads()
    for threads in (1, 2, 4):
        torch.set_num_threads(threads)
        for call in CALLS.values():
            leaf = image[:, :60].clone().requires_grad_()
            pooled = call(leaf, boxes)
            results.append((pooled.detach(), torch.autograd.grad(pooled.sin().sum(), leaf)[0]))
    torch.set_num_threads(before)
    for i, (pooled, gradient) in enumerate(results):
        assert torch.equal(pooled, results[i % len(CALLS)][0])
        assert torch.equal(gradient, results[i % len(CALLS)][1])


@settings(max_examples=25, deadline=None)
@given(
    images=st.integers(1, 3),
    groups=st.integers(1, 9),
    height=st.integers(1, 20),
    width=st.integers(1, 40),
    count=st.integers(0, 60),
    bins=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    scale=st.sampled_from([0.3, 1.0, 1.7]),
    ratio=st.sampled_from([-1, 0, 1, 2, 5]),
    aligned=st.booleans(),
    double=st.booleans(),
    seed=st.integers(0, 99),
)
def test_kernels_equal_references(
    images: int,
    groups: int,
    height: int,
    width: int,
    count: int,
    bins: tuple[int, int],
    scale: float,
    ratio: int,
    aligned: bool,
    double: bool,
    seed: int,
) -> None:
    dtype = torch.float64 if double else torch.float32
    image = random(images, groups * bins[0] * bins[1], height, width, seed=seed, dtype=dtype)
    boxes = boxes_on(images, (height, width), count, seed, dtype)
    rotated = torch.cat((boxes, boxes[:, 3:4] * 20), 1)
    calls = [
        lambda x: roi_align(x, boxes, bins, scale, ratio, aligned),
        lambda x: roi_align(x, rotated, bins, scale, ratio, aligned, fmt="cxcywhr"),
        lambda x: roi_pool(x, boxes, bins, scale),
        lambda x: ps_roi_align(x, boxes, bins, scale, ratio),
        lambda x: ps_roi_pool(x, boxes, bins, scale),
    ]
    native, results = _native.module, []
    for isa in (None, *(native.isas() if native else [])):
        _native.module = native if isa else None
        if isa:
            native.force_isa(isa)
        try:
            for i, call in enumerate(calls):
                leaf = image.clone().requires_grad_()
                pooled = call(leaf)
                (gradient,) = torch.autograd.grad((pooled * (pooled.detach() + 1)).sum(), leaf)
                if isa is None:
                    results.append((pooled.detach(), gradient))
                tolerance = 1e-9 if double else 2e-4
                torch.testing.assert_close(pooled.detach(), results[i][0], atol=tolerance, rtol=tolerance)
                torch.testing.assert_close(gradient, results[i][1], atol=tolerance * 10, rtol=tolerance * 10)
        finally:
            _native.module = native
            if isa:
                native.force_isa(None)
