"""From aten operators to the operations of the graph.

Each rule reads the arguments of one aten operator and gives the operation, its inputs, attributes and constants. What
no rule takes is kept as operation `aten`, which the executors run through torch as it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from accel_mobile._ir import Dim, Graph, Node, Ref

__all__ = ["normalise"]

Rule = Callable[["_Call"], Node | None]


class _Call:
    """Arguments of an aten call by name, defaults filled in."""

    def __init__(self, name: str, target: Any, args: list[Any], kwargs: dict[str, Any], shape: Any, graph: Graph):
        self.name, self.target, self.shape, self.graph = name, target, shape, graph
        self.values: dict[str, Any] = {}
        for index, argument in enumerate(target._schema.arguments):
            if index < len(args):
                self.values[argument.name] = args[index]
            elif argument.name in kwargs:
                self.values[argument.name] = kwargs[argument.name]
            elif argument.has_default_value():
                self.values[argument.name] = argument.default_value

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)

    def is_value(self, name: str) -> bool:
        """Whether the argument is a tensor that depends on the input."""
        value = self.values.get(name)
        return isinstance(value, Ref) and value.name not in self.graph.constants

    def is_constant(self, name: str) -> bool:
        value = self.values.get(name)
        return isinstance(value, Ref) and value.name in self.graph.constants

    def rank(self, name: str) -> int:
        return len(self.graph.shape_of(self.values[name].name))

    def node(self, op: str, inputs: tuple[str, ...], roles: tuple[str, ...] = (), **attrs: Any) -> Node | None:
        """Build a node reading the named arguments; None where one of them is not what `op` needs."""
        if not all(self.is_value(key) for key in inputs):
            return None
        constants = {}
        for role in roles:
            if self.is_constant(role):
                constants[role] = self.values[role].name
            elif self.values.get(role) is not None:
                return None
        names = tuple(self.values[key].name for key in inputs)
        return Node(self.name, op, names, attrs, constants, self.shape, (self.name,))


def normalise(
    name: str, target: Any, args: list[Any], kwargs: dict[str, Any], shape: tuple[Dim, ...], graph: Graph
) -> Node:
    """Return the node for one call of an aten operator."""
    rule = _RULES.get(str(target))
    node = rule(_Call(name, target, args, kwargs, shape, graph)) if rule is not None else None
    return node if node is not None else _kept(name, target, args, kwargs, shape, graph)


def _kept(name: str, target: Any, args: Any, kwargs: Any, shape: Any, graph: Graph) -> Node:
    found: list[str] = []
    _collect(args, found)
    _collect(kwargs, found)
    inputs = tuple(dict.fromkeys(key for key in found if key not in graph.constants))
    constants = {key: key for key in found if key in graph.constants}
    attrs = {"target": str(target), "args": args, "kwargs": kwargs}
    return Node(name, "aten", inputs, attrs, constants, shape, (name,))


def _collect(value: Any, found: list[str]) -> None:
    if isinstance(value, Ref):
        found.append(value.name)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _collect(item, found)
    elif isinstance(value, dict):
        _collect(list(value.values()), found)


def _tuple(value: Any, rank: int) -> tuple[int, ...]:
    """Expand aten's short forms: `[2]` means 2 in every dimension."""
    items = [value] if isinstance(value, int) else list(value)
    return tuple(items * rank if len(items) == 1 else items)


def _conv(call: _Call) -> Node | None:
    if call.get("transposed") or isinstance(call["padding"], str) or not call.is_constant("weight"):
        return None
    rank = call.graph.constants[call["weight"].name].dim() - 2
    if len(call.shape) != rank + 2:
        return None  # unbatched
    return call.node(
        "conv",
        ("input",),
        ("weight", "bias"),
        stride=_tuple(call["stride"], rank),
        padding=_tuple(call["padding"], rank),
        dilation=_tuple(call["dilation"], rank),
        groups=call["groups"],
    )


def _batch_norm(call: _Call) -> Node | None:
    if call.get("training") or not call.is_constant("running_mean") or not call.is_constant("running_var"):
        return None
    node = call.node("batch_norm", ("input",), ("weight", "bias", "running_mean", "running_var"), eps=call["eps"])
    if node is not None and str(call.target).startswith("aten._native"):
        node.attrs["tuple"] = True
    return node


def _activation(kind: str) -> Rule:
    def rule(call: _Call) -> Node | None:
        if kind == "gelu" and call.get("approximate") != "none":
            return None
        return call.node("activation", ("self",), kind=kind)

    return rule


def _hardtanh(call: _Call) -> Node | None:
    if (call["min_val"], call["max_val"]) == (0, 6):
        return call.node("activation", ("self",), kind="relu6")
    return None


def _binary(op: str) -> Rule:
    def rule(call: _Call) -> Node | None:
        if call.get("alpha", 1) != 1:
            return None
        return call.node(op, ("self", "other"))

    return rule


def _linear(call: _Call) -> Node | None:
    return call.node("linear", ("input",), ("weight", "bias"))


def _pool(op: str) -> Rule:
    def rule(call: _Call) -> Node | None:
        if not call.is_value("self"):
            return None
        rank = call.rank("self") - 2
        if len(call["kernel_size"]) not in (1, rank) or f"{rank}d" not in str(call.target):
            return None
        kernel = _tuple(call["kernel_size"], rank)
        attrs = {
            "kernel": kernel,
            "stride": _tuple(call["stride"], rank) if call["stride"] else kernel,
            "padding": _tuple(call["padding"], rank),
            "ceil_mode": bool(call["ceil_mode"]),
        }
        if op == "max_pool":
            attrs["dilation"] = _tuple(call["dilation"], rank)
        else:
            attrs["count_include_pad"] = bool(call["count_include_pad"])
            if call.get("divisor_override") is not None:
                return None
        return call.node(op, ("self",), **attrs)

    return rule


def _adaptive_avg_pool(call: _Call) -> Node | None:
    if not call.is_value("self"):
        return None
    rank = call.rank("self") - 2
    size = _tuple(call["output_size"], rank)
    if size == (1,) * rank:
        return call.node("global_avg_pool", ("self",), keepdim=True)
    return call.node("adaptive_avg_pool", ("self",), size=size)


def _mean(call: _Call) -> Node | None:
    if not call.is_value("self") or call["dim"] is None or call.get("dtype") is not None:
        return None
    rank = call.rank("self")
    dims = sorted(dim % rank for dim in call["dim"])
    if rank < 3 or dims != list(range(2, rank)):
        return None
    return call.node("global_avg_pool", ("self",), keepdim=bool(call["keepdim"]))


def _softmax(call: _Call) -> Node | None:
    if not call.is_value("self") or call.get("half_to_float") or call.get("dtype") is not None:
        return None
    return call.node("softmax", ("self",), dim=call["dim"] % call.rank("self"))


def _reshape(call: _Call) -> Node | None:
    return call.node("reshape", ("self",), shape=call.shape)


def _permute(call: _Call) -> Node | None:
    if not call.is_value("self"):
        return None
    rank = call.rank("self")
    return call.node("permute", ("self",), dims=tuple(dim % rank for dim in call["dims"]))


def _transpose(call: _Call) -> Node | None:
    if not call.is_value("self"):
        return None
    dims = list(range(call.rank("self")))
    first, second = call["dim0"], call["dim1"]
    dims[first], dims[second] = dims[second], dims[first]
    return call.node("permute", ("self",), dims=tuple(dims))


def _identity(call: _Call) -> Node | None:
    return call.node("identity", ("self",) if "self" in call.values else ("input",))


def _dropout(call: _Call) -> Node | None:
    return None if call["train"] else call.node("identity", ("input",))


def _cat(call: _Call) -> Node | None:
    refs = call["tensors"]
    if not all(isinstance(ref, Ref) and ref.name not in call.graph.constants for ref in refs):
        return None
    names = tuple(ref.name for ref in refs)
    return Node(call.name, "cat", names, {"dim": call["dim"] % len(call.shape)}, {}, call.shape, (call.name,))


_RULES: dict[str, Rule] = {
    **{f"aten.conv{rank}d.default": _conv for rank in (1, 2, 3)},
    "aten.convolution.default": _conv,
    "aten.batch_norm.default": _batch_norm,
    "aten._native_batch_norm_legit_no_training.default": _batch_norm,
    **{f"aten.{kind}.default": _activation(kind) for kind in ("relu", "relu6", "silu", "sigmoid", "tanh", "gelu")},
    "aten.hardswish.default": _activation("hardswish"),
    "aten.hardsigmoid.default": _activation("hardsigmoid"),
    "aten.hardtanh.default": _hardtanh,
    "aten.add.Tensor": _binary("add"),
    "aten.mul.Tensor": _binary("mul"),
    "aten.linear.default": _linear,
    **{f"aten.avg_pool{rank}d.default": _pool("avg_pool") for rank in (1, 2, 3)},
    **{f"aten.max_pool{rank}d.default": _pool("max_pool") for rank in (1, 2, 3)},
    **{f"aten.adaptive_avg_pool{rank}d.default": _adaptive_avg_pool for rank in (1, 2, 3)},
    "aten.mean.dim": _mean,
    "aten.softmax.int": _softmax,
    "aten._softmax.default": _softmax,
    **{f"aten.{name}.default": _reshape for name in ("view", "reshape", "_unsafe_view", "squeeze")},
    "aten.flatten.using_ints": _reshape,
    "aten.squeeze.dim": _reshape,
    "aten.squeeze.dims": _reshape,
    "aten.unsqueeze.default": _reshape,
    "aten.permute.default": _permute,
    "aten.transpose.int": _transpose,
    "aten.clone.default": _identity,
    "aten.contiguous.default": _identity,
    "aten.alias.default": _identity,
    "aten.detach.default": _identity,
    "aten.detach_.default": _identity,
    "aten.dropout.default": _dropout,
    "aten.cat.default": _cat,
}


def overload(target: str) -> Any:
    """Return the torch operator for a name as `aten.relu.default`."""
    namespace, name, variant = target.split(".")
    return getattr(getattr(getattr(torch.ops, namespace), name), variant)
