"""The graph between capture and execution: a flat list of nodes in execution order.

A node has one result, which carries the node's name. Tensors that do not depend on the input (weights) live in
`Graph.constants`; a node refers to them by role (`weight`, `bias`, ...). Sizes are integers, except that a dimension
may be a multiple of the batch size (`BatchMultiple`), so that one capture serves every batch size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

__all__ = ["BatchMultiple", "Dim", "Graph", "Node", "Ref"]


@dataclass(frozen=True)
class BatchMultiple:
    """A size of `factor` times the batch size."""

    factor: int

    def __repr__(self) -> str:
        return "B" if self.factor == 1 else f"{self.factor}B"


Dim = int | BatchMultiple


@dataclass(frozen=True)
class Ref:
    """Stands for the value called `name` inside the arguments of an operator that is kept as torch has it."""

    name: str


@dataclass
class Node:
    """One operation.

    Attributes:
        name: Name of the node and of its result; unique in the graph.
        op: What it does, a key of `accel_mobile._runtime.reference.OPERATORS`.
        inputs: Names of the values that it reads, in the order that the operation defines.
        attrs: Parameters: plain Python values that pickle.
        constants: Role to name in `Graph.constants`.
        shape: Sizes of the result; `()` with `attrs["opaque"]` where the result is not one tensor.
        origin: Names of the captured operations that ended up in this node, for `explain()`.
    """

    name: str
    op: str
    inputs: tuple[str, ...] = ()
    attrs: dict[str, Any] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    shape: tuple[Dim, ...] = ()
    origin: tuple[str, ...] = ()

    def renamed_inputs(self, names: dict[str, str]) -> Node:
        """Return the node with its inputs looked up in `names` (missing names stay)."""
        inputs = tuple(names.get(name, name) for name in self.inputs)
        if inputs == self.inputs:
            return self
        attrs = (
            {key: map_refs(value, names) for key, value in self.attrs.items()} if "args" in self.attrs else self.attrs
        )
        return replace(self, inputs=inputs, attrs=attrs)


def map_refs(value: Any, names: dict[str, str]) -> Any:
    """Rename the `Ref`s inside nested lists, tuples and dicts."""
    if isinstance(value, Ref):
        return Ref(names.get(value.name, value.name))
    if isinstance(value, (list, tuple)):
        return type(value)(map_refs(item, names) for item in value)
    if isinstance(value, dict):
        return {key: map_refs(item, names) for key, item in value.items()}
    return value


def at_batch(value: Any, batch: int) -> Any:
    """Replace every `BatchMultiple` inside nested lists, tuples and dicts by its size."""
    if isinstance(value, BatchMultiple):
        return value.factor * batch
    if isinstance(value, (list, tuple)):
        return type(value)(at_batch(item, batch) for item in value)
    if isinstance(value, dict):
        return {key: at_batch(item, batch) for key, item in value.items()}
    return value


@dataclass
class Graph:
    """Nodes in execution order, the constants that they use, and what goes in and out.

    Attributes:
        inputs: Names of the input values, in the order of the flattened call arguments.
        input_shapes: Their sizes.
        nodes: Operations; a node only reads inputs and results of nodes before it.
        outputs: Names of the values that the flattened result consists of.
        constants: Name to tensor (detached, contiguous, on the CPU).
    """

    inputs: list[str]
    input_shapes: list[tuple[Dim, ...]]
    nodes: list[Node]
    outputs: list[str]
    constants: dict[str, Tensor]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def node(self, name: str) -> Node:
        """Return the node called `name`; raises `KeyError` for inputs and unknown names."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def by_name(self) -> dict[str, Node]:
        """Return all nodes by name."""
        return {node.name: node for node in self.nodes}

    def use_counts(self) -> dict[str, int]:
        """Return how often each value is read, graph outputs included."""
        counts = dict.fromkeys([*self.inputs, *(node.name for node in self.nodes)], 0)
        for name in [name for node in self.nodes for name in node.inputs] + self.outputs:
            counts[name] += 1
        return counts

    def shape_of(self, name: str) -> tuple[Dim, ...]:
        """Return the sizes of an input or of a node's result."""
        if name in self.inputs:
            return self.input_shapes[self.inputs.index(name)]
        return self.node(name).shape

    def constant(self, node: Node, role: str) -> Tensor | None:
        """Return the constant that `node` uses as `role`, or None."""
        return self.constants[node.constants[role]] if role in node.constants else None

    def with_nodes(self, nodes: Iterable[Node], renamed: dict[str, str] | None = None) -> Graph:
        """Return a graph of `nodes`; values in `renamed` are replaced wherever they are read, outputs included."""
        names = _resolve_chains(renamed or {})
        return Graph(
            inputs=list(self.inputs),
            input_shapes=list(self.input_shapes),
            nodes=[node.renamed_inputs(names) for node in nodes],
            outputs=[names.get(name, name) for name in self.outputs],
            constants=self.constants,
        )

    def add_constant(self, name: str, value: Tensor) -> str:
        """Store a tensor under a fresh name that begins with `name`, and return that name."""
        key, count = name, 1
        while key in self.constants:
            key, count = f"{name}_{count}", count + 1
        self.constants[key] = value.detach().contiguous()
        return key

    def at_batch(self, batch: int) -> Graph:
        """Return the graph with every size fixed for a batch of `batch` samples."""
        nodes = [
            replace(node, shape=at_batch(node.shape, batch), attrs=at_batch(node.attrs, batch)) for node in self.nodes
        ]
        shapes = [at_batch(shape, batch) for shape in self.input_shapes]
        return Graph(list(self.inputs), shapes, nodes, list(self.outputs), self.constants)

    def copy(self) -> Graph:
        """Return a graph whose lists and constant table can be changed without touching this one."""
        nodes = [replace(n, attrs=dict(n.attrs), constants=dict(n.constants)) for n in self.nodes]
        return Graph(list(self.inputs), list(self.input_shapes), nodes, list(self.outputs), dict(self.constants))

    def check(self) -> Graph:
        """Return the graph, or raise `ValueError` where a value is read before it exists or a constant is missing."""
        known = set(self.inputs)
        for node in self.nodes:
            for name in node.inputs:
                if name not in known:
                    raise ValueError(f"node {node.name} reads {name}, which is not computed before it")
            for role, key in node.constants.items():
                if key not in self.constants:
                    raise ValueError(f"node {node.name}: constant {key} ({role}) is missing")
            if node.name in known:
                raise ValueError(f"two values are called {node.name}")
            known.add(node.name)
        missing = [name for name in self.outputs if name not in known]
        if missing:
            raise ValueError(f"outputs {missing} are not computed")
        return self

    def constant_bytes(self) -> int:
        """Return the bytes of all constants that some node uses."""
        used = {key for node in self.nodes for key in node.constants.values()}
        return sum(self.constants[key].numel() * self.constants[key].element_size() for key in used)


def _resolve_chains(names: dict[str, str]) -> dict[str, str]:
    resolved = {}
    for name, target in names.items():
        while target in names:
            target = names[target]
        resolved[name] = target
    return resolved


def numel(shape: Iterable[int]) -> int:
    """Return the number of elements of a tensor with these (integer) sizes."""
    return math.prod(shape)


def detached(tensor: Tensor) -> Tensor:
    """Return a CPU copy of a parameter or buffer that shares nothing with the model."""
    return tensor.detach().to("cpu").clone(memory_format=torch.contiguous_format)
