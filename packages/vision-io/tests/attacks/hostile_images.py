"""Image files that ask for too much, end too early, or contradict themselves, made from the formats' own structures.

``attacks()`` yields each with what a reader must make of it: ``LIMIT`` (refused for what it asks), ``DAMAGED``
(refused), ``ANY`` (refused or decoded, quickly and in little memory), ``FINE`` (decoded).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

LIMIT, DAMAGED, ANY, FINE = "limit", "damaged", "any", "fine"


class Attack(NamedTuple):
    name: str
    data: bytes
    expected: str


def chunk(kind: bytes, body: bytes, *, crc: int | None = None, length: int | None = None) -> bytes:
    check = zlib.crc32(kind + body) if crc is None else crc
    return struct.pack(">I", len(body) if length is None else length) + kind + body + struct.pack(">I", check)


SIGNATURE = b"\x89PNG\r\n\x1a\n"


def header(width: int, height: int, depth: int = 8, colour: int = 2, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def png(width: int, height: int, rows: bytes | None = None, *extra: bytes, **kind: int) -> bytes:
    """A PNG whose rows are zeros unless given; ``extra`` chunks stand before the pixels."""
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind.get("colour", 2)] * kind.get("depth", 8)
    if rows is None:
        rows = bytes((1 + (width * samples + 7) // 8) * height)
    return b"".join(
        (SIGNATURE, header(width, height, **kind), *extra, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    )


def pngs() -> Iterator[Attack]:
    good = png(5, 4)
    for cut in range(0, len(good), 4):
        yield Attack(f"png-cut-{cut}", good[:cut], DAMAGED if cut < 50 else ANY)  # the pixels may be whole
    for side in ((65535, 65535), (0x7FFFFFFF, 0x7FFFFFFF), (0x7FFFFFFF, 1), (1, 0x7FFFFFFF), (1 << 17, 1)):
        yield Attack(f"png-says-{side[0]}x{side[1]}", png(*side, b"\0" * 40), LIMIT)
    yield Attack("png-says-11000x11000", png(11000, 11000, b"\0" * 40), DAMAGED)
    yield Attack("png-16-bits-says-5000x5000", png(5000, 5000, b"\0" * 40, depth=16, colour=6), DAMAGED)
    yield Attack("png-interlaced-says-11000x11000", png(11000, 11000, b"\0" * 40, interlace=1), DAMAGED)
    for width, height in ((0, 1), (1, 0), (0, 0), (1 << 31, 1), (0xFFFFFFFF, 0xFFFFFFFF)):
        yield Attack(f"png-{width}x{height}", png(width, height, b"\0"), DAMAGED)
    for width, height in ((1, 1), (65535, 1), (1, 65535)):
        for interlace in (0, 1):
            passes = _adam7_size(width, height) if interlace else None
            rows = bytes(passes) if passes else None
            yield Attack(f"png-{width}x{height}-{interlace}", png(width, height, rows, interlace=interlace), FINE)
    for width in range(1, 10):
        rows = bytes(_adam7_size(width, 3))
        yield Attack(f"png-interlaced-{width}x3", png(width, 3, rows, interlace=1), FINE)
        yield Attack(f"png-interlaced-{width}x3-short", png(width, 3, rows[:-1], interlace=1), DAMAGED)
    bomb = zlib.compress(bytes(8 << 20), 9)
    yield Attack("png-pixels-are-a-bomb", good.replace(_idat(good), chunk(b"IDAT", bomb)), ANY)
    yield Attack("png-profile-is-a-bomb", png(5, 4, None, chunk(b"iCCP", b"p\0\0" + bomb)), ANY)
    for kind in (b"zTXt", b"iTXt"):
        text = b"key\0\0" + bomb if kind == b"zTXt" else b"key\0\1\0\0\0" + bomb
        yield Attack(f"png-{kind.decode()}-bombs", png(5, 4, None, *[chunk(kind, text)] * 20), ANY)
    yield Attack("png-wrong-checksum", good[:29] + b"\0\0\0\0" + good[33:], DAMAGED)
    yield Attack(
        "png-pixels-wrong-checksum", good.replace(_idat(good), chunk(b"IDAT", zlib.compress(b"\0"), crc=7)), DAMAGED
    )
    yield Attack("png-chunk-of-4-GiB", SIGNATURE + header(5, 4) + chunk(b"IDAT", b"", length=0xFFFFFFFF), DAMAGED)
    yield Attack("png-chunk-of-2-GiB", SIGNATURE + header(5, 4) + chunk(b"tEXt", b"", length=0x7FFFFFF0), DAMAGED)
    yield Attack("png-no-header", SIGNATURE + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b""), DAMAGED)
    yield Attack("png-two-headers", good[:33] + header(9000, 9000) + good[33:], ANY)
    yield Attack("png-filter-9", png(5, 4, b"\x09" + bytes(15) + bytes(48)), DAMAGED)
    yield Attack("png-palette-missing", png(5, 4, colour=3), ANY)
    palette = chunk(b"PLTE", b"\1\2\3")
    yield Attack("png-index-behind-palette", png(5, 4, (b"\0" + b"\xff" * 5) * 4, palette, colour=3), ANY)
    yield Attack("png-tRNS-longer-than-palette", png(5, 4, None, palette, chunk(b"tRNS", bytes(200)), colour=3), ANY)
    yield Attack("png-tRNS-too-short", png(5, 4, None, chunk(b"tRNS", b"\0")), DAMAGED)
    yield Attack("png-palette-of-4-bytes", png(5, 4, None, chunk(b"PLTE", bytes(4)), colour=3), ANY)
    yield Attack(
        "png-empty-pixels", SIGNATURE + header(5, 4) + chunk(b"IDAT", b"") * 3000 + chunk(b"IEND", b""), DAMAGED
    )
    for depth, colour in ((3, 0), (16, 3), (4, 2), (8, 5), (8, 7), (0, 0), (32, 0)):
        broken = SIGNATURE + header(5, 4, depth, colour) + good[33:]
        yield Attack(f"png-depth-{depth}-colour-{colour}", broken, DAMAGED)
    yield Attack("png-exif-of-loops", png(5, 4, None, chunk(b"eXIf", exif_loop())), ANY)
    animated = chunk(b"acTL", struct.pack(">II", 0x7FFFFFFF, 0))
    yield Attack("apng-of-2-billion-frames", png(5, 4, None, animated), ANY)


def _adam7_size(width: int, height: int) -> int:
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    total = 0
    for x, y, dx, dy in passes:
        columns, rows = -(-(width - x) // dx) if width > x else 0, -(-(height - y) // dy) if height > y else 0
        total += rows * (1 + 3 * columns) if rows and columns else 0
    return total


def _idat(data: bytes) -> bytes:
    at = data.index(b"IDAT") - 4
    (length,) = struct.unpack_from(">I", data, at)
    return data[at : at + 12 + length]


def exif_loop() -> bytes:
    """A TIFF directory whose next directory, and whose Exif and GPS directories, are itself."""
    entries = [(0x0112, 3, 1, 6 << 16), (0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0x014A, 4, 1, 8)]
    body = b"".join(struct.pack(">HHII", *entry) for entry in sorted(entries))
    return b"MM\0*" + struct.pack(">IH", 8, len(entries)) + body + struct.pack(">I", 8)


def segment(marker: int, body: bytes, length: int | None = None) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, (len(body) if length is None else length) + 2) + body


def jpeg(width: int, height: int, *, sof: int = 0xC0, scans: int = 1, data: bytes = b"", before: bytes = b"") -> bytes:
    """One gray component, tables of one code; ``scans`` scans of the data."""
    table = segment(0xDB, b"\0" + b"\1" * 64)
    frame = segment(sof, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    codes = b"".join(segment(0xC4, bytes([kind]) + b"\1" + bytes(15) + b"\0") for kind in (0x00, 0x10))
    scan = segment(0xDA, b"\1\1\0\0\x3f\0" if sof != 0xC2 else b"\1\1\0\0\0\0")
    return b"\xff\xd8" + before + table + frame + codes + (scan + data) * scans + b"\xff\xd9"


def jpegs() -> Iterator[Attack]:
    good = jpeg(16, 16, data=bytes(2))
    yield Attack("jpeg-tiny", good, FINE)
    for cut in range(2, len(good) - 2, 5):
        yield Attack(f"jpeg-cut-{cut}", good[:cut], ANY if cut > len(good) - 6 else DAMAGED)
    yield Attack("jpeg-says-65535x65535", jpeg(65535, 65535, data=bytes(4)), LIMIT)
    yield Attack("jpeg-says-5000x5000", jpeg(5000, 5000, data=bytes(4)), ANY)
    yield Attack("jpeg-progressive-5000x5000", jpeg(5000, 5000, sof=0xC2, data=bytes(4)), ANY)
    for width, height in ((0, 4), (4, 0), (0, 0)):
        yield Attack(f"jpeg-{width}x{height}", jpeg(width, height, data=bytes(4)), DAMAGED)
    for width, height in ((1, 1), (65500, 1), (1, 65500)):
        yield Attack(
            f"jpeg-{width}x{height}", jpeg(width, height, data=bytes(-(-width // 8) * -(-height // 8) // 4 + 1)), FINE
        )
    yield Attack("jpeg-65535-scans", jpeg(64, 64, sof=0xC2, scans=65535, data=b"\0"), DAMAGED)
    yield Attack("jpeg-250-scans-of-3000x3000", jpeg(3000, 3000, sof=0xC2, scans=250, data=b"\0"), ANY)
    yield Attack(
        "jpeg-restarts-only", jpeg(64, 64, data=bytes(b for i in range(65535) for b in (0xFF, 0xD0 + i % 8))), ANY
    )
    restart = segment(0xDD, b"\0\1")
    yield Attack("jpeg-restart-each-block", jpeg(2048, 2048, data=b"\xff\xd0" * 100, before=restart), ANY)
    yield Attack(
        "jpeg-huge-exif", jpeg(16, 16, data=bytes(2), before=segment(0xE1, b"Exif\0\0" + bytes(65000)) * 30), FINE
    )
    yield Attack(
        "jpeg-exif-of-loops", jpeg(16, 16, data=bytes(2), before=segment(0xE1, b"Exif\0\0" + exif_loop())), FINE
    )
    far = b"MM\0*\xff\xff\xff\xf0" + bytes(8)
    yield Attack("jpeg-exif-far-away", jpeg(16, 16, data=bytes(2), before=segment(0xE1, b"Exif\0\0" + far)), FINE)
    many = b"MM\0*\0\0\0\x08\xff\xff" + bytes(40)
    yield Attack("jpeg-exif-65535-entries", jpeg(16, 16, data=bytes(2), before=segment(0xE1, b"Exif\0\0" + many)), FINE)
    yield Attack("jpeg-segment-past-the-end", b"\xff\xd8" + segment(0xE0, b"JFIF\0", length=65000), DAMAGED)
    yield Attack("jpeg-fill-bytes", b"\xff\xd8" + b"\xff" * 100_000 + good[2:], ANY)
    profile = segment(0xE2, b"ICC_PROFILE\0\1\xff" + bytes(1000)) * 255
    yield Attack("jpeg-profile-pieces", jpeg(16, 16, data=bytes(2), before=profile), ANY)
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x09")
    yield Attack("jpeg-adobe-transform-9", jpeg(16, 16, data=bytes(2), before=adobe), ANY)
    bad_codes = segment(0xC4, b"\0" + b"\xff" * 16 + bytes(255))
    yield Attack("jpeg-too-many-codes", jpeg(16, 16, data=bytes(2), before=bad_codes), DAMAGED)
    for sof in (0xC1, 0xC3, 0xC5, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCF):
        yield Attack(f"jpeg-sof-{sof:x}", jpeg(16, 16, sof=sof, data=bytes(4)), ANY)
    for parts in (0, 2, 5, 10, 255):
        frame = segment(0xC0, struct.pack(">BHHB", 8, 16, 16, parts) + b"\1\x11\0" * parts)
        yield Attack(f"jpeg-{parts}-components", b"\xff\xd8" + frame + good[2:], DAMAGED)
    for factors in (0x00, 0x51, 0x15, 0xFF):
        yield Attack(f"jpeg-sampling-{factors:02x}", good.replace(b"\1\x11\0", bytes([1, factors, 0])), ANY)
    yield Attack("jpeg-12-bits", good.replace(struct.pack(">BHH", 8, 16, 16), struct.pack(">BHH", 12, 16, 16)), ANY)
    thumbnail = segment(0xE1, b"Exif\0\0" + b"MM\0*\0\0\0\x08\0\0\0\0\0\0" + good)
    yield Attack("jpeg-in-jpeg", jpeg(16, 16, data=bytes(2), before=thumbnail), FINE)
    mpo = segment(
        0xE2,
        b"MPF\0MM\0*\0\0\0\x08\0\2"
        + struct.pack(">HHII", 0xB001, 4, 1, 1 << 30)
        + struct.pack(">HHII", 0xB002, 7, 16, 8)
        + bytes(4),
    )
    yield Attack("jpeg-mpo-of-a-billion-pictures", jpeg(16, 16, data=bytes(2), before=mpo), FINE)


def gif(
    width: int,
    height: int,
    frames: int = 1,
    *,
    frame: tuple[int, int, int, int] | None = None,
    codes: bytes = b"\x84\x51\0",
) -> bytes:
    left, top, columns, rows = frame or (0, 0, width, height)
    picture = (
        b"!\xf9\4\0\1\0\0\0,"
        + struct.pack("<HHHHB", left, top, columns, rows, 0)
        + b"\2"
        + bytes([len(codes)])
        + codes
        + b"\0"
    )
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x81, 0, 0) + bytes(12) + picture * frames + b";"


def gifs() -> Iterator[Attack]:
    good = gif(2, 2)
    yield Attack("gif-tiny", good, ANY)
    for cut in range(3, len(good), 4):
        yield Attack(f"gif-cut-{cut}", good[:cut], ANY if cut > 13 else DAMAGED)
    yield Attack("gif-says-65535x65535", gif(65535, 65535), LIMIT)
    yield Attack("gif-frame-outside", gif(2, 2, frame=(65000, 65000, 65000, 65000)), ANY)
    yield Attack("gif-0x0", gif(0, 0), ANY)
    yield Attack("gif-1000-frames-of-8192x8192", gif(8192, 8192, 1000, frame=(0, 0, 2, 2)), LIMIT)
    yield Attack("gif-3000-tiny-frames", gif(2, 2, 3000), ANY)
    yield Attack("gif-lzw-without-end", gif(200, 200, codes=b"\xff" * 250), ANY)
    yield Attack("gif-comment-without-end", good[:-1] + b"!\xfe" + b"\xff" + b"x" * 255, ANY)
    yield Attack("gif-no-frames", gif(2, 2, 0), DAMAGED)


def bmp(
    width: int,
    height: int,
    bits: int = 24,
    *,
    compression: int = 0,
    offset: int = 54,
    colours: int = 0,
    data: bytes = b"",
) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, colours, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(data), 0, 0, offset) + info + data


def bmps() -> Iterator[Attack]:
    good = bmp(2, 2, data=bytes(16))
    yield Attack("bmp-tiny", good, FINE)
    for cut in range(2, len(good), 6):
        yield Attack(f"bmp-cut-{cut}", good[:cut], DAMAGED if cut < 66 else ANY)
    yield Attack("bmp-says-65535x65535", bmp(65535, 65535), LIMIT)
    yield Attack("bmp-says-2-billion", bmp(0x7FFFFFFF, 0x7FFFFFFF), LIMIT)
    yield Attack("bmp-negative", bmp(2, -0x80000000), ANY)
    yield Attack("bmp-negative-width", bmp(-2, 2, data=bytes(16)), ANY)
    yield Attack("bmp-says-10000x10000", bmp(10000, 10000, data=bytes(16)), DAMAGED)
    yield Attack(
        "bmp-run-lengths",
        bmp(4000, 4000, 8, compression=1, offset=54 + 1024, data=bytes(1024) + b"\0\2\xff\xff" * 50),
        ANY,
    )
    yield Attack("bmp-2-billion-colours", bmp(2, 2, 8, colours=0x7FFFFFFF, data=bytes(16)), ANY)
    yield Attack("bmp-offset-far-away", bmp(2, 2, offset=0xFFFFFFFF, data=bytes(16)), DAMAGED)


def tiff(entries: list[tuple[int, int, int, int]], after: int = 0, data: bytes = b"") -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + struct.pack("<I", after) + data


def tiffs() -> Iterator[Attack]:
    def facts(width: int, height: int, **other: int) -> list[tuple[int, int, int, int]]:
        tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: 16}
        tags |= {int(tag[1:]): value for tag, value in other.items()}
        return [(tag, 4, 1, value) for tag, value in tags.items()]

    yield Attack("tiff-tiny", tiff(facts(4, 4)), ANY)
    good = tiff(facts(4, 4))
    for cut in range(4, len(good), 10):
        yield Attack(f"tiff-cut-{cut}", good[:cut], DAMAGED if cut < 80 else ANY)
    yield Attack("tiff-says-65535x65535", tiff(facts(65535, 65535)), LIMIT)
    yield Attack("tiff-says-2-billion", tiff(facts(0x7FFFFFFF, 0x7FFFFFFF)), LIMIT)
    yield Attack("tiff-says-10000x10000", tiff(facts(10000, 10000)), DAMAGED)
    yield Attack("tiff-0x0", tiff(facts(0, 0)), ANY)
    yield Attack("tiff-directory-of-itself", tiff(facts(4, 4), after=8), ANY)
    yield Attack("tiff-65535-samples", tiff(facts(4, 4, t277=65535)), DAMAGED)
    yield Attack(
        "tiff-bits-of-2-billion-values", tiff([*facts(4, 4)[:2], (258, 3, 0x7FFFFFFF, 8), *facts(4, 4)[3:]]), ANY
    )
    for compression in (2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34925, 50000, 50001, 65000):
        for size in (4, 4000):
            entries = facts(size, size, t259=compression)
            yield Attack(f"tiff-compression-{compression}-{size}", tiff(entries, data=bytes(64)), ANY)
    yield Attack("tiff-tiles-of-2-billion", tiff(facts(4, 4, t322=0x7FFFFFF0, t323=0x7FFFFFF0, t324=8, t325=16)), ANY)
    yield Attack("tiff-strips-outside", tiff(facts(4, 4, t273=0x7FFFFFFF)), DAMAGED)


def riff(*parts: tuple[bytes, bytes], size: int | None = None) -> bytes:
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in parts
    )
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def webps() -> Iterator[Attack]:
    def canvas(width: int, height: int, flags: int = 2) -> tuple[bytes, bytes]:
        return b"VP8X", struct.pack("<I", flags) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(
            3, "little"
        )

    def lossless(width: int, height: int) -> tuple[bytes, bytes]:
        return b"VP8L", b"\x2f" + (width - 1 | (height - 1) << 14).to_bytes(4, "little") + b"\x88\x88\x08" + bytes(8)

    tiny = riff(lossless(1, 1))
    yield Attack("webp-tiny", tiny, ANY)
    for cut in range(12, len(tiny), 3):
        yield Attack(f"webp-cut-{cut}", tiny[:cut], DAMAGED)
    yield Attack("webp-16384x16384", riff(lossless(16384, 16384)), ANY)
    yield Attack("webp-canvas-2-to-the-24", riff(canvas(1 << 24, 1 << 24), lossless(1, 1)), ANY)
    loop = (b"ANIM", bytes(6))
    frame = (b"ANMF", bytes(16) + b"VP8L" + struct.pack("<I", 16) + lossless(1, 1)[1])
    yield Attack("webp-3000-frames", riff(canvas(1, 1), loop, *[frame] * 3000), ANY)
    yield Attack("webp-3000-frames-of-16383x16383", riff(canvas(16383, 16383), loop, *[frame] * 3000), LIMIT)
    yield Attack("webp-size-4-GiB", riff(lossless(1, 1), size=0xFFFFFFFE), ANY)
    yield Attack("webp-huge-profile", riff(canvas(1, 1, 0x20), (b"ICCP", bytes(100_000)), lossless(1, 1)), ANY)


def jp2s() -> Iterator[Attack]:
    def siz(width: int, height: int, parts: int = 1, tile: int | None = None) -> bytes:
        body = struct.pack(">HIIIIIIIIH", 0, width, height, 0, 0, tile or width, tile or height, 0, 0, parts)
        return b"\xff\x4f\xff\x51" + struct.pack(">H", 2 + len(body) + 3 * parts) + body + b"\7\1\1" * parts

    rest = (
        b"\xff\x52\0\x0c\0\0\0\1\0\0\4\4\0\1"
        + b"\xff\x5c\0\4\x40\x40"
        + b"\xff\x90\0\x0a\0\0\0\0\0\0\0\1\xff\x93\xff\xd9"
    )
    yield Attack("jp2-tiny", siz(4, 4) + rest, ANY)
    yield Attack("jp2-cut", siz(4, 4)[:30], DAMAGED)
    yield Attack("jp2-says-65535x65535", siz(65535, 65535) + rest, LIMIT)
    yield Attack("jp2-says-4-billion", siz(0xFFFFFFFF, 0xFFFFFFFF) + rest, LIMIT)
    yield Attack("jp2-says-10000x10000", siz(10000, 10000) + rest, ANY)
    yield Attack("jp2-millions-of-tiles", siz(8000, 8000, tile=1) + rest, ANY)
    yield Attack("jp2-16384-components", siz(4, 4, 16384) + rest, ANY)


def misnamed() -> Iterator[Attack]:
    yield Attack("empty", b"", DAMAGED)
    for data in (
        b"\0",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\x89PNG",
        SIGNATURE,
        b"GIF89a",
        b"BM",
        b"RIFF\0\0\0\0WEBP",
        b"II*\0",
        b"MM\0*",
    ):
        yield Attack(f"starts-{data.hex()}", data, DAMAGED)
    yield Attack("text", b"what? this is a text and no picture\n" * 20, DAMAGED)
    yield Attack("zip", b"PK\3\4" + bytes(64), DAMAGED)
    yield Attack("svg", b"<svg xmlns='http://www.w3.org/2000/svg'><!ENTITY a 'aaaa'></svg>", DAMAGED)
    yield Attack("postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", DAMAGED)
    yield Attack("video", b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(40), DAMAGED)


def attacks() -> Iterator[Attack]:
    for group in (pngs, jpegs, gifs, bmps, tiffs, webps, jp2s, misnamed):
        yield from group()
