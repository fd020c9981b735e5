"""Which nodes the native kernels can run, and how their tensors lie there."""

from __future__ import annotations

from accel_mobile._ir import Graph, Node

__all__ = ["ACTIVATION_NUMBERS", "native_sizes", "three", "unsupported_reason"]

ACTIVATION_NUMBERS: dict[str | None, int] = {
    None: 0,
    "relu": 1,
    "relu6": 2,
    "silu": 3,
    "sigmoid": 4,
    "hardswish": 5,
    "hardsigmoid": 6,
    "tanh": 7,
}

Sizes = tuple[int, int, int, int, int]


def native_sizes(shape: tuple) -> Sizes:
    """Return (n, t, h, w, c) of a tensor `(N, C)`, `(N, C, W)`, `(N, C, H, W)` or `(N, C, T, H, W)`."""
    places = (1,) * (5 - len(shape)) + tuple(shape[2:])
    return (shape[0], places[0], places[1], places[2], shape[1])


def three(values: tuple[int, ...], fill: int) -> tuple[int, int, int]:
    """Extend a value per dimension to (time, height, width)."""
    full = (fill,) * (3 - len(values)) + tuple(values)
    return (full[0], full[1], full[2])


def unsupported_reason(node: Node, graph: Graph) -> str | None:
    """Return why a node cannot run natively, or None if it can."""
    rule = _RULES.get(node.op)
    if rule is None:
        name = node.attrs.get("target", node.op)
        return f"no native kernel for {name}"
    shapes = [tuple(node.shape), *(tuple(graph.shape_of(name)) for name in node.inputs)]
    if any(not 2 <= len(shape) <= 5 or 0 in shape for shape in shapes):
        return "a tensor has other than 2 to 5 dimensions, or no element"
    kind = node.attrs.get("activation") or (node.attrs.get("kind") if node.op == "activation" else None)
    if kind not in ACTIVATION_NUMBERS:
        return f"no native {kind}"
    return rule(node, shapes, graph)


def _conv(node: Node, shapes: list[tuple], graph: Graph) -> str | None:
    weight = graph.constant(node, "weight")
    assert weight is not None
    groups = node.attrs["groups"]
    if "weight_scale" in node.constants and len(node.inputs) > 1:
        return "one-byte weights with a residual sum run in torch"
    if groups == 1:
        return None
    if weight.shape[1] != 1 or groups != weight.shape[0]:
        return "grouped convolutions other than depthwise run in torch"
    if len(node.inputs) > 1:
        return "a depthwise convolution with a residual sum runs in torch"
    return None


def _qconv(node: Node, shapes: list[tuple], graph: Graph) -> str | None:
    reason = _conv(node, shapes, graph)
    if reason is not None or node.attrs["groups"] == 1:
        return reason
    weight = graph.constant(node, "weight")
    assert weight is not None
    kernel = three(tuple(weight.shape[2:]), 1)
    in_time = (three(node.attrs["stride"], 1)[0], three(node.attrs["dilation"], 1)[0])
    if kernel[0] > 3 or in_time != (1, 1):
        return "int8 depthwise takes at most three taps in time, with stride and dilation 1 there"
    if node.attrs["output"] != "uint8":
        return "int8 depthwise with a float result runs in torch"
    return None


def _equal_shapes(node: Node, shapes: list[tuple], graph: Graph) -> str | None:
    return None if all(shape == shapes[0] for shape in shapes) else "operands of different sizes (broadcasting)"


def _linear(node: Node, shapes: list[tuple], graph: Graph) -> str | None:
    return None if len(shapes[1]) == 2 else "linear layers on more than (N, C) run in torch"


def _pool(node: Node, shapes: list[tuple], graph: Graph) -> str | None:
    if node.attrs["ceil_mode"]:
        return "pooling with ceil_mode runs in torch"
    if any(size != 1 for size in node.attrs.get("dilation", ())):
        return "dilated pooling runs in torch"
    return None


def _softmax(node: Node, shapes: list[tuple], graph: Graph) -> str | None:
    return None if node.attrs["dim"] == 1 else "softmax over other dimensions than the channels runs in torch"


def _reshape(node: Node, shapes: list[tuple], graph: Graph) -> str | None:
    vectors = all(all(size == 1 for size in shape[2:]) for shape in shapes)
    same = shapes[0][:2] == shapes[1][:2]
    return None if vectors and same else "reshapes of more than one position run in torch"


def _always(node: Node, shapes: list[tuple], graph: Graph) -> str | None:
    return None


_RULES = {
    "conv": _conv,
    "qconv": _qconv,
    "linear": _linear,
    "activation": _always,
    "add": _equal_shapes,
    "mul": _equal_shapes,
    "affine": _always,
    "channel_scale": _always,
    "global_avg_pool": _always,
    "avg_pool": _pool,
    "max_pool": _pool,
    "softmax": _softmax,
    "reshape": _reshape,
    "quantize": _always,
    "dequantize": _always,
    "lookup": _always,
    "qadd": _equal_shapes,
    "qchannel_scale": _always,
    "qglobal_avg_pool": _always,
}
