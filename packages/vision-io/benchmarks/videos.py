"""What the video benchmarks share: files, made where the shared data has none, peers, and threads of decoders."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.harness import Candidate

SHARED = Path(os.environ.get("VISION_SHARED", Path(__file__).resolve().parents[3].parent / "shared"))
SMALL = SHARED / "data" / "video" / "nasa_13013.mp4"  # stream 0: 320x180, 325 frames
SPORT = SHARED / "data" / "video" / "WUzgd7C1pWA.mp4"  # 340x256, 327 frames
LARGE = "-stream_loop 3 -i {source} -vf scale=1280:720 -c:v libx264 -g 60 -preset medium -crf 23 -t 10 -an {target}"

# Name: encoder, width, height, frames, options.
MADE: dict[str, tuple[str, int, int, int, dict[str, str]]] = {
    "H.264 1920x1080": ("libx264", 1920, 1080, 90, {"crf": "23", "preset": "medium", "g": "60"}),
    "H.264 1280x720, one key frame": ("libx264", 1280, 720, 240, {"crf": "23", "preset": "medium", "g": "600"}),
    "HEVC 1280x720": ("libx265", 1280, 720, 90, {"crf": "26", "preset": "fast", "x265-params": "log-level=none"}),
    "VP9 640x360": ("libvpx-vp9", 640, 360, 120, {"crf": "32", "b": "0", "deadline": "realtime", "cpu-used": "6"}),
    "AV1 640x360": ("libsvtav1", 640, 360, 120, {"crf": "35", "preset": "10", "svtav1-params": "lp=1"}),
}


class Threads:
    """How many decoder threads a candidate uses in the setting that is being timed."""

    count = 1

    def candidate(self, run: Callable[[], object]) -> Candidate:
        return Candidate(run, threads=self._set)

    def _set(self, count: int) -> None:
        self.count = count


def torchcodec_decoder() -> Any:
    """TorchCodec's ``VideoDecoder``, or ``None`` where it cannot be imported."""
    try:
        from torchcodec.decoders import VideoDecoder as Peer  # pyright: ignore[reportMissingImports]
    except (ImportError, RuntimeError, OSError):
        return None
    return Peer


def large_video(folder: Path) -> Path | None:
    """The small video again at 1280x720, 300 frames, made by the ffmpeg program; ``None`` without it."""
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    target = folder / "large.mp4"
    command = LARGE.format(source=SMALL, target=target).split()
    subprocess.run([program, "-v", "error", *command], check=True)
    return target


def made_video(folder: Path, name: str) -> Path | None:
    """The small video again in another codec and size, made by PyAV; ``None`` where it lacks the encoder."""
    import av
    import av.codec

    encoder, width, height, frames, options = MADE[name]
    if encoder not in av.codec.codecs_available:
        return None
    target = folder / f"{encoder}_{width}_{options.get('g', '')}.mp4"
    source: Any
    output: Any
    with av.open(str(target), "w") as output:
        stream = output.add_stream(encoder, rate=Fraction(30), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        written = 0
        while written < frames:
            with av.open(str(SMALL)) as source:
                for frame in source.decode(source.streams[0]):
                    picture = frame.reformat(width, height, "yuv420p")
                    picture.pts, picture.time_base = written, Fraction(1, 30)
                    output.mux(stream.encode(picture))
                    written += 1
                    if written == frames:
                        break
        output.mux(stream.encode(None))
    return target
