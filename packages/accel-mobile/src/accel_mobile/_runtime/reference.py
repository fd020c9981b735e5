"""The graph's meaning, in plain torch: oracle of the native executor and fallback where it is absent.

`OPERATORS` maps each operation to a function of the node, its input values and its constants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from accel_mobile._aten import overload
from accel_mobile._ir import Graph, Node, Ref
from accel_mobile._runtime.reference_int8 import INT8_OPERATORS

__all__ = ["ACTIVATIONS", "OPERATORS", "run_graph", "run_node"]

Constants = Mapping[str, Tensor]
Operator = Callable[[Node, list[Any], dict[str, Tensor]], Any]

ACTIVATIONS: dict[str | None, Callable[[Tensor], Tensor]] = {
    None: lambda x: x,
    "relu": F.relu,
    "relu6": F.relu6,
    "silu": F.silu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": F.gelu,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
}

_CONV: dict[int, Callable[..., Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_AVG_POOL: dict[int, Callable[..., Tensor]] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
_MAX_POOL: dict[int, Callable[..., Any]] = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_ADAPTIVE: dict[int, Callable[..., Tensor]] = {
    1: F.adaptive_avg_pool1d,
    2: F.adaptive_avg_pool2d,
    3: F.adaptive_avg_pool3d,
}


def _activate(node: Node, x: Tensor) -> Tensor:
    return ACTIVATIONS[node.attrs.get("activation")](x)


def _weight(constants: dict[str, Tensor]) -> Tensor:
    """Return the filter; one that is stored as int8 is multiplied by its scale per output channel."""
    weight, scale = constants["weight"], constants.get("weight_scale")
    return weight if scale is None else weight.to(scale.dtype) * scale.reshape(-1, *[1] * (weight.dim() - 1))


def _conv(node: Node, inputs: list[Any], constants: dict[str, Tensor]) -> Tensor:
    a = node.attrs
    weight = _weight(constants)
    y = _CONV[weight.dim() - 2](
        inputs[0], weight, constants.get("bias"), a["stride"], a["padding"], a["dilation"], a["groups"]
    )
    if len(inputs) == 2:
        y = y + inputs[1]
    return _activate(node, y)


def _per_channel(value: Tensor, rank: int) -> Tensor:
    return value.reshape(1, -1, *[1] * (rank - 2))


def _batch_norm(node: Node, inputs: list[Any], constants: dict[str, Tensor]) -> Any:
    c = constants
    y = F.batch_norm(
        inputs[0], c["running_mean"], c["running_var"], c.get("weight"), c.get("bias"), False, 0.0, node.attrs["eps"]
    )
    return (y,) if node.attrs.get("tuple") else y


def _affine(node: Node, inputs: list[Any], constants: dict[str, Tensor]) -> Tensor:
    x = inputs[0]
    return _activate(node, x * _per_channel(constants["scale"], x.dim()) + _per_channel(constants["shift"], x.dim()))


def _linear(node: Node, inputs: list[Any], constants: dict[str, Tensor]) -> Tensor:
    return _activate(node, F.linear(inputs[0], _weight(constants), constants.get("bias")))


def _avg_pool(node: Node, inputs: list[Any], constants: dict[str, Tensor]) -> Tensor:
    a = node.attrs
    pool = _AVG_POOL[len(a["kernel"])]
    return pool(inputs[0], a["kernel"], a["stride"], a["padding"], a["ceil_mode"], a["count_include_pad"])


def _max_pool(node: Node, inputs: list[Any], constants: dict[str, Tensor]) -> Tensor:
    a = node.attrs
    return _MAX_POOL[len(a["kernel"])](inputs[0], a["kernel"], a["stride"], a["padding"], a["dilation"], a["ceil_mode"])


def _global_avg_pool(node: Node, inputs: list[Any], constants: dict[str, Tensor]) -> Tensor:
    x = inputs[0]
    return x.mean(dim=tuple(range(2, x.dim())), keepdim=node.attrs["keepdim"])


def _aten(node: Node, inputs: list[Any], constants: dict[str, Tensor]) -> Any:
    known = {**constants, **dict(zip(node.inputs, inputs, strict=True))}
    args, kwargs = _filled(node.attrs["args"], known), _filled(node.attrs["kwargs"], known)
    return overload(node.attrs["target"])(*args, **kwargs)


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(value, Ref):
        return known[value.name]
    if isinstance(value, (list, tuple)):
        return type(value)(_filled(item, known) for item in value)
    if isinstance(value, dict):
        return {key: _filled(item, known) for key, item in value.items()}
    return value


OPERATORS: dict[str, Operator] = {
    "conv": _conv,
    "batch_norm": _batch_norm,
    "affine": _affine,
    "activation": lambda node, inputs, constants: ACTIVATIONS[node.attrs["kind"]](inputs[0]),
    "add": lambda node, inputs, constants: _activate(node, inputs[0] + inputs[1]),
    "mul": lambda node, inputs, constants: inputs[0] * inputs[1],
    "channel_scale": lambda node, inputs, constants: _activate(node, inputs[0] * inputs[1]),
    "linear": _linear,
    "avg_pool": _avg_pool,
    "max_pool": _max_pool,
    "adaptive_avg_pool": lambda node, inputs, constants: _ADAPTIVE[len(node.attrs["size"])](
        inputs[0], node.attrs["size"]
    ),
    "global_avg_pool": _global_avg_pool,
    "softmax": lambda node, inputs, constants: torch.softmax(inputs[0], node.attrs["dim"]),
    "reshape": lambda node, inputs, constants: inputs[0].reshape(node.attrs["shape"]),
    "permute": lambda node, inputs, constants: inputs[0].permute(node.attrs["dims"]),
    "identity": lambda node, inputs, constants: inputs[0],
    "cat": lambda node, inputs, constants: torch.cat(inputs, node.attrs["dim"]),
    "getitem": lambda node, inputs, constants: inputs[0][node.attrs["index"]],
    "aten": _aten,
    **INT8_OPERATORS,
}


def run_node(node: Node, inputs: list[Any], constants: Constants) -> Any:
    """Compute one node from its input values."""
    return OPERATORS[node.op](node, inputs, {role: constants[key] for role, key in node.constants.items()})


def run_graph(graph: Graph, inputs: Sequence[Tensor], observe: Callable[[Node, Any], None] | None = None) -> list[Any]:
    """Compute the outputs of a graph whose sizes are fixed (`Graph.at_batch`).

    Args:
        graph: The graph.
        inputs: One tensor per graph input.
        observe: Called with each node and its result, in execution order.

    Returns:
        The output values.
    """
    values: dict[str, Any] = dict(zip(graph.inputs, inputs, strict=True))
    remaining = graph.use_counts()
    for node in graph:
        result = run_node(node, [values[name] for name in node.inputs], graph.constants)
        if observe is not None:
            observe(node, result)
        values[node.name] = result
        for name in node.inputs:
            remaining[name] -= 1
            if remaining[name] == 0:
                del values[name]
    return [values[name] for name in graph.outputs]
