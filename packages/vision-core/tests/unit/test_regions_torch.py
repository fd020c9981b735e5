"""Operators on regions under autograd, opcheck, torch.compile, torch.export, TorchScript and vmap."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vision_core import _native, ops
from vision_core._direct import runs_directly

BOXES = torch.tensor(
    [[0.0, 1.1, 0.4, 5.2, 4.7], [1, -3, -2, 8.1, 9], [0, 2, 2, 2.2, 2.3], [1, 4, 4, 1, 1]], dtype=torch.float64
)
ROTATED = torch.cat((BOXES[:3], torch.tensor([[30.0], [-100], [45]], dtype=torch.float64)), 1)
VOLUMES = torch.tensor([[0, 1.1, 0.4, 0, 5.2, 3.7, 2.5], [1, -3, -2, 1, 2, 3, 3.5]], dtype=torch.float64)


def image(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


LINEAR: dict[str, tuple[Any, ...]] = {
    "roi_align": (image(2, 4, 6, 7), BOXES, [2, 3], [0.8, 0.8], -1, False),
    "roi_align_rotated": (image(2, 4, 6, 7), ROTATED, [2, 2], [1.0, 1.0], 2, True),
    "roi_align_3d": (image(2, 2, 3, 4, 5), VOLUMES, [2, 2, 1], [1.0, 0.9, 0.9], -1, True),
    "ps_roi_align": (image(2, 8, 6, 7), BOXES, [2, 2], [1.0, 1.0], -1, True),
    "ps_roi_pool": (image(2, 8, 6, 7), BOXES, [2, 2], [1.0, 1.0], 0, False),
}
PUBLIC: dict[str, tuple[Callable[..., Tensor], Tensor, Tensor]] = {
    "roi_align": (lambda x, b: ops.roi_align(x, b, (2, 3), 0.8), image(2, 4, 6, 7), BOXES),
    "rotated": (lambda x, b: ops.roi_align(x, b, 2, 1.0, 2, True, "cxcywhr"), image(2, 4, 6, 7), ROTATED),
    "roi_align_3d": (lambda x, b: ops.roi_align_3d(x, b, (2, 2, 1)), image(2, 2, 3, 4, 5), VOLUMES),
    "roi_pool": (lambda x, b: ops.roi_pool(x, b, (2, 3), 0.8), image(2, 4, 6, 7), BOXES),
    "ps_roi_align": (lambda x, b: ops.ps_roi_align(x, b, 2), image(2, 8, 6, 7), BOXES),
    "ps_roi_pool": (lambda x, b: ops.ps_roi_pool(x, b, 2), image(2, 8, 6, 7), BOXES),
}


@pytest.fixture(params=["kernel", "reference"])
def implementation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "reference":
        monkeypatch.setattr(_native, "module", None)
    elif _native.module is None:
        pytest.skip("there is no native module")
    return request.param


@pytest.mark.parametrize("name", LINEAR)
def test_opcheck_of_pooling_and_its_transpose(implementation: str, name: str) -> None:
    input, boxes, size, *rest = LINEAR[name]
    operator = getattr(torch.ops.vision_core, name).default
    torch.library.opcheck(operator, (input, boxes, size, *rest))
    torch.library.opcheck(operator, (input.detach(), boxes[:0], size, *rest), test_utils="test_faketensor")
    grad = operator(input, boxes, size, *rest).detach().requires_grad_()
    backward = getattr(torch.ops.vision_core, f"{name}_backward").default
    torch.library.opcheck(backward, (grad, boxes, list(input.shape), *rest))


def test_opcheck_of_roi_pool(implementation: str) -> None:
    input = image(2, 4, 6, 7)
    torch.library.opcheck(torch.ops.vision_core.roi_pool.default, (input, BOXES, [2, 3], 0.8))
    torch.library.opcheck(torch.ops.vision_core.roi_pool_argmax.default, (input, BOXES, [2, 3], 0.8))
    pooled, places = torch.ops.vision_core.roi_pool_argmax(input, BOXES, [2, 3], 0.8)
    arguments = (pooled.detach().requires_grad_(), BOXES, places, list(input.shape))
    torch.library.opcheck(torch.ops.vision_core.roi_pool_backward.default, arguments)


@pytest.mark.parametrize("name", PUBLIC)
def test_gradients_of_first_and_second_order(implementation: str, name: str) -> None:
    function, input, boxes = PUBLIC[name]
    assert torch.autograd.gradcheck(lambda x: function(x, boxes), input, fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda x: function(x, boxes), input, fast_mode=True)


@pytest.mark.parametrize("name", LINEAR)
def test_gradients_through_the_dispatcher(implementation: str, name: str) -> None:
    input, *rest = LINEAR[name]
    operator = getattr(torch.ops.vision_core, name).default
    assert torch.autograd.gradcheck(lambda x: operator(x, *rest), input, fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda x: operator(x, *rest), input, fast_mode=True)


def test_roi_pool_finds_the_places_of_its_maxima_again() -> None:
    input = image(2, 4, 6, 7)
    operator = torch.ops.vision_core.roi_pool
    assert torch.autograd.gradcheck(lambda x: operator(x, BOXES, [2, 3], 0.8), input, fast_mode=True)


@pytest.mark.parametrize("name", PUBLIC)
def test_boxes_have_no_gradient(name: str) -> None:
    function, input, boxes = PUBLIC[name]
    leaf = boxes.clone().requires_grad_()
    function(input, leaf).sum().backward()
    assert leaf.grad is None
    assert not function(input.detach(), leaf).requires_grad
    with torch.no_grad():
        assert not function(input, boxes).requires_grad


@pytest.mark.parametrize("name", PUBLIC)
def test_compiles_without_graph_breaks_for_any_number_of_boxes(name: str) -> None:
    function, input, boxes = PUBLIC[name]
    torch._dynamo.reset()
    compiled = torch.compile(lambda x, b: function(x, b) * 2, fullgraph=True, backend="aot_eager", dynamic=True)
    for count in (len(boxes), 2):
        results = []
        for call in (compiled, lambda x, b: function(x, b) * 2):
            leaf = input.detach().clone().requires_grad_()
            pooled = call(leaf, boxes[:count])
            pooled.sum().backward()
            results.append((pooled.detach(), leaf.grad))
        torch.testing.assert_close(results[0], results[1])


@pytest.mark.parametrize("name", PUBLIC)
def test_exports_with_a_dynamic_number_of_boxes(name: str) -> None:
    function, input, boxes = PUBLIC[name]

    class Head(nn.Module):
        def forward(self, x: Tensor, boxes: Tensor) -> Tensor:
            return function(x, boxes)

    many = torch.cat((boxes, boxes))
    k = torch.export.Dim("k", min=2, max=1000)
    program = torch.export.export(Head(), (input.detach(), many), dynamic_shapes=({}, {0: k}))
    for count in (len(many), 2):
        torch.testing.assert_close(
            program.module()(input.detach(), many[:count]), function(input, many[:count]).detach()
        )


@pytest.mark.parametrize(
    ("module", "channels"),
    [
        (ops.RoIAlign((3, 2), 0.5, 2), 3),
        (ops.RoIPool(2, 0.5), 3),
        (ops.PSRoIAlign((3, 2), 0.5, 2), 12),
        (ops.PSRoIPool(2, 0.5), 12),
    ],
    ids=["RoIAlign", "RoIPool", "PSRoIAlign", "PSRoIPool"],
)
def test_modules_script_and_trace(module: nn.Module, channels: int) -> None:
    x = torch.rand(2, channels, 16, 16, generator=torch.Generator().manual_seed(0))
    boxes = [torch.tensor([[0.0, 0, 8, 8]]), torch.tensor([[4.0, 4, 30, 20], [2, 2, 9, 9]])]
    stacked = torch.cat([torch.cat((torch.full((len(b), 1), float(i)), b), 1) for i, b in enumerate(boxes)])
    expected = module(x, stacked)
    assert torch.equal(module(x, boxes), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted, traced = torch.jit.script(module), torch.jit.trace(module, (x, stacked[:2]))
    assert torch.equal(scripted(x, boxes), expected)
    assert torch.equal(scripted(x, stacked), expected)
    assert torch.equal(traced(x, stacked), expected)
    leaf = x.clone().requires_grad_()
    scripted(leaf, stacked).sum().backward()
    assert leaf.grad is not None


def test_functions_script() -> None:
    def rotated(x: Tensor, boxes: Tensor) -> Tensor:
        return ops.roi_align(x, boxes, [2, 2], fmt="cxcywhr")

    def volume(x: Tensor, boxes: Tensor) -> Tensor:
        return ops.roi_align_3d(x, boxes, [2, 2, 1], 1.0, 2, depth_scale=0.5)

    for function, x, boxes in ((rotated, image(2, 4, 6, 7), ROTATED), (volume, image(2, 2, 3, 4, 5), VOLUMES)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scripted = torch.jit.script(function)
        assert torch.equal(scripted(x.detach(), boxes), function(x.detach(), boxes))


@pytest.mark.parametrize("name", PUBLIC)
def test_vmap_over_inputs_boxes_and_both(name: str) -> None:
    function, input, boxes = PUBLIC[name]
    inputs = torch.stack([input.detach() * (i + 1) for i in range(3)])
    many = torch.stack([boxes + torch.arange(3.0)[i] * 0.3 * (torch.arange(boxes.shape[1]) > 0) for i in range(3)])
    cases = (
        (0, 0, inputs, many),
        (0, None, inputs, boxes),
        (None, 0, input.detach(), many),
        (0, 1, inputs, many.movedim(0, 1)),
    )
    for a, b, x, y in cases:
        got = torch.func.vmap(function, in_dims=(a, b))(x, y)
        expected = [function(x if a is None else x.select(a, i), y if b is None else y.select(b, i)) for i in range(3)]
        torch.testing.assert_close(got, torch.stack(expected))


@pytest.mark.parametrize("name", PUBLIC)
def test_gradients_of_single_samples(name: str) -> None:
    """vmap around grad, and grad around vmap: no gradient may be lost on the way."""
    function, input, boxes = PUBLIC[name]
    inputs = torch.stack([input.detach() * (i + 1) for i in range(2)])
    loss = lambda x: function(x, boxes).sin().sum()  # noqa: E731
    expected = []
    for x in inputs:
        leaf = x.clone().requires_grad_()
        expected.append(torch.autograd.grad(loss(leaf), leaf)[0])
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(loss))(inputs), torch.stack(expected))
    total = lambda x: torch.func.vmap(loss)(x).sum()  # noqa: E731
    torch.testing.assert_close(torch.func.grad(total)(inputs), torch.stack(expected))


def test_direct_calls_are_for_plain_tensors_only() -> None:
    x = torch.zeros(2)

    class Subclass(torch.Tensor):
        pass

    assert runs_directly(x, x)
    assert not runs_directly(x.as_subclass(Subclass), x)
    assert not runs_directly(x, x.to("meta"))
    assert not runs_directly(x.to_sparse(), x)
    with torch.profiler.profile():
        assert not runs_directly(x, x)
    with torch.autograd.forward_ad.dual_level():
        assert not runs_directly(x, x)
    with torch.overrides.TorchFunctionMode():
        assert not runs_directly(x, x)
    with torch._subclasses.FakeTensorMode():
        assert not runs_directly(x, x)
    seen = []
    torch.func.vmap(lambda y: seen.append(runs_directly(x, x)) or y)(x)
    assert seen == [False]


def test_a_tensor_subclass_sees_the_operator() -> None:
    calls = []

    class Logged(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            calls.append(str(func))
            return super().__torch_function__(func, types, args, kwargs or {})

    ops.roi_align(torch.zeros(1, 1, 4, 4).as_subclass(Logged), torch.tensor([[0.0, 0, 0, 2, 2]]), 2)
    assert any("roi_align" in call for call in calls)


def test_meta_tensors_have_shapes() -> None:
    x, boxes = torch.zeros(2, 8, 6, 7, device="meta"), torch.zeros(3, 5, device="meta")
    assert ops.roi_align(x, boxes, (2, 3)).shape == (3, 8, 2, 3)
    assert ops.roi_pool(x, boxes, (2, 3)).shape == (3, 8, 2, 3)
    assert ops.ps_roi_pool(x, boxes, 2).shape == (3, 2, 2, 2)
