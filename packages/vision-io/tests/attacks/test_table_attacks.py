"""Hostile optical flow, tables and saved indices."""

from __future__ import annotations

import io

import pytest

from vision_io import DecodeError, LimitError, Limits, VideoDecoder, VideoIndex, optical_flow
from vision_io.time_series import read_time_series


def test_optical_flow(probe, attacks, tmp_path):
    path = tmp_path / "flow.bin"
    for name, data, expected in attacks("hostile_tables", "flows"):
        path.write_bytes(data)
        probe(name, expected, lambda: optical_flow.read_flow(path))
        for reader in (optical_flow.read_flo, optical_flow.read_pfm, optical_flow.read_kitti_flow):
            own = name.startswith(reader.__name__.split("_")[1])
            probe(f"{name}, {reader.__name__}", expected if own else "damaged", lambda reader=reader: reader(path))
            probe(
                f"{name}, bytes",
                "limit" if data else "any",
                lambda reader=reader: reader(path, limits=Limits(max_bytes=0)),
            )
    probe.verdict()


def test_limits_reach_all_flow_readers(attacks, tmp_path):
    files = {name: data for name, data, _ in attacks("hostile_tables", "flows")}
    path = tmp_path / "flow.bin"
    for name in ("flo-tiny", "kitti-tiny"):
        path.write_bytes(files[name])
        optical_flow.read_flow(path)
        with pytest.raises(LimitError, match="max_pixels=3"):
            optical_flow.read_flow(path, limits=Limits(max_pixels=3))


def test_tables(probe, attacks, tmp_path):
    path = tmp_path / "imu.csv"
    for name, data, expected in attacks("hostile_tables", "tables"):
        path.write_bytes(data)
        probe(name, expected, lambda: read_time_series(path))
        probe(f"{name}, no header", "any", lambda: read_time_series(path, header=False, columns=[-1]))
        probe(f"{name}, bytes", "limit" if data else "any", lambda: read_time_series(path, limits=Limits(max_bytes=0)))
    probe.verdict()


def test_a_table_of_times_only(tmp_path):
    path = tmp_path / "times.csv"
    path.write_bytes(b"2\n")
    series = read_time_series(path, header=False)
    assert series.at([0.0, 5.0]).shape == (2, 0)


def test_saved_indices(probe, attacks, tmp_path):
    path = tmp_path / "clip.index"
    for name, data, expected in attacks("hostile_tables", "indices"):
        path.write_bytes(data)
        probe(name, expected, lambda: VideoIndex.load(path))
        probe(f"{name}, file", expected, lambda data=data: VideoIndex.load(io.BytesIO(data)))
        probe(
            f"{name}, limits", "any", lambda data=data: VideoIndex.load(io.BytesIO(data), limits=Limits(max_frames=3))
        )
    probe.verdict()


@pytest.mark.extra_video
def test_an_index_of_another_file(probe, attacks, moving_bars):
    """Whatever an index says, decoding with it ends: with frames of that video or an error."""
    pytest.importorskip("av")
    for name, data, _ in attacks("hostile_tables", "indices"):
        try:
            index = VideoIndex.load(io.BytesIO(data))
        except DecodeError:
            continue
        index = VideoIndex(index.stream_index, None, index.frames, index.records)

        def decode(index=index):
            with VideoDecoder(moving_bars, index=index) as decoder:
                return decoder.get_frames_at(range(len(decoder))).data

        probe(name, "any", decode)
    probe.verdict()


def test_members_larger_than_the_limit(attacks):
    bombs = [data for name, data, _ in attacks("hostile_tables", "indices") if "bomb" in name]
    assert len(bombs) == 3
    for data in bombs:
        with pytest.raises(LimitError, match="max_frames"):
            VideoIndex.load(io.BytesIO(data), limits=Limits(max_frames=10_000))
