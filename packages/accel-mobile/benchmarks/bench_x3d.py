"""X3D in float32 and int8: torch eager, this package, and OpenVINO with NNCF where they can be imported.

The network is built here, layer for layer as X3D (arXiv 2004.04730) with random weights, so that nothing but torch is
needed: `python packages/accel-mobile/benchmarks/bench_x3d.py --json out.json`.
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from accel_mobile import build_info, convert_to_deployable_form, quantize
from benchmarks.harness import Candidate, race, script, show, write_json

# Multiply-adds per second of one core of the reference machine, measured, in float32 and with VNNI.
FLOOR_GMACS = {"float32": 58.5, "int8": 234.0}
SIZES = {"x3d_xs": (4, 160), "x3d_s": (13, 160), "x3d_m": (16, 224)}
GMACS = {"x3d_xs": 0.605, "x3d_s": 1.96, "x3d_m": 4.73}


class Swish(nn.Module):
    """`x * sigmoid(x)`."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply it."""
        return x * torch.sigmoid(x)


class SqueezeExcitation(nn.Module):
    """One gate per channel from the means over all positions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(8, int(channels * 0.0625 + 4) // 8 * 8)
        self.block = nn.Sequential(
            nn.AdaptiveAvgPool3d(1),
            nn.Conv3d(channels, hidden, 1),
            nn.ReLU(),
            nn.Conv3d(hidden, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Scale x (B, C, T, H, W)."""
        return x * self.block(x)


class Block(nn.Module):
    """Expand, depthwise 3x3x3, gate (every second block), swish, project, add."""

    def __init__(self, channels: int, inner: int, out: int, stride: int, gated: bool) -> None:
        super().__init__()
        steps = (1, stride, stride)
        self.branch = nn.Sequential(
            nn.Conv3d(channels, inner, 1, bias=False),
            nn.BatchNorm3d(inner),
            nn.ReLU(),
            nn.Conv3d(inner, inner, 3, stride=steps, padding=1, groups=inner, bias=False),
            nn.BatchNorm3d(inner),
            SqueezeExcitation(inner) if gated else nn.Identity(),
            Swish(),
            nn.Conv3d(inner, out, 1, bias=False),
            nn.BatchNorm3d(out),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(nn.Conv3d(channels, out, 1, stride=steps, bias=False), nn.BatchNorm3d(out))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to x (B, C, T, H, W)."""
        return torch.relu(self.shortcut(x) + self.branch(x))


class X3D(nn.Module):
    """X3D with the depths of XS, S and M."""

    def __init__(self, frames: int, crop: int, classes: int = 400) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv3d(3, 24, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1), bias=False),
            nn.Conv3d(24, 24, (5, 1, 1), padding=(2, 0, 0), groups=24, bias=False),
            nn.BatchNorm3d(24),
            nn.ReLU(),
        ]
        channels = 24
        for depth, out in zip((3, 5, 11, 7), (24, 48, 96, 192), strict=True):
            for index in range(depth):
                layers.append(Block(channels, int(2.25 * out), out, 2 if index == 0 else 1, index % 2 == 0))
                channels = out
        pool = nn.AvgPool3d((frames, -(-crop // 32), -(-crop // 32)), stride=1)
        layers += [nn.Conv3d(192, 432, 1, bias=False), nn.BatchNorm3d(432), nn.ReLU(), pool]
        layers += [nn.Conv3d(432, 2048, 1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(2048, classes)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, classes) of clips (B, 3, T, H, W)."""
        return self.layers(x)


def openvino_candidates(model: nn.Module, clip: Tensor) -> dict[str, Callable[[], object] | Candidate]:
    """Return OpenVINO's float32 and NNCF's int8 form, compiled anew for each number of threads; none if absent."""
    try:
        import nncf  # type: ignore[import-not-found]
        import openvino as ov  # type: ignore[import-not-found]
    except ImportError:
        return {}
    core, data = ov.Core(), clip.numpy()
    plain = ov.convert_model(model, example_input=clip, input=[tuple(clip.shape)])
    quantized = nncf.quantize(plain, nncf.Dataset([data]), subset_size=1)

    def compiled(network: Any) -> Candidate:
        def at(threads: int) -> Callable[[], object]:
            options = {
                "INFERENCE_NUM_THREADS": threads,
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": "f32",
            }
            request = core.compile_model(network, "CPU", options).create_infer_request()
            return lambda: request.infer([data], share_inputs=True)

        return Candidate(run=lambda: None, threads=at)

    return {"openvino fp32": compiled(plain), "openvino nncf int8": compiled(quantized)}


def compare(name: str, repeat: int) -> dict[str, Any]:
    """Race all forms of one network; adds the floor and the agreement with eager to the result."""
    frames, crop = SIZES[name]
    torch.manual_seed(0)
    model, clip = X3D(frames, crop).eval(), torch.randn(1, 3, frames, crop, crop)
    float32, int8 = convert_to_deployable_form(model, clip), quantize(model, [clip])
    with torch.inference_mode():
        want = model(clip)
        entrants: dict[str, Callable[[], object] | Candidate] = {
            "accel_mobile fp32": lambda: float32(clip),
            "accel_mobile int8": lambda: int8(clip),
            "torch eager": lambda: model(clip),
            **openvino_candidates(model, clip),
        }
        result = race(entrants, repeat=repeat)
        result["floor_ms_one_thread"] = {key: GMACS[name] / value * 1e3 for key, value in FLOOR_GMACS.items()}
        result["largest_difference"] = float((float32(clip) - want).abs().max() / want.abs().max())
        result["int8_difference"] = float((int8(clip) - want).norm() / want.norm())
        result["bytes"] = {"fp32": float32.size_bytes(), "int8": int8.size_bytes()}
    return result


def main(out: Path) -> None:
    """Run the networks that `BENCH_X3D` names (default: all) and write one result per network."""
    warnings.simplefilter("ignore")
    names = os.environ.get("BENCH_X3D", " ".join(SIZES)).split()
    repeat = int(os.environ.get("BENCH_REPEAT", "15"))
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:  # NNCF writes debug folders where it runs
        os.chdir(folder)
        for name in names:
            results[name] = compare(name, repeat)
        os.chdir("/")
    show(results, title="X3D, batch 1")
    write_json(out, {name: {**result, "build": build_info()} for name, result in results.items()})


if __name__ == "__main__":
    script(main)
