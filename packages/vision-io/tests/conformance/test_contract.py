"""The contract's own suites, run on what this package provides."""

from __future__ import annotations

import functools

import pytest

from vision_contract.testing import ImageDecoderConformance, VideoDecoderConformance
from vision_io import VideoDecoder, VideoEncoder, decode_image


class TestDecodeImage(ImageDecoderConformance):
    operator = staticmethod(decode_image)


@pytest.mark.extra_video
class TestVideoDecoder(VideoDecoderConformance):
    operator = VideoDecoder

    @pytest.fixture
    def video(self, moving_bars):
        return moving_bars


@pytest.mark.extra_video
class TestVideoDecoderOfRealVideo(VideoDecoderConformance):
    """B-frames, rotation and a start that is not at zero."""

    operator = VideoDecoder

    @pytest.fixture(params=["nasa_13013_rotated.mp4", "test_non_zero_start.mp4", "discard_first_keyframe.mp4"])
    def video(self, request, videos):
        pytest.importorskip("av")
        return videos / request.param


@pytest.mark.extra_video
class TestVideoDecoderOfCountedVideo(VideoDecoderConformance):
    """Interlaced coding makes the decoder distrust the packets and count what comes out."""

    operator = VideoDecoder

    @pytest.fixture
    def video(self, tmp_path, bars):
        pytest.importorskip("av")
        path = tmp_path / "packed.avi"
        with VideoEncoder(path, fps=25, codec="mpeg4", options={"bf": 2, "g": 12, "qscale": 2}) as encoder:
            encoder.write(bars(24))
        with VideoDecoder(path) as decoder:
            assert decoder.counted
        return path


class _OfBackend(VideoDecoderConformance):
    name = ""

    @pytest.fixture
    def video(self, moving_bars, need_backend):
        need_backend(self.name)
        return moving_bars


@pytest.mark.extra_video
class TestVideoDecoderThroughSwscale(_OfBackend):
    name = "pyav"
    operator = staticmethod(functools.partial(VideoDecoder, backend="pyav"))


@pytest.mark.extra_video
class TestVideoDecoderOfTorchCodec(_OfBackend):
    name = "torchcodec"
    operator = staticmethod(functools.partial(VideoDecoder, backend="torchcodec"))


@pytest.mark.extra_video
class TestVideoDecoderOfDecord(_OfBackend):
    name = "decord"
    operator = staticmethod(functools.partial(VideoDecoder, backend="decord"))
