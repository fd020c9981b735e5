"""Every number of the demo in one place."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DemoConfig", "quick"]


@dataclass(frozen=True)
class DemoConfig:
    """The settings of one run.

    Attributes:
        seed: Seed of scenes, motions, weights and sampling order.
        threads: Threads of torch, and processes that write the videos.
        train_scenes: Scenes to train on; each is filmed once with every action.
        validation_scenes: Scenes to validate on; none of them is a training scene.
        frame_size: Height and width of the written videos, pixels.
        duration: Length of a video, seconds.
        fps: Lowest and highest frame rate; each video draws its own.
        crf: Constant quality of x264 (lower is better).
        clip_duration: Length of the clip that the network sees, seconds.
        num_frames: Frames of that clip, evenly spaced.
        crop_size: Height and width that the network sees, pixels.
        head_width: Width of X3D's last hidden layer (2048 in the published network).
        batch_size: Clips per training step.
        clips_per_video: Clips that are drawn from each training video.
        stages: Training of X3D: (height and width of the clips, steps, peak learning rate) of each stage. Small clips
            teach as much per clip at a quarter of the cost; the last stage has the network's own size.
        weight_decay: Weight decay of AdamW.
        baseline_steps: Training steps of the single-frame baseline.
        baseline_learning_rate: Its peak learning rate.
        calibration_clips: Training clips that calibrate the int8 model.
        latency_repeats: Timed runs of each deployed form.
    """

    seed: int = 0
    threads: int = 2
    train_scenes: int = 104
    validation_scenes: int = 52
    frame_size: int = 160
    duration: float = 2.0
    fps: tuple[int, int] = (12, 30)
    crf: int = 20
    clip_duration: float = 1.0
    num_frames: int = 4
    crop_size: int = 112
    head_width: int = 256
    batch_size: int = 16
    clips_per_video: int = 2
    stages: tuple[tuple[int, int, float], ...] = ((56, 240, 4e-3), (112, 72, 1.5e-3))
    weight_decay: float = 0.05
    baseline_steps: int = 150
    baseline_learning_rate: float = 2e-3
    calibration_clips: int = 64
    latency_repeats: int = 40


def quick(seed: int = 0, threads: int = 2) -> DemoConfig:
    """A smoke test: every part runs, on too little data to learn anything.

    Example:
        >>> quick().train_scenes < DemoConfig().train_scenes
        True
    """
    return DemoConfig(
        seed=seed,
        threads=threads,
        train_scenes=4,
        validation_scenes=2,
        duration=1.5,
        clips_per_video=1,
        stages=((56, 3, 1e-3), (112, 2, 1e-3)),
        baseline_steps=3,
        calibration_clips=8,
        latency_repeats=5,
    )
