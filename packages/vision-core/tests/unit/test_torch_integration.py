"""Operators under opcheck, torch.compile, torch.export and TorchScript."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

from vision_core import ops, resampling
from vision_core.transforms import Compose, Normalize, Resize, ToDtype
from vision_core.transforms import functional as F

BOXES = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30], [21, 20, 31, 30]])
SCORES = torch.tensor([0.8, 0.9, 0.7, 0.6])


@pytest.mark.parametrize(
    ("operator", "arguments"),
    [
        ("nms", (BOXES, SCORES, 0.5)),
        ("nms", (BOXES[:0], SCORES[:0], 0.5)),
        ("batched_nms", (BOXES, SCORES, torch.tensor([0, 1, 0, 0]), 0.5)),
        ("resize_uint8", (torch.zeros(2, 3, 9, 11, dtype=torch.uint8), [4, 5], "bilinear", True)),
        ("resize_uint8", (torch.zeros(9, 11, 3, dtype=torch.uint8).permute(2, 0, 1), [4, 5], "bicubic", True)),
        ("resize_uint8", (torch.zeros(3, 9, 11, dtype=torch.uint8), [4, 5], "bilinear", False)),
    ],
)
def test_opcheck(operator: str, arguments: tuple) -> None:
    torch.library.opcheck(getattr(torch.ops.vision_core, operator).default, arguments)


def scripted(function: object) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(function)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (ops.box_area, (BOXES,)),
        (ops.box_convert, (BOXES, "xyxy", "cxcywhr")),
        (ops.box_iou, (BOXES, BOXES)),
        (ops.generalized_box_iou, (BOXES, BOXES)),
        (ops.distance_box_iou, (BOXES, BOXES)),
        (ops.complete_box_iou, (BOXES, BOXES)),
        (ops.clip_boxes_to_image, (BOXES, (15, 25))),
        (ops.remove_small_boxes, (BOXES, 5.0)),
        (ops.masks_to_boxes, (torch.eye(4).expand(2, 4, 4),)),
        (ops.batched_nms, (BOXES, SCORES, torch.tensor([0, 1, 0, 0]), 0.5)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_box_operators_script_and_compile(function, arguments: tuple) -> None:
    expected = function(*arguments)
    assert torch.equal(scripted(function)(*arguments), expected)
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        compiled = torch.compile(function, fullgraph=True, backend="eager")
        torch.testing.assert_close(compiled(*arguments), expected)


def test_roi_align_module_scripts_with_a_list_of_boxes() -> None:
    image = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    pool = ops.RoIAlign((3, 2), 0.5, 2)
    boxes = [torch.tensor([[0.0, 0, 8, 8]]), torch.tensor([[4.0, 4, 30, 20], [2, 2, 9, 9]])]
    expected = pool(image, boxes)
    assert torch.equal(scripted(pool)(image, boxes), expected)
    stacked = torch.cat([torch.cat((torch.full((len(b), 1), float(i)), b), 1) for i, b in enumerate(boxes)])
    assert torch.equal(pool(image, stacked), expected)


def test_a_detector_head_exports() -> None:
    class Head(nn.Module):
        def forward(self, boxes: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            return boxes[ops.nms(boxes, scores, 0.5)]

    n = torch.export.Dim("n", min=2, max=1000)
    program = torch.export.export(Head(), (BOXES, SCORES), dynamic_shapes=({0: n}, {0: n}))
    assert torch.equal(program.module()(BOXES[:3], SCORES[:3]), BOXES[[1, 2]])


def test_preprocessing_compiles_without_graph_breaks() -> None:
    image = torch.randint(0, 256, (3, 40, 60), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    preprocess = Compose([Resize((20, 30)), ToDtype(torch.float32, scale=True), Normalize([0.5] * 3, [0.2] * 3)])
    compiled = torch.compile(preprocess, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(image), preprocess(image))


def test_interleaved_images_compile_with_their_strides() -> None:
    image = torch.randint(0, 256, (40, 60, 3), dtype=torch.uint8).permute(2, 0, 1)
    compiled = torch.compile(lambda x: resampling.resize(x, [10, 12]) + 1, fullgraph=True, backend="aot_eager")
    result = compiled(image)
    assert torch.equal(result, resampling.resize(image, [10, 12]) + 1)


def test_kernels_of_functionals_script() -> None:
    image = torch.rand(3, 8, 9)
    assert torch.equal(scripted(F.horizontal_flip_image)(image), image.flip(-1))
    assert torch.equal(scripted(F.vertical_flip_image)(image), image.flip(-2))
