"""Deploys the trained network twice, in float32 and in int8, and measures all three forms."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn

from accel_mobile import convert_to_deployable_form, quantize
from examples.demo.config import DemoConfig
from examples.demo.data import Clips, network_input
from examples.demo.evaluate import Agreement, accuracy, agreement, predict

__all__ = ["Form", "deploy", "measure"]

THREADS = (1, 2)
MOST_SECONDS = 10.0  # of timing for each number of threads, where a machine is slow or busy


@dataclass(frozen=True)
class Form:
    """One form of the network, measured.

    Attributes:
        name: ``"eager"``, ``"fp32"`` or ``"int8"``.
        accuracy: Validation accuracy, 0..1.
        agreement: With the eager network's logits.
        latency_ms: Median time of one clip in milliseconds, by number of threads.
        size_bytes: Bytes of the weights.
        native_share: Share of the operations that run in native kernels, 0..1; ``None`` for the eager form.
        logits: Validation logits ``[N, classes]``.
    """

    name: str
    accuracy: float
    agreement: Agreement
    latency_ms: dict[int, float]
    size_bytes: int
    native_share: float | None
    logits: Tensor


def deploy(config: DemoConfig, model: nn.Module, train: Clips) -> dict[str, nn.Module]:
    """Make the deployed forms; int8 is calibrated on training clips, never on validation clips.

    Args:
        config: Settings.
        model: The trained network, in evaluation mode.
        train: Training clips.

    Returns:
        ``{"eager": ..., "fp32": ..., "int8": ...}``.
    """
    generator = torch.Generator().manual_seed(config.seed)
    chosen = torch.randperm(len(train), generator=generator)[: config.calibration_clips]
    calibration = [_contiguous_input(part) for part in train.video[chosen].split(8)]
    return {
        "eager": model,
        "fp32": convert_to_deployable_form(model, calibration[0][:1]),
        "int8": quantize(model, [part for part in calibration if len(part) == len(calibration[0])]),
    }


def measure(
    config: DemoConfig,
    forms: dict[str, nn.Module],
    validation: Clips,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Form]:
    """Measure accuracy, agreement, latency and size of each form.

    Args:
        config: Settings.
        forms: What :func:`deploy` made.
        validation: Validation clips.
        progress: Told how many forms are evaluated.
    """
    logits = {}
    for done, (name, form) in enumerate(forms.items(), start=1):
        logits[name] = predict(form, validation.video, _contiguous_input, batch_size=8)
        progress(done, len(forms))
    latency = _latencies(forms, _contiguous_input(validation.video[:1]), config)
    return [
        Form(
            name=name,
            accuracy=accuracy(logits[name], validation.label),
            agreement=agreement(logits[name], logits["eager"]),
            latency_ms=latency[name],
            size_bytes=_size_bytes(form),
            native_share=form.explain().native_share() if hasattr(form, "explain") else None,  # type: ignore[operator]
            logits=logits[name],
        )
        for name, form in forms.items()
    ]


def _contiguous_input(clips: Tensor) -> Tensor:
    return network_input(clips).contiguous()


@torch.inference_mode()
def _latencies(forms: dict[str, nn.Module], clip: Tensor, config: DemoConfig) -> dict[str, dict[int, float]]:
    """Time one clip in turns, so that a disturbance of the machine meets all forms alike."""
    before = torch.get_num_threads()
    times: dict[str, dict[int, list[float]]] = {name: {t: [] for t in THREADS} for name in forms}
    try:
        for threads in THREADS:
            torch.set_num_threads(threads)
            begin = time.perf_counter()
            for repeat in range(config.latency_repeats + 3):
                if repeat > 5 and time.perf_counter() - begin > MOST_SECONDS:
                    break
                for name, form in forms.items():
                    start = time.perf_counter()
                    form(clip)
                    if repeat >= 3:  # the first calls plan and warm up
                        times[name][threads].append((time.perf_counter() - start) * 1e3)
    finally:
        torch.set_num_threads(before)
    return {name: {t: median(values) for t, values in by.items()} for name, by in times.items()}


def _size_bytes(form: nn.Module) -> int:
    if hasattr(form, "size_bytes"):
        return form.size_bytes()  # type: ignore[operator]
    return sum(value.numel() * value.element_size() for value in form.state_dict().values())
