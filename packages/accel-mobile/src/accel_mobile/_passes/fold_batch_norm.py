"""Batch normalisation with fixed statistics is a scale and a shift per channel: fold it into what comes before.

With `s = weight / sqrt(running_var + eps)`, `bn(conv(x, w) + b) = conv(x, s * w) + (b - running_mean) * s + bias`
(Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
arXiv 1712.05877, section 3.2). The products are formed in float64 and rounded once.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from accel_mobile._ir import Graph, Node

__all__ = ["fold_batch_norm"]


def fold_batch_norm(graph: Graph) -> Graph:
    """Fold each batch norm into the convolution or linear layer before it, or make it an `affine` node."""
    graph = graph.copy()
    uses = graph.use_counts()
    nodes: dict[str, Node] = {}
    renamed: dict[str, str] = {}
    tuples: dict[str, str] = {}
    for node in graph:
        if node.op == "getitem" and node.inputs[0] in tuples and node.attrs["index"] == 0:
            renamed[node.name] = tuples[node.inputs[0]]
            uses[renamed[node.name]] = uses[node.name]
            continue
        if node.op != "batch_norm":
            nodes[node.name] = node
            continue
        scale, shift = _scale_and_shift(graph, node)
        source = renamed.get(node.inputs[0], node.inputs[0])
        before = nodes.get(source)
        if before is not None and before.op in ("conv", "linear") and uses[source] == 1 and _channels_agree(before):
            nodes[source] = _folded(graph, before, node, scale, shift)
            renamed[node.name] = source
            uses[source] = uses[node.name]
        else:
            constants = {
                "scale": graph.add_constant(f"{node.name}.scale", scale.float()),
                "shift": graph.add_constant(f"{node.name}.shift", shift.float()),
            }
            shape = node.shape or graph.shape_of(node.inputs[0])
            nodes[node.name] = replace(node, op="affine", attrs={}, constants=constants, shape=shape)
        if node.attrs.get("tuple"):
            tuples[node.name] = renamed.get(node.name, node.name)
    return graph.with_nodes(nodes.values(), renamed)


def _channels_agree(node: Node) -> bool:
    # A linear layer's features are its last dimension, batch norm's channels are dimension 1.
    return node.op == "conv" or len(node.shape) == 2


def _scale_and_shift(graph: Graph, node: Node) -> tuple[Tensor, Tensor]:
    mean, var = graph.constant(node, "running_mean"), graph.constant(node, "running_var")
    assert mean is not None
    assert var is not None
    scale = torch.rsqrt(var.double() + node.attrs["eps"])
    weight, bias = graph.constant(node, "weight"), graph.constant(node, "bias")
    if weight is not None:
        scale = scale * weight.double()
    shift = -mean.double() * scale
    if bias is not None:
        shift = shift + bias.double()
    return scale, shift


def _folded(graph: Graph, layer: Node, norm: Node, scale: Tensor, shift: Tensor) -> Node:
    weight, bias = graph.constant(layer, "weight"), graph.constant(layer, "bias")
    assert weight is not None
    new_weight = weight.double() * scale.reshape(-1, *[1] * (weight.dim() - 1))
    new_bias = shift if bias is None else bias.double() * scale + shift
    constants = {
        "weight": graph.add_constant(f"{layer.constants['weight']}.folded", new_weight.to(weight.dtype)),
        "bias": graph.add_constant(f"{layer.constants['weight']}.folded_bias", new_bias.to(weight.dtype)),
    }
    shape = norm.shape or layer.shape
    return replace(layer, constants=constants, shape=shape, origin=layer.origin + norm.origin)
