"""The frame index from packets and from counting, without any video library."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from vision_io._video.damage import is_reference, judge
from vision_io._video.frame_index import PacketRecord, index_by_count, index_by_packets

BASE = Fraction(1, 1000)


def _packets(*facts):
    """``(pts, is_key)`` or ``(pts, is_key, hidden)`` in decode order, 10 ticks each."""
    return [PacketRecord(f[0], None, 10, f[1], len(f) > 2 and f[2]) for f in facts]


def test_reordered_frames():
    index = index_by_packets(_packets((0, True), (30, False), (10, False), (20, False), (40, True), (50, False)), BASE)
    assert index is not None
    assert index.pts.tolist() == [0, 10, 20, 30, 40, 50]
    assert index.packet.tolist() == [0, 2, 3, 1, 4, 5]
    assert index.display.tolist() == [0, 3, 1, 2, 4, 5]
    assert index.start.tolist() == [0, 0, 0, 0, 4, 4]
    assert index.start_frames().tolist() == [0, 4]
    np.testing.assert_allclose(index.pts_seconds, np.arange(6) / 100)
    np.testing.assert_allclose(index.duration_seconds, np.full(6, 0.01))


def test_open_groups_start_before_their_leading_pictures():
    """Pictures shown before a key packet but stored after it may refer to the group before."""
    index = index_by_packets(_packets((0, True), (10, False), (40, True), (20, False), (30, False), (50, False)), BASE)
    assert index is not None
    assert index.start.tolist() == [0, 0, 0, 0, 2, 2]


def test_hidden_packets_are_decoded_but_not_shown():
    index = index_by_packets(_packets((-20, True, True), (-10, False, True), (0, False), (10, False)), BASE)
    assert index is not None
    assert index.pts.tolist() == [0, 10]
    assert index.packet.tolist() == [2, 3]
    assert index.start.tolist() == [0, 0]
    assert index.display.tolist() == [-1, -1, 0, 1]


def test_variable_rate_durations_reach_to_the_next_frame():
    index = index_by_packets(_packets((0, True), (10, False), (50, False), (60, False)), BASE)
    assert index is not None
    assert index.durations.tolist() == [10, 40, 10, 10]


@pytest.mark.parametrize(
    "packets",
    [
        _packets((0, False), (10, True)),
        _packets((0, True), (None, False)),
        _packets((0, True), (10, False), (10, False)),
        _packets((20, True), (10, False), (30, False)),
        [],
    ],
    ids=["no key at the start", "missing time", "two frames at one time", "shown before the first key", "nothing"],
)
def test_packets_that_cannot_be_trusted(packets):
    assert index_by_packets(packets, BASE) is None


def test_times_guessed_by_the_library_cannot_be_trusted():
    assert index_by_packets(_packets((0, True), (10, False)), BASE, reorder_from_container=False) is None


def test_counted_frames():
    assert index_by_count([(100, 40), (None, 40), (None, 0), (220, 40)], BASE, 40).pts.tolist() == [100, 140, 180, 220]
    assert index_by_count([(1, 1), (4, 1), (3, 1), (5, 1)], BASE, 1).pts.tolist() == [1, 3, 4, 5]
    assert index_by_count([(1, 1), (1, 1), (1, 1)], BASE, 2).pts.tolist() == [1, 3, 5]
    index = index_by_count([(None, 0), (None, 0)], BASE, 40)
    assert index.pts.tolist() == [0, 40]
    assert index.durations.tolist() == [40, 40]
    assert index.counted
    assert index.start_frames().tolist() == [0]


# -- damage ------------------------------------------------------------------------------------------------------------


def test_damage_spoils_what_is_decoded_after_it():
    """Decode order 0 3 1 2 | 6 4 5 7 8: packet 1 (frame 3) breaks, and packet 6 (frame 5), which is no reference."""
    pts = (0, 30, 10, 20, 60, 40, 50, 70, 80)
    index = index_by_packets(_packets(*((t, t in (0, 60)) for t in pts)), BASE)
    assert index is not None
    references = [True, True, False, False, True, True, False, True, True]
    report = judge(index, came=[0, 1, 2, 4, 5, 6, 7, 8], corrupt=[5], keys=[], after=[], references=references)
    assert report.came.tolist() == [True, True, True, False, True, True, True, True, True]
    # 4 and 5 are shown before the second key packet and may refer to the group before, which is broken
    assert report.whole.tolist() == [True, False, False, False, False, False, True, True, True]
    assert [report.stand_in(n) for n in (2, 3, 4)] == [2, 2, 4]


def test_damage_of_counted_streams_lasts_to_the_next_key_frame():
    index = index_by_count([(t, 1) for t in range(8)], BASE, 1)
    report = judge(index, came=range(8), corrupt=[2], keys=[0, 4], after=[6], references=[])
    assert report.whole.tolist() == [True, True, False, False, True, True, False, False]


def test_references_of_h264():
    def unit(reference: int, kind: int) -> bytes:
        return bytes([reference << 5 | kind]) + b"payload"

    with_lengths = b"\x01\x64\x00\x1f\xff"
    for reference in (0, 1, 3):
        units = [unit(0, 9), unit(0, 6), unit(reference, 1), unit(reference, 1)]
        by_length = b"".join(len(u).to_bytes(4, "big") + u for u in units)
        by_start_code = b"".join(b"\0\0\1" + u for u in units)
        assert is_reference(by_length, "h264", with_lengths) == (reference > 0)
        assert is_reference(by_start_code, "h264", b"\0\0\0\1") == (reference > 0)
        assert is_reference(by_start_code, "h264", None) == (reference > 0)
    assert is_reference(b"", "h264", None)
    assert is_reference(b"\xff" * 9, "h264", with_lengths)
    assert is_reference(b"\0\0\1\x01", "hevc", None)
