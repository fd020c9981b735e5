"""Classifying a user's file: what works, and one clear line for what cannot."""

import wave

import pytest
import torch

from examples.demo.__main__ import main
from examples.demo.classify import load_model, save_model
from examples.demo.config import quick
from examples.demo.train import build_x3d

av = pytest.importorskip("av")
vision_io = pytest.importorskip("vision_io")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo-report")
    torch.manual_seed(0)
    save_model(build_x3d(quick()).eval(), quick(), folder)
    return folder


@pytest.fixture(scope="module")
def good_video(tmp_path_factory):
    path = tmp_path_factory.mktemp("videos") / "good.mp4"
    with vision_io.VideoEncoder(path, fps=10, preset="ultrafast") as encoder:
        encoder.write(torch.randint(0, 256, (26, 3, 90, 160), dtype=torch.uint8))
    return path


def run(path, out, *more):
    return main(["--", "--video", str(path), "--out", str(out), "--threads", "1", *more])


def test_good_video_is_classified_and_copied(good_video, out, capsys):
    assert run(good_video, out) == 0
    said = capsys.readouterr().out
    assert "good.mp4: " in said
    with vision_io.VideoDecoder(out / "good.annotated.mp4") as copy:
        assert len(copy) == 26
        assert copy.metadata.average_fps == pytest.approx(10, rel=0.01)


def test_single_picture_video(tmp_path, out):
    path = tmp_path / "one.mp4"
    with vision_io.VideoEncoder(path, fps=10) as encoder:
        encoder.write(torch.zeros(3, 32, 48, dtype=torch.uint8))
    assert run(path, out) == 0


def text(path, good):
    path.write_text("this is no video\n" * 100)


def empty(path, good):
    path.write_bytes(b"")


def cut_off(path, good):
    path.write_bytes(good.read_bytes()[: good.stat().st_size // 2])


def header_only(path, good):
    path.write_bytes(good.read_bytes()[:40])


def sound_only(path, good):
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))


def missing(path, good):
    pass


def folder(path, good):
    path.mkdir()


@pytest.mark.parametrize("damage", [text, empty, cut_off, header_only, sound_only, missing, folder])
def test_bad_file_gets_one_line_and_code_2(damage, tmp_path, good_video, out, capsys):
    path = tmp_path / "bad.mp4"
    damage(path, good_video)
    assert run(path, out) == 2
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, captured.err
    assert "bad.mp4" in lines[0]
    assert "Traceback" not in captured.err
    assert not list(out.glob("bad*"))


def test_damage_is_found_before_anything_is_trained(tmp_path, good_video, capsys):
    path = tmp_path / "bad.mp4"
    cut_off(path, good_video)
    assert run(path, tmp_path / "empty") == 2
    assert "training" not in capsys.readouterr().out


def test_saved_model_is_the_same(out):
    model, config = load_model(out)
    assert config == quick()
    again, _ = load_model(out)
    clip = torch.randn(1, 3, 4, 112, 112)
    with torch.inference_mode():
        assert torch.equal(model(clip), again(clip))


def test_bad_arguments():
    with pytest.raises(SystemExit) as stop:
        main(["--threads", "0"])
    assert stop.value.code == 2
