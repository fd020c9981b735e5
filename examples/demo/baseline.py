"""The baseline: an image network that sees a single frame. It cannot know, and the demo shows that it does not."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from examples.demo.actions import ACTIONS
from examples.demo.config import DemoConfig
from examples.demo.data import Clips, network_input
from examples.demo.train import Curve, Progress, Schedule, fit
from vision_models import mobilenet_v3_small

__all__ = ["middle_frame", "train_baseline"]


def middle_frame(clips: Tensor) -> Tensor:
    """Take the middle frame of each clip, prepared as the clips are: ``[N, 3, T, S, S]`` to ``[N, 3, S, S]``."""
    middle = clips.shape[2] // 2
    frames = network_input(clips[:, :, middle : middle + 1])[:, :, 0]
    return frames.contiguous(memory_format=torch.channels_last)


def _random_frame(clips: Tensor) -> Tensor:
    """Take a random frame of each clip: training sees more pictures that way."""
    which = torch.randint(0, clips.shape[2], (len(clips),))
    frames = clips[torch.arange(len(clips)), :, which][:, :, None]
    return network_input(frames)[:, :, 0].contiguous(memory_format=torch.channels_last)


def train_baseline(config: DemoConfig, clips: Clips, progress: Progress) -> tuple[nn.Module, Curve]:
    """Train MobileNetV3-small on single frames of the same clips, with the same augmentations.

    Args:
        config: Settings.
        clips: Training clips.
        progress: Told after each step how it goes.

    Returns:
        The network in evaluation mode, and its training curve.
    """
    torch.manual_seed(config.seed)
    model = mobilenet_v3_small(num_classes=len(ACTIONS)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.1  # its own 0.01 would need thousands of steps to learn the statistics
    schedule = Schedule(
        config.baseline_steps, 2 * config.batch_size, config.baseline_learning_rate, config.weight_decay, config.seed
    )
    return model, fit(model, clips, _random_frame, schedule, progress)
