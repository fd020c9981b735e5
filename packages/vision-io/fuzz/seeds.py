"""Files for the fuzzers to start from: small valid ones of every kind, and the attacks of the tests.

python fuzz/seeds.py FOLDER     writes FOLDER/<target>/...
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

import vision_io

__all__ = ["write_seeds"]

_ATTACKS = Path(__file__).resolve().parents[1] / "tests" / "attacks"
_MOST_BYTES = 20_000  # larger files slow a fuzzer down more than they teach it


def _generator(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, _ATTACKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _picture(channels: int = 3, height: int = 19, width: int = 23) -> torch.Tensor:
    steps = torch.arange(channels * height * width).reshape(channels, height, width)
    return (steps * 7 % 251).to(torch.uint8)


def _jpegs() -> list[bytes]:
    made = [
        vision_io.encode_jpeg(_picture(channels), 60, subsampling=subsampling, progressive=progressive)
        for channels in (1, 3)
        for subsampling in ("4:4:4", "4:2:0", "4:1:1")
        for progressive in (False, True)
    ]
    return [bytes(file.tolist()) for file in made if isinstance(file, torch.Tensor)]


def _pngs() -> list[bytes]:
    images = _generator("hostile_images")
    made = [bytes(vision_io.encode_png(_picture(channels)).tolist()) for channels in (1, 2, 3, 4)]
    rows = bytes(range(200)) * 9
    for depth, colour in ((1, 0), (2, 0), (4, 0), (16, 0), (16, 2), (8, 3), (4, 3), (16, 6)):
        samples = {0: 1, 2: 3, 3: 1, 6: 4}[colour]
        bytes_per_row = 1 + (7 * samples * depth + 7) // 8
        filtered = b"".join(bytes([y % 5]) + rows[y : y + bytes_per_row - 1] for y in range(5))
        palette = [images.chunk(b"PLTE", bytes(range(48)))] if colour == 3 else []
        made.append(images.png(7, 5, filtered, *palette, depth=depth, colour=colour))
    return made


def _animations() -> list[bytes]:
    clip = torch.stack([_picture(), _picture().flip(1)])
    made = [
        vision_io.encode_gif(clip),
        vision_io.encode_webp(clip),
        vision_io.encode_avif(clip),
        vision_io.encode_avif(clip[0]),
    ]
    return [bytes(file.tolist()) for file in made]


def _heifs() -> list[bytes]:
    still = bytes(vision_io.encode_avif(_picture(4)).tolist())
    return [still, still.replace(b"ftypavif", b"ftypheic", 1)]


def _videos() -> list[bytes]:
    frames = torch.stack([_picture(3, 32, 48).roll(3 * i, 2) for i in range(6)])
    made = []
    for suffix, codec in (
        ("mp4", "libx264"),
        ("mkv", "libx264"),
        ("avi", "mpeg4"),
        ("webm", "libvpx"),
        ("ts", "mpeg2video"),
        ("mov", "mjpeg"),
    ):
        path = Path(f"/tmp/vision_io_seed.{suffix}")
        try:
            with vision_io.VideoEncoder(path, fps=25, codec=codec) as encoder:
                encoder.write(frames)
            made.append(path.read_bytes())
        except vision_io.EncodeError:  # this FFmpeg lacks the encoder
            continue
        finally:
            path.unlink(missing_ok=True)
    return made


def _sounds() -> list[bytes]:
    wave = torch.sin(torch.arange(2000.0) / 9)[None] / 2
    encoder = vision_io.AudioEncoder(wave, sample_rate=8000)
    return [bytes(encoder.to_tensor(format).tolist()) for format in ("wav", "flac", "mp3", "ogg")]


def _subtitles() -> list[bytes]:
    lines = "00:00:00,000 --> 00:00:01,500\n<i>one</i>\n\n2\n00:00:02,000 --> 00:00:03,000\ntwo\n"
    event = "Dialogue: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,{\\pos(1,2)}one\\Ntwo\n"
    fields = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
    styles = f"[Script Info]\nScriptType: v4.00+\n[Events]\nFormat: {fields}\n"
    pictures = b"PG" + bytes(8) + b"\x16\0\x0b\0\x10\0\x10\x10\0\0\x80\0\0\0" + b"PG" + bytes(8) + b"\x80\0\0"
    return [
        f"1\n{lines}".encode(),
        f"WEBVTT\n\n{lines}".replace(",", ".").encode(),
        f"{styles}{event}".encode(),
        pictures,
    ]


def _tables() -> dict[str, list[bytes]]:
    tables = _generator("hostile_tables")
    return {
        "flow": [attack.data for attack in tables.flows()],
        "time_series": [attack.data for attack in tables.tables()],
        "saved_index": [attack.data for attack in tables.indices()],
    }


def _write(folder: Path, files: Iterable[bytes], prefix: bytes = b"") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for data in files:
        if len(data) <= _MOST_BYTES:
            name = hashlib.sha1(data, usedforsecurity=False).hexdigest()
            (folder / name).write_bytes(prefix + data)


def write_seeds(folder: Path) -> None:
    """Write the corpora of all targets."""
    images, containers = _generator("hostile_images"), _generator("hostile_containers")
    hostile = [attack.data for attack in images.attacks()]
    jpegs, pngs, heifs = _jpegs(), _pngs(), _heifs()
    _write(folder / "jpeg", [*jpegs, *(attack.data for attack in images.jpegs())], bytes(9))
    _write(folder / "jpeg", jpegs, b"\3\2\1\1\5\0\3\0\7")
    _write(folder / "jpeg", jpegs, b"\3\2\0\2\5\0\3\0\7")
    _write(folder / "png", [*pngs, *(attack.data for attack in images.pngs())], bytes(2))
    pictures = [attack.data for attack in containers.pictures()]
    _write(folder / "images", [*jpegs, *pngs, *_animations(), *heifs, *hostile, *pictures], b"\0\0")
    _write(folder / "heif", [*heifs, *pictures], b"\0")
    moving = [*_videos(), *_sounds(), *(attack.data for attack in containers.attacks())]
    _write(folder / "video", moving, b"\0")
    _write(folder / "audio", moving, b"\0")
    _write(folder / "subtitles", [*moving, *_subtitles()], b"\0")
    _write(folder / "exif", [images.exif_loop(), b"II*\0" + np.arange(40, dtype="<u2").tobytes()], b"\0")
    for name, files in _tables().items():
        _write(folder / name, files, b"\0")


if __name__ == "__main__":
    write_seeds(Path(sys.argv[1]))
