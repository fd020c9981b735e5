"""The whole demo on little data, as a program, and the data set that it writes."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

from examples.demo.actions import ACTIONS
from examples.demo.config import quick
from examples.demo.data import read_validation
from examples.demo.write_dataset import write_dataset

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_quick_run_writes_everything(tmp_path):
    command = [sys.executable, "-m", "examples.demo", "--", "--quick", "--keep-data", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "$" not in re.sub(r"base64,[^\"]+", "", page)  # every place of the template is filled
    assert page.count("data:image/png;base64,") == len(ACTIONS)
    assert not re.search(r"(src|href)=\"(?!data:)", page)  # nothing is loaded from elsewhere
    assert page.count("<svg") == 3
    for name in ("annotated.mp4", "model.pt", "model.json"):
        assert (tmp_path / name).stat().st_size > 500
    for form in ("eager", "fp32", "int8"):
        assert re.search(rf"^{form} +\d", done.stdout, re.MULTILINE)
    labels = Counter(line.rsplit(" ", 1)[1] for line in (tmp_path / "data/train.csv").read_text().splitlines())
    assert set(labels.values()) == {quick().train_scenes}
    assert len(labels) == len(ACTIONS)


@pytest.mark.slow
def test_every_scene_is_filmed_once_with_every_action(tmp_path):
    config = quick(threads=1)
    videos = write_dataset(config, tmp_path)
    found = Counter()
    for line in videos.validation.read_text().splitlines():
        path, label = line.rsplit(" ", 1)
        scene, action = Path(path).stem.split("_", 1)
        assert ACTIONS[int(label)] == action
        found[scene, action] += 1
    assert set(found.values()) == {1}
    assert len(found) == config.validation_scenes * len(ACTIONS) == videos.num_validation
    clips = read_validation(config, videos.validation)
    assert clips.video.shape == (videos.num_validation, 3, config.num_frames, config.crop_size, config.crop_size)
    assert torch.equal(clips.label.bincount(), torch.full((len(ACTIONS),), config.validation_scenes))
