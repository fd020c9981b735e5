"""Run-length masks against brute force over pixels, and against texts that pycocotools 2.0 wrote."""

from __future__ import annotations

import json
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vision_core import _native
from vision_core.ops import rle

RING = b"]77l04M2N2N2N2N2N2O0O2O00^OI66JL63JM63JM63JM63JM62LL63>000000001N100000001N10001N101N2N2N2N2N2N3Lf7"
CORNER = b"kS1n07000000000000000000000000000000000000000000"
SIZE = [37, 53]


def ring() -> Tensor:
    y, x = torch.meshgrid(torch.arange(37.0), torch.arange(53.0), indexing="ij")
    return ((x - 25.5) ** 2 / 400 + (y - 18) ** 2 / 200 < 1) & ~((x - 20) ** 2 + (y - 15) ** 2 < 16)


def masks_of(count: int, height: int, width: int, share: float = 0.4, seed: int = 0) -> Tensor:
    return torch.rand(count, height, width, generator=torch.Generator().manual_seed(seed)) < share


def runs_by_hand(mask: Tensor) -> list[int]:
    runs, value = [0], False
    for pixel in mask.t().flatten().tolist():
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return runs


def test_texts_of_pycocotools(backend: str) -> None:
    assert rle.rle_encode(ring()[None]) == [{"size": SIZE, "counts": RING}]
    masks = [{"size": SIZE, "counts": RING}, {"size": SIZE, "counts": CORNER.decode()}]
    assert torch.equal(rle.rle_decode(masks)[0], ring())
    assert rle.rle_area(masks).tolist() == [847, 660]
    assert rle.rle_to_boxes(masks)[0].tolist() == [6.0, 4.0, 40.0, 29.0]
    iou = rle.rle_iou(masks[:1], [masks[1], masks[1]], [0, 1])
    assert iou.tolist() == [[0.2444260941370768, 0.34946871310507677]]
    assert rle.rle_merge(masks)["counts"] == (
        b"]77l04M2N2N2N2N2N2O0O2O00^OI66JL63JM63JM63JM63JM62LL63>000000001N10K500000O10000O1000000000000000000000000000000"
    )
    assert rle.rle_merge(masks, intersect=True)["counts"] == b"PT1i0<0001O00001O001N2N2N2N2N2N3Lf7"


@pytest.mark.parametrize(
    ("polygon", "counts", "area"),
    [
        ([2.5, 3.1, 17.2, 1.4, 20.9, 15.5, 9.0, 21.7, 4.4, 14.2], b"[26b05K2N2N1N3N0000O100O100O011N5L4K5LZ3", 255),
        ([-5.3, 4.0, 12.5, -6.2, 30.0, 9.9, 11.1, 40.0], b"1?84M2N2NY;0gD1N2N2M3N2ML", 566),
        ([1, 1, 20, 20, 20, 1, 1, 20], b"i0b07N2N2N2N2N2N2N2Ni00WO2N2N2N2N2N2N2N2^4", 180),
        ([0, 0, 26, 0, 26, 24, 0, 24], b"0`c0", 624),
        ([3.2, 5.5, 3.4, 5.6, 3.3, 5.7], b"`c0", 0),
    ],
    ids=["inside", "beyond the image", "crosses itself", "the whole image", "between pixels"],
)
def test_polygons_of_pycocotools(backend: str, polygon: list[float], counts: bytes, area: int) -> None:
    for given_as in (polygon, torch.tensor(polygon, dtype=torch.float64).reshape(-1, 2)):
        [mask] = rle.rle_from_polygons([given_as], (24, 26))
        assert mask == {"size": [24, 26], "counts": counts}
        assert rle.rle_area([mask]).tolist() == [area]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 3), (64, 64), (65, 63), (130, 70), (3, 200), (200, 2)])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_runs_are_those_of_the_pixels(backend: str, threads: int, height: int, width: int, share: float) -> None:
    masks = masks_of(3, height, width, share)
    written = rle.rle_encode(masks)
    assert [rle.rle_counts(one) for one in written] == [runs_by_hand(mask) for mask in masks]
    assert [rle.rle_from_counts(runs_by_hand(mask), (height, width)) for mask in masks] == written
    assert torch.equal(rle.rle_decode(written), masks)
    assert rle.rle_area(written).tolist() == masks.sum((1, 2)).tolist()
    for mask, box in zip(masks, rle.rle_to_boxes(written).tolist(), strict=True):
        where = mask.nonzero()
        if len(where) == 0:
            assert box == [0.0] * 4
            continue
        (top, left), (bottom, right) = where.amin(0).tolist(), where.amax(0).tolist()
        assert box == [left, top, right + 1 - left, bottom + 1 - top]


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float32, torch.float64, torch.bfloat16])
def test_any_dtype_and_strides(backend: str, dtype: torch.dtype) -> None:
    masks = masks_of(2, 9, 70)
    expected = rle.rle_encode(masks)
    assert rle.rle_encode((masks * 3).to(dtype)) == expected
    assert rle.rle_encode(masks.to(dtype).permute(2, 1, 0).contiguous().permute(2, 1, 0)) == expected


def test_iou_and_merge_count_pixels(backend: str, threads: int) -> None:
    masks = torch.cat((masks_of(6, 31, 45, 0.3), torch.zeros(1, 31, 45, dtype=torch.bool)))
    masks[3, :, :20] = False
    masks[4, :, 20:] = False
    a, b = masks, masks[2:]
    crowd = [0, 1, 0, 1, 0]
    inter = (a[:, None] & b).sum((2, 3)).double()
    whole = torch.where(torch.tensor(crowd) == 1, a.sum((1, 2))[:, None], (a[:, None] | b).sum((2, 3)))
    iou = rle.rle_iou(rle.rle_encode(a), rle.rle_encode(b), crowd)
    assert torch.equal(iou, torch.where(inter > 0, inter / whole, 0.0))
    assert torch.equal(rle.rle_iou(rle.rle_encode(a), rle.rle_encode(b), torch.tensor(crowd)), iou)
    assert rle.rle_iou([], rle.rle_encode(b)).shape == (0, 5)
    assert rle.rle_iou(rle.rle_encode(a), []).shape == (7, 0)
    assert torch.equal(rle.rle_decode([rle.rle_merge(rle.rle_encode(a))])[0], a.any(0))
    assert torch.equal(rle.rle_decode([rle.rle_merge(rle.rle_encode(a[:2]), intersect=True)])[0], a[:2].all(0))


def test_runs_of_no_length_are_no_pixels(backend: str) -> None:
    odd = {"size": [2, 4], "counts": [1, 0, 2, 2, 0, 1, 2, 0]}
    mask = rle.rle_decode([odd])
    assert mask[0].t().flatten().int().tolist() == [0, 0, 0, 1, 1, 1, 0, 0]
    assert rle.rle_to_boxes([odd]).tolist() == [[1.0, 0.0, 2.0, 2.0]]
    assert rle.rle_iou([odd], rle.rle_encode(mask)).tolist() == [[1.0]]
    assert rle.rle_merge([odd]) == rle.rle_encode(mask)[0]


@pytest.mark.parametrize("shape", [(0, 4, 5), (2, 0, 5), (2, 4, 0), (1, 0, 0)])
def test_empty_masks(backend: str, shape: tuple[int, int, int]) -> None:
    written = rle.rle_encode(torch.zeros(shape))
    assert len(written) == shape[0]
    assert rle.rle_area(written).tolist() == [0] * shape[0]
    assert rle.rle_to_boxes(written).tolist() == [[0.0] * 4] * shape[0]
    if written:
        assert rle.rle_decode(written).shape == shape
        assert rle.rle_iou(written, written).tolist() == [[0.0] * shape[0]] * shape[0]
        assert rle.rle_merge(written) == written[0]


def test_survives_json() -> None:
    [mask] = rle.rle_encode(ring()[None])
    copy = json.loads(json.dumps({**mask, "counts": mask["counts"].decode()}))
    assert torch.equal(rle.rle_decode([copy])[0], ring())


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (b"2111" + b"1", "outside of the 2 x 3 mask"),
        (b"211", "add up to 4, expected 6"),
        (b"", "add up to 0, expected 6"),
        (b"211S", "byte 4; the text is cut off"),
        (b"oooooo", "byte 6; the text is cut off"),
        (b"oooooooo", "more than 7 bytes at byte 0"),
        (b"oooooo?", "outside of the 2 x 3 mask"),
        (b"N", "run 0 is -2 pixels long"),
        (b"211J", "run 3 is -5 pixels long"),
        (b"21\x00", "byte 0 at 2"),
        (b"2\xff3", "byte 255 at 1"),
        ("2é3", "byte 195 at 1"),
        ([2, 1, 1], "add up to 4"),
        ([2, -1, 5], "from 0 to 6, the pixels of the mask, got -1 to 5"),
        ([2, 2**70], "whole numbers"),
        ([2, 2**62, 2**62], "from 0 to 6"),
        ([2.0, 4.0], "whole numbers"),
        ([[2, 4]], "whole numbers"),
        (None, "whole numbers"),
    ],
)
def test_damaged_counts_say_where(backend: str, counts: object, message: str) -> None:
    damaged = {"size": [2, 3], "counts": counts}
    good = {"size": [2, 3], "counts": b"2111"}
    for function in (rle.rle_decode, rle.rle_area, rle.rle_to_boxes, rle.rle_merge):
        with pytest.raises(ValueError, match=r"rles\[1\]") as error:
            function([good, damaged])
        assert message in str(error.value)
    with pytest.raises(ValueError, match=r"rles2?\[0\]"):
        rle.rle_iou([good], [damaged])
    with pytest.raises(ValueError, match=r"rles\[0\]"):
        rle.rle_counts(damaged)


@settings(max_examples=300, deadline=None)
@given(
    text=st.one_of(st.binary(max_size=40), st.lists(st.integers(48, 111), max_size=40).map(bytes)),
    height=st.integers(0, 40),
    width=st.integers(0, 40),
)
def test_any_text_is_read_or_refused_alike(text: bytes, height: int, width: int) -> None:
    masks = [{"size": [height, width], "counts": text}]
    outcomes = []
    for module in {id(_native.module): _native.module, id(None): None}.values():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_native, "module", module)
            try:
                decoded = rle.rle_decode(masks)
                assert rle.rle_area(masks).tolist() == [int(decoded.sum())]
                assert rle.rle_merge(masks) == rle.rle_encode(decoded)[0]
                outcomes.append((decoded.tolist(), rle.rle_to_boxes(masks).tolist(), rle.rle_counts(masks[0])))
            except ValueError as error:
                outcomes.append(str(error))
    assert all(outcome == outcomes[0] for outcome in outcomes)


@settings(max_examples=100, deadline=None)
@given(runs=st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=8))
def test_any_runs_come_back(runs: list[int]) -> None:
    total = sum(runs)
    if total >= 2**31:
        runs, total = [run // 8 for run in runs], sum(run // 8 for run in runs)
    for module in {id(_native.module): _native.module, id(None): None}.values():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_native, "module", module)
            assert rle.rle_counts(rle.rle_from_counts(runs, (total, 1))) == runs


@settings(max_examples=150, deadline=None)
@given(
    corners=st.lists(
        st.tuples(*[st.one_of(st.integers(-30, 60).map(lambda x: x / 5), st.floats(-70, 90))] * 2),
        min_size=3,
        max_size=9,
    ),
    height=st.integers(0, 25),
    width=st.integers(0, 25),
)
def test_polygons_equal_walks_on_the_grid(corners: list[tuple[float, float]], height: int, width: int) -> None:
    polygon = torch.tensor(corners, dtype=torch.float64)
    fast = rle.rle_from_polygons([polygon], (height, width))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_native, "module", None)
        assert rle.rle_from_polygons([polygon], (height, width)) == fast


def test_far_corners_take_neither_time_nor_memory() -> None:
    if _native.module is None:
        pytest.skip("the reference stores every step of an edge")
    [mask] = rle.rle_from_polygons([[-4e8, -4e8, 4e8, -4e8, 4e8, 4e8, -4e8, 4e8]], (20, 30))
    assert rle.rle_area([mask]).tolist() == [600]
    zigzag = torch.rand(50000, 2, generator=torch.Generator().manual_seed(0)) * 30
    assert len(rle.rle_counts(rle.rle_from_polygons([zigzag], (20, 30))[0])) <= 601


def test_wrong_arguments_name_themselves(backend: str) -> None:
    good, other = {"size": [2, 3], "counts": b"2111"}, {"size": [3, 2], "counts": b"2111"}
    for function in (rle.rle_decode, rle.rle_merge):
        with pytest.raises(ValueError, match=r"rles\[1\]: expected the size of rles\[0\], \(2, 3\), got \(3, 2\)"):
            function([good, other])
        with pytest.raises(ValueError, match="at least one"):
            function([])
        with pytest.raises(TypeError, match="pass \\[rle\\]"):
            function(good)
    with pytest.raises(TypeError, match="pass \\[rle\\]"):
        rle.rle_area(good)
    with pytest.raises(ValueError, match="expected the size"):
        rle.rle_iou([good], [other])
    with pytest.raises(ValueError, match="iscrowd"):
        rle.rle_iou([good], [good], [0, 1])
    with pytest.raises(ValueError, match="masks\\[None\\]"):
        rle.rle_encode(torch.zeros(2, 3))
    for size in ([2], [2, -3], [2, 1.5], "ab", [2**16, 2**15], [2**40, 2**40]):
        with pytest.raises(ValueError, match="rles\\[0\\]"):
            rle.rle_area([{"size": size, "counts": b"2111"}])
    with pytest.raises(ValueError, match="size"):
        rle.rle_area([{"counts": b"2111"}])
    for polygon in ([1.0, 2, 3, 4], [1.0, 2, 3, 4, 5, 6, 7], [1.0, 2, 3, 4, 5, float("nan")], [1e9, 2, 3, 4, 5, 6]):
        with pytest.raises(ValueError, match="polygons\\[0\\]"):
            rle.rle_from_polygons([polygon], (9, 9))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rle.rle_from_polygons([], (9, 9)) == []
