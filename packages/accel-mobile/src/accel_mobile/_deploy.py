"""The two verbs: convert and quantize."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from accel_mobile._capture import capture
from accel_mobile._errors import DeploymentError, QuantizationError
from accel_mobile._ir import BatchMultiple, Graph
from accel_mobile._module import Backend, DeployedModule, Int8Recipe, build_graph
from accel_mobile._passes import optimise
from accel_mobile._quantization.calibrate import calibrate
from accel_mobile._quantization.config import QuantizationConfig
from accel_mobile._quantization.lower import lower_to_int8
from accel_mobile._quantization.report import layer_sqnr
from accel_mobile._quantization.select import float_reasons, select_int8, select_int8_weights
from accel_mobile._runtime.reference import run_graph

__all__ = ["convert_to_deployable_form", "quantize"]

_SEPARABLE = frozenset({"relu"})


def convert_to_deployable_form(
    model: nn.Module,
    input_tensor: Any,
    convert_for_quantize: bool = False,
    native_conv3d_op_qnnpack: bool = False,
    *,
    backend: Backend = "auto",
    check: bool = True,
) -> DeployedModule:
    """Return the fp32 deployed form of a network.

    The model is traced by `torch.export`, batch norms are folded, activations, residual sums and gates are joined with
    the convolutions before them, and the result runs through the native kernels wherever they apply.

    Args:
        model: Any module that `torch.export` can trace; it is copied and put into eval mode, not changed.
        input_tensor: Example input: a float32 CPU tensor, or the list, tuple or dict of tensors that the model takes as
            its one argument.
        convert_for_quantize: Accepted for code written against PyTorchVideo; int8 comes from `quantize`.
        native_conv3d_op_qnnpack: Accepted likewise; conv3d is always native.
        backend: `"auto"`, `"native"` or `"reference"` (plain torch, for comparison).
        check: Compare the traced graph with the model on `input_tensor`, and fail where they differ.

    Returns:
        A module with the same call, for inference.

    Raises:
        CaptureError: If the model cannot be traced.
        DeploymentError: If the traced graph computes something else than the model.

    Examples:
        >>> deployed = convert_to_deployable_form(model, torch.randn(1, 3, 4, 160, 160))
        >>> print(deployed.explain())
    """
    del convert_for_quantize, native_conv3d_op_qnnpack
    source, args = _prepared(model), (input_tensor,)
    captured = capture(source, args)
    graph = build_graph(captured.graph, None)
    if check:
        _check_agreement(source, args, graph, captured.out_spec)
    return DeployedModule(source, graph, args, captured.out_spec, any_batch=captured.any_batch, backend=backend)


def quantize(
    model: nn.Module,
    calibration: Iterable[Any],
    config: QuantizationConfig | None = None,
    *,
    backend: Backend = "auto",
) -> DeployedModule:
    """Return the int8 deployed form of a network (post-training static quantisation).

    Args:
        model: The eager model; it is copied and put into eval mode, not changed.
        calibration: Representative inputs, each as the model takes it as its one argument, all of one size (batch sizes
            may differ). They are read once. 30 to 200 clips are usual.
        config: Observers and exceptions; the default suits X3D.
        backend: As in `convert_to_deployable_form`.

    Returns:
        A module with the same call; `layer_sqnr()` tells what each layer lost.

    Raises:
        QuantizationError: If calibration is empty, has several sizes, or nothing can become int8.
        CaptureError: If the model cannot be traced.

    Examples:
        >>> int8 = quantize(model, [clip for clip, _ in loader])
    """
    config = config or QuantizationConfig()
    items = [item for index, item in enumerate(calibration) if config.max_batches is None or index < config.max_batches]
    if not items:
        raise QuantizationError("calibration holds no item: pass a few representative inputs, for example 32 clips")
    batches = [pytree.tree_leaves((item,)) for item in items]
    source, args = _prepared(model), (items[0],)
    captured = capture(source, args)
    graph = optimise(captured.graph, activations=_SEPARABLE)
    _check_sizes(batches, captured.any_batch)
    ranges = calibrate(graph, batches, config)
    chosen = select_int8(graph, config)
    if not chosen:
        raise QuantizationError("no layer can become int8; float_layers or the network's form leave no convolution")
    int8_weights = select_int8_weights(graph, chosen, config)
    int8 = lower_to_int8(graph, chosen, ranges, int8_weights)
    report = layer_sqnr(graph, int8, ranges, batches[0])
    recipe = Int8Recipe(chosen, ranges, int8_weights, float_reasons(graph, config), report)
    return DeployedModule(
        source, int8, args, captured.out_spec, any_batch=captured.any_batch, backend=backend, recipe=recipe
    )


def _prepared(model: nn.Module) -> nn.Module:
    if isinstance(model, DeployedModule):
        raise DeploymentError("the model is already in its deployed form; pass the eager model")
    source = copy.deepcopy(model).cpu().eval()
    for parameter in source.parameters():
        parameter.requires_grad_(False)
    return source


def _check_sizes(batches: list[list[Tensor]], any_batch: bool) -> None:
    def key(leaves: list[Tensor]) -> list[tuple[int, ...]]:
        return [tuple(leaf.shape[1:] if any_batch else leaf.shape) for leaf in leaves]

    for index, leaves in enumerate(batches):
        if key(leaves) != key(batches[0]):
            raise QuantizationError(
                f"calibration item {index} has sizes {key(leaves)}, item 0 has {key(batches[0])}; use one size"
            )


def _check_agreement(source: nn.Module, args: tuple[Any, ...], graph: Graph, out_spec: pytree.TreeSpec) -> None:
    leaves = [leaf for leaf in pytree.tree_leaves(args) if isinstance(leaf, Tensor)]
    with torch.inference_mode():
        expected = pytree.tree_leaves(source(*args))
        free = any(isinstance(size, BatchMultiple) for shape in graph.input_shapes for size in shape)
        outputs = run_graph(graph.at_batch(leaves[0].shape[0]) if free else graph, leaves)
    for index, (want, got) in enumerate(zip(expected, outputs, strict=True)):
        largest = float(want.abs().max()) if want.numel() else 0.0
        distance = float((want - got).abs().max()) if want.numel() else 0.0
        if want.shape != got.shape or not distance <= 1e-3 * max(largest, 1e-6):
            raise DeploymentError(
                f"output {index} of the traced graph differs from the model's by {distance:.3g} "
                f"(largest value {largest:.3g}): the model behaves differently when traced, for example it draws "
                "random numbers or looks at the batch size"
            )
