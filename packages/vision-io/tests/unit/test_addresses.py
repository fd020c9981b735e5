"""Files from a server on this machine: whole, in ranges, and from servers that stall or close early."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from vision_io import DeadlineError, DecodeError, LimitError, Limits, encode_png, load_image, read_file

FILES: dict[str, bytes] = {}
RANGES: list[str] = []


class Handler(BaseHTTPRequestHandler):
    """Serves FILES; ``/stall/<n>/<name>`` goes silent after n bytes, ``/close/<n>/<name>`` closes the connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        *how, name = self.path.strip("/").split("/")
        if name not in FILES:
            self.send_error(404)
            return
        data, start, end = FILES[name], 0, len(FILES[name])
        wanted = self.headers.get("Range")
        if wanted:
            RANGES.append(wanted)
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last) + 1, end) if last else end
        self.send_response(206 if wanted else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(end - start))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.end_headers()
        if not how:
            self.wfile.write(data[start:end])
            return
        upto = int(how[1])
        self.wfile.write(data[start : min(max(upto, start), end)])
        self.wfile.flush()
        if upto < end and how[0] == "stall":
            self.server.released.wait(20)  # type: ignore[attr-defined]
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    opened = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    opened.daemon_threads = True
    opened.released = threading.Event()  # type: ignore[attr-defined]
    opened.handle_error = lambda *_: None  # type: ignore[method-assign]  clients hang up
    thread = threading.Thread(target=opened.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{opened.server_address[1]}"
    opened.released.set()  # type: ignore[attr-defined]
    opened.shutdown()
    thread.join()


@pytest.fixture(scope="module", autouse=True)
def picture() -> torch.Tensor:
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 200, 300), dtype=np.uint8))
    FILES["a.png"] = encode_png(pixels).numpy().tobytes()
    return pixels


def within(seconds: float, call: Callable[[], object], error: type[Exception], words: str) -> None:
    begin = time.monotonic()
    with pytest.raises(error, match=words):
        call()
    assert time.monotonic() - begin < seconds


# -- images ------------------------------------------------------------------------------------------------------------


def test_pictures(server, picture):
    assert torch.equal(load_image(f"{server}/a.png"), picture)
    assert torch.equal(load_image(f"{server}/a.png", limits=Limits(deadline=30.0)), picture)
    assert read_file(f"{server}/a.png").numpy().tobytes() == FILES["a.png"]
    assert torch.equal(load_image(f"{server}/a.png", mmap=True), picture)


def test_what_servers_refuse(server):
    with pytest.raises(DecodeError, match=r"none\.png: cannot be read: .*Not Found"):
        load_image(f"{server}/none.png")
    with pytest.raises(DecodeError, match=r"cannot be read: .*refused"):
        load_image("http://127.0.0.1:9/a.png")
    with pytest.raises(DecodeError, match="begins with http"):
        read_file("ftp://127.0.0.1/a.png")
    with pytest.raises(LimitError, match="max_bytes=1000"):
        load_image(f"{server}/a.png", limits=Limits(max_bytes=1000))


def test_servers_that_stop(server):
    half = len(FILES["a.png"]) // 2
    address = f"{server}/close/{half}/a.png"
    within(10, lambda: load_image(address), DecodeError, f"closed after {half} of {len(FILES['a.png'])} bytes")
    limits = Limits(deadline=0.5)
    for call in (load_image, read_file):
        address = f"{server}/stall/{half}/a.png"
        within(5, lambda: call(address, limits=limits), DeadlineError, "deadline of 0.5 s")  # noqa: B023
        within(5, lambda: call(f"{server}/stall/0/a.png", limits=limits), DeadlineError, "deadline")  # noqa: B023


class Slow:
    """A file object that takes its time for every read."""

    name = "slow"

    def __init__(self, data: bytes, seconds: float) -> None:
        self.data, self.seconds, self.place = data, seconds, 0

    def read(self, size: int = -1) -> bytes:
        time.sleep(self.seconds)
        size = min(4096 if size < 0 else size, 4096)
        piece = self.data[self.place : self.place + size]
        self.place += len(piece)
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        self.place = (0, self.place, len(self.data))[whence] + offset
        return self.place


def test_slow_files(picture):
    within(3, lambda: load_image(Slow(FILES["a.png"], 0.05), limits=Limits(deadline=0.3)), DeadlineError, "slow: ")  # pyright: ignore
    assert torch.equal(load_image(Slow(FILES["a.png"], 0), limits=Limits(deadline=30)), picture)  # pyright: ignore


def test_deadlines_are_positive():
    for wrong in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="deadline"):
            Limits(deadline=wrong)


def test_a_batch_ends_with_its_time(bars):
    from vision_io import BatchDecodeError, decode_jpeg_batch, encode_jpeg
    from vision_io._native import kernels

    if kernels is None:
        pytest.skip("no native module")
    data = encode_jpeg(torch.from_numpy(bars(1, 512, 512)[0]))
    assert len(decode_jpeg_batch([data] * 9, threads=1, limits=Limits(deadline=60))) == 9
    with pytest.raises(BatchDecodeError) as caught:
        decode_jpeg_batch([data] * 3000, threads=1, limits=Limits(deadline=0.05))
    failures = caught.value.failures
    assert all(isinstance(error, DeadlineError) for error in failures.values())
    assert 2999 in failures


def test_animations_look_at_the_clock(bars, monkeypatch):
    from vision_io import decode_gif, encode_gif

    data = encode_gif(torch.from_numpy(bars(8)))
    assert decode_gif(data, limits=Limits(deadline=60)).shape[0] == 8
    monkeypatch.setattr("vision_io._limits.time.monotonic", iter(range(100)).__next__)
    with pytest.raises(DeadlineError, match="deadline of 4 s"):
        decode_gif(data, limits=Limits(deadline=4))


# -- video and sound ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def film(tmp_path_factory, bars) -> Path:
    """A video of some size with sound, its index at the end."""
    pytest.importorskip("av")
    from vision_io import VideoEncoder

    path = tmp_path_factory.mktemp("film") / "film.mp4"
    options = {"g": 10, "preset": "ultrafast", "crf": 1}
    with VideoEncoder(path, fps=25, options=options, audio_rate=8000, audio_channels=1) as encoder:
        for _ in range(4):
            encoder.write(bars(50, 128, 192))
        encoder.write_audio(np.sin(np.arange(64000) / 9).astype(np.float32)[None])
    FILES["film.mp4"] = path.read_bytes()
    return path


@pytest.mark.extra_video
def test_video(server, film):
    from vision_io import VideoDecoder

    with VideoDecoder(film) as expected:
        for settings in ({}, {"seek_mode": "approximate"}, {"limits": Limits(deadline=60.0)}):
            RANGES.clear()
            with VideoDecoder(f"{server}/film.mp4", **settings) as decoder:
                assert len(decoder) == 200
                assert RANGES  # the index lies at the end
                batch = decoder.get_frames_at([150, 3, 90])
                assert torch.equal(batch.data, expected.get_frames_at([150, 3, 90]).data)


@pytest.mark.extra_video
def test_sound(server, film):
    from vision_io import AudioDecoder

    with AudioDecoder(film) as expected, AudioDecoder(f"{server}/film.mp4", limits=Limits(deadline=60)) as decoder:
        first, second = (d.get_samples_played_in_range(2.0, 3.5) for d in (expected, decoder))
        assert torch.equal(first.data, second.data)
    data = torch.frombuffer(bytearray(FILES["film.mp4"]), dtype=torch.uint8)
    with AudioDecoder(film) as expected, AudioDecoder(data) as decoder:
        assert torch.equal(expected.get_all_samples().data, decoder.get_all_samples().data)


@pytest.mark.extra_video
@pytest.mark.parametrize("kind", ["video", "sound"])
def test_streams_that_stop(server, film, kind):
    from vision_io import AudioDecoder, VideoDecoder

    limits = Limits(deadline=0.7)

    def read(address: str) -> None:
        if kind == "video":
            with VideoDecoder(address, limits=limits) as decoder:
                decoder.get_frames_at([0, 199])
        else:
            with AudioDecoder(address, limits=limits) as decoder:
                decoder.get_all_samples()

    size = len(FILES["film.mp4"])
    for upto in (0, 100, size // 2):
        within(6, lambda: read(f"{server}/stall/{upto}/film.mp4"), DeadlineError, "deadline of 0.7 s")  # noqa: B023
    for upto in (0, 100):
        within(6, lambda: read(f"{server}/close/{upto}/film.mp4"), DecodeError, "film.mp4")  # noqa: B023
    within(6, lambda: read(f"{server}/none.mp4"), DecodeError, "404|Not Found|not found")
    within(6, lambda: read("http://127.0.0.1:9/none.mp4"), DecodeError, "refused")


@pytest.mark.extra_video
@pytest.mark.parametrize("settings", [{}, {"seek_mode": "approximate"}, {"errors": "salvage"}])
def test_slow_file_objects(film, settings):
    from vision_io import VideoDecoder

    slow = Slow(FILES["film.mp4"], 0.02)
    limits = Limits(deadline=0.2)
    within(4, lambda: VideoDecoder(slow, limits=limits, **settings)[199], DeadlineError, "slow: .*0.2 s")  # pyright: ignore
    slow.seconds = 0.0
    with VideoDecoder(slow, limits=Limits(deadline=30), **settings) as decoder:  # pyright: ignore
        assert len(decoder) == 200


@pytest.mark.extra_video
def test_sound_of_slow_file_objects(film):
    from vision_io import AudioDecoder

    slow = Slow(FILES["film.mp4"], 0.0)
    with AudioDecoder(slow, limits=Limits(deadline=0.3)) as decoder:  # pyright: ignore
        assert decoder.get_samples_played_in_range(0.0, 0.1).data.shape[1] == 800
        slow.seconds = 0.05
        within(4, decoder.get_all_samples, DeadlineError, r"0\.3 s")
        slow.seconds = 0.0
        assert decoder.get_all_samples().data.shape[1] >= 64000


@pytest.mark.extra_video
def test_long_decodes(film, monkeypatch):
    """The clock is looked at between packets: a call ends in the middle, and the next one has its own time."""
    from vision_io import VideoDecoder

    with VideoDecoder(film, limits=Limits(deadline=100.0)) as decoder:
        ticks = iter(range(0, 10000, 1))
        monkeypatch.setattr("vision_io._deadline.time.monotonic", lambda: float(next(ticks)))
        with pytest.raises(DeadlineError, match="deadline of 100 s"):
            decoder.get_all_frames()
        assert decoder.get_frames_at([5, 60]).data.shape[0] == 2
