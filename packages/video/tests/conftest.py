"""A video decoder that needs no file: it obeys the contract, and its pixels say which frame they are."""

import gzip
import json
import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

_SOURCE = re.compile(r"(?P<frames>\d+)frames_(?P<fps>[\d.]+)fps(?:_from(?P<begin>[\d.]+))?")


class FakeDecoder:
    """Decodes names such as ``"a_250frames_25fps_from1.5.mp4"``.

    Channel 0 of frame ``i`` is ``i % 256``, channel 1 is ``i // 256``, channel 2 is the height of the row.
    ``"broken"`` in a name raises ``ValueError``; ``"vfr"`` makes every other frame twice as long.
    """

    opened = 0
    decoded = 0

    def __init__(self, source, *, layout="TCHW"):
        name = str(source)
        match = _SOURCE.search(name)
        if "broken" in name or match is None:
            raise ValueError(f"{name}: no video stream")
        type(self).opened += 1
        n, fps, begin = int(match["frames"]), float(match["fps"]), float(match["begin"] or 0)
        durations = torch.full((n,), 1 / fps, dtype=torch.float64)
        if "vfr" in name:
            durations[::2] *= 1.5
            durations[1::2] *= 0.5
        self.durations = durations
        self.pts = begin + torch.cat([torch.zeros(1, dtype=torch.float64), durations.cumsum(0)[:-1]])
        self.layout = layout
        end = float(self.pts[-1] + durations[-1])
        self.metadata = SimpleNamespace(
            num_frames=n,
            duration_seconds=end - begin,
            average_fps=fps,
            begin_stream_seconds=begin,
            end_stream_seconds=end,
            height=6,
            width=8,
            codec="fake",
        )

    def _batch(self, indices):
        type(self).decoded += len(indices)
        data = torch.empty(len(indices), 3, 6, 8, dtype=torch.uint8)
        for k, i in enumerate(indices):
            data[k, 0], data[k, 1] = i % 256, i // 256
            data[k, 2] = torch.arange(6, dtype=torch.uint8)[:, None]
        data = data.transpose(0, 1).contiguous() if self.layout == "CTHW" else data
        index = torch.as_tensor(indices, dtype=torch.int64)
        return SimpleNamespace(data=data, pts_seconds=self.pts[index], duration_seconds=self.durations[index])

    def __len__(self):
        return len(self.pts)

    def _played_at(self, seconds):
        if not self.metadata.begin_stream_seconds <= seconds < self.metadata.end_stream_seconds:
            raise IndexError(f"{seconds} s is outside of the stream")
        return int(torch.searchsorted(self.pts, torch.tensor([seconds], dtype=torch.float64), right=True)) - 1

    def get_frames_at(self, indices):
        return self._batch(indices)

    def get_frames_played_at(self, seconds):
        return self._batch([self._played_at(t) for t in seconds])

    def get_frames_played_in_range(self, start_seconds, stop_seconds, fps=None):
        first = self._played_at(start_seconds)
        return self._batch([i for i in range(first, len(self)) if i == first or self.pts[i] < stop_seconds])

    def close(self):
        self.pts = None


def numbers_of(clip):
    """The numbers of the frames in a clip [3, T, H, W]."""
    return (clip[0, :, 0, 0].long() + 256 * clip[1, :, 0, 0].long()).tolist()


@pytest.fixture
def decoder():
    FakeDecoder.opened = FakeDecoder.decoded = 0
    return FakeDecoder


@pytest.fixture
def frame_numbers():
    return numbers_of


@pytest.fixture(scope="session")
def shared():
    root = Path(os.environ.get("VISION_SHARED", Path(__file__).parents[3].parent / "shared"))
    if not root.is_dir():
        pytest.skip(f"needs the reference files in {root} (VISION_SHARED)")
    return root


@pytest.fixture(scope="session")
def reference(shared):
    """Read one of the packed reference tables by name."""

    def read(name):
        with gzip.open(shared / "reference" / f"{name}.json.gz") as file:
            return json.load(file)

    return read


@pytest.fixture(scope="session")
def fill(shared):
    """The module that makes deterministic weights and inputs."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("fill", shared / "reference" / "fill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
