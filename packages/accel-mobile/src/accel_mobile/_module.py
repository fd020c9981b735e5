"""The module that deployment returns."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from accel_mobile._capture import capture
from accel_mobile._errors import DeployedInputError, DeploymentError
from accel_mobile._explain import Explanation
from accel_mobile._ir import Graph
from accel_mobile._passes import optimise
from accel_mobile._quantization.lower import lower_to_int8
from accel_mobile._quantization.observers import Affine
from accel_mobile._runtime.plan import Plan, make_plan

__all__ = ["Backend", "DeployedModule", "Int8Recipe"]

Backend = Literal["auto", "native", "reference"]
Key = tuple[tuple[int, ...], ...]


@dataclass
class Int8Recipe:
    """What has to be known to build the int8 graph again, for an input of another size.

    Attributes:
        chosen: Names of the nodes computed in int8.
        ranges: Scale and zero point of every value.
        int8_weights: Names of float layers whose weights are stored as int8.
        reasons: Why convolutions and linear layers stayed in float32.
        sqnr: Signal to noise ratio in decibel per int8 value, on the first calibration item.
    """

    chosen: set[str]
    ranges: dict[str, Affine]
    int8_weights: set[str] = field(default_factory=set)
    reasons: dict[str, str] = field(default_factory=dict)
    sqnr: dict[str, float] = field(default_factory=dict)


class _Hidden:
    """Holds the source model without making it a submodule: its parameters are not this module's parameters."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model


def build_graph(graph: Graph, recipe: Int8Recipe | None) -> Graph:
    """Optimise a captured graph, for float32 or by an int8 recipe."""
    if recipe is None:
        return optimise(graph)
    optimised = optimise(graph, activations=frozenset({"relu"}))
    return lower_to_int8(optimised, recipe.chosen, recipe.ranges, recipe.int8_weights)


class DeployedModule(nn.Module):
    """A network in its deployed form: same call as the model that it came from, inference only.

    Made by `convert_to_deployable_form` and `quantize`. Calls from several threads are safe; `pickle`, `torch.save` and
    `copy.deepcopy` work (weights are packed again on first use). An input of another size is planned on its first call
    and then cached; another batch size is cheap, other sizes trace the model again.

    Examples:
        >>> deployed = convert_to_deployable_form(model, torch.randn(1, 3, 4, 160, 160))
        >>> logits = deployed(clip)
    """

    def __init__(
        self,
        source: nn.Module,
        graph: Graph,
        example: Sequence[Any],
        out_spec: pytree.TreeSpec,
        *,
        any_batch: bool,
        backend: Backend = "auto",
        recipe: Int8Recipe | None = None,
    ) -> None:
        super().__init__()
        self._source = _Hidden(source)
        leaves, self._in_spec = pytree.tree_flatten(tuple(example))
        self._dtypes = tuple(leaf.dtype for leaf in leaves)
        self._out_spec = out_spec
        self._any_batch = any_batch
        self._backend: Backend = backend
        self._recipe = recipe
        self._example_key: Key = tuple(tuple(leaf.shape) for leaf in leaves)
        self._graphs: dict[Key, Graph] = {self._graph_key(self._example_key): graph}
        self._start_cache()
        self.eval()

    def _start_cache(self) -> None:
        self._lock = threading.Lock()
        self._plans: dict[Key, Plan] = {}
        self._packed: dict[Any, Any] = {}

    # ---- calling

    def forward(self, *args: Any) -> Any:
        """Run the network; arguments as the source model takes them, float32 on the CPU."""
        if torch.compiler.is_compiling():
            from accel_mobile._outside_compiler import call

            return call(self._run, args)
        return self._run(args)

    def _run(self, args: tuple[Any, ...]) -> Any:
        leaves, spec = pytree.tree_flatten(args)
        self._check(leaves, spec)
        plan = self._plan(tuple(tuple(leaf.shape) for leaf in leaves))
        with torch.no_grad():
            outputs = plan.run(leaves)
        return pytree.tree_unflatten(outputs, self._out_spec)

    def _check(self, leaves: list[Any], spec: pytree.TreeSpec) -> None:
        if spec != self._in_spec:
            raise DeployedInputError(
                f"expected arguments of the structure {self._in_spec}, got {spec}; call as in the conversion's example"
            )
        for index, (leaf, dtype) in enumerate(zip(leaves, self._dtypes, strict=True)):
            if not isinstance(leaf, Tensor):
                raise DeployedInputError(f"input {index}: expected a tensor, got {type(leaf).__name__}")
            if leaf.device.type != "cpu":
                raise DeployedInputError(f"input {index}: lies on {leaf.device}; the deployed form runs on the CPU")
            if leaf.dtype != dtype:
                raise DeployedInputError(f"input {index}: expected {dtype}, got {leaf.dtype}; convert it first")
            if leaf.requires_grad and torch.is_grad_enabled():
                raise DeployedInputError(
                    f"input {index}: requires grad, and the deployed form has no backward; "
                    "use torch.inference_mode() or input.detach()"
                )

    # ---- planning

    def _graph_key(self, key: Key) -> Key:
        return tuple((-1, *shape[1:]) for shape in key) if self._any_batch else key

    def _plan(self, key: Key) -> Plan:
        plan = self._plans.get(key)
        if plan is not None:
            return plan
        with self._lock:
            if key not in self._plans:
                graph = self._graph_for(key)
                fixed = graph.at_batch(key[0][0]) if self._any_batch else graph
                self._plans[key] = make_plan(fixed, self._packed, self._backend)
            return self._plans[key]

    def _graph_for(self, key: Key) -> Graph:
        known = self._graph_key(key)
        if self._any_batch and len({shape[0] for shape in key}) != 1:
            raise DeployedInputError(f"inputs of different batch sizes: {key}")
        if known not in self._graphs:
            self._graphs[known] = self._trace(key)
        return self._graphs[known]

    def _trace(self, key: Key) -> Graph:
        leaves = [torch.zeros(shape, dtype=dtype) for shape, dtype in zip(key, self._dtypes, strict=True)]
        captured = capture(self._source.model, pytree.tree_unflatten(leaves, self._in_spec))
        if captured.any_batch != self._any_batch:
            raise DeploymentError(
                f"the model cannot be planned for inputs of sizes {key}: its sizes depend on the batch size there; "
                "convert it again with an example of these sizes"
            )
        graph = build_graph(captured.graph, self._recipe)
        first = next(iter(self._graphs.values()))
        for name, value in first.constants.items():
            if name in graph.constants and torch.equal(value, graph.constants[name]):
                graph.constants[name] = value  # one copy of the weights serves all sizes
        return graph

    # ---- reporting

    def explain(self) -> Explanation:
        """Return what runs where, and why, for the input sizes of the conversion's example.

        Examples:
            >>> print(deployed.explain())
        """
        reasons = self._recipe.reasons if self._recipe is not None else {}
        return Explanation(self._plan(self._example_key).steps(), reasons)

    def size_bytes(self) -> int:
        """Return the bytes of the weights that the deployed network computes with (int8 counts one per weight)."""
        return self._graphs[self._graph_key(self._example_key)].constant_bytes()

    @property
    def is_quantized(self) -> bool:
        """Whether convolutions run in int8."""
        return self._recipe is not None

    def layer_sqnr(self) -> dict[str, float]:
        """Return the signal to quantisation noise ratio, in decibel, of every int8 value; empty in float32."""
        return dict(self._recipe.sqnr) if self._recipe is not None else {}

    def train(self, mode: bool = True) -> DeployedModule:
        """Stay in inference mode: a deployed network does not train; returns self."""
        return super().train(False)

    def extra_repr(self) -> str:
        """Say what kind of network this is and for which sizes it was made."""
        sizes = ", ".join("x".join(map(str, shape)) for shape in self._example_key)
        precision = "int8" if self.is_quantized else "float32"
        return f"{precision}, from {type(self._source.model).__name__}, example {sizes}, backend={self._backend!r}"

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        for name in ("_lock", "_plans", "_packed"):
            del state[name]
        for name in ("_in_spec", "_out_spec"):
            state[name] = pytree.treespec_dumps(state[name])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        specs = {name: pytree.treespec_loads(state[name]) for name in ("_in_spec", "_out_spec")}
        super().__setstate__({**state, **specs})
        self._start_cache()
