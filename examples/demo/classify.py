"""Classifies a video file of any length, window by window."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from examples.demo.actions import TITLES
from examples.demo.config import DemoConfig
from examples.demo.data import clip_transform, network_input
from examples.demo.train import build_x3d
from video.data import ClipWindow, UniformFrames
from video.data.clip_sampling import exact_seconds
from vision_io import VideoDecoder

__all__ = ["Window", "classify_video", "load_model", "save_model"]


@dataclass(frozen=True)
class Window:
    """What was seen in one stretch of a video.

    Attributes:
        start: Its first frame.
        stop: The frame after its last one.
        probabilities: Of each action, ``[8]``, summing to 1.
    """

    start: int
    stop: int
    probabilities: Tensor

    @property
    def title(self) -> str:
        """The likeliest action."""
        return TITLES[int(self.probabilities.argmax())]

    @property
    def score(self) -> float:
        """Its probability, 0..1."""
        return self.probabilities.max().item()


def save_model(model: nn.Module, config: DemoConfig, folder: Path) -> Path:
    """Write ``model.pt`` (the state dict) and ``model.json`` (what it takes to build the network)."""
    torch.save({name: value.contiguous() for name, value in model.state_dict().items()}, folder / "model.pt")
    (folder / "model.json").write_text(json.dumps(asdict(config), indent=2) + "\n", encoding="utf-8")
    return folder / "model.pt"


def load_model(folder: Path) -> tuple[nn.Module, DemoConfig]:
    """Read what :func:`save_model` wrote.

    Raises:
        FileNotFoundError: There is no model in the folder.
    """
    fields = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    fields["fps"] = tuple(fields["fps"])  # JSON knows no tuples
    fields["stages"] = tuple(tuple(stage) for stage in fields["stages"])
    config = DemoConfig(**fields)
    model = build_x3d(config)
    model.load_state_dict(torch.load(folder / "model.pt", weights_only=True))
    return model.eval(), config


@torch.inference_mode()
def classify_video(
    decoder: VideoDecoder,
    model: nn.Module,
    config: DemoConfig,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Window]:
    """Classify consecutive windows of a video.

    Args:
        decoder: The open video.
        model: The network, eager or deployed.
        config: The settings that it was trained with.
        progress: Told how many frames are done.

    Returns:
        The windows, in order; together they cover every frame.

    Raises:
        vision_io.DecodeError: The file is damaged.
    """
    facts = decoder.metadata
    fps = facts.num_frames / facts.duration_seconds if facts.duration_seconds > 0 else 1.0
    length = max(1, round(config.clip_duration * fps))
    starts = list(range(0, facts.num_frames, length))
    if len(starts) > 1 and facts.num_frames - starts[-1] < length / 2:
        starts.pop()  # a short rest belongs to the window before it
    transform = clip_transform(config)
    windows = []
    for start, stop in zip(starts, [*starts[1:], facts.num_frames], strict=True):
        frames = decoder.get_frames_at(_spread(stop - start, start, config.num_frames)).data
        clip = transform(frames.transpose(0, 1))
        windows.append(Window(start, stop, model(network_input(clip[None])).softmax(dim=1)[0]))
        progress(stop, facts.num_frames)
    return windows


def _spread(length: int, start: int, count: int) -> list[int]:
    """Choose frames as the data set does in training."""
    window = ClipWindow(exact_seconds(0), exact_seconds(length), exact_seconds(1))  # a second is a frame here
    return [start + int(middle) for middle in UniformFrames(count)(window)]
