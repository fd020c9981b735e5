"""Flow files: against bytes that are put together here, and against what was written."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from vision_io import DecodeError, EncodeError, LimitError, Limits
from vision_io import optical_flow as io


def field(height: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(2, height, width, generator=torch.Generator().manual_seed(seed)) * 40


def test_flo_byte_for_byte(tmp_path):
    path = tmp_path / "a.flo"
    values = [float(i) for i in range(12)]  # u, v of 2 rows of 3 pixels
    path.write_bytes(struct.pack("<f2i12f", 202021.25, 3, 2, *values))
    flow = io.read_flo(path)
    assert flow.shape == (2, 2, 3)
    assert flow[0].tolist() == [[0, 2, 4], [6, 8, 10]]
    assert flow[1].tolist() == [[1, 3, 5], [7, 9, 11]]
    again = tmp_path / "b.flo"
    io.write_flo(flow, again)
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3])
def test_pfm_byte_for_byte(channels, order, tmp_path):
    path = tmp_path / "a.pfm"
    numbers = list(range(2 * 3 * channels))
    head = f"{'PF' if channels == 3 else 'Pf'}\n3 2\n{'-' if order == '<' else ''}1.0\n".encode()
    path.write_bytes(head + struct.pack(f"{order}{len(numbers)}f", *numbers))
    stored = np.array(numbers, np.float32).reshape(2, 3, channels)[::-1].transpose(2, 0, 1)  # the last row comes first
    np.testing.assert_array_equal(io.read_pfm(path), stored)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_round_trips(tmp_path, height, width, seed):
    flow = field(height, width, seed)
    io.write_flo(flow, tmp_path / "a")
    read, valid = io.read_flow(tmp_path / "a")
    assert torch.equal(read, flow)
    assert valid is None
    three = torch.cat((flow, flow[:1]))
    io.write_pfm(three, tmp_path / "a")
    assert torch.equal(io.read_pfm(tmp_path / "a"), three)
    assert torch.equal(io.read_flow(tmp_path / "a")[0], flow)
    mask = torch.rand(height, width) < 0.7
    io.write_kitti_flow(flow, tmp_path / "a", mask)
    read, valid = io.read_flow(tmp_path / "a")
    assert valid is not None
    assert torch.equal(valid, mask)
    assert torch.equal(read[:, ~mask], torch.zeros_like(read[:, ~mask]))
    assert (read - flow)[:, mask].abs().max() <= 1 / 128 if mask.any() else True


def test_kitti_is_a_png_that_others_read(tmp_path):
    path = tmp_path / "a.png"
    io.write_kitti_flow(field(5, 7), path)
    with Image.open(path) as picture:
        assert picture.size == (7, 5)
        picture.load()


def test_what_is_no_flow(tmp_path):
    path = tmp_path / "a"
    with pytest.raises(DecodeError, match="cannot be read"):
        io.read_flow(path)
    path.write_bytes(b"something else")
    for read in (io.read_flow, io.read_flo, io.read_pfm, io.read_kitti_flow):
        with pytest.raises(DecodeError, match="expected"):
            read(path)
    io.write_pfm(torch.zeros(1, 3, 3), path)
    with pytest.raises(DecodeError, match="disparity"):
        io.read_flow(path)
    Image.new("RGB", (4, 4)).save(path, "png")
    with pytest.raises(DecodeError, match="16 bits"):
        io.read_flow(path)


def test_files_that_are_cut_or_lie(tmp_path):
    path = tmp_path / "a"
    writers = (io.write_flo, lambda flow, path: io.write_pfm(flow[:1], path), io.write_kitti_flow)
    for write, read in zip(writers, (io.read_flo, io.read_pfm, io.read_kitti_flow), strict=True):
        write(field(20, 30), path)
        whole = path.read_bytes()
        for size in (*range(13), len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:size])
            with pytest.raises(DecodeError):
                read(path)
    path.write_bytes(struct.pack("<f2i", 202021.25, 1 << 30, 1 << 30))
    with pytest.raises(LimitError, match="max_pixels"):
        io.read_flo(path)
    path.write_bytes(struct.pack("<f2i", 202021.25, -5, 3))
    with pytest.raises(DecodeError, match="size is -5x3"):
        io.read_flo(path)
    io.write_flo(field(20, 30), path)
    with pytest.raises(LimitError):
        io.read_flo(path, limits=Limits(max_pixels=599))


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(ValueError, match="FLOW_2HW"):
        io.write_flo(torch.zeros(3, 4, 4), tmp_path / "a")
    with pytest.raises(EncodeError, match=r"\(2, 4, 4\)"):
        io.write_pfm(torch.zeros(2, 4, 4), tmp_path / "a")
    far = torch.full((2, 1, 2), 600.0)
    with pytest.raises(EncodeError, match="-512"):
        io.write_kitti_flow(far, tmp_path / "a")
    io.write_kitti_flow(far, tmp_path / "a", torch.zeros(1, 2, dtype=torch.bool))
    with pytest.raises(EncodeError, match="valid: got shape"):
        io.write_kitti_flow(far, tmp_path / "a", torch.zeros(2, 2, dtype=torch.bool))
