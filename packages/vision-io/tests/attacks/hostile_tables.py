"""Optical flow, tables of text and saved indices that lie about what they hold."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

LIMIT, DAMAGED, ANY, FINE = "limit", "damaged", "any", "fine"


class Attack(NamedTuple):
    name: str
    data: bytes
    expected: str


def flows() -> Iterator[Attack]:
    def flo(width: int, height: int, data: bytes = bytes(32)) -> bytes:
        return b"PIEH" + struct.pack("<ii", width, height) + data

    yield Attack("flo-tiny", flo(2, 2), FINE)
    for cut in range(0, 44, 5):
        yield Attack(f"flo-cut-{cut}", flo(2, 2)[:cut], DAMAGED)
    for side in ((65536, 65536), (0x7FFFFFFF, 0x7FFFFFFF), (0x7FFFFFFF, 1)):
        yield Attack(f"flo-says-{side[0]}x{side[1]}", flo(*side), LIMIT)
    for side in ((0, 0), (-1, -1), (-0x80000000, 2), (10000, 10000)):
        yield Attack(f"flo-{side[0]}x{side[1]}", flo(*side), DAMAGED)
    yield Attack("pfm-tiny", b"PF\n1 1\n-1.0\n" + bytes(12), FINE)
    for start in (
        b"PF\n",
        b"PF\n1 1\n",
        b"Pf\n1 1\n0\n",
        b"PF\n1 1\n-\n",
        b"PF\n1 1\ne\n",
        b"PF\n-1 1\n1\n",
        b"PF 1 1 nan\n",
        b"P6\n1 1\n255\n",
    ):
        yield Attack(f"pfm-{start!r}", start + bytes(12), DAMAGED)
    yield Attack("pfm-scale-of-1e999", b"PF\n1 1\n-1e999\n" + bytes(12), ANY)
    yield Attack("pfm-spaces", b"PF" + b" " * 1_000_000 + b"1 1 1\n" + bytes(12), ANY)
    yield Attack("pfm-says-999999999x999999999", b"PF\n999999999 999999999\n-1\n", LIMIT)
    yield Attack("pfm-digits", b"PF\n" + b"9" * 100_000 + b" 1\n-1\n", DAMAGED)
    head = b"\x89PNG\r\n\x1a\n"

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    def kitti(width: int, height: int, rows: bytes) -> bytes:
        size = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))
        return head + size + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")

    yield Attack("kitti-tiny", kitti(2, 2, bytes(26)), FINE)
    yield Attack("kitti-says-65535x65535", kitti(65535, 65535, bytes(26)), LIMIT)
    yield Attack("kitti-says-9000x9000", kitti(9000, 9000, bytes(26)), DAMAGED)
    for cut in range(8, 60, 7):
        yield Attack(
            f"kitti-cut-{cut}", kitti(2, 2, bytes(26))[:cut], DAMAGED if cut < 50 else ANY
        )  # the pixels may be whole
    yield Attack("kitti-that-is-a-jpeg", b"\xff\xd8\xff" + bytes(21) + b"\x10\2" + bytes(30), DAMAGED)
    yield Attack("empty", b"", DAMAGED)


def tables() -> Iterator[Attack]:
    yield Attack("csv-tiny", b"time,x\n0,1\n1,2\n", FINE)
    yield Attack("csv-one-line-of-30-MB", b"time,x\n" + b"1" * 30_000_000, DAMAGED)
    yield Attack("csv-quote-without-end", b'time,x\n0,"' + b"1\n" * 200_000, DAMAGED)
    yield Attack("csv-field-of-200-KB", b"time,x\n0," + b"1" * 200_000 + b"\n", DAMAGED)
    yield Attack("csv-400000-columns", b",".join(b"%d" % i for i in range(400_000)) + b"\n0\n", DAMAGED)
    yield Attack("csv-zeros", bytes(100_000), ANY)
    yield Attack("csv-not-utf-8", b"time,x\n\xff\xfe,1\n", DAMAGED)
    yield Attack("csv-other-lengths", b"time,x\n0,1,2\n", DAMAGED)
    yield Attack("csv-time-is-nan", b"time,x\nnan,1\n", DAMAGED)
    yield Attack("csv-time-is-inf", b"time,x\n1e999,1\n", DAMAGED)
    yield Attack("csv-no-numbers", b"time,x\nzero,one\n", DAMAGED)
    yield Attack("csv-returns", b"time,x\n" + b"\r" * 100_000, ANY)
    yield Attack("csv-header-only", b"time,x\n", ANY)
    yield Attack("csv-byte-order-mark-only", b"\xef\xbb\xbf", DAMAGED)
    yield Attack("csv-a-picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), DAMAGED)
    yield Attack("csv-empty", b"", DAMAGED)


def _arrays() -> dict[str, np.ndarray]:
    numbers = np.arange(4, dtype=np.int64)
    return {
        "pts": numbers, "durations": np.ones(4, np.int64), "packet": numbers, "start": numbers * 0, "display": numbers,
        "header": np.array([1, 0, 100, 1, 25, 0]), "times": np.stack((numbers, numbers), 1),
        "packets": np.ones((4, 3), np.int64),
    }  # fmt: skip


def _npz(compression: int = zipfile.ZIP_STORED, **members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for key, array in _arrays().items():
            content = io.BytesIO()
            np.save(content, array)
            archive.writestr(f"{key}.npy", members.get(key, content.getvalue()))
    return file.getvalue()


def _npy(header: str, data: bytes = b"", version: bytes = b"\1\0") -> bytes:
    text = header.encode().ljust(118)
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + data


def indices() -> Iterator[Attack]:
    good = _npz()
    yield Attack("index-tiny", good, FINE)
    for cut in range(0, len(good), 97):
        yield Attack(f"index-cut-{cut}", good[:cut], DAMAGED)
    for shape in (
        "(1 << 60,)",
        "(1152921504606846976,)",
        "(-1,)",
        "()",
        "(4, 4)",
        "(9223372036854775807, 9223372036854775807)",
    ):
        header = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}"
        yield Attack(f"index-of-{shape}", _npz(pts=_npy(header)), DAMAGED)
    for kind in ("|O", "<f8", "<U9", "|V16", "<i4", "nonsense"):
        header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': (4,), }}"
        yield Attack(f"index-of-{kind}", _npz(pts=_npy(header, bytes(1000))), DAMAGED)
    for header in (
        "",
        "{",
        "__import__('os')",
        "{'descr': 1}",
        "(" * 100,
        "{'shape': 1, 'descr': 2, 'fortran_order': 3}",
    ):
        yield Attack(f"index-header-{header[:9]}", _npz(pts=_npy(header)), DAMAGED)
    yield Attack("index-version-9", _npz(pts=_npy("{}", version=b"\x09\0")), DAMAGED)
    for kind in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield Attack(f"index-bomb-{kind}", _npz(kind, pts=bytes(3 << 20)), DAMAGED)
    encrypted = bytearray(good)
    encrypted[6] |= 1
    encrypted[good.index(b"PK\1\2") + 8] |= 1
    yield Attack("index-encrypted", bytes(encrypted), DAMAGED)
    unknown = bytearray(good)
    unknown[8] = unknown[good.index(b"PK\1\2") + 10] = 77
    yield Attack("index-unknown-compression", bytes(unknown), DAMAGED)
    for name, key, value in (
        ("backwards", "pts", [3, 2, 1, 0]),
        ("far-apart", "pts", [-(1 << 63), -1, 0, (1 << 63) - 1]),
        ("durations-of-0", "durations", [0] * 4),
        ("packet-99", "packet", [99] * 4),
        ("start-99", "start", [99] * 4),
        ("display-99", "display", [99] * 4),
        ("no-time-base", "header", [1, 0, 100, 0, 0, 0]),
        ("version-2", "header", [2, 0, 100, 1, 25, 0]),
        ("stream-99", "header", [1, 99, 100, 1, 25, 0]),
    ):
        content = io.BytesIO()
        np.save(content, np.array(value, np.int64))
        expected = ANY if name in ("far-apart", "stream-99") else DAMAGED
        yield Attack(f"index-{name}", _npz(**{key: content.getvalue()}), expected)
    yield Attack(
        "index-a-plain-array", _npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1, ), }", bytes(8)), DAMAGED
    )
    yield Attack("index-a-pickle", b"\x80\4\x95\x1a\0\0\0\0\0\0\0\x8c\2os\x8c\6system\x93\x8c\4true\x85R.", DAMAGED)
