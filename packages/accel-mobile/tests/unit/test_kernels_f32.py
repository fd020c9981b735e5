"""Each float32 kernel, on each instruction set, against torch in float64."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accel_mobile._ir import Graph, Node
from accel_mobile._runtime.native import NativePlan
from accel_mobile._runtime.reference import ACTIVATIONS, run_graph
from accel_mobile._runtime.support import ACTIVATION_NUMBERS

SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def single(node: Node, inputs: dict[str, torch.Tensor], constants: dict[str, torch.Tensor]) -> Graph:
    graph = Graph(list(inputs), [tuple(x.shape) for x in inputs.values()], [node], [node.name], constants)
    node.shape = tuple(run_graph(graph, list(inputs.values()))[0].shape)
    return graph.check()


def compare(graph: Graph, inputs: list[torch.Tensor], tolerance: float = 1e-5) -> None:
    plan = NativePlan(graph, {})
    assert [step.where for step in plan.steps()] == ["native"] * len(graph)
    got = plan.run(inputs)[0]
    double = Graph(
        graph.inputs,
        graph.input_shapes,
        graph.nodes,
        graph.outputs,
        {k: v.double() for k, v in graph.constants.items()},
    )
    want = run_graph(double, [x.double() for x in inputs])[0]
    assert got.shape == want.shape
    assert float((got - want).abs().max()) <= tolerance * max(1.0, float(want.abs().max()))


def conv_node(stride=(1, 1, 1), padding=(0, 0, 0), dilation=(1, 1, 1), groups=1, activation=None, inputs=("x",)):
    attrs = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "activation": activation}
    return Node("y", "conv", inputs, attrs, {"weight": "w", "bias": "b"})


@SETTINGS
@given(
    n=st.integers(1, 3),
    t=st.integers(1, 3),
    h=st.integers(1, 5),
    w=st.integers(1, 6),
    c_in=st.integers(1, 70),
    c_out=st.integers(1, 70),
    stride=st.sampled_from([1, 2]),
    residual=st.booleans(),
    activation=st.sampled_from([None, "relu", "silu"]),
)
def test_pointwise(isa, n, t, h, w, c_in, c_out, stride, residual, activation):
    torch.manual_seed(0)
    inputs = {"x": torch.randn(n, c_in, t, h, w)}
    constants = {"w": torch.randn(c_out, c_in, 1, 1, 1), "b": torch.randn(c_out)}
    node = conv_node(stride=(1, stride, stride), activation=activation)
    if residual:
        inputs["r"] = torch.randn_like(run_graph(single(node, inputs, constants), list(inputs.values()))[0])
        node = conv_node(stride=(1, stride, stride), activation=activation, inputs=("x", "r"))
    compare(single(node, inputs, constants), list(inputs.values()))


@SETTINGS
@given(
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(1, 2)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(1, 2)),
    pad=st.booleans(),
    c_in=st.integers(1, 20),
    c_out=st.integers(1, 20),
)
def test_dense(isa, kernel, stride, dilation, pad, c_in, c_out):
    torch.manual_seed(0)
    padding = tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True)) if pad else (0, 0, 0)
    x = torch.randn(2, c_in, 5, 6, 7)
    constants = {"w": torch.randn(c_out, c_in, *kernel), "b": torch.randn(c_out)}
    compare(single(conv_node(stride, padding, dilation), {"x": x}, constants), [x])


@SETTINGS
@given(
    kernel=st.sampled_from([(3, 3, 3), (5, 1, 1), (3, 1, 1), (1, 3, 3), (2, 3, 5), (1, 1, 1)]),
    stride=st.sampled_from([(1, 1, 1), (1, 2, 2), (2, 1, 1), (2, 2, 2), (1, 3, 1)]),
    dilation=st.sampled_from([(1, 1, 1), (1, 1, 2), (2, 1, 1)]),
    channels=st.integers(1, 60),
    t=st.integers(1, 5),
    h=st.integers(1, 6),
    w=st.integers(1, 13),
    activation=st.sampled_from([None, "relu", "silu", "hardswish"]),
)
def test_depthwise(isa, kernel, stride, dilation, channels, t, h, w, activation):
    torch.manual_seed(0)
    padding = tuple((k * d) // 2 + (k - 1) * (d - 1) for k, d in zip(kernel, dilation, strict=True))
    x = torch.randn(2, channels, t, h, w)
    constants = {"w": torch.randn(channels, 1, *kernel), "b": torch.randn(channels)}
    if channels == 1:
        return  # one group of one channel is a dense convolution
    compare(single(conv_node(stride, padding, dilation, channels, activation), {"x": x}, constants), [x])


@pytest.mark.parametrize("kind", [kind for kind in ACTIVATION_NUMBERS if kind])
def test_activation(isa, kind):
    x = torch.cat([torch.linspace(-20, 20, 4001), torch.tensor([0.0, -0.0, -100.0, 100.0, 1e30, -1e30])]).reshape(
        1, 1, 1, 1, -1
    )
    graph = single(Node("y", "activation", ("x",), {"kind": kind}), {"x": x}, {})
    got = NativePlan(graph, {}).run([x])[0]
    want = ACTIVATIONS[kind](x.double())
    assert float(((got - want).abs() / want.abs().clamp_min(1.0)).max()) < 2e-6


@pytest.mark.parametrize("shape", [(2, 5, 3, 4, 5), (3, 33, 1, 1, 1), (1, 16, 2, 7, 3)])
def test_add_multiply_gate_affine_and_means(isa, shape):
    torch.manual_seed(0)
    a, b = torch.randn(shape), torch.randn(shape)
    gate, c = torch.rand((*shape[:2], 1, 1, 1)), shape[1]
    compare(single(Node("y", "add", ("a", "b"), {"activation": "relu"}), {"a": a, "b": b}, {}), [a, b])
    compare(single(Node("y", "mul", ("a", "b")), {"a": a, "b": b}, {}), [a, b])
    compare(single(Node("y", "channel_scale", ("a", "g"), {"activation": "silu"}), {"a": a, "g": gate}, {}), [a, gate])
    constants = {"s": torch.randn(c), "t": torch.randn(c)}
    compare(single(Node("y", "affine", ("a",), {}, {"scale": "s", "shift": "t"}), {"a": a}, constants), [a])
    for keepdim in (True, False):
        compare(single(Node("y", "global_avg_pool", ("a",), {"keepdim": keepdim}), {"a": a}, {}), [a])


@pytest.mark.parametrize("op", ["avg_pool", "max_pool"])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [((2, 3, 3), (2, 2, 2), (1, 1, 1)), ((1, 2, 4), (1, 1, 3), (0, 0, 0))]
)
@pytest.mark.parametrize("count_include_pad", [True, False])
def test_pools(isa, op, kernel, stride, padding, count_include_pad):
    x = torch.randn(2, 19, 4, 7, 9)
    attrs = {"kernel": kernel, "stride": stride, "padding": padding, "ceil_mode": False}
    attrs |= {"dilation": (1, 1, 1)} if op == "max_pool" else {"count_include_pad": count_include_pad}
    compare(single(Node("y", op, ("x",), attrs), {"x": x}, {}), [x])


def test_softmax_linear_and_images(isa):
    torch.manual_seed(0)
    x = torch.randn(3, 21) * 30
    compare(single(Node("y", "softmax", ("x",), {"dim": 1}), {"x": x}, {}), [x])
    constants = {"w": torch.randn(37, 21), "b": torch.randn(37)}
    compare(single(Node("y", "linear", ("x",), {}, {"weight": "w", "bias": "b"}), {"x": x}, constants), [x])
    image = torch.randn(2, 3, 9, 8)
    constants = {"w": torch.randn(10, 3, 3, 3), "b": torch.randn(10)}
    attrs = {"stride": (2, 2), "padding": (1, 1), "dilation": (1, 1), "groups": 1, "activation": "relu6"}
    node = Node("y", "conv", ("x",), attrs, {"weight": "w", "bias": "b"})
    compare(single(node, {"x": image}, constants), [image])


def test_results_do_not_depend_on_the_number_of_threads(isa):
    torch.manual_seed(0)
    x = torch.randn(2, 24, 4, 20, 20)
    constants = {"w": torch.randn(54, 24, 1, 1, 1), "b": torch.randn(54)}
    plan = NativePlan(single(conv_node(), {"x": x}, constants), {})
    one = plan.run([x])[0]
    torch.set_num_threads(2)
    assert torch.equal(plan.run([x])[0], one)


def test_grouped_convolutions_fall_back_and_say_why(isa):
    x = torch.randn(1, 8, 2, 4, 4)
    graph = single(conv_node(groups=2), {"x": x}, {"w": torch.randn(6, 4, 1, 1, 1), "b": torch.randn(6)})
    plan = NativePlan(graph, {})
    (step,) = plan.steps()
    assert step.where == "torch"
    assert "grouped" in step.reason
    torch.testing.assert_close(plan.run([x])[0], F.conv3d(x, graph.constants["w"], graph.constants["b"], groups=2))


@pytest.mark.parametrize(("rows", "c_in", "c_out"), [(1, 70, 33), (3, 129, 100), (1, 3, 1)])
def test_one_byte_weights(isa, rows, c_in, c_out):
    torch.manual_seed(0)
    x = torch.randn(rows, c_in)
    q = torch.randint(-127, 128, (c_out, c_in), dtype=torch.int8)
    constants = {"w": q, "s": torch.rand(c_out) / 127, "b": torch.randn(c_out)}
    node = Node("y", "linear", ("x",), {"activation": "relu"}, {"weight": "w", "weight_scale": "s", "bias": "b"})
    graph = single(node, {"x": x}, constants)
    plan = NativePlan(graph, {})
    assert "one-byte" in plan.steps()[0].reason
    want = torch.relu(x.double() @ (q.double() * constants["s"].double()[:, None]).T + constants["b"].double())
    torch.testing.assert_close(plan.run([x])[0].double(), want, rtol=1e-5, atol=1e-5)
