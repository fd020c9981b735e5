"""The package as a whole: what importing costs, what it says of itself, what it does without its parts."""

from __future__ import annotations

import subprocess
import sys

import pytest

import vision_io


def _python(code: str, **environment: str) -> str:
    import os

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_all_names_exist():
    assert sorted(vision_io.__all__) == sorted(set(vision_io.__all__))
    for name in vision_io.__all__:
        assert getattr(vision_io, name) is not None


def test_importing_leaves_heavy_libraries_alone():
    code = "import sys, vision_io; print([m for m in ('av', 'PIL', 'hypothesis', 'torchvision') if m in sys.modules])"
    assert _python(code) == "[]"


def test_build_info():
    facts = vision_io.build_info()
    assert facts["version"] == vision_io.__version__
    assert facts["native"] == (facts["reason"] is None) == (facts["isa"] in facts["isas"])


def test_the_environment_chooses_the_instruction_set():
    if not vision_io.build_info()["native"]:
        pytest.skip("no native module")
    code = "import vision_io; print(vision_io.build_info()['isa'])"
    assert _python(code, VISION_ISA="scalar") == "scalar"


def test_everything_works_without_the_native_module():
    code = """
import sys
sys.modules["vision_io._native_ext"] = None
import torch, vision_io
facts = vision_io.build_info()
assert facts["native"] is False and facts["reason"], facts
image = torch.arange(3 * 5 * 7, dtype=torch.uint8).view(3, 5, 7)
assert torch.equal(vision_io.decode_image(vision_io.encode_png(image)), image)
print("well")
"""
    assert _python(code) == "well"


def test_video_without_pyav_names_the_extra(tmp_path):
    code = f"""
import sys
sys.modules["av"] = None
import vision_io
for call in (lambda: vision_io.VideoDecoder({str(tmp_path)!r}), lambda: vision_io.VideoEncoder("a.mp4", fps=30)):
    try:
        call()
    except vision_io.MissingDependencyError as error:
        assert "vision-io[video]" in str(error)
    else:
        raise SystemExit("no error")
print("well")
"""
    assert _python(code) == "well"
