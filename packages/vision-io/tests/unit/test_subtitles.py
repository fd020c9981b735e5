"""Subtitles: text in files of their own and in videos, pictures, times."""

from __future__ import annotations

import io
import math
import pickle
import struct
from fractions import Fraction

import numpy as np
import pytest
import torch

from vision_io import DecodeError, LimitError, Limits, SubtitleDecoder, VideoDecoder
from vision_io._video.subtitle_events import plain_text

pytestmark = pytest.mark.extra_video

av = pytest.importorskip("av")

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Hello</i>, été
second line

2
00:00:03,000 --> 00:00:04,250
Bye, all

3
00:00:04,000 --> 00:01:04,000
{\\an8}at the top
""".encode()

VTT = b"""WEBVTT

00:01.000 --> 00:02.500
Hello

00:03.000 --> 00:04.000
Bye
"""

ASS = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Loud,Arial,40

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:02.50,Loud,Ann,0,0,0,,{\\b1}One, two{\\b0}\\NThree
Dialogue: 0,0:00:01.50,0:00:03.00,Loud,,0,0,0,,{\\p1}m 0 0 l 10 10{\\p0}square
"""


def _times(decoder: SubtitleDecoder) -> list[tuple[float, float]]:
    return [(round(s.start_seconds, 3), round(s.end_seconds, 3)) for s in decoder]


def test_a_file_of_its_own(tmp_path):
    path = tmp_path / "a.srt"
    path.write_bytes(SRT)
    for source in (SRT, path, str(path), io.BytesIO(SRT), bytearray(SRT)):
        decoder = SubtitleDecoder(source)
        assert [s.text for s in decoder] == ["Hello, été\nsecond line", "Bye, all", "at the top"]
        assert _times(decoder) == [(1.0, 2.5), (3.0, 4.25), (4.0, 64.0)]
        assert len(decoder) == 3
    assert decoder[0].markup == r"{\i1}Hello{\i0}, été\Nsecond line"
    assert decoder[0].duration_seconds == pytest.approx(1.5)
    assert repr(decoder[1]) == "Subtitle(3.000..4.250 s, text='Bye, all')"
    assert decoder.metadata.codec in ("subrip", "srt")
    assert decoder.metadata.language is None
    assert "codec: " in str(decoder.metadata)


@pytest.mark.parametrize(("data", "codec"), [(VTT, "webvtt"), (ASS, "ass")])
def test_other_formats(data, codec):
    decoder = SubtitleDecoder(data)
    assert decoder.metadata.codec == codec
    first, second = decoder
    if codec == "webvtt":
        assert (first.text, second.text) == ("Hello", "Bye")
        assert _times(decoder) == [(1.0, 2.5), (3.0, 4.0)]
    else:
        assert (first.text, first.style, first.speaker) == ("One, two\nThree", "Loud", "Ann")
        assert second.text == "square", "drawings are no text"
        assert _times(decoder) == [(1.0, 2.5), (1.5, 3.0)]


def test_by_time():
    decoder = SubtitleDecoder(SRT)
    assert decoder.get_subtitles_played_at(0.5) == []
    assert [s.text for s in decoder.get_subtitles_played_at(4.1)] == ["Bye, all", "at the top"]
    assert decoder.get_subtitles_played_at(2.5) == []
    assert [s.text for s in decoder.get_subtitles_played_in_range(2.4, 3.1)] == [decoder[0].text, "Bye, all"]
    assert decoder.get_subtitles_played_in_range(2.5, 3.0) == []
    assert decoder.get_all_subtitles() == [decoder[i] for i in range(3)]
    with pytest.raises(ValueError, match="start_seconds <= stop_seconds"):
        decoder.get_subtitles_played_in_range(3, 2)


def _mux(*tracks: tuple[bytes, str]) -> bytes:
    """A Matroska file of subtitle tracks: (file, language)."""
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as container:
        inputs = [av.open(io.BytesIO(data)) for data, _ in tracks]
        streams = [container.add_stream_from_template(i.streams.subtitles[0]) for i in inputs]
        for stream, (_, language) in zip(streams, tracks, strict=True):
            stream.metadata["language"] = language
        for opened, stream in zip(inputs, streams, strict=True):
            for packet in opened.demux():
                if packet.size:
                    packet.stream = stream
                    container.mux(packet)
    return out.getvalue()


def test_streams_and_languages():
    data = _mux((SRT, "eng"), (ASS, "deu"))
    decoder = SubtitleDecoder(data)
    assert [(s.stream_index, s.language) for s in decoder.available] == [(0, "eng"), (1, "deu")]
    assert decoder.metadata.container.startswith("matroska")
    assert [s.text for s in decoder] == [s.text for s in SubtitleDecoder(SRT)]
    german = SubtitleDecoder(data, language="deu")
    assert german.metadata.stream_index == 1
    assert [s.speaker for s in german] == ["Ann", ""]
    assert _times(german) == [(1.0, 2.5), (1.5, 3.0)]
    assert SubtitleDecoder(data, stream_index=1)[0].text == german[0].text
    assert repr(german) == f"SubtitleDecoder('<{len(data)} bytes>', stream 1: ass, deu)"
    for choice, message in (({"language": "fra"}, "0: .*eng.*, 1: ass .deu."), ({"stream_index": 7}, "stream_index=7")):
        with pytest.raises(DecodeError, match=message):
            SubtitleDecoder(data, **choice)
    with pytest.raises(ValueError, match="one of them"):
        SubtitleDecoder(data, stream_index=0, language="eng")


def test_a_video_with_mov_text(videos):
    decoder = SubtitleDecoder(videos / "nasa_13013.mp4")
    assert (decoder.metadata.codec, decoder.metadata.language) == ("mov_text", "eng")
    assert [s.stream_index for s in decoder.available] == [2, 5]
    subtitles = decoder.get_all_subtitles()
    assert len(subtitles) == 4
    assert subtitles[2].text == "at NASA’s Goddard Space Flight Center in Greenbelt, Maryland."
    assert (subtitles[0].start_seconds, subtitles[0].end_seconds) == (pytest.approx(0.21), pytest.approx(4.26))
    with VideoDecoder(videos / "nasa_13013.mp4") as video:
        frame = video.get_frame_played_at(5.0)
    assert [s.text for s in decoder.get_subtitles_played_at(frame.pts_seconds)] == [subtitles[1].text]
    again = pickle.loads(pickle.dumps(decoder))
    assert [s.text for s in again] == [s.text for s in subtitles]


# -- pictures ---------------------------------------------------------------------------------------------------------


def _segment(seconds: float, kind: int, body: bytes) -> bytes:
    """A segment of a Blu-ray subtitle file: "PG", times of 90 kHz, kind, length, body."""
    return b"PG" + struct.pack(">IIBH", round(seconds * 90000), 0, kind, len(body)) + body


def _composition(number: int, shown: bool, left: int, top: int) -> bytes:
    body = struct.pack(">HHBHBBBB", 320, 180, 0x10, number, 0x80 if shown else 0, 0, 0, 1 if shown else 0)
    return body + struct.pack(">HBBHH", 0, 0, 0, left, top) if shown else body


def _window(left: int, top: int, width: int, height: int) -> bytes:
    return struct.pack(">BBHHHH", 1, 0, left, top, width, height)


def _object(indices: np.ndarray) -> bytes:
    """Run-length code in its plainest form: every pixel a run of one; index 0 as a coded run of zeros."""
    lines = b"".join(b"".join(bytes([i]) if i else b"\x00\x01" for i in row.tolist()) + b"\x00\x00" for row in indices)
    height, width = indices.shape
    length = len(lines) + 4
    return struct.pack(">HBB", 0, 0, 0xC0) + length.to_bytes(3, "big") + struct.pack(">HH", width, height) + lines


def _palette(entries: dict[int, tuple[int, int, int, int]]) -> bytes:
    """Entries (Y, Cr, Cb, alpha)."""
    return b"\x00\x00" + b"".join(bytes([i, *values]) for i, values in entries.items())


def blu_ray(indices: np.ndarray, left: int, top: int, end: float | None = 3.0) -> bytes:
    height, width = indices.shape
    entries = {1: (235, 128, 128, 255), 2: (16, 128, 128, 128), 3: (81, 240, 90, 255)}  # white, black, red
    data = _segment(1.0, 0x16, _composition(0, True, left, top))
    data += _segment(1.0, 0x17, _window(left, top, width, height))
    data += _segment(1.0, 0x14, _palette(entries)) + _segment(1.0, 0x15, _object(indices)) + _segment(1.0, 0x80, b"")
    if end is not None:
        data += _segment(end, 0x16, _composition(1, False, 0, 0))
        data += _segment(end, 0x17, _window(left, top, width, height)) + _segment(end, 0x80, b"")
    return data


def test_pictures(tmp_path):
    indices = np.random.default_rng(0).integers(0, 4, (10, 24))
    decoder = SubtitleDecoder(blu_ray(indices, 40, 150))
    assert decoder.metadata.codec in ("hdmv_pgs_subtitle", "pgssub")
    (subtitle,) = decoder
    assert (subtitle.start_seconds, subtitle.end_seconds) == (pytest.approx(1.0), pytest.approx(3.0))
    assert subtitle.text == ""
    (image,) = subtitle.images
    assert (image.left, image.top) == (40, 150)
    assert image.data.shape == (4, 10, 24)
    assert image.data.dtype == torch.uint8
    colours = np.array([[0, 0, 0, 0], [255, 255, 255, 255], [0, 0, 0, 128], [255, 0, 0, 255]])
    expected = colours[indices].transpose(2, 0, 1)
    alpha = image.data[3].numpy()
    np.testing.assert_array_equal(alpha, expected[3])
    difference = np.abs(image.data.numpy().astype(int) - expected)[:3, indices > 0]
    assert difference.max() <= 3, "the palette is YCbCr"
    assert "SubtitleImage(data=(4, 10, 24)" in repr(subtitle)
    assert decoder.get_subtitles_played_at(2.0)[0].images[0].data.shape == (4, 10, 24)
    assert decoder.get_subtitles_played_at(3.5) == []


def test_a_picture_that_never_goes():
    (subtitle,) = SubtitleDecoder(blu_ray(np.ones((4, 6), int), 0, 0, end=None))
    assert subtitle.end_seconds == math.inf
    (subtitle,) = SubtitleDecoder(blu_ray(np.ones((4, 6), int), 0, 0, end=2.0))
    assert subtitle.end_seconds == pytest.approx(2.0)


def dvd_unit(indices: np.ndarray, left: int, top: int, colours: tuple[int, ...], alpha: tuple[int, ...]) -> bytes:
    """A sub-picture unit: run-length code of the even rows, of the odd rows, one control sequence."""
    height, width = indices.shape

    def coded(rows: np.ndarray) -> bytes:
        out = b""
        for row in rows.tolist():
            nibbles = [4 | i for i in row]  # runs of one: count 1, two bits of index
            nibbles += [0] * (len(nibbles) % 2)
            out += bytes(a << 4 | b for a, b in zip(nibbles[::2], nibbles[1::2], strict=True))
        return out

    even, odd = coded(indices[::2]), coded(indices[1::2])
    right, bottom = left + width - 1, top + height - 1
    control = 4 + len(even) + len(odd)
    commands = b"\x03" + bytes([colours[3] << 4 | colours[2], colours[1] << 4 | colours[0]])
    commands += b"\x04" + bytes([alpha[3] << 4 | alpha[2], alpha[1] << 4 | alpha[0]])
    commands += b"\x05" + bytes([left >> 4, (left & 15) << 4 | right >> 8, right & 255])
    commands += bytes([top >> 4, (top & 15) << 4 | bottom >> 8, bottom & 255])
    commands += b"\x06" + struct.pack(">HH", 4, 4 + len(even)) + b"\x01\xff"
    sequence = struct.pack(">HH", 0, control) + commands
    return struct.pack(">HH", control + len(sequence), control) + even + odd + sequence


def _events(codec: str, extradata: bytes | None, *packets: tuple[bytes, int, int]) -> list:
    """What a decoder of FFmpeg makes of packets (data, second, duration)."""
    from types import SimpleNamespace

    from vision_io._deadline import Deadline
    from vision_io._video.subtitle_events import events_of

    context = av.CodecContext.create(codec, "r")
    if extradata is not None:
        context.extradata = extradata
    made = []
    for data, seconds, duration in packets:
        packet = av.Packet(data)
        packet.pts, packet.time_base, packet.duration = seconds, Fraction(1), duration
        made.append(packet)
    stream = SimpleNamespace(codec_context=context, index=0)
    container = SimpleNamespace(streams=[stream], demux=lambda _: made)
    return list(events_of(container, stream, Deadline(None, "unit"), Limits()))


def test_pictures_of_dvds():
    indices = np.random.default_rng(0).integers(0, 4, (8, 20))
    indices[:, 0] = indices[:, -1] = 2  # FFmpeg cuts away what is transparent at the edges
    indices[0] = indices[-1] = 3
    sixteen = [(17 * i, 255 - 13 * i, 7 * i) for i in range(16)]
    extradata = ("palette: " + ", ".join(bytes(rgb).hex() for rgb in sixteen) + "\n").encode()
    unit = dvd_unit(indices, 30, 12, (1, 9, 4, 14), (0, 15, 8, 3))
    (event,) = _events("dvdsub", extradata, (unit, 5, 2))
    assert (event.start, event.end) == (5.0, 7.0)
    ((image, left, top),) = event.images
    assert (left, top) == (30, 12)
    colours = [(*sixteen[entry], 17 * alpha) for entry, alpha in zip((1, 9, 4, 14), (0, 15, 8, 3), strict=True)]
    np.testing.assert_array_equal(image, np.array(colours, np.uint8)[indices].transpose(2, 0, 1))


def _dvb_segment(kind: int, body: bytes) -> bytes:
    return b"\x0f" + struct.pack(">BHH", kind, 1, len(body)) + body


def dvb_page(regions: dict[int, tuple[np.ndarray, int, int, int]], tables: dict[int, bytes], version: int = 0) -> bytes:
    """A display set of regions {number: (indices below 16, left, top, table)} at 4 bits a pixel."""
    places = b"".join(struct.pack(">BBHH", n, 0, left, top) for n, (_, left, top, _) in regions.items())
    data = _dvb_segment(0x10, bytes([10, version << 4 | 2 << 2]) + places)
    for number, (indices, _, _, table) in regions.items():
        height, width = indices.shape
        head = struct.pack(">BBHHBBBB", number, 0, width, height, 2 << 2 | 2 << 5, table, 0, 0)
        data += _dvb_segment(0x11, head + struct.pack(">HHH", number, 0, 0))
    data += b"".join(_dvb_segment(0x12, bytes([number, 0]) + body) for number, body in tables.items())
    for number, (indices, _, _, _) in regions.items():
        fields = []
        for rows in (indices[::2], indices[1::2]):
            coded = b""
            for row in rows.tolist():
                nibbles = [*row, 0, 0] + [0] * (len(row) % 2)
                coded += b"\x11" + bytes(a << 4 | b for a, b in zip(nibbles[::2], nibbles[1::2], strict=True)) + b"\xf0"
            fields.append(coded)
        head = struct.pack(">HBHH", number, 0, len(fields[0]), len(fields[1]))
        data += _dvb_segment(0x13, head + fields[0] + fields[1])
    return data + _dvb_segment(0x80, b"")


def test_pictures_of_television():
    chance = np.random.default_rng(0)
    own, usual = chance.integers(1, 16, (6, 20)), chance.integers(1, 16, (8, 10))
    entries = {1: (235, 128, 128, 0), 2: (81, 240, 90, 55), 3: (0, 128, 128, 0)}  # white, red, a luma of 0
    table = b"".join(bytes([i, 0x40 | 1, *values]) for i, values in entries.items())
    table += bytes([4, 0x40, 0xB4 | 0b10, 0b00_1000_01])  # six, four, four and two bits: 180, 128, 128, 64
    shown = dvb_page({3: (own, 100, 300, 7), 5: (usual, 40, 60, 9)}, {7: table})
    events = _events("dvbsub", None, (shown, 4, 0), (dvb_page({}, {}, 1), 6, 0))
    assert [event.start for event in events] == [4.0, 6.0]
    assert [event.holds for event in events] == [True, False]
    images = {(left, top): image.numpy().transpose(1, 2, 0) for image, left, top in events[0].images}
    assert set(images) == {(100, 300), (40, 60)}
    defaults = np.array([(*((255 if i < 8 else 127) * (i >> c & 1) for c in range(3)), 255) for i in range(16)])
    colours = defaults.copy()
    colours[1:5] = [(255, 255, 255, 255), (255, 0, 0, 200), (0, 0, 0, 0), (191, 191, 191, 191)]
    assert np.abs(images[100, 300].astype(int) - colours[own]).max() <= 2
    np.testing.assert_array_equal(images[40, 60], defaults[usual])


# -- errors and bounds ------------------------------------------------------------------------------------------------


def test_what_holds_no_subtitles(moving_bars, tmp_path):
    with pytest.raises(DecodeError, match="no subtitle stream"):
        SubtitleDecoder(moving_bars)
    with pytest.raises(DecodeError, match="no such file"):
        SubtitleDecoder(tmp_path / "none.srt")
    with pytest.raises(DecodeError):
        SubtitleDecoder(b"just some words, no subtitles\n" * 20)
    with pytest.raises(DecodeError, match="pickled"):
        pickle.dumps(SubtitleDecoder(io.BytesIO(SRT)))
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n/etc/passwd\n#EXT-X-ENDLIST\n"
    with pytest.raises(DecodeError):
        SubtitleDecoder(playlist)


def test_limits():
    with pytest.raises(LimitError, match="max_frames=2"):
        list(SubtitleDecoder(SRT, limits=Limits(max_frames=2)))
    with pytest.raises(LimitError, match="max_batch_bytes"):
        len(SubtitleDecoder(SRT, limits=Limits(max_batch_bytes=500)))
    picture = blu_ray(np.ones((20, 30), int), 0, 0)
    with pytest.raises(LimitError, match="exceeds the limits"):
        list(SubtitleDecoder(picture, limits=Limits(max_pixels=599)))


def test_damage_never_crashes():
    chance = np.random.default_rng(1)
    for whole in (blu_ray(chance.integers(0, 4, (10, 24)), 3, 4), _mux((SRT, "eng"), (ASS, "deu")), SRT):
        for _ in range(60):
            data = bytearray(whole)
            for place in chance.integers(0, len(data), 4):
                data[place] = int(chance.integers(0, 256))
            try:
                for subtitle in SubtitleDecoder(bytes(data[: int(chance.integers(1, len(data)))])):
                    assert subtitle.end_seconds >= subtitle.start_seconds
            except DecodeError:
                continue


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        (r"a\Nb\nc\hd", "a\nb\nc\N{NO-BREAK SPACE}d"),
        (r"{\an8\i1}x{\i0}", "x"),
        (r"{\p1}m 0 0{\p0}after", "after"),
        (r"{\p1}m 0 0{\i1} l 9 9", ""),
        ("{unclosed", "{unclosed"),
    ],
)
def test_plain_text(markup, text):
    assert plain_text(markup) == text
