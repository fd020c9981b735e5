"""The items of a HEIF file: what is stored, where, and how it is to be shown.

Follows ISO/IEC 14496-12 (boxes, item locations) and ISO/IEC 23008-12 (HEIF: properties, derived images). Only files
made of items are read; image sequences in tracks are videos.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from vision_io._errors import DecodeError

__all__ = ["HeifFile", "HeifItem", "parse_heif"]

_MOST_ITEMS = 4096
_MOST_EXTENTS = 4096


@dataclass
class HeifItem:
    """One item.

    Attributes:
        kind: ``b"hvc1"``, ``b"av01"``, ``b"grid"``, ``b"Exif"`` ...
        hidden: Not meant to be shown on its own (a tile).
        extents: Offsets and lengths of its data; in the ``idat`` box when ``inside``.
        inside: See ``extents``.
        properties: ``(type, body)`` in order of application.
        references: Reference type to the items that it refers to.
    """

    kind: bytes = b""
    hidden: bool = False
    extents: list[tuple[int, int]] = field(default_factory=list)
    inside: bool = False
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    references: dict[bytes, list[int]] = field(default_factory=dict)

    def property(self, kind: bytes) -> bytes | None:
        """The body of the first property of a type."""
        return next((body for name, body in self.properties if name == kind), None)


@dataclass
class HeifFile:
    """All items, the primary one's number, and the bytes that they refer to.

    Attributes:
        data: The whole file.
        items: By number.
        primary: Number of the picture to show.
        idat: Where items lie that are not in the file at large.
        decoded: How many coded pictures have been decoded: the reader's count against its bound.
    """

    data: memoryview
    items: dict[int, HeifItem]
    primary: int
    idat: bytes = b""
    decoded: int = 0

    @cached_property
    def alphas(self) -> list[HeifItem]:
        """Items that belong to others as auxiliary pictures."""
        return [item for item in self.items.values() if b"auxl" in item.references]

    def content(self, item: HeifItem) -> bytes:
        """The data of an item.

        Raises:
            DecodeError: It lies outside of the file.
        """
        source = self.idat if item.inside else self.data
        parts = []
        left = len(source)  # extents that overlap again and again would make gigabytes of a small file
        for offset, length in item.extents:
            length = length or len(source) - offset
            if offset < 0 or length < 0 or offset + length > len(source):
                raise DecodeError("an item lies outside of the file")
            left -= length
            if left < 0:
                raise DecodeError("the parts of an item are together larger than the file")
            parts.append(bytes(source[offset : offset + length]))
        return b"".join(parts)


def parse_heif(data: memoryview) -> HeifFile:
    """Read the item structure of a HEIF or AVIF file.

    Raises:
        DecodeError: There is none, or it is damaged.
    """
    try:
        for kind, body in _boxes(data):
            if kind == b"meta":
                return _meta(data, body[4:])
    except (struct.error, IndexError) as error:
        raise DecodeError(f"damaged item structure: {error}") from error
    raise DecodeError("no pictures stored as items; read an image sequence with vision_io.VideoDecoder")


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        size = size or len(data) - at
        if size < head or at + size > len(data):
            raise DecodeError(f"box {kind!r} exceeds what holds it")
        yield kind, data[at + head : at + size]
        at += size


def _meta(data: memoryview, body: memoryview) -> HeifFile:
    parts = dict(_boxes(body))
    items = _infos(parts.get(b"iinf", memoryview(b"")))
    _locations(parts.get(b"iloc", memoryview(b"")), items)
    _references(parts.get(b"iref", memoryview(b"")), items)
    _properties(parts.get(b"iprp", memoryview(b"")), items)
    pitm = parts.get(b"pitm")
    if pitm is None:
        raise DecodeError("no primary picture")
    (primary,) = struct.unpack_from(">I" if pitm[0] else ">H", pitm, 4)
    if primary not in items:
        raise DecodeError("the primary picture is missing")
    return HeifFile(data, items, primary, bytes(parts.get(b"idat", b"")))


def _infos(body: memoryview) -> dict[int, HeifItem]:
    items: dict[int, HeifItem] = {}
    if not len(body):
        return items
    for kind, entry in _boxes(body[6 if body[0] == 0 else 8 :]):
        if kind != b"infe" or entry[0] < 2:
            continue
        number, _, name = struct.unpack_from(">HH4s" if entry[0] == 2 else ">IH4s", entry, 4)
        items[number] = HeifItem(name, hidden=bool(entry[3] & 1))
        if len(items) > _MOST_ITEMS:
            raise DecodeError(f"more than {_MOST_ITEMS} items")
    return items


class _Reader:
    def __init__(self, data: memoryview, at: int) -> None:
        self.data, self.at = data, at

    def number(self, size: int) -> int:
        if self.at + size > len(self.data):
            raise DecodeError("a box is cut off")
        value = int.from_bytes(self.data[self.at : self.at + size], "big")
        self.at += size
        return value


def _locations(body: memoryview, items: dict[int, HeifItem]) -> None:
    if not len(body):
        return
    version, reader = body[0], _Reader(body, 4)
    sizes = reader.number(2)
    offset_size, length_size, base_size, index_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15
    for _ in range(min(reader.number(4 if version == 2 else 2), _MOST_ITEMS)):
        item = items.get(reader.number(4 if version == 2 else 2), HeifItem())
        if version:
            item.inside = reader.number(2) & 15 == 1
        reader.number(2)
        base = reader.number(base_size)
        for _ in range(min(reader.number(2), _MOST_EXTENTS)):
            if version:
                reader.number(index_size)
            offset = reader.number(offset_size)
            item.extents.append((base + offset, reader.number(length_size)))


def _references(body: memoryview, items: dict[int, HeifItem]) -> None:
    if not len(body):
        return
    size = 4 if body[0] else 2
    for kind, entry in _boxes(body[4:]):
        reader = _Reader(entry, 0)
        item = items.get(reader.number(size), HeifItem())
        item.references[kind] = [reader.number(size) for _ in range(min(reader.number(2), _MOST_ITEMS))]


def _properties(body: memoryview, items: dict[int, HeifItem]) -> None:
    parts = dict(_boxes(body))
    known = [(kind, bytes(content)) for kind, content in _boxes(parts.get(b"ipco", memoryview(b"")))]
    table = parts.get(b"ipma")
    if table is None:
        return
    reader = _Reader(table, 4)
    wide = table[3] & 1
    for _ in range(min(reader.number(4), _MOST_ITEMS)):
        item = items.get(reader.number(4 if table[0] else 2), HeifItem())
        for _ in range(reader.number(1)):
            index = reader.number(2 if wide else 1) & (0x7FFF if wide else 0x7F)
            if 0 < index <= len(known):
                item.properties.append(known[index - 1])
