"""The int8 kernels on each instruction set, bit by bit against NumPy written from the definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accel_mobile._ir import Graph, Node
from accel_mobile._runtime.native import NativePlan
from accel_mobile._runtime.reference import run_graph

SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def numpy_requantise(real: np.ndarray, zero_point: int, relu: bool) -> np.ndarray:
    low = np.float32(0 if relu else -zero_point)
    return (np.rint(np.clip(real, low, np.float32(255 - zero_point))) + zero_point).astype(np.uint8)


def numpy_sums(x, weight, stride, padding, dilation, groups, zero_point):
    """Convolve by the definition, in int64: one tap after the other."""
    n, _, *sizes = x.shape
    c_out, per_group, *kernel = weight.shape
    centred = np.pad(x.astype(np.int64) - zero_point, [(0, 0), (0, 0), *((p, p) for p in padding)])
    out = [
        (s + 2 * p - d * (k - 1) - 1) // st_ + 1
        for s, p, d, k, st_ in zip(sizes, padding, dilation, kernel, stride, strict=True)
    ]
    sums = np.zeros((n, c_out, *out), np.int64)
    for tap in itertools.product(*(range(k) for k in kernel)):
        window = tuple(
            slice(i * d, i * d + (o - 1) * s + 1, s) for i, d, o, s in zip(tap, dilation, out, stride, strict=True)
        )
        piece = centred[(slice(None), slice(None), *window)]
        for g in range(groups):
            rows = slice(g * c_out // groups, (g + 1) * c_out // groups)
            part = piece[:, g * per_group : (g + 1) * per_group]
            sums[:, rows] += np.einsum("nithw,oi->nothw", part, weight[(rows, slice(None), *tap)].astype(np.int64))
    return sums


def numpy_conv(x, constants, a, residual=None):
    sums = numpy_sums(x, constants["w"], a["stride"], a["padding"], a["dilation"], a["groups"], a["x_zero_point"])
    shape = (1, -1, 1, 1, 1)
    real = (sums + constants["b"].reshape(shape)).astype(np.float32) * constants["m"].reshape(shape)
    if a["output"] == "float32":
        return np.maximum(real, np.float32(0)) if a["relu"] else real
    if residual is not None:
        centred = residual.astype(np.float32) - np.float32(a["residual_zero_point"])
        real = real + centred * np.float32(a["residual_multiplier"])
    q = numpy_requantise(real, a["y_zero_point"], a["relu"])
    return constants["table"][q] if "table" in constants else q


def check(inputs, constants, attrs):
    """Run one convolution natively and in the torch reference; both must equal NumPy."""
    roles = {"weight": "w", "bias": "b", "multiplier": "m", "table": "table"}
    roles = {role: key for role, key in roles.items() if key in constants}
    node = Node("y", "qconv", tuple(inputs), attrs, roles)
    tensors = {key: torch.from_numpy(value) for key, value in constants.items()}
    values = [torch.from_numpy(x) for x in inputs.values()]
    graph = Graph(list(inputs), [tuple(x.shape) for x in values], [node], ["y"], tensors)
    reference = run_graph(graph, values)[0]
    node.shape = tuple(reference.shape)
    want = numpy_conv(inputs["x"], constants, attrs, inputs.get("r"))
    np.testing.assert_array_equal(reference.numpy(), want)
    steps = [Node(f"{name}.q", "lookup", (name,), {}, {"table": "same"}, tuple(x.shape)) for name, x in inputs.items()]
    # uint8 values are made inside a graph: an identity table stands for whatever made them.
    graph.constants["same"] = torch.arange(256, dtype=torch.uint8)
    inner = Node("y", "qconv", tuple(f"{name}.q" for name in inputs), attrs, roles, node.shape)
    plan = NativePlan(
        Graph(graph.inputs, graph.input_shapes, [*steps, inner], ["y"], graph.constants), {}, uint8_inputs=tuple(inputs)
    )
    assert plan.steps()[-1].where == "native"
    np.testing.assert_array_equal(plan.run(values)[0].numpy(), want)


def make(rng, c_out, per_group, kernel, extremes):
    weight = rng.integers(-127, 128, (c_out, per_group, *kernel), dtype=np.int8)
    if extremes:
        weight[...] = np.where(rng.random(weight.shape) < 0.5, -127, 127)
    spread = 127 * 255 * weight[0].size / 200
    return {
        "w": weight,
        "b": rng.integers(-5000, 5000, c_out, dtype=np.int32),
        "m": (rng.uniform(0.2, 2.0, c_out) / spread).astype(np.float32),
    }


def attributes(rng, stride, padding, dilation, groups, relu, output):
    a = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "relu": relu, "output": output}
    a["x_zero_point"] = int(rng.integers(0, 256))
    if output == "uint8":
        a["y_zero_point"] = int(rng.integers(0, 256))
    return a


@SETTINGS
@given(
    seed=st.integers(0, 1000),
    n=st.integers(1, 2),
    t=st.integers(1, 3),
    h=st.integers(1, 4),
    w=st.integers(1, 6),
    c_in=st.integers(1, 70),
    c_out=st.integers(1, 70),
    stride=st.sampled_from([1, 2]),
    residual=st.booleans(),
    relu=st.booleans(),
    table=st.booleans(),
    output=st.sampled_from(["uint8", "uint8", "float32"]),
    extremes=st.booleans(),
)
def test_pointwise(isa, seed, n, t, h, w, c_in, c_out, stride, residual, relu, table, output, extremes):
    rng = np.random.default_rng(seed)
    inputs = {"x": rng.integers(0, 256, (n, c_in, t, h, w), dtype=np.uint8)}
    if extremes:
        inputs["x"][...] = 255
    constants = make(rng, c_out, c_in, (1, 1, 1), extremes)
    a = attributes(rng, (1, stride, stride), (0, 0, 0), (1, 1, 1), 1, relu, output)
    if output == "uint8":
        if residual:
            shape = (n, c_out, t, (h - 1) // stride + 1, (w - 1) // stride + 1)
            inputs["r"] = rng.integers(0, 256, shape, dtype=np.uint8)
            a |= {"residual_zero_point": int(rng.integers(0, 256)), "residual_multiplier": float(np.float32(0.37))}
        if table:
            constants["table"] = rng.permutation(256).astype(np.uint8)
    check(inputs, constants, a)


@SETTINGS
@given(
    seed=st.integers(0, 1000),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(1, 2)),
    pad=st.booleans(),
    c_in=st.integers(1, 20),
    c_out=st.integers(1, 20),
)
def test_dense(isa, seed, kernel, stride, pad, c_in, c_out):
    rng = np.random.default_rng(seed)
    padding = tuple(k // 2 for k in kernel) if pad else (0, 0, 0)
    x = rng.integers(0, 256, (2, c_in, 4, 5, 6), dtype=np.uint8)
    a = attributes(rng, stride, padding, (1, 1, 1), 1, False, "uint8")
    check({"x": x}, make(rng, c_out, c_in, kernel, False), a)


@SETTINGS
@given(
    seed=st.integers(0, 1000),
    kernel=st.sampled_from([(3, 3, 3), (3, 3, 3), (1, 3, 3), (3, 1, 1), (2, 2, 5)]),
    stride=st.sampled_from([1, 2, 3]),
    dilation=st.sampled_from([1, 1, 2]),
    n=st.integers(1, 2),
    channels=st.integers(2, 60),
    t=st.integers(1, 6),
    h=st.integers(1, 6),
    w=st.integers(1, 13),
    table=st.booleans(),
    extremes=st.booleans(),
)
def test_depthwise(isa, seed, kernel, stride, dilation, n, channels, t, h, w, table, extremes):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (n, channels, t, h, w), dtype=np.uint8)
    if extremes:
        x[...] = 255
    padding = (kernel[0] // 2, kernel[1] * dilation // 2, kernel[2] * dilation // 2)
    a = attributes(rng, (1, stride, stride), padding, (1, dilation, dilation), channels, False, "uint8")
    if any(s + 2 * p < d * (k - 1) + 1 for s, p, d, k in zip(x.shape[2:], padding, a["dilation"], kernel, strict=True)):
        return
    constants = make(rng, channels, 1, kernel, extremes)
    if table:
        constants["table"] = rng.permutation(256).astype(np.uint8)
    check({"x": x}, constants, a)


@pytest.mark.parametrize("shape", [(2, 5, 3, 4, 5), (1, 54, 4, 7, 7)])
def test_add_gate_lookup_mean_and_both_conversions(isa, shape):
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    x, y, gate = torch.randn(shape), torch.randn(shape), torch.rand((*shape[:2], 1, 1, 1))
    table = torch.from_numpy(rng.permutation(256).astype(np.uint8))
    add = {"zero_points": (100, 140), "multipliers": (0.61, 0.83), "y_zero_point": 120, "relu": True}
    scale = {"x_zero_point": 120, "multiplier": 0.9, "y_zero_point": 99}
    nodes = [
        Node("xq", "quantize", ("x",), {"inverse_scale": 40.0, "zero_point": 100}, {}, shape),
        Node("yq", "quantize", ("y",), {"inverse_scale": 33.0, "zero_point": 140}, {}, shape),
        Node("s", "qadd", ("xq", "yq"), add, {}, shape),
        Node("t", "qadd", ("xq", "s"), add, {"table": "table"}, shape),
        Node("l", "lookup", ("t",), {}, {"table": "table"}, shape),
        Node("c", "qchannel_scale", ("l", "g"), scale, {"table": "table"}, shape),
        Node(
            "m",
            "qglobal_avg_pool",
            ("s",),
            {"zero_point": 120, "scale": 0.02, "keepdim": True},
            {},
            (*shape[:2], 1, 1, 1),
        ),
        *(Node(f"{n}f", "dequantize", (n,), {"scale": 0.0125, "zero_point": 120}, {}, shape) for n in "stlc"),
    ]
    outputs = ["m", "sf", "tf", "lf", "cf"]
    graph = Graph(["x", "y", "g"], [shape, shape, tuple(gate.shape)], nodes, outputs, {"table": table}).check()
    plan = NativePlan(graph, {})
    assert all(step.where == "native" for step in plan.steps())
    for got, want in zip(plan.run([x, y, gate]), run_graph(graph, [x, y, gate]), strict=True):
        assert torch.equal(got, want)


def test_gate_inside_a_projection_equals_the_gate_alone(isa):
    rng = np.random.default_rng(0)
    x, gate = torch.from_numpy(rng.integers(0, 256, (3, 30, 2, 3, 5), dtype=np.uint8)), torch.rand(3, 30, 1, 1, 1)
    constants = {key: torch.from_numpy(value) for key, value in make(rng, 20, 30, (1, 1, 1), False).items()}
    constants["table"] = torch.from_numpy(rng.permutation(256).astype(np.uint8))
    shape, out = tuple(x.shape), (3, 20, 2, 3, 5)
    scale = {"x_zero_point": 120, "multiplier": 0.9, "y_zero_point": 99}
    a = attributes(rng, (1, 1, 1), (0, 0, 0), (1, 1, 1), 1, False, "uint8")
    nodes = [
        Node("c", "qchannel_scale", ("x", "g"), scale, {"table": "table"}, shape),
        Node("y", "qconv", ("c",), a, {"weight": "w", "bias": "b", "multiplier": "m"}, out),
    ]
    graph = Graph(["x", "g"], [shape, tuple(gate.shape)], nodes, ["y"], constants).check()
    plan = NativePlan(graph, {}, uint8_inputs=("x",))
    assert "reads" in plan.steps()[0].reason
    assert torch.equal(plan.run([x, gate])[0], run_graph(graph, [x, gate])[0])
