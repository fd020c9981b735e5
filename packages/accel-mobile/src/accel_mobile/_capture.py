"""From an `nn.Module` to a `Graph`, by `torch.export`.

The export is done with a free batch dimension where the model allows it (the example is doubled if it holds one
sample), so that another batch size needs no second capture. All other sizes are those of the example.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from accel_mobile._aten import normalise
from accel_mobile._errors import CaptureError
from accel_mobile._ir import BatchMultiple, Dim, Graph, Node, Ref, detached

__all__ = ["Captured", "capture"]


class Captured:
    """A captured model: its graph, and how its results are put together again.

    Attributes:
        graph: The operations as captured, not optimised.
        out_spec: Structure of what the model returns.
        any_batch: Whether the graph holds for every batch size.
    """

    def __init__(self, graph: Graph, out_spec: pytree.TreeSpec, any_batch: bool) -> None:
        self.graph = graph
        self.out_spec = out_spec
        self.any_batch = any_batch


class _NotBatchFreeError(Exception):
    """A size of the exported program is no multiple of the batch size."""


def capture(model: nn.Module, args: Sequence[Any]) -> Captured:
    """Trace `model(*args)` into a graph.

    Args:
        model: Module in eval mode.
        args: Example arguments: tensors, or lists, tuples and dicts of tensors.

    Returns:
        The captured graph.

    Raises:
        CaptureError: If `torch.export` fails; the message names its reason.
    """
    tensors = [leaf for leaf in pytree.tree_leaves(tuple(args)) if isinstance(leaf, Tensor)]
    if not tensors:
        raise CaptureError("the example input holds no tensor")
    batches = {t.shape[0] if t.dim() else 0 for t in tensors}
    if len(batches) == 1 and 0 not in batches:
        try:
            return _capture(model, args, free_batch=True)
        except (_NotBatchFreeError, CaptureError):
            pass  # the model ties its sizes to the batch; a capture for this one size may still be possible
    return _capture(model, args, free_batch=False)


def _capture(model: nn.Module, args: Sequence[Any], *, free_batch: bool) -> Captured:
    program = _export(model, args, free_batch)
    symbol = _batch_symbol(program) if free_batch else None
    builder = _Builder(program, symbol)
    graph = builder.build().check()
    out_spec = program.call_spec.out_spec
    assert out_spec is not None, "an exported program has an output structure"
    return Captured(graph, out_spec, any_batch=symbol is not None)


def _export(model: nn.Module, args: Sequence[Any], free_batch: bool) -> torch.export.ExportedProgram:
    arguments = tuple(args)
    shapes: Any = None
    if free_batch:
        # Sizes 0 and 1 are never free in an export, so one sample is doubled.
        double = pytree.tree_map_only(Tensor, lambda t: torch.cat([t, t]) if t.shape[0] == 1 else t, arguments)
        shapes = pytree.tree_map_only(Tensor, lambda t: {0: torch.export.Dim.AUTO}, double)
        arguments = double
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            program = torch.export.export(model, arguments, dynamic_shapes=shapes, strict=False)
            if any(_mutates(node) for node in program.graph.nodes):
                program = program.run_decompositions({})
        except Exception as error:  # torch.export raises many unrelated types
            raise CaptureError(f"torch.export cannot trace {type(model).__name__}: {error}") from error
    return program


def _mutates(node: torch.fx.Node) -> bool:
    target = node.target
    return (
        isinstance(target, torch._ops.OpOverload)
        and target._schema.is_mutable
        and target._schema.name != "aten::batch_norm"
    )


def _batch_symbol(program: torch.export.ExportedProgram) -> Any:
    """Return the symbol of the free size; raises `_NotBatchFreeError` where the export fixed it or found several."""
    symbols = set()
    for node in program.graph.nodes:
        value = node.meta.get("val")
        for size in value.shape if isinstance(value, Tensor) else (value,):
            if isinstance(size, torch.SymInt):
                symbols |= size.node.expr.free_symbols
    if len(symbols) != 1:
        raise _NotBatchFreeError
    return symbols.pop()


class _Builder:
    """Walks the exported graph once and writes nodes."""

    def __init__(self, program: torch.export.ExportedProgram, symbol: Any) -> None:
        self.program = program
        self.symbol = symbol
        self.graph = Graph([], [], [], [], {})
        self.constant_of: dict[str, str] = {}
        self.values: dict[str, Any] = {}  # fx name -> Ref, constant name or number

    def build(self) -> Graph:
        signature = self.program.graph_signature
        self.constant_of = {
            **signature.inputs_to_parameters,
            **signature.inputs_to_buffers,
            **signature.inputs_to_lifted_tensor_constants,
        }
        for node in self.program.graph.nodes:
            if node.op == "placeholder":
                self._placeholder(node)
            elif node.op == "call_function":
                self._call(node)
            elif node.op == "output":
                self._output(node)
            else:
                raise CaptureError(f"the exported graph holds a {node.op} node ({node.name}), which is not supported")
        return self.graph

    def _placeholder(self, node: torch.fx.Node) -> None:
        if node.name in self.constant_of:
            key = self.constant_of[node.name]
            if key not in self.graph.constants:
                self.graph.constants[key] = detached(self._stored(key))
            return
        value = node.meta["val"]
        if not isinstance(value, Tensor):
            return  # a Python number: the export has made it part of the graph
        self.graph.inputs.append(node.name)
        self.graph.input_shapes.append(self._sizes(value))

    def _stored(self, key: str) -> Tensor:
        for table in (self.program.state_dict, self.program.constants):
            value = table.get(key)
            if isinstance(value, Tensor):
                return value
        raise CaptureError(f"the exported program does not hold the tensor {key}")

    def _sizes(self, value: Tensor) -> tuple[Dim, ...]:
        return tuple(self._size(size) for size in value.shape)

    def _size(self, size: Any) -> Dim:
        if not isinstance(size, torch.SymInt):
            return int(size)
        expression = size.node.expr
        if not expression.free_symbols:
            return int(expression)
        factor = expression / self.symbol
        if not factor.is_integer or factor.free_symbols:
            raise _NotBatchFreeError
        return BatchMultiple(int(factor))

    def _argument(self, value: Any) -> Any:
        """Turn an fx argument into Python values, `Ref`s to values and `Constant`-role strings."""
        if isinstance(value, torch.fx.Node):
            meta = value.meta.get("val")
            if isinstance(meta, torch.SymInt):
                return self._size(meta)
            return Ref(self.constant_of.get(value.name, value.name))
        if isinstance(value, (list, tuple)):
            return [self._argument(item) for item in value]
        return value

    def _call(self, node: torch.fx.Node) -> None:
        value = node.meta.get("val")
        if isinstance(value, (torch.SymInt, int)):
            return  # a size: resolved where it is used
        args = [self._argument(item) for item in node.args]
        kwargs = {key: self._argument(item) for key, item in node.kwargs.items()}
        shape = self._sizes(value) if isinstance(value, Tensor) else ()
        if node.target is operator.getitem:
            self._getitem(node, args, shape)
            return
        if not isinstance(node.target, torch._ops.OpOverload):
            if "assert" in str(node.target) or "sym_constrain" in str(node.target):
                return
            raise CaptureError(f"{node.name} calls {node.target}, which is no torch operator")
        if value is None:
            return  # asserts and constraints on sizes
        self.graph.nodes.append(normalise(node.name, node.target, args, kwargs, shape, self.graph))

    def _getitem(self, node: torch.fx.Node, args: list[Any], shape: tuple[Dim, ...]) -> None:
        source = args[0].name
        inputs = (source,)
        self.graph.nodes.append(Node(node.name, "getitem", inputs, {"index": args[1]}, {}, shape, (node.name,)))

    def _output(self, node: torch.fx.Node) -> None:
        for value in node.args[0]:  # type: ignore[union-attr]
            if not isinstance(value, torch.fx.Node):
                raise CaptureError(f"the model returns {value!r}, which is no tensor; return tensors only")
            self.graph.outputs.append(self.constant_of.get(value.name, value.name))
        for name in self.graph.outputs:
            if name in self.graph.constants:
                raise CaptureError(f"the model returns its own tensor {name}; return computed tensors only")
