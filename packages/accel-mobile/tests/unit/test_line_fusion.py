"""Convolutions that are computed line by line inside the depthwise one behind them, against the two alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from accel_mobile import _native, convert_to_deployable_form, quantize
from accel_mobile._ir import Graph, Node
from accel_mobile._runtime.native import NativePlan
from accel_mobile._runtime.reference import run_graph

SETTINGS = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

needs_kernels = pytest.mark.skipif(_native.extension is None, reason="the compiled kernels are absent")


def convolution(name, x, op="conv", stride=(1, 1, 1), padding=(0, 0, 0), dilation=(1, 1, 1), groups=1, **attrs) -> Node:
    attrs |= {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    constants = {"weight": f"{name}.w", "bias": f"{name}.b"}
    if op == "qconv":
        constants["multiplier"] = f"{name}.m"
    return Node(name, op, (x,), attrs, constants)


def with_shapes(graph: Graph, inputs: list[Tensor]) -> Graph:
    """Fill in the sizes of all results by running the reference."""
    for index, node in enumerate(graph.nodes):
        until = Graph(graph.inputs, graph.input_shapes, graph.nodes[: index + 1], [node.name], graph.constants)
        node.shape = tuple(run_graph(until, inputs)[0].shape)
    return graph.check()


def fused(plan: NativePlan, name: str) -> bool:
    (step,) = (step for step in plan.steps() if step.name == name)
    return step.where == "native" and "line by line" in step.reason


def against_double(graph: Graph, inputs: list[Tensor], tolerance: float = 1e-5) -> None:
    plan = NativePlan(graph, {})
    assert fused(plan, "a")
    got = plan.run(inputs)[0]
    constants = {key: value.double() for key, value in graph.constants.items()}
    double = Graph(graph.inputs, graph.input_shapes, graph.nodes, graph.outputs, constants)
    want = run_graph(double, [x.double() for x in inputs])[0]
    assert float((got - want).abs().max()) <= tolerance * max(1.0, float(want.abs().max()))


def float_constants(out: int, into: int, kernel: tuple, depthwise: tuple) -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {
        "a.w": torch.randn(out, into, *kernel),
        "a.b": torch.randn(out),
        "b.w": torch.randn(out, 1, *depthwise),
        "b.b": torch.randn(out),
    }


depthwise_shapes = {
    "kernel": st.sampled_from([(3, 3, 3), (5, 1, 1), (1, 3, 3), (3, 3, 2), (1, 5, 3)]),
    "stride": st.sampled_from([(1, 1, 1), (1, 2, 2), (2, 1, 1), (1, 3, 1)]),
    "dilation": st.sampled_from([(1, 1, 1), (1, 2, 1), (2, 1, 2)]),
    "t": st.integers(1, 5),
    "h": st.integers(1, 9),
    "w": st.integers(1, 20),
}


@SETTINGS
@given(
    **depthwise_shapes,
    c_in=st.integers(1, 40),
    c=st.integers(2, 70),
    activation=st.sampled_from([None, "relu", "silu", "hardswish"]),
    first=st.sampled_from(["relu", None, "silu"]),
    threads=st.sampled_from([1, 2]),
)
def test_expansion(isa, kernel, stride, dilation, t, h, w, c_in, c, activation, first, threads):
    padding = tuple(k * d // 2 + d - 1 for k, d in zip(kernel, dilation, strict=True))
    x = torch.randn(2, c_in + 4, t, h, w)  # more than a stem takes
    nodes = [
        convolution("a", "x", activation=first),
        convolution("b", "a", "conv", stride, padding, dilation, c, activation=activation),
    ]
    constants = float_constants(c, c_in + 4, (1, 1, 1), kernel)
    graph = with_shapes(Graph(["x"], [tuple(x.shape)], nodes, ["b"], constants), [x])
    torch.set_num_threads(threads)
    against_double(graph, [x])


@SETTINGS
@given(
    **depthwise_shapes,
    stem=st.sampled_from([(1, 3, 3), (3, 3, 3), (1, 7, 7), (1, 1, 1)]),
    stem_stride=st.sampled_from([(1, 2, 2), (1, 1, 1), (2, 3, 3)]),
    stem_padding=st.integers(0, 3),
    c_in=st.integers(1, 4),
    c=st.integers(2, 70),
    activation=st.sampled_from(["relu", "silu"]),
    threads=st.sampled_from([1, 2]),
)
def test_stem(isa, kernel, stride, dilation, t, h, w, stem, stem_stride, stem_padding, c_in, c, activation, threads):
    padding = tuple(k * d // 2 + d - 1 for k, d in zip(kernel, dilation, strict=True))
    x = torch.randn(2, c_in, t + 2, h + 7, w + 7)
    nodes = [
        convolution("a", "x", "conv", stem_stride, (0, stem_padding, stem_padding)),
        convolution("b", "a", "conv", stride, padding, dilation, c, activation=activation),
    ]
    graph = with_shapes(Graph(["x"], [tuple(x.shape)], nodes, ["b"], float_constants(c, c_in, stem, kernel)), [x])
    torch.set_num_threads(threads)
    against_double(graph, [x])


@pytest.mark.parametrize("activation", [None, "relu", "silu"])
@pytest.mark.parametrize(("kernel", "dilation"), [((3, 7, 7), (1, 1, 1)), ((1, 3, 3), (1, 2, 2))])
def test_stem_alone(isa, kernel, dilation, activation):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 5, 19, 22)
    node = convolution("a", "x", "conv", (1, 2, 2), (1, 3, 3), dilation, activation=activation)
    constants = {"a.w": torch.randn(70, 3, *kernel), "a.b": torch.randn(70)}
    graph = with_shapes(Graph(["x"], [tuple(x.shape)], [node], ["a"], constants), [x])
    plan = NativePlan(graph, {})
    assert "stem" in plan.steps()[0].reason
    want = run_graph(graph, [x])[0]
    torch.testing.assert_close(plan.run([x])[0], want, rtol=1e-5, atol=1e-4)


def wide_graph(channels: int, t: int, h: int, w: int, stride: int) -> tuple[Graph, Tensor]:
    torch.manual_seed(0)
    x = torch.randn(1, 24, t, h, w)
    nodes = [
        convolution("a", "x", activation="relu"),
        convolution("b", "a", "conv", (1, stride, stride), (1, 1, 1), (1, 1, 1), channels, activation="silu"),
    ]
    constants = float_constants(channels, 24, (1, 1, 1), (3, 3, 3))
    return with_shapes(Graph(["x"], [tuple(x.shape)], nodes, ["b"], constants), [x]), x


@needs_kernels
@pytest.mark.parametrize("stride", [1, 2])
def test_lines_wider_than_the_cache(stride):
    """The window takes part of the width, or of the channels, at a time."""
    graph, x = wide_graph(150, 12, 8, 120, stride)
    plan = NativePlan(graph, {})
    want = run_graph(graph, [x])[0]
    torch.testing.assert_close(plan.run([x])[0], want, rtol=1e-5, atol=1e-4)
    torch.set_num_threads(2)
    torch.testing.assert_close(plan.run([x])[0], want, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("channels", [54, 112])
def test_threads_share_the_work_and_change_nothing(isa, channels):
    graph, x = wide_graph(channels, 5, 17, 23, 1)
    plan = NativePlan(graph, {})
    one = plan.run([x])[0]
    for threads in (2, 3):
        torch.set_num_threads(threads)
        assert torch.equal(plan.run([x])[0], one)


def int8_constants(rng: np.random.Generator, name: str, out: int, into: int, kernel: tuple) -> dict[str, Tensor]:
    fan = into * int(np.prod(kernel))
    return {
        f"{name}.w": torch.from_numpy(rng.integers(-127, 128, (out, into, *kernel), dtype=np.int8)),
        f"{name}.b": torch.from_numpy(rng.integers(-3000, 3000, out, dtype=np.int32)),
        f"{name}.m": torch.from_numpy(rng.uniform(0.5, 1.5, out).astype(np.float32) / (60.0 * fan**0.5)),
    }


@SETTINGS
@given(
    kernel=st.sampled_from([(3, 3, 3), (1, 3, 3), (3, 1, 1), (2, 5, 3)]),
    stride=st.sampled_from([1, 2]),
    dilation=st.sampled_from([1, 2]),
    t=st.integers(1, 6),
    h=st.integers(1, 9),
    w=st.integers(1, 20),
    c_in=st.integers(1, 40),
    c=st.integers(2, 70),
    relu=st.booleans(),
    tables=st.sampled_from([(), ("a",), ("b",), ("a", "b")]),
    threads=st.sampled_from([1, 2]),
)
def test_int8_expansion_bit_by_bit(isa, kernel, stride, dilation, t, h, w, c_in, c, relu, tables, threads):
    rng = np.random.default_rng(c_in * 71 + c)
    x = torch.from_numpy(rng.integers(0, 256, (2, c_in, t, h, w), dtype=np.uint8))
    padding = (kernel[0] // 2, kernel[1] * dilation // 2 + dilation - 1, kernel[2] // 2)
    zeros = {"x_zero_point": 117, "y_zero_point": 9, "output": "uint8", "relu": relu}
    nodes = [
        convolution("a", "x", "qconv", **zeros),
        convolution("b", "a", "qconv", (1, stride, stride), padding, (1, dilation, 1), c, **zeros),
    ]
    nodes[1].attrs |= {"x_zero_point": 9, "y_zero_point": 130}
    constants = int8_constants(rng, "a", c, c_in, (1, 1, 1)) | int8_constants(rng, "b", c, 1, kernel)
    for node in nodes:
        if node.name in tables:
            node.constants["table"] = f"{node.name}.t"
            constants[f"{node.name}.t"] = torch.from_numpy(rng.permutation(256).astype(np.uint8))
    graph = with_shapes(Graph(["x"], [tuple(x.shape)], nodes, ["b"], constants), [x])
    plan = NativePlan(graph, {}, uint8_inputs=("x",))
    torch.set_num_threads(threads)
    assert fused(plan, "a")
    assert torch.equal(plan.run([x])[0], run_graph(graph, [x])[0])


@needs_kernels
def test_wide_int8_lines_bit_by_bit():
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.integers(0, 256, (1, 24, 13, 6, 160), dtype=np.uint8))
    zeros = {"x_zero_point": 117, "y_zero_point": 9, "output": "uint8", "relu": True}
    nodes = [
        convolution("a", "x", "qconv", **zeros),
        convolution("b", "a", "qconv", (1, 1, 1), (1, 1, 1), (1, 1, 1), 150, **zeros),
    ]
    nodes[1].attrs["x_zero_point"] = 9
    constants = int8_constants(rng, "a", 150, 24, (1, 1, 1)) | int8_constants(rng, "b", 150, 1, (3, 3, 3))
    graph = with_shapes(Graph(["x"], [tuple(x.shape)], nodes, ["b"], constants), [x])
    want = run_graph(graph, [x])[0]
    plan = NativePlan(graph, {}, uint8_inputs=("x",))
    for threads in (1, 2):
        torch.set_num_threads(threads)
        assert torch.equal(plan.run([x])[0], want)


def test_a_stem_writes_what_quantize_would(isa):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 5, 18, 21)
    nodes = [
        convolution("a", "x", "conv", (1, 2, 2), (0, 1, 1)),
        convolution("b", "a", "conv", (1, 1, 1), (2, 0, 0), (1, 1, 1), 24, activation="relu"),
        Node("q", "quantize", ("b",), {"inverse_scale": 11.0, "zero_point": 3}),
    ]
    constants = float_constants(24, 3, (1, 3, 3), (5, 1, 1))
    graph = with_shapes(Graph(["x"], [tuple(x.shape)], nodes, ["q"], constants), [x])
    plan = NativePlan(graph, {})
    assert "before it" in plan.steps()[-1].reason
    got, want = plan.run([x])[0].int(), run_graph(graph, [x])[0].int()
    assert got.unique().numel() > 50
    assert int((got - want).abs().max()) <= 1  # the last bit of a float sum may turn a rounding
    assert float((got != want).float().mean()) < 1e-3


class FirstBlocks(nn.Module):
    """The first layers of X3D-S (arXiv 2004.04730), which take most of its memory."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv3d(3, 24, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False)
        self.stem_time = nn.Conv3d(24, 24, (5, 1, 1), padding=(2, 0, 0), groups=24)
        self.expand = nn.Conv3d(24, 54, 1)
        self.depthwise = nn.Conv3d(54, 54, 3, (1, 2, 2), 1, groups=54)
        self.project = nn.Conv3d(54, 24, 1)
        self.shortcut = nn.Conv3d(24, 24, 1, (1, 2, 2))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem_time(self.stem(x)))
        y = self.depthwise(torch.relu(self.expand(x)))
        return torch.relu(self.shortcut(x) + self.project(y * torch.sigmoid(y)))


@needs_kernels
def test_memory_of_the_largest_layers():
    torch.manual_seed(0)
    net, clip = FirstBlocks().eval(), torch.randn(1, 3, 13, 160, 160)
    deployed = convert_to_deployable_form(net, clip)
    int8 = quantize(net, [clip])
    with torch.inference_mode():
        want = net(clip)
        assert float((deployed(clip) - want).abs().max() / want.abs().max()) < 1e-5
        assert float((int8(clip) - want).norm() / want.norm()) < 0.05
    plans = [next(iter(module._plans.values())) for module in (deployed, int8)]
    assert plans[0].arena_bytes() <= 25_000_000  # type: ignore[union-attr]
    assert plans[1].arena_bytes() <= 8_000_000  # type: ignore[union-attr]
