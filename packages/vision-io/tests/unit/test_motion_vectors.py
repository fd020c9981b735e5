"""Motion vectors: against a plain loop over the library, and against the motion that was put into the video."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from vision_io import (
    DecodeError,
    LimitError,
    Limits,
    MotionVectorDecoder,
    MotionVectors,
    VideoDecoder,
    VideoEncoder,
)

pytestmark = pytest.mark.extra_video

av = pytest.importorskip("av")

SHIFT = (3, 2)  # columns and rows by which the picture moves to the right and down with every frame


@pytest.fixture(scope="module")
def moving(tmp_path_factory):
    """A texture that moves: 12 frames, one I frame, P frames alone."""
    path = tmp_path_factory.mktemp("vectors") / "moving.mp4"
    _write(path, "libx264", {"bf": 0, "g": 12, "refs": 1})
    return path


def _write(path, codec, options):
    chance = np.random.default_rng(0)
    small = torch.from_numpy(chance.integers(0, 256, (1, 3, 40, 48), np.uint8)).float()
    texture = torch.nn.functional.interpolate(small, (160, 192), mode="bicubic").clamp(0, 255).byte()[0]
    with VideoEncoder(path, fps=25, codec=codec, bit_rate=2_000_000, options=options) as encoder:
        for i in range(12):
            x, y = 40 - SHIFT[0] * i, 30 - SHIFT[1] * i
            encoder.write(texture[:, y : y + 96, x : x + 128])


def _oracle(path) -> list[np.ndarray]:
    """The library's own tables, all frames decoded in order."""
    tables = []
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        context.options = {"flags2": "+export_mvs"}
        context.thread_count = 1
        for frame in container.decode(video=0):
            found = frame.side_data.get("MOTION_VECTORS")
            if found is None:
                tables.append(np.zeros((0, 10), np.int32))
                continue
            table = found.to_ndarray()
            tables.append(np.stack([table[name].astype(np.int32) for name in MotionVectors.columns], 1))
    return tables


def test_vectors_are_the_librarys(moving_bars):
    tables = _oracle(moving_bars)
    with MotionVectorDecoder(moving_bars) as decoder, VideoDecoder(moving_bars) as video:
        assert len(decoder) == len(tables) == len(video)
        assert torch.equal(decoder.pts_seconds, video.pts_seconds)
        for i, vectors in enumerate(decoder):
            np.testing.assert_array_equal(vectors.data, tables[i], err_msg=f"frame {i}")
            assert vectors.pts_seconds == video.pts_seconds[i]
            assert (vectors.height, vectors.width) == (64, 96)
            assert vectors.frame is None
        kinds = [vectors.frame_type for vectors in decoder]
        assert [i for i, kind in enumerate(kinds) if kind == "I"] == video.key_frames
        assert {"I", "P", "B"} == set(kinds)
        assert len(decoder[0]) == 0
        future = [(v.column("source") > 0).any() for v in decoder]
        assert any(future)
        assert not any(f for f, kind in zip(future, kinds, strict=True) if kind != "B")
        chosen = [30, 4, 4, -1, 17]
        for i, vectors in zip(chosen, decoder.get_motion_vectors_at(chosen), strict=True):
            np.testing.assert_array_equal(vectors.data, tables[i])
        part = decoder.get_motion_vectors_in_range(3, 20, 4)
        assert [len(v) for v in part] == [len(tables[i]) for i in range(3, 20, 4)]


def test_real_video(videos):
    tables = _oracle(videos / "WUzgd7C1pWA.mp4")
    with MotionVectorDecoder(videos / "WUzgd7C1pWA.mp4") as decoder:
        for i in (250, 3, 101, 326):
            np.testing.assert_array_equal(decoder[i].data, tables[i])


def test_vectors_show_the_motion(moving):
    with MotionVectorDecoder(moving, with_frames=True) as decoder:
        frames = [vectors.frame for vectors in decoder]
        with VideoDecoder(moving) as video:
            assert torch.equal(torch.stack(frames), video[:])
        for before, vectors in zip(frames[3:], list(decoder)[4:], strict=False):
            source = torch.stack([vectors.column("src_x"), vectors.column("src_y")], 1)
            block = torch.stack([vectors.column("dst_x"), vectors.column("dst_y")], 1)
            assert (source - block - vectors.displacement).abs().max() <= 1, "src = dst + motion / scale"
            field = vectors.dense()
            assert field.shape == (2, 96, 128)
            inner = field[:, 16:-16, 16:-16]
            assert inner[0].median() == pytest.approx(-SHIFT[0], abs=0.25)
            assert inner[1].median() == pytest.approx(-SHIFT[1], abs=0.25)
            y, x = torch.meshgrid(torch.arange(96), torch.arange(128), indexing="ij")
            fetched = before[:, (y + field[1].round().long()).clamp(0, 95), (x + field[0].round().long()).clamp(0, 127)]
            inside = (slice(None), slice(16, -16), slice(16, -16))
            predicted = (fetched[inside].float() - vectors.frame[inside].float()).abs().mean()
            still = (before[inside].float() - vectors.frame[inside].float()).abs().mean()
            assert predicted < 0.35 * still


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("mpeg4", "mp4"), ("mpeg2video", "mkv"), ("mpeg1video", "mkv"), ("flv", "flv"), ("wmv2", "avi"),
     ("msmpeg4", "avi")],
)  # fmt: skip
def test_other_codecs(codec, suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    _write(path, codec, {"g": 12})
    with MotionVectorDecoder(path) as decoder:
        assert len(decoder) == 12
        field = decoder[6].dense()
        assert field[0, 16:-16, 16:-16].median() == pytest.approx(-SHIFT[0], abs=0.5)
        assert field[1, 16:-16, 16:-16].median() == pytest.approx(-SHIFT[1], abs=0.5)


def test_dense_fields():
    rows = [[-1, 16, 8, 0, 0, 8, 4, 8, -6, 4], [1, 8, 8, 0, 0, 20, 12, 2, 2, 2], [-1, 16, 16, 0, 0, 24, 16, 5, 0, 1]]
    vectors = MotionVectors(torch.tensor(rows, dtype=torch.int32), "B", 0.0, 0.04, 20, 28)
    expected = torch.full((2, 20, 28), torch.nan)
    expected[:, 0:8, 0:16] = torch.tensor([2.0, -1.5])[:, None, None]
    expected[:, 8:20, 16:28] = torch.tensor([5.0, 0.0])[:, None, None]
    assert torch.equal(vectors.dense(fill=torch.nan).nan_to_num(7e9), expected.nan_to_num(7e9))
    later = torch.zeros(2, 20, 28)
    later[:, 8:16, 16:24] = 1.0
    assert torch.equal(vectors.dense("future"), later)
    assert len(vectors) == 3
    assert repr(vectors) == "MotionVectors(3 vectors, frame_type='B', pts_seconds=0.000000, 28x20)"
    with pytest.raises(ValueError, match="expected 'past' or 'future'"):
        vectors.dense("now")
    with pytest.raises(ValueError, match="expected one of source"):
        vectors.column("angle")
    nothing = MotionVectors(torch.zeros(0, 10, dtype=torch.int32), "I", 0.0, 0.04, 4, 4)
    assert torch.equal(nothing.dense(), torch.zeros(2, 4, 4))


def test_rotation_is_not_applied(videos):
    with MotionVectorDecoder(videos / "nasa_13013_rotated.mp4", with_frames=True) as decoder:
        vectors = decoder[5]
        assert vectors.frame.shape == (3, 270, 480)
        with VideoDecoder(videos / "nasa_13013_rotated.mp4") as video:
            turned = torch.rot90(vectors.frame, video.metadata.rotation // 90, (1, 2))
            assert torch.equal(turned, video[5])


def test_indices_and_copies(moving):
    with MotionVectorDecoder(moving) as decoder:
        index = decoder.index
        again = pickle.loads(pickle.dumps(decoder))
        assert torch.equal(again[7].data, decoder[7].data)
        again.close()
        assert "h264 128x96, 12 frames" in repr(decoder)
    with VideoDecoder(moving, index=index) as video, MotionVectorDecoder(moving, index=video.index) as other:
        assert len(other) == len(video)
    with pytest.raises(DecodeError, match="closed"):
        decoder[0]


def test_what_is_refused(moving, tmp_path, bars):
    path = tmp_path / "a.webm"
    with VideoEncoder(path, fps=25) as encoder:
        encoder.write(bars(3))
    with pytest.raises(DecodeError, match="no motion vectors of vp9"):
        MotionVectorDecoder(path)
    with pytest.raises(LimitError, match="exceeds the limits"):
        MotionVectorDecoder(moving, limits=Limits(max_side=100))
    with MotionVectorDecoder(moving, limits=Limits(max_batch_bytes=4000)) as decoder:
        with pytest.raises(LimitError, match="max_batch_bytes"):
            decoder.get_motion_vectors_in_range(0, 12)
        for call in (lambda: decoder[12], lambda: decoder[-13], lambda: decoder.get_motion_vectors_in_range(3, 13)):
            with pytest.raises(IndexError):
                call()
        with pytest.raises(ValueError, match="step"):
            decoder.get_motion_vectors_in_range(0, 3, 0)
