"""Video, sound and HEIF files that lie about their sizes, counts and times, point at themselves, or end too early.

Boxes follow ISO/IEC 14496-12 and 23008-12, the rest RIFF, FLAC and Matroska. ``attacks()`` yields videos and sound,
``pictures()`` HEIF files; both as :mod:`hostile_images` does.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

LIMIT, DAMAGED, ANY, FINE = "limit", "damaged", "any", "fine"


class Attack(NamedTuple):
    name: str
    data: bytes
    expected: str


def box(kind: bytes, *parts: bytes, size: int | None = None) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body) if size is None else size, kind) + body


def full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


# A JPEG of 16x16 gray pixels: what each frame of the videos here holds.
PICTURE = bytes.fromhex(
    "ffd8ffdb004300" + "01" * 64 + "ffc0000b080010001001011100"
    "ffc40014000100000000000000000000000000000000ffc40014100100000000000000000000000000000000"
    "ffda0008010100003f000000ffd9"
)
FRAMES = 4
MATRIX = words(1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)


def mp4(
    *,
    width: int = 16,
    height: int = 16,
    picture: bytes = PICTURE,
    timescale: int = 25,
    duration: int = FRAMES,
    stts: bytes | None = None,
    stsz: bytes | None = None,
    stsc: bytes | None = None,
    stco: bytes | None = None,
    ctts: bytes = b"",
    edits: bytes = b"",
    tracks: int = 1,
    deep: int = 0,
    codec: bytes = b"jpeg",
    more: bytes = b"",
) -> bytes:
    """A QuickTime file of four pictures; any table can be replaced."""
    entry = bytes(6) + b"\0\1" + bytes(16) + struct.pack(">HH", width & 0xFFFF, height & 0xFFFF)
    entry += words(72 << 16, 72 << 16, 0) + b"\0\1" + bytes(32) + b"\0\x18\xff\xff"
    start = box(b"ftyp", b"qt  ", words(512), b"qt  ")
    media = box(b"mdat", picture * FRAMES)
    first = len(start) + 8
    table = (
        full(b"stsd", 0, 0, words(1), box(codec, entry)),
        full(b"stts", 0, 0, words(1, FRAMES, 1) if stts is None else stts),
        ctts,
        full(b"stsc", 0, 0, words(1, 1, FRAMES, 1) if stsc is None else stsc),
        full(b"stsz", 0, 0, words(len(picture), FRAMES) if stsz is None else stsz),
        full(b"stco", 0, 0, words(1, first) if stco is None else stco),
    )
    nested = box(b"stbl", *table)
    for _ in range(deep):
        nested = box(b"udta", nested)
    handler = full(b"hdlr", 0, 0, b"mhlrvide", bytes(13))
    media_header = full(b"mdhd", 0, 0, words(0, 0, timescale, duration, 0))
    data = box(b"dinf", full(b"dref", 0, 0, words(1), full(b"url ", 0, 1)))
    inner = box(b"minf", full(b"vmhd", 0, 1, bytes(8)), data, nested)
    track_header = full(
        b"tkhd",
        0,
        3,
        words(0, 0, 1, 0, duration, 0, 0, 0, 0),
        MATRIX,
        words(width << 16 & 0xFFFFFFFF, height << 16 & 0xFFFFFFFF),
    )
    track = box(b"trak", track_header, edits, box(b"mdia", media_header, handler, inner))
    movie = full(b"mvhd", 0, 0, words(0, 0, timescale, duration, 1 << 16, 0, 0, 0), MATRIX, bytes(24), words(2))
    return start + media + box(b"moov", movie, track * tracks, more)


def mp4s() -> Iterator[Attack]:
    good = mp4()
    yield Attack("mp4-tiny", good, FINE)
    for cut in range(4, len(good), 24):
        yield Attack(f"mp4-cut-{cut}", good[:cut], DAMAGED)
    yield Attack("mp4-says-65535x65535", mp4(width=65535, height=65535), ANY)
    huge = PICTURE.replace(b"\0\x10\0\x10", b"\xff\xff\xff\xff")
    yield Attack("mp4-pictures-say-65535x65535", mp4(picture=huge), DAMAGED)
    odd = PICTURE.replace(b"\0\x10\0\x10", b"\x20\0\x20\0")
    yield Attack("mp4-pictures-say-8192x8192", mp4(picture=odd), ANY)
    for count in (0x7FFFFFFF, 0xFFFFFFFF, 1 << 27, 1 << 24):
        yield Attack(f"mp4-stts-{count:x}", mp4(stts=words(1, count, 1)), ANY)
        yield Attack(f"mp4-stts-entries-{count:x}", mp4(stts=words(count, FRAMES, 1)), ANY)
        yield Attack(f"mp4-stsz-{count:x}", mp4(stsz=words(1, count)), ANY)
        yield Attack(
            f"mp4-stsz-{count:x}-and-stsc",
            mp4(stsz=words(1, count), stsc=words(1, 1, count, 1), stts=words(1, count, 1)),
            ANY,
        )
        yield Attack(f"mp4-stsz-entries-{count:x}", mp4(stsz=words(0, count, 8, 8)), ANY)
        yield Attack(f"mp4-stsc-{count:x}", mp4(stsc=words(1, 1, count, 1)), ANY)
        yield Attack(f"mp4-stco-entries-{count:x}", mp4(stco=words(count, 36)), ANY)
        yield Attack(f"mp4-ctts-{count:x}", mp4(ctts=full(b"ctts", 0, 0, words(1, count, 7))), ANY)
        yield Attack(f"mp4-ctts-entries-{count:x}", mp4(ctts=full(b"ctts", 0, 0, words(count, 1, 7))), ANY)
    yield Attack("mp4-every-time-the-same", mp4(stts=words(1, FRAMES, 0)), ANY)
    yield Attack("mp4-steps-of-2-billion", mp4(stts=words(1, FRAMES, 0x7FFFFFFF), timescale=1), LIMIT)
    yield Attack("mp4-timescale-0", mp4(timescale=0), ANY)
    yield Attack("mp4-timescale-4-billion", mp4(timescale=0xFFFFFFFF), ANY)
    yield Attack("mp4-duration-4-billion", mp4(duration=0xFFFFFFFF, timescale=1), ANY)
    yield Attack("mp4-300-tracks", mp4(tracks=300), LIMIT)
    yield Attack("mp4-5000-tracks", mp4(tracks=5000), ANY)
    yield Attack("mp4-nested-20", mp4(deep=20), ANY)
    yield Attack("mp4-nested-20000", mp4(deep=20000), ANY)
    yield Attack("mp4-data-in-the-index", mp4(stco=words(1, len(good) - 300)), ANY)
    yield Attack("mp4-data-at-itself", mp4(stco=words(4, 0, 0, 0, 0)), ANY)
    yield Attack("mp4-data-behind-the-end", mp4(stco=words(1, 0x7FFFFFFF)), DAMAGED)
    for number in (1, 500, 4000):
        edit = full(b"elst", 0, 0, words(number), words(FRAMES, 0, 1 << 16) * number)
        yield Attack(f"mp4-{number}-edits", mp4(edits=box(b"edts", edit)), ANY if number > 1 else FINE)
    yield Attack(
        "mp4-edits-said-only", mp4(edits=box(b"edts", full(b"elst", 0, 0, words(0x7FFFFFFF, 1, 0, 1 << 16)))), ANY
    )
    for size in (0, 1, 4, 7, 0x7FFFFFFF, 0xFFFFFFFF):
        broken = good.replace(b"moov", b"MOOV", 1)
        at = good.index(b"moov") - 4
        yield Attack(f"mp4-moov-of-{size:x}", good[:at] + struct.pack(">I", size) + good[at + 4 :], ANY)
    yield Attack("mp4-no-moov", broken, DAMAGED)
    empty = box(
        b"moof",
        full(b"mfhd", 0, 0, words(1)),
        box(b"traf", full(b"tfhd", 0, 0, words(1)), full(b"trun", 0, 0, words(0xFFFFFF))),
    )
    yield Attack("mp4-fragment-of-16-million-empty-frames", good + empty, ANY)
    mvex = box(b"mvex", full(b"trex", 0, 0, words(2, 1, 1, 1, 0)))
    fragmented = mp4(more=mvex)
    for count in (1 << 24, 0xFFFFFFFF):
        run = box(b"traf", full(b"tfhd", 0, 0x20000, words(2)), full(b"trun", 0, 0, words(count)))
        fragment = box(b"moof", full(b"mfhd", 0, 0, words(1)), run)
        yield Attack(f"mp4-fragment-of-{count:x}-frames", fragmented + fragment, DAMAGED)
    much = mp4(stsz=words(1, 60000), stts=words(1, 60000, 1), stsc=words(1, 1, 60000, 1), edits=box(b"edts", edit))
    yield Attack("mp4-4000-edits-of-60000-frames", much + bytes(60000), LIMIT)
    yield Attack("mp4-16-bit-raw", mp4(codec=b"raw "), ANY)
    for codec in (b"avc1", b"hvc1", b"vp09", b"av01", b"ap4h", b"mp4v", b"png ", b"tiff", b"xxxx"):
        yield Attack(f"mp4-{codec.decode().strip()}-without-setup", mp4(codec=codec), ANY)


def wav(
    rate: int = 8000,
    channels: int = 1,
    bits: int = 16,
    *,
    size: int | None = None,
    kind: int = 1,
    data: bytes = bytes(64),
    align: int | None = None,
) -> bytes:
    align = channels * bits // 8 if align is None else align
    facts = struct.pack("<HHIIHH", kind, channels & 0xFFFF, rate, rate * align & 0xFFFFFFFF, align & 0xFFFF, bits)
    body = (
        b"WAVEfmt "
        + struct.pack("<I", len(facts))
        + facts
        + b"data"
        + struct.pack("<I", len(data) if size is None else size)
        + data
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def sounds() -> Iterator[Attack]:
    good = wav()
    yield Attack("wav-tiny", good, FINE)
    for cut in range(8, 60, 6):
        yield Attack(f"wav-cut-{cut}", good[:cut], ANY)
    for size in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF):
        yield Attack(f"wav-size-{size:x}", wav(size=size), ANY)
    for rate in (0, 1, 33554433, 0x7FFFFFFF, 0xFFFFFFFF):
        yield Attack(f"wav-rate-{rate:x}", wav(rate), ANY)
    for channels in (0, 65, 1024, 65535):
        yield Attack(f"wav-{channels}-channels", wav(channels=channels), ANY)
    for bits in (0, 1, 7, 12, 128, 65535):
        yield Attack(f"wav-{bits}-bits", wav(bits=bits), ANY)
    for kind in (0, 2, 3, 6, 7, 17, 49, 80, 85, 0x161, 0xFFFE, 0xFFFF):
        yield Attack(f"wav-codec-{kind:x}", wav(kind=kind), ANY)
    yield Attack("wav-align-0", wav(align=0), ANY)
    yield Attack("wav-align-65535", wav(align=65535), ANY)
    yield Attack("wav-two-weeks", wav(1, 1, 8, size=0x7FFFFFF0, align=1), ANY)
    for samples in (0, 1 << 35, (1 << 36) - 1):
        for rate in (1, 44100, 655350):
            stream = (
                struct.pack(">HH", 4096, 4096)
                + bytes(6)
                + ((rate << 44) | (7 << 41) | (15 << 36) | samples).to_bytes(8, "big")
            )
            flac = b"fLaC\x80\0\0\x22" + stream + bytes(16) + b"\xff\xf8\xc9\x08\0\0\0\0" * 4
            yield Attack(f"flac-{rate}-{samples:x}", flac, ANY)
    yield Attack("flac-picture-of-16-MiB", b"fLaC\0\0\0\x22" + bytes(34) + b"\x86\xff\xff\xff" + bytes(32), ANY)
    yield Attack("mp3-tag-of-256-MiB", b"ID3\4\0\0\x7f\x7f\x7f\x7f" + bytes(64), ANY)
    yield Attack("ogg-page", b"OggS\0\2" + bytes(20) + b"\xff" * 256, ANY)
    yield Attack("au-size", b".snd" + words(24, 0xFFFFFFFF, 3, 0xFFFFFFFF, 0xFFFFFFFF) + bytes(64), ANY)
    yield Attack(
        "aiff-size",
        b"FORM"
        + words(0x7FFFFFFF)
        + b"AIFFCOMM"
        + words(18)
        + b"\xff\xff"
        + words(0xFFFFFFFF)
        + b"\xff\xff"
        + bytes(64),
        ANY,
    )


def ebml(kind: str, *parts: bytes, size: int | None = None) -> bytes:
    body = b"".join(parts)
    length = len(body) if size is None else size
    return bytes.fromhex(kind) + (0x01 << 56 | length).to_bytes(8, "big") + body


def others() -> Iterator[Attack]:
    start = ebml("1a45dfa3", ebml("4282", b"matroska"))
    video = ebml("e0", ebml("b0", b"\xff\xff"), ebml("ba", b"\xff\xff"))
    track = ebml("ae", ebml("d7", b"\1"), ebml("83", b"\1"), ebml("86", b"V_MJPEG"), video)
    cluster = ebml("1f43b675", ebml("e7", b"\0"), ebml("a3", b"\x81\0\0\x80" + PICTURE))
    yield Attack("mkv-says-65535x65535", start + ebml("18538067", ebml("1654ae6b", track), cluster), ANY)
    small = track.replace(b"\xff\xff", b"\0\x10")
    yield Attack("mkv-tiny", start + ebml("18538067", ebml("1654ae6b", small), cluster), FINE)
    yield Attack("mkv-4000-tracks", start + ebml("18538067", ebml("1654ae6b", small * 4000), cluster), ANY)
    yield Attack(
        "mkv-sizes-of-2-to-the-56",
        start + ebml("18538067", ebml("1654ae6b", small, size=(1 << 55)), size=(1 << 55)),
        ANY,
    )
    nested = b""
    for _ in range(3000):
        nested = ebml("b6", nested)
    yield Attack(
        "mkv-chapters-in-chapters",
        start + ebml("18538067", ebml("1043a770", ebml("45b9", nested)), ebml("1654ae6b", small), cluster),
        ANY,
    )
    far = ebml("1f43b675", ebml("e7", b"\x7f" + b"\xff" * 7), ebml("a3", b"\x81\0\0\x80" + PICTURE))
    yield Attack("mkv-times-far-apart", start + ebml("18538067", ebml("1654ae6b", small), cluster, far), ANY)
    header = struct.pack("<14I", 40000, 0, 0, 16, 0x7FFFFFFF, 0, 1, 0, 65535, 65535, 0, 0, 0, 0)
    stream = b"vidsMJPG" + struct.pack("<12I", 0, 0, 0, 1, 25, 0, 0x7FFFFFFF, 0, 0, 0, 0, 0)
    shape = struct.pack("<IiiHH6I", 40, 65535, 65535, 1, 24, 0x47504A4D, 0, 0, 0, 0, 0)

    def chunk(kind: bytes, body: bytes, size: int | None = None) -> bytes:
        return kind + struct.pack("<I", len(body) if size is None else size) + body + b"\0" * (len(body) % 2)

    lists = chunk(
        b"LIST",
        b"hdrl" + chunk(b"avih", header) + chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", shape)),
    )
    movie = chunk(b"LIST", b"movi" + chunk(b"00dc", PICTURE) * 3)
    index = chunk(b"idx1", (b"00dc" + struct.pack("<III", 16, 4, 0x7FFFFFFF)) * 50)
    body = b"AVI " + lists + movie + index
    yield Attack("avi-says-65535x65535", b"RIFF" + struct.pack("<I", len(body)) + body, ANY)
    small_body = body.replace(struct.pack("<ii", 65535, 65535), struct.pack("<ii", 16, 16))
    yield Attack("avi-tiny", b"RIFF" + struct.pack("<I", len(body)) + small_body, ANY)
    for cut in range(20, len(body), 40):
        yield Attack(f"avi-cut-{cut}", (b"RIFF" + struct.pack("<I", len(body)) + small_body)[:cut], ANY)
    yield Attack("empty", b"", DAMAGED)
    yield Attack("text", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", DAMAGED)
    yield Attack("concat", b"ffconcat version 1.0\nfile /etc/passwd\n", DAMAGED)
    yield Attack(
        "playlist", b"<?xml version='1.0'?><MPD><Period><BaseURL>/etc/passwd</BaseURL></Period></MPD>", DAMAGED
    )
    yield Attack("zeros", bytes(100_000), ANY)
    yield Attack("ones", b"\xff" * 100_000, ANY)
    yield Attack("transport-stream", (b"\x47\x40\0\x10" + bytes(184)) * 200, ANY)
    yield Attack(
        "ivf",
        b"DKIF\0\0\x20\0VP80"
        + struct.pack("<HHIII", 65535, 65535, 1, 1, 0xFFFFFFFF)
        + bytes(4)
        + struct.pack("<IQ", 0xFFFFFFFF, 0),
        ANY,
    )
    yield Attack("y4m", b"YUV4MPEG2 W65535 H65535 F1:1\nFRAME\n" + bytes(64), DAMAGED)


def heif(
    *,
    items: list[tuple[int, bytes]] | None = None,
    places: bytes | None = None,
    links: list[tuple[bytes, int, list[int]]] = (),  # type: ignore[assignment]
    size: tuple[int, int] = (16, 16),
    properties: bytes | None = None,
    data: bytes = b"",
    primary: int = 1,
) -> bytes:
    """A HEIC file of items without setup for the codec: what stands in its tables can be chosen."""
    items = items or [(1, b"hvc1")]
    infos = b"".join(full(b"infe", 2, 0, struct.pack(">HH4s", number, 0, kind), b"\0") for number, kind in items)
    start = box(b"ftyp", b"heic", words(0), b"mif1heic")
    if places is None:
        places = struct.pack(">HH", 0x4400, len(items)) + b"".join(
            struct.pack(">HHHII", number, 0, 1, len(start) + 8, len(data)) for number, _ in items
        )
    shown = box(b"ipco", full(b"ispe", 0, 0, words(*size)))
    if properties is None:
        properties = words(len(items)) + b"".join(struct.pack(">HBB", number, 1, 1) for number, _ in items)
    references = b"".join(box(kind, struct.pack(f">HH{len(to)}H", number, len(to), *to)) for kind, number, to in links)
    meta = full(
        b"meta", 0, 0,
        full(b"hdlr", 0, 0, words(0), b"pict", bytes(13)), full(b"pitm", 0, 0, struct.pack(">H", primary)),
        full(b"iinf", 0, 0, struct.pack(">H", len(items)), infos), full(b"iloc", 0, 0, places),
        full(b"iref", 0, 0, references), box(b"iprp", shown, full(b"ipma", 0, 0, properties)),
    )  # fmt: skip
    return start + box(b"mdat", data) + meta


def pictures() -> Iterator[Attack]:
    good = heif(data=bytes(100))
    for cut in range(8, len(good), 12):
        yield Attack(f"heif-cut-{cut}", good[:cut], DAMAGED)
    yield Attack("heif-says-65535x65535", heif(size=(65535, 65535), data=bytes(100)), LIMIT)
    yield Attack("heif-says-4-billion", heif(size=(0xFFFFFFFF, 0xFFFFFFFF), data=bytes(100)), LIMIT)
    yield Attack("heif-0x0", heif(size=(0, 0), data=bytes(100)), DAMAGED)
    grid = b"\0\0\0\1" + struct.pack(">HH", 32, 16)  # one row, two columns
    yield Attack(
        "heif-grid-of-itself",
        heif(items=[(1, b"grid")], links=[(b"dimg", 1, [1, 1])], size=(32, 16), data=grid),
        DAMAGED,
    )
    one = b"\0\0\0\0" + struct.pack(">HH", 16, 16)
    yield Attack("heif-grid-of-one-itself", heif(items=[(1, b"grid")], links=[(b"dimg", 1, [1])], data=one), LIMIT)
    ring = [(1, b"grid"), (2, b"grid")]
    yield Attack(
        "heif-grids-of-each-other", heif(items=ring, links=[(b"dimg", 1, [2]), (b"dimg", 2, [1])], data=one), LIMIT
    )
    tower = [(i, b"grid") for i in range(1, 200)] + [(200, b"hvc1")]
    yield Attack(
        "heif-grids-of-grids", heif(items=tower, links=[(b"dimg", i, [i + 1]) for i in range(1, 200)], data=one), LIMIT
    )
    yield Attack(
        "heif-grid-of-65536",
        heif(items=[(1, b"grid"), (2, b"hvc1")], links=[(b"dimg", 1, [2] * 4000)], data=b"\0\0\xff\xff" + bytes(4)),
        DAMAGED,
    )
    yield Attack("heif-grid-without-tiles", heif(items=[(1, b"grid")], data=grid), DAMAGED)
    yield Attack("heif-grid-too-short", heif(items=[(1, b"grid")], data=b"\0"), DAMAGED)
    large = [(1, b"grid"), (2, b"hvc1")]
    yield Attack(
        "heif-tiles-outside",
        heif(items=large, links=[(b"dimg", 1, [2] * 4)], size=(8000, 8000), data=b"\0\0\1\1" + bytes(4)),
        DAMAGED,
    )
    alpha = heif(items=[(1, b"hvc1"), (2, b"hvc1")], links=[(b"auxl", 2, [2, 1])], data=bytes(50))
    yield Attack("heif-alpha-of-itself", alpha, DAMAGED)
    overlapping = struct.pack(">HH", 0x4400, 1) + struct.pack(">HHH", 1, 0, 4000) + words(0, 0) * 4000
    yield Attack("heif-4000-parts-of-all", heif(places=overlapping, data=bytes(50_000)), DAMAGED)
    outside = struct.pack(">HH", 0x4400, 1) + struct.pack(">HHH", 1, 0, 1) + words(0xFFFFFFFF, 0xFFFFFFFF)
    yield Attack("heif-part-outside", heif(places=outside), DAMAGED)
    cut_off = struct.pack(">HHHHH", 0x4400, 65535, 1, 0, 65535)
    yield Attack("heif-65535-parts-said", heif(places=cut_off), DAMAGED)
    yield Attack("heif-odd-sizes", heif(places=struct.pack(">HH", 0xFFFF, 1) + bytes(64), data=bytes(9)), DAMAGED)
    yield Attack("heif-no-primary", heif(primary=9, data=bytes(9)), DAMAGED)
    yield Attack(
        "heif-4-billion-properties",
        heif(properties=words(0xFFFFFFFF) + struct.pack(">HB", 1, 255) + b"\1" * 255),
        DAMAGED,
    )
    yield Attack("heif-5000-items", heif(items=[(i, b"hvc1") for i in range(1, 5001)]), DAMAGED)
    yield Attack("heif-4000-items", heif(items=[(i, b"hvc1") for i in range(1, 4001)], data=bytes(9)), DAMAGED)
    for kind in (b"av01", b"iovl", b"iden", b"Exif", b"\0\0\0\0"):
        yield Attack(f"heif-{kind.hex()}", heif(items=[(1, kind)], data=bytes(100)), DAMAGED)
    nested = box(b"meta", size=0)
    for _ in range(5000):
        nested = box(b"meta", bytes(4), nested)
    yield Attack("heif-meta-in-meta", good[:24] + nested, DAMAGED)
    for size in (0, 1, 4, 0x7FFFFFFF):
        at = good.index(b"iinf") - 4
        yield Attack(f"heif-box-of-{size:x}", good[:at] + struct.pack(">I", size) + good[at + 4 :], DAMAGED)
    for brand in (b"avif", b"avis"):
        yield Attack(f"{brand.decode()}-of-hevc", good.replace(b"heic", brand), DAMAGED)


def attacks() -> Iterator[Attack]:
    for group in (mp4s, sounds, others):
        yield from group()
