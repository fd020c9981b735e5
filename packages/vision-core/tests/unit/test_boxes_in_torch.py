"""Operators on boxes under opcheck, torch.compile, torch.export, TorchScript, transforms and modes."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd import forward_ad

from vision_core import ops
from vision_core._direct import nothing_watches

BOXES = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30], [21, 20, 31, 30]])
MORE = BOXES[:3] + 2
TURNED = torch.tensor([[5.0, 5, 9, 4, 30], [6, 5, 9, 4, 35], [25, 5, 9, 4, 35]])
SOLID = torch.tensor([[0.0, 0, 0, 4, 4, 4], [1, 0, 0, 5, 4, 4], [9, 9, 9, 12, 12, 12]])
SCORES = torch.tensor([0.8, 0.9, 0.7, 0.6])
IDXS = torch.tensor([0, 1, 0, 0])


def soft(boxes: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    return ops.soft_nms(boxes, scores, 0.3, "linear", 0.5, 0.001, "xyxy")


CALLS = {
    "box_area": (ops.box_area, (BOXES,)),
    "box_convert": (ops.box_convert, (BOXES, "xywh", "cxcywh")),
    "box_convert, rotated": (ops.box_convert, (TURNED, "cxcywhr", "xyxyxyxy")),
    "box_iou": (ops.box_iou, (BOXES, MORE)),
    "box_iou, rotated": (ops.box_iou, (TURNED, TURNED, "cxcywhr")),
    "box_iou_3d": (ops.box_iou_3d, (SOLID, SOLID)),
    "generalized_box_iou": (ops.generalized_box_iou, (BOXES, MORE)),
    "distance_box_iou": (ops.distance_box_iou, (BOXES, MORE)),
    "complete_box_iou": (ops.complete_box_iou, (BOXES, MORE)),
    "clip_boxes_to_image": (ops.clip_boxes_to_image, (BOXES, (15, 25))),
    "remove_small_boxes": (ops.remove_small_boxes, (BOXES, 5.0)),
    "generalized_box_iou_loss": (ops.generalized_box_iou_loss, (BOXES[:3], MORE, "mean")),
    "distance_box_iou_loss": (ops.distance_box_iou_loss, (BOXES[:3], MORE)),
    "complete_box_iou_loss": (ops.complete_box_iou_loss, (BOXES[:3], MORE, "sum")),
    "nms": (ops.nms, (BOXES, SCORES, 0.5)),
    "nms, rotated": (ops.nms, (TURNED, SCORES[:3], 0.5, "cxcywhr")),
    "batched_nms": (ops.batched_nms, (BOXES, SCORES, IDXS, 0.5)),
    "nms_3d": (ops.nms_3d, (SOLID, SCORES[:3], 0.5)),
    "nms_mask": (ops.nms_mask, (BOXES, SCORES, 0.5, IDXS)),
    "soft_nms": (soft, (BOXES, SCORES)),
    "matrix_nms": (ops.matrix_nms, (BOXES, SCORES, IDXS)),
}


def check(got: object, expected: object) -> None:
    torch.testing.assert_close(got, expected, equal_nan=True)


@pytest.mark.parametrize("name", CALLS)
def test_compiles_without_graph_breaks(name: str) -> None:
    function, arguments = CALLS[name]
    torch._dynamo.reset()
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        check(torch.compile(function, fullgraph=True, backend="aot_eager")(*arguments), function(*arguments))


@pytest.mark.parametrize("name", CALLS)
def test_scripts(name: str) -> None:
    function, arguments = CALLS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        scripted = torch.jit.script(function)
    check(scripted(*arguments), function(*arguments))


@pytest.mark.parametrize("name", CALLS)
def test_traces_for_other_numbers_of_boxes(name: str) -> None:
    function, arguments = CALLS[name]
    tensors = tuple(a for a in arguments if isinstance(a, Tensor))
    rest = arguments[len(tensors) :] if all(isinstance(a, Tensor) for a in arguments[: len(tensors)]) else None

    def run(*few: Tensor) -> object:
        if rest is not None:
            return function(*few, *rest)
        given = iter(few)
        return function(*(next(given) if isinstance(a, Tensor) else a for a in arguments))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(run, tensors, check_trace=False)
    fewer = tuple(t[:2] for t in tensors)
    check(traced(*fewer), run(*fewer))


class Call(nn.Module):
    def __init__(self, function: Callable, arguments: tuple) -> None:
        super().__init__()
        self.function, self.arguments = function, arguments

    def forward(self, *tensors: Tensor) -> object:
        given = iter(tensors)
        return self.function(*(next(given) if isinstance(a, Tensor) else a for a in self.arguments))


@pytest.mark.parametrize("name", CALLS)
def test_exports_with_dynamic_sizes(name: str) -> None:
    function, arguments = CALLS[name]
    module = Call(function, arguments)
    tensors = tuple(a for a in arguments if isinstance(a, Tensor))
    sizes = {len(t): torch.export.Dim(f"n{len(t)}", min=2, max=1000) for t in tensors}
    shapes = (tuple({0: sizes[len(t)]} for t in tensors),)
    program = torch.export.export(module, tensors, dynamic_shapes=shapes)
    if name == "nms_mask":
        assert "u0" not in str(program.graph)  # no size depends on the data
    twice = tuple(torch.cat((t, t + 3 if t.is_floating_point() else t)) for t in tensors)
    for given in (tensors, twice):
        check(program.module()(*given), module(*given))


OPERATORS = {
    "nms": [(BOXES, SCORES, 0.5), (BOXES[:0], SCORES[:0], 0.5), (TURNED, SCORES[:3], 0.5, "cxcywhr")],
    "batched_nms": [(BOXES, SCORES, IDXS, 0.5), (SOLID, SCORES[:3], IDXS[:3], 0.5, "xyzxyz")],
    "nms_mask": [(BOXES, SCORES, 0.5), (BOXES.expand(2, 4, 4), SCORES.expand(2, 4), 0.5, IDXS.expand(2, 4))],
    "soft_nms": [(BOXES, SCORES, 0.3, "gaussian", 0.5, 0.001, "xyxy")],
    "matrix_nms": [(BOXES, SCORES, IDXS)],
    "box_iou": [(BOXES, MORE), (BOXES.clone().requires_grad_(), MORE), (TURNED, TURNED, "cxcywhr")],
    "box_iou_3d": [(SOLID, SOLID)],
    "generalized_box_iou": [(BOXES, MORE)],
    "distance_box_iou": [(BOXES, MORE)],
    "complete_box_iou": [(BOXES, MORE)],
}


@pytest.mark.parametrize("name", OPERATORS)
def test_registered_operators_pass_opcheck(name: str) -> None:
    operator = getattr(torch.ops.vision_core, name).default
    for arguments in OPERATORS[name]:
        torch.library.opcheck(operator, arguments)
        if len(arguments[0]):
            public = getattr(ops, name)
            if name != "batched_nms":
                check(operator(*arguments), public(*arguments))


def test_what_watches_sees_the_operators() -> None:
    assert nothing_watches()
    with torch.profiler.profile() as profile:
        ops.nms(BOXES, SCORES, 0.5)
    assert "vision_core::nms" in {event.key for event in profile.key_averages()}
    with FakeTensorMode() as mode:
        fake = mode.from_tensor(BOXES)
        assert ops.box_iou(fake, fake).shape == (4, 4)
        assert ops.box_area(torch.empty(7, 4)).shape == (7,)
        assert ops.clip_boxes_to_image(fake, (3, 4)).shape == (4, 4)
        assert ops.nms_mask(fake, mode.from_tensor(SCORES), 0.5).shape == (4,)
    assert ops.box_iou(BOXES.to("meta"), BOXES.to("meta")).device.type == "meta"


def test_transforms_and_forward_mode_see_the_mathematics() -> None:
    def total(boxes: Tensor) -> Tensor:
        return ops.box_iou(boxes, MORE).sum() + ops.box_area(boxes).sum()

    leaf = BOXES.clone().requires_grad_()
    (expected,) = torch.autograd.grad(total(leaf), leaf)
    check(torch.func.grad(total)(BOXES), expected)
    direction = torch.ones_like(BOXES)
    check(torch.func.jvp(total, (BOXES,), (direction,))[1], (expected * direction).sum())
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(BOXES, direction)
        check(forward_ad.unpack_dual(total(dual)).tangent, (expected * direction).sum())
    batch = torch.stack((BOXES, BOXES + 1))
    for function in (ops.box_area, lambda b: ops.box_iou(b, MORE), lambda b: ops.box_convert(b, "xyxy", "cxcywh")):
        check(torch.func.vmap(function)(batch), torch.stack([function(b) for b in batch]))


class Named(Tensor):
    """A subclass, which must reach the operators as it is."""


@pytest.mark.parametrize("function", [ops.box_area, lambda b: ops.box_convert(b, "xyxy", "xywh")])
def test_subclasses_stay_what_torch_makes_of_them(function: Callable) -> None:
    assert isinstance(function(BOXES.as_subclass(Named)), Named)
    assert type(function(nn.Parameter(BOXES))) is Tensor
    assert function(nn.Parameter(BOXES)).requires_grad


def test_import_paths_of_torchvision() -> None:
    from vision_core.ops import boxes

    for name in boxes.__all__:
        assert getattr(boxes, name) is getattr(ops, name)
    assert {"masks_to_boxes", "nms", "box_iou"} <= set(boxes.__all__)
