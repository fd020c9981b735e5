"""Trains X3D-XS on moving clips, from scratch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from examples.demo.actions import ACTIONS
from examples.demo.augment import random_symmetries
from examples.demo.config import DemoConfig
from examples.demo.data import Clips, network_input
from examples.demo.motion_energy import init_motion_energy
from video.models import create_x3d
from vision_contract import find

__all__ = ["Curve", "Progress", "Schedule", "build_x3d", "fit", "shrink", "train_x3d"]

Progress = Callable[[int, int, float, float], None]
"""Called with (step, steps, loss, accuracy of the last steps)."""


@dataclass
class Curve:
    """How training went.

    Attributes:
        loss: Cross-entropy of each step.
        accuracy: Accuracy of each step's batch, 0..1.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network is trained.

    Attributes:
        steps: Number of steps.
        batch_size: Clips per step.
        learning_rate: Peak learning rate of the one-cycle schedule.
        weight_decay: Weight decay of AdamW.
        seed: Seed of the order and of the augmentations.
    """

    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    seed: int


def build_x3d(config: DemoConfig) -> nn.Module:
    """Build X3D-XS, all its widths and depths as published, with a narrow last hidden layer.

    Example:
        >>> build_x3d(DemoConfig()).eval()(torch.zeros(1, 3, 4, 112, 112)).shape
        torch.Size([1, 8])
    """
    return create_x3d(
        input_clip_length=config.num_frames,
        input_crop_size=config.crop_size,
        model_num_class=len(ACTIONS),
        head_dim_out=config.head_width,
        dropout_rate=0.0,
    )


def train_x3d(config: DemoConfig, clips: Clips, progress: Progress) -> tuple[nn.Module, Curve]:
    """Train X3D-XS.

    Args:
        config: Settings.
        clips: Training clips.
        progress: Told after each step how it goes.

    Returns:
        The network in evaluation mode, and its training curve.
    """
    torch.manual_seed(config.seed)
    model = build_x3d(config)
    init_motion_energy(model)
    curve = Curve()
    total = sum(steps for _, steps, _ in config.stages)
    for number, (size, steps, learning_rate) in enumerate(config.stages):
        done = len(curve.loss)
        part = fit(
            _for_training(model, config, size),
            shrink(clips, size),
            network_input,
            Schedule(steps, config.batch_size, learning_rate, config.weight_decay, config.seed + number),
            lambda step, _, loss, accuracy, done=done: progress(done + step, total, loss, accuracy),
        )
        curve.loss += part.loss
        curve.accuracy += part.accuracy
    return model.eval(), curve


def shrink(clips: Clips, size: int) -> Clips:
    """Resize all clips to ``size`` by ``size``, with the resize that the contract finds."""
    if clips.video.shape[-1] == size:
        return clips
    resize = find("resize")
    return Clips(torch.stack([resize(video, [size, size], "bilinear", True) for video in clips.video]), clips.label)


def _for_training(model: nn.Module, config: DemoConfig, size: int) -> nn.Module:
    """The network for clips of another size (only the head's pooling differs), with the parameters of ``model``."""
    twin = build_x3d(replace(config, crop_size=size))
    model.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    twin.load_state_dict(model.state_dict(keep_vars=True), assign=True)
    return twin


def fit(
    model: nn.Module,
    clips: Clips,
    prepare: Callable[[Tensor], Tensor],
    schedule: Schedule,
    progress: Progress,
) -> Curve:
    """Train a classifier with AdamW and a one-cycle schedule, on random symmetries of the clips.

    Args:
        model: The network, changed in place.
        clips: Training clips.
        prepare: Makes the network's input from uint8 clips ``[N, 3, T, S, S]``.
        schedule: How long and how fast.
        progress: Told after each step how it goes.
    """
    generator = torch.Generator().manual_seed(schedule.seed)
    optimizer = torch.optim.AdamW(_groups(model, schedule.weight_decay), schedule.learning_rate, betas=(0.9, 0.98))
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, schedule.learning_rate, total_steps=schedule.steps, pct_start=0.2, cycle_momentum=False
    )
    curve = Curve()
    order = torch.empty(0, dtype=torch.int64)
    model.train()
    size, steps = schedule.batch_size, schedule.steps
    for step in range(1, steps + 1):
        if len(order) < size:
            order = torch.cat([order, torch.randperm(len(clips), generator=generator)])
        chosen, order = order[:size], order[size:]
        video, label = random_symmetries(clips.video[chosen], clips.label[chosen], generator)
        logits = model(prepare(video))
        loss = F.cross_entropy(logits, label)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        cycle.step()
        curve.loss.append(loss.item())
        curve.accuracy.append((logits.argmax(dim=1) == label).float().mean().item())
        recent = curve.accuracy[-20:]
        progress(step, steps, sum(curve.loss[-20:]) / len(recent), sum(recent) / len(recent))
    model.eval()
    return curve


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Biases and the parameters of norms do not decay."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
