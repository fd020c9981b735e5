"""Hostile images through every public way in: a specific error or a picture, soon, in little memory."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch

import vision_io
from vision_io import ImageReadMode, Limits

MODES = list(ImageReadMode)


@pytest.fixture(scope="module")
def images(attacks):
    return attacks("hostile_images")


def tensor(data: bytes) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(data or b"\0", np.uint8).copy())[: len(data)]


def test_bytes(probe, images, backend):
    for name, data, expected in images:
        probe(name, expected, lambda data=data: vision_io.decode_image(data))
    probe.verdict()


@pytest.mark.parametrize("mode", MODES)
def test_modes(probe, images, mode):
    for name, data, expected in images:
        probe(name, expected, lambda data=data: vision_io.decode_image(tensor(data), mode, True))
    probe.verdict()


def test_paths_and_files(probe, images, tmp_path):
    path = tmp_path / "picture.jpg"  # all but one are misnamed
    for name, data, expected in images:
        path.write_bytes(data)
        probe(f"{name}, path", expected, lambda: vision_io.load_image(path))
        probe(f"{name}, mmap", expected, lambda: vision_io.load_image(path, mmap=True))
        probe(f"{name}, read_image", expected, lambda: vision_io.read_image(str(path), "RGB"))
        probe(f"{name}, file", expected, lambda data=data: vision_io.load_image(io.BytesIO(data), "GRAY"))
        with path.open("rb", buffering=0) as file:
            probe(f"{name}, raw file", expected, lambda file=file: vision_io.decode_image(file))
    probe.verdict()


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "webp", "avif", "heic"])
def test_decoders_of_one_format(probe, images, kind):
    decode = getattr(vision_io, f"decode_{kind}")
    for name, data, expected in images:
        own = name.startswith(kind)
        probe(name, expected if own else "any", lambda data=data: decode(tensor(data)))
    probe.verdict()


def test_regions_and_scales(probe, images, backend):
    region = (ValueError,)  # a region may not lie in what the attack turns out to be
    for name, data, expected in images:
        loose = "any" if expected == "fine" else expected
        for part in ((3, 1, 2, 2), (60000, 0, 5, 1)):
            probe(
                f"{name}, region {part}",
                "any" if expected == "limit" else loose,
                lambda data=data, part=part: vision_io.load_image(data, region=part, min_size=2),
                region,
            )
        probe(f"{name}, scaled", loose, lambda data=data: vision_io.load_image(data, min_size=1), region)
        out = torch.zeros(3, 7, 3, dtype=torch.uint8)
        probe(f"{name}, out", "any", lambda data=data, out=out: vision_io.load_image(data, out=out), region)
    probe.verdict()


def test_fused(probe, images, backend):
    for name, data, expected in images:
        probe(
            name,
            "any" if expected == "limit" else expected,
            lambda d=data: vision_io.decode_resized_crop(d, 8),
            (ValueError,),
        )
    probe.verdict()


@pytest.mark.parametrize("size", [None, 8])
def test_batch(probe, images, backend, size):
    files = [data for name, data, _ in images if "frames" not in name]
    results = probe(
        "all together", "any", lambda: vision_io.decode_jpeg_batch(files, size=size, threads=2, errors="none")
    )
    assert results is None or len(results) == len(files)
    for name, data, expected in images:
        if name.startswith("jpeg"):
            probe(name, expected, lambda d=data: vision_io.decode_jpeg_batch([d], size=size))
    probe.verdict()


def test_tight_limits_are_kept(probe, images):
    """What passes limits of a few pixels has no more than those."""
    limits = Limits(max_pixels=64, max_side=16, max_animation_pixels=200, max_frames=10)
    for name, data, _ in images:
        result = probe(name, "any", lambda data=data: vision_io.decode_image(data, limits=limits))
        if result is not None:
            assert result.shape[-1] * result.shape[-2] <= 64, name
            assert result.numel() <= 800, name
    probe.verdict()


@pytest.mark.skipif(vision_io.build_info()["jpeg"] == "Pillow", reason="needs the native readers")
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_too_short_for_their_size(probe, generator, kind):
    """Refused from the header: there is never memory for the pixels."""
    images = generator("hostile_images")
    data = images.jpeg(11000, 11000, data=bytes(4)) if kind == "jpeg" else images.png(11000, 11000, bytes(40))
    before = probe._reset()
    for source in (tensor(data), data, io.BytesIO(data)):
        for decode in (vision_io.decode_image, getattr(vision_io, f"decode_{kind}"), vision_io.load_image):
            with pytest.raises(vision_io.DecodeError, match="too few for 11000x11000"):
                decode(source)
            if hasattr(source, "seek"):
                source.seek(0)
        if kind == "jpeg":
            with pytest.raises(vision_io.DecodeError, match="too few"):
                vision_io.decode_resized_crop(source, 8)
    assert probe._peak() - before < 32 << 20


def test_sources_without_end():
    class Endless(io.RawIOBase):
        def read(self, size=-1):
            return bytes(size)

    with pytest.raises(vision_io.LimitError, match="max_bytes"):
        vision_io.decode_image(Endless(), limits=Limits(max_bytes=10_000_000))
    with pytest.raises(vision_io.LimitError, match="max_bytes"):
        vision_io.decode_image("/dev/zero", limits=Limits(max_bytes=10_000_000))


def test_files_larger_than_the_limit(tmp_path):
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a sparse file
    with pytest.raises(vision_io.LimitError, match="max_bytes"):
        vision_io.load_image(path)
