"""Fuzzes the Python side with atheris: any error but the documented ones is a finding.

    python fuzz/fuzz_python.py TARGET [options of libFuzzer] [corpus]

Python code is instrumented; the libraries behind it (FFmpeg, Pillow's) are not, and are reached by mutated seeds.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import atheris
import numpy as np
import torch

with atheris.instrument_imports(include=["vision_io"]):
    import vision_io
    from vision_io import optical_flow
    from vision_io._image.heif_boxes import parse_heif
    from vision_io._image.orientation import jpeg_exif, orientation_of
    from vision_io.time_series import read_time_series

__all__ = ["TARGETS"]

LIMITS = vision_io.Limits(
    max_pixels=1 << 18, max_side=1 << 13, max_frames=300, max_batch_bytes=1 << 26, max_animation_pixels=1 << 21
)
MODES = list(vision_io.ImageReadMode)
SCRATCH = Path(tempfile.gettempdir()) / "vision_io_fuzz"


def refused(*others: type[Exception]) -> contextlib.suppress:
    """What a decoder may say of a file."""
    return contextlib.suppress(vision_io.DecodeError, *others)


def images(how: int, data: bytes) -> None:
    """Every codec, both backends; where both read a PNG they agree."""
    mode = MODES[how % len(MODES)]
    results = []
    for backend in ("native", "pillow"):
        vision_io.set_image_backend(backend)
        with refused():
            results.append(vision_io.decode_image(data, mode, bool(how & 64), limits=LIMITS))
    if (
        len(results) == 2
        and data[:4] == b"\x89PNG"
        and mode is vision_io.ImageReadMode.RGB
        and results[0].dtype == torch.uint8
    ):
        assert torch.equal(*results), "the two PNG readers differ"


def jpeg_parts(how: int, data: bytes) -> None:
    """Regions, scales, fused and batched decoding."""
    vision_io.set_image_backend("native")
    rng = np.random.default_rng(how)
    region = [int(value) for value in rng.integers(-1, 40, 4)]
    with refused(ValueError):
        vision_io.decode_jpeg(
            data, region=region, min_size=int(rng.integers(1, 30)), apply_exif_orientation=True, limits=LIMITS
        )
    with refused(ValueError):
        vision_io.decode_resized_crop(data, 9, region if how & 1 else None, flip=True, limits=LIMITS)
    results = vision_io.decode_jpeg_batch([data] * 3, threads=2, errors="none", limits=LIMITS)
    assert len({result is None for result in results}) == 1, "the same file, other results"


def heif(how: int, data: bytes) -> None:
    """The box parser by itself, then the whole decoder."""
    with refused():
        file = parse_heif(memoryview(data))
        for item in file.items.values():
            with refused():
                file.content(item)
    with refused():
        vision_io.decode_heic(data, MODES[how % len(MODES)], limits=LIMITS)
    with refused():
        vision_io.decode_avif(data, deep=True, limits=LIMITS)


def video(how: int, data: bytes) -> None:
    """Open, look at everything that is known, decode a few frames."""
    with refused(), vision_io.VideoDecoder(io.BytesIO(data) if how & 1 else data, limits=LIMITS) as decoder:
        assert len(decoder) == decoder.metadata.num_frames
        repr(decoder)
        assert decoder.key_frames
        decoder.get_frames_at([0, len(decoder) - 1], **({"size": 8} if how & 2 else {}))
        middle = float(decoder.pts_seconds[len(decoder) // 2])
        decoder.get_frame_played_at(middle)


def audio(how: int, data: bytes) -> None:
    """Samples of all, and of a part at another rate."""
    with refused(IndexError), vision_io.AudioDecoder(data, limits=LIMITS) as decoder:
        repr(decoder)
        decoder.get_all_samples()
    with (
        refused(IndexError),
        vision_io.AudioDecoder(data, sample_rate=11025, num_channels=1 + how % 3, limits=LIMITS) as decoder,
    ):
        decoder.get_samples_played_in_range(0.01, 0.05)


def subtitles(how: int, data: bytes) -> None:
    """Subtitles in files of their own and beside pictures, and motion vectors."""
    with refused():
        decoder = vision_io.SubtitleDecoder(data, limits=LIMITS)
        repr(decoder)
        decoder.get_subtitles_played_in_range(0.0, 1e6)
    with refused(), vision_io.MotionVectorDecoder(data, limits=LIMITS) as decoder:
        decoder[0].dense()


def flow(how: int, data: bytes) -> None:
    """Optical flow in all its formats."""
    path = SCRATCH / "flow"
    path.write_bytes(data)
    readers = (optical_flow.read_flow, optical_flow.read_flo, optical_flow.read_pfm, optical_flow.read_kitti_flow)
    with refused():
        readers[how % 4](path, limits=LIMITS)


def time_series(how: int, data: bytes) -> None:
    """Tables of text."""
    path = SCRATCH / "table"
    path.write_bytes(data)
    with refused():
        series = read_time_series(path, header=bool(how & 1), delimiter=",;\t "[how >> 1 & 3], max_rows=1000)
        if len(series):
            series.at([0.0, 1e30])
        series.between(0.0, 1.0)


def saved_index(how: int, data: bytes) -> None:
    """Saved indices, and what a decoder does with those that pass."""
    with refused():
        index = vision_io.VideoIndex.load(io.BytesIO(data), limits=LIMITS)
        repr(index)
        assert len(index)


def exif(how: int, data: bytes) -> None:
    """EXIF blocks, and the segments of JPEG files."""
    assert 1 <= orientation_of(data) <= 8
    block = jpeg_exif(memoryview(data))
    assert 1 <= orientation_of(block) <= 8


TARGETS: dict[str, Callable[[int, bytes], None]] = {
    target.__name__: target
    for target in (audio, exif, flow, heif, images, jpeg_parts, saved_index, subtitles, time_series, video)
}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        raise SystemExit(f"usage: fuzz_python.py {{{','.join(TARGETS)}}} [options of libFuzzer] [corpus]")
    target = TARGETS[sys.argv.pop(1)]
    SCRATCH.mkdir(exist_ok=True)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)

    def test_one(data: bytes) -> None:
        target(data[0] if data else 0, data[1:])

    atheris.Setup(sys.argv, test_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
