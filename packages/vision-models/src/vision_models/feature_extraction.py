"""Features from inside a model: trace it with torch.fx and return the values of named nodes.

A node's name is the path of the module that it belongs to and, for an operation that is no module of its own, the
operation's name: ``layer1.0.relu``, ``layer1.0.add``, ``flatten``. What runs again in the same place gets ``_1`` and so
on. Wherever a node name is asked for, the name of a module stands for the last node inside it: ``layer1``. Where the
next node works in place (``bn1``, then ``relu``), ask for that one: the value before it does not survive.
"""

import copy
import re
import warnings
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from torch import fx, nn

__all__ = ["IntermediateLayerGetter", "create_feature_extractor", "get_graph_node_names"]

Nodes = Sequence[str] | Mapping[str, str]


class _NamingTracer(fx.Tracer):
    """Traces a model and notes each node's name."""

    def __init__(self, leaf_modules: Sequence[type[nn.Module]] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.leaf_modules = tuple(leaf_modules)
        self.names: dict[fx.Node, str] = {}
        self._taken: set[str] = set()
        self._path: list[str] = []

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, self.leaf_modules) or super().is_leaf_module(m, module_qualified_name)

    def call_module(self, m: nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
        self._path.append(self.path_of_module(m))
        try:
            return super().call_module(m, forward, args, kwargs)
        finally:
            self._path.pop()

    def create_proxy(self, kind: str, target: Any, *args: Any, **kwargs: Any) -> fx.Proxy:
        proxy = super().create_proxy(kind, target, *args, **kwargs)
        self.names[proxy.node] = self._name(proxy.node)
        return proxy

    def _name(self, node: fx.Node) -> str:
        scope = self._path[-1] if self._path else ""
        if node.op == "call_module":
            base = scope
        else:  # fx numbers operations through the whole graph; here they are numbered within their module
            operation = re.sub(r"_\d+$", "", node.name)
            base = f"{scope}.{operation}" if scope else operation
        name, repeats = base, 0
        while name in self._taken:
            repeats += 1
            name = f"{base}_{repeats}"
        self._taken.add(name)
        return name


class FeatureExtractor(fx.GraphModule):
    """A model that returns inner values; made by :func:`create_feature_extractor`.

    It keeps one graph for training and one for evaluation and shares the parameters of the model it was made from.

    Args:
        root: the model.
        train_graph: what runs in training mode.
        eval_graph: what runs in evaluation mode.
        class_name: the name in the printed representation.
    """

    def __init__(self, root: nn.Module, train_graph: fx.Graph, eval_graph: fx.Graph, class_name: str) -> None:
        both = fx.Graph()  # GraphModule takes over the submodules that a graph mentions: let it see both
        for node in (*train_graph.nodes, *eval_graph.nodes):
            if node.op in ("call_module", "get_attr"):
                both.create_node(node.op, node.target)
        super().__init__(root, both, class_name)
        self.train_graph = train_graph
        self.eval_graph = eval_graph
        self.training = root.training
        self.graph = train_graph if self.training else eval_graph
        for module in self.modules():
            if type(module) is nn.Module:  # a container that GraphModule made; the model's own keep their modes
                module.training = self.training

    def train(self, mode: bool = True) -> "FeatureExtractor":
        """Choose the graph of the mode, then switch the submodules as usual."""
        wanted = self.train_graph if mode else self.eval_graph
        if self.graph is not wanted:
            self.graph = wanted
        super().train(mode)
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "FeatureExtractor":
        root = nn.Module()
        root.training = self.training
        for name, value in self.__dict__.items():
            if name in ("_parameters", "_buffers", "_modules"):
                root.__dict__[name] = copy.deepcopy(value, memo)
        return FeatureExtractor(
            root, copy.deepcopy(self.train_graph), copy.deepcopy(self.eval_graph), type(self).__name__
        )


def get_graph_node_names(
    model: nn.Module,
    tracer_kwargs: dict[str, Any] | None = None,
    suppress_diff_warning: bool = False,
    concrete_args: dict[str, Any] | None = None,
) -> tuple[list[str], list[str]]:
    """Names of the nodes of a model in the order of execution, in training and in evaluation mode.

    Args:
        model: what to trace; its mode is left as it was.
        tracer_kwargs: for :class:`torch.fx.Tracer`; ``leaf_modules`` in addition lists module classes that are not
            looked into.
        suppress_diff_warning: do not warn when the two lists differ.
        concrete_args: arguments of ``forward`` that are fixed while tracing.

    Examples:
        >>> from vision_models import resnet18
        >>> train_nodes, eval_nodes = get_graph_node_names(resnet18())
        >>> eval_nodes[:4], eval_nodes[-3:]
        (['x', 'conv1', 'bn1', 'relu'], ['avgpool', 'flatten', 'fc'])
    """
    train, evaluation = (list(names.values()) for _, names in _trace_both(model, tracer_kwargs, concrete_args))
    if train != evaluation and not suppress_diff_warning:
        _warn_of_difference()
    return train, evaluation


def create_feature_extractor(
    model: nn.Module,
    return_nodes: Nodes | None = None,
    train_return_nodes: Nodes | None = None,
    eval_return_nodes: Nodes | None = None,
    tracer_kwargs: dict[str, Any] | None = None,
    suppress_diff_warning: bool = False,
    concrete_args: dict[str, Any] | None = None,
) -> FeatureExtractor:
    """A module that runs as much of ``model`` as it takes to return the values of some nodes, as a dictionary.

    Args:
        model: what to take features from; parameters are shared with it.
        return_nodes: node names, or a mapping from node names to keys of the result. A module's name stands for its
            last node.
        train_return_nodes: the same for training mode, together with ``eval_return_nodes`` and instead of
            ``return_nodes``.
        eval_return_nodes: the same for evaluation mode.
        tracer_kwargs: see :func:`get_graph_node_names`.
        suppress_diff_warning: do not warn when the two modes have different nodes.
        concrete_args: arguments of ``forward`` that are fixed while tracing.

    Raises:
        ValueError: a name that is no node, or the wrong combination of the three arguments that name nodes.

    Examples:
        >>> import torch
        >>> from vision_models import resnet18
        >>> features = create_feature_extractor(resnet18(), {"layer2": "c3", "layer4": "c5"})
        >>> {key: tuple(value.shape) for key, value in features(torch.zeros(1, 3, 64, 64)).items()}
        {'c3': (1, 128, 8, 8), 'c5': (1, 512, 2, 2)}
    """
    separate = train_return_nodes is not None and eval_return_nodes is not None
    if (return_nodes is None) != separate or (train_return_nodes is None) != (eval_return_nodes is None):
        raise ValueError("expected either return_nodes, or both train_return_nodes and eval_return_nodes")
    wanted = (
        _as_mapping(return_nodes if return_nodes is not None else train_return_nodes),
        _as_mapping(return_nodes if return_nodes is not None else eval_return_nodes),
    )
    traced = _trace_both(model, tracer_kwargs, concrete_args)
    if not separate and not suppress_diff_warning and list(traced[0][1].values()) != list(traced[1][1].values()):
        _warn_of_difference()
    graphs = [_returning(graph, names, keys) for (graph, names), keys in zip(traced, wanted, strict=True)]
    return FeatureExtractor(model, graphs[0], graphs[1], type(model).__name__)


class IntermediateLayerGetter(nn.ModuleDict):
    """Runs a model's direct children in order, up to the last one that is asked for, and returns some outputs.

    Only for models whose ``forward`` calls their children one after the other; :func:`create_feature_extractor` has no
    such restriction.

    Args:
        model: whose children are used.
        return_layers: from names of children to keys of the result.

    Raises:
        ValueError: a name that is no direct child.

    Examples:
        >>> import torch
        >>> from vision_models import resnet18
        >>> features = IntermediateLayerGetter(resnet18(), {"layer1": "low", "layer3": "high"})
        >>> [(key, tuple(value.shape)) for key, value in features(torch.zeros(1, 3, 64, 64)).items()]
        [('low', (1, 64, 16, 16)), ('high', (1, 256, 4, 4))]
    """

    def __init__(self, model: nn.Module, return_layers: Mapping[str, str]) -> None:
        children = dict(model.named_children())
        missing = [name for name in return_layers if name not in children]
        if missing or not return_layers:
            raise ValueError(
                f"return_layers: expected children out of {', '.join(children)}, got {list(return_layers)}"
            )
        last = max(list(children).index(name) for name in return_layers)
        super().__init__(dict(list(children.items())[: last + 1]))
        self.return_layers = {str(name): str(key) for name, key in return_layers.items()}

    def forward(self, x: Any) -> Any:
        features = OrderedDict()
        for name, module in self.items():
            x = module(x)
            if name in self.return_layers:
                features[self.return_layers[name]] = x
        return features


def _trace_both(
    model: nn.Module, tracer_kwargs: dict[str, Any] | None, concrete_args: dict[str, Any] | None
) -> list[tuple[fx.Graph, dict[fx.Node, str]]]:
    modes = {module: module.training for module in model.modules()}
    traced = []
    try:
        for training in (True, False):
            tracer = _NamingTracer(**(tracer_kwargs or {}))
            graph = tracer.trace(model.train(training), concrete_args)
            traced.append((graph, tracer.names))
    finally:
        for module, training in modes.items():
            module.training = training
    return traced


def _as_mapping(nodes: Nodes | None) -> dict[str, str]:
    if isinstance(nodes, str) or not nodes:
        raise ValueError(f"expected node names (a list, or a mapping to keys of the result), got {nodes!r}")
    if isinstance(nodes, Mapping):
        return {str(name): str(key) for name, key in nodes.items()}
    return {str(name): str(name) for name in nodes}


def _returning(graph: fx.Graph, names: dict[fx.Node, str], keys: dict[str, str]) -> fx.Graph:
    """Make ``graph`` return the wanted nodes, in the order of execution, and drop what they do not need."""
    found: dict[fx.Node, list[str]] = {}
    for wanted, key in keys.items():
        inside = [node for node, name in names.items() if name == wanted or name.startswith(f"{wanted}.")]
        if not inside:
            raise ValueError(f"{wanted!r} is no node of the model; get_graph_node_names(model) lists them")
        found.setdefault(inside[-1], []).append(key)
    result = {key: node for node in graph.nodes for key in found.get(node, ())}
    graph.erase_node(next(node for node in reversed(graph.nodes) if node.op == "output"))
    graph.output(result)
    for node in reversed(graph.nodes):  # what nothing uses; the inputs stay
        if not node.users and node.op not in ("placeholder", "output"):
            graph.erase_node(node)
    return graph


def _warn_of_difference() -> None:
    warnings.warn(
        "the nodes in training and in evaluation mode differ; name them apart with train_return_nodes and "
        "eval_return_nodes, or pass suppress_diff_warning=True",
        stacklevel=3,
    )
