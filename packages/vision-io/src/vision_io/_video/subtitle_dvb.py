"""Colours of DVB subtitles (ETSI EN 300 743): which colour table each region of a page uses, and what stands in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["DvbPalettes"]

_SYNC = 0x0F
_PAGE, _REGION, _CLUT, _DISPLAY = 0x10, 0x11, 0x12, 0x14


@dataclass
class _Region:
    size: tuple[int, int]
    depth: int
    clut: int


class DvbPalettes:
    """Follows pages, regions and colour tables; see :class:`vision_io._video.subtitle_palettes.Palettes`."""

    def __init__(self) -> None:
        self._offset = (0, 0)
        self._places: list[tuple[int, int, int]] = []
        self._regions: dict[int, _Region] = {}
        self._tables: dict[int, dict[int, np.ndarray]] = {}  # by number, then by depth

    def feed(self, packet: bytes) -> None:
        """Take the segments of a packet; what is cut off is left out."""
        place = 2 if packet[:1] == b"\x20" else 0  # data identifier and stream number
        while place + 6 <= len(packet) and packet[place] == _SYNC:
            kind, length = packet[place + 1], int.from_bytes(packet[place + 4 : place + 6], "big")
            body = packet[place + 6 : place + 6 + length]
            place += 6 + length
            if kind == _PAGE and len(body) >= 2:
                self._page(body)
            elif kind == _REGION and len(body) >= 10:
                depth = 1 << ((body[6] >> 2) & 7)
                self._regions[body[0]] = _Region((_word(body, 2), _word(body, 4)), depth, body[7])
            elif kind == _CLUT and len(body) >= 2:
                self._define(body)
            elif kind == _DISPLAY and len(body) >= 5:
                windowed = body[0] & 8 and len(body) >= 13
                self._offset = (_word(body, 5), _word(body, 9)) if windowed else (0, 0)

    def _page(self, body: bytes) -> None:
        if (body[1] >> 2) & 3 in (1, 2):  # a point where decoding may begin
            self._regions.clear()
            self._tables.clear()
        entries = range(2, len(body) - 5, 6)
        self._places = [(body[i], _word(body, i + 2), _word(body, i + 4)) for i in entries]

    def _define(self, body: bytes) -> None:
        table = self._tables.setdefault(body[0], {depth: colours.copy() for depth, colours in _DEFAULTS.items()})
        place = 2
        while place + 4 <= len(body):
            index, flags = body[place], body[place + 1]
            whole = flags & 1
            if whole and place + 6 > len(body):
                return
            entry = _full(body[place + 2 : place + 6]) if whole else _reduced(body[place + 2], body[place + 3])
            place += 6 if whole else 4
            for flag, depth in ((0x80, 2), (0x40, 4), (0x20, 8)):
                if flags & flag and index < 1 << depth:
                    table[depth][index] = entry

    def colours(self, left: int, top: int, width: int, height: int) -> np.ndarray:
        """RGBA of each index of the picture at this place, uint8 (256, 4)."""
        x, y = left - self._offset[0], top - self._offset[1]
        for number, column, row in self._places:
            region = self._regions.get(number)
            if region is not None and (column, row) == (x, y) and region.size == (width, height):
                table = self._tables.get(region.clut, _DEFAULTS)
                palette = np.zeros((256, 4), np.uint8)
                chosen = table[region.depth] if region.depth in table else _DEFAULTS[8]
                palette[: len(chosen)] = chosen
                return palette
        return _DEFAULTS[8]


def _word(body: bytes, place: int) -> int:
    return int.from_bytes(body[place : place + 2], "big")


def _full(entry: bytes) -> tuple[int, int, int, int]:
    y, cr, cb, transparency = entry
    return _rgba(y, cr, cb, transparency)


def _reduced(first: int, second: int) -> tuple[int, int, int, int]:
    """Six bits of Y, four of Cr and of Cb, two of transparency."""
    y, cr, cb = first & 0xFC, ((first & 3) << 2 | second >> 6) << 4, (second << 2) & 0xF0
    return _rgba(y, cr, cb, (second << 6) & 0xC0)


def _rgba(y: int, cr: int, cb: int, transparency: int) -> tuple[int, int, int, int]:
    """BT.601 of limited range; a luma of 0 means full transparency."""
    if y == 0:
        return 0, 0, 0, 0
    luma, red, blue = (y - 16) / 219, (cr - 128) / 224, (cb - 128) / 224
    channels = (luma + 1.402 * red, luma - 0.714136 * red - 0.344136 * blue, luma + 1.772 * blue)
    r, g, b = (min(max(round(255 * value), 0), 255) for value in channels)
    return r, g, b, 255 - transparency


def _default_256() -> np.ndarray:
    """Section 10.1: bits 0..2 and 4..6 are two steps of R, G and B; bits 3 and 7 say how strong and how opaque."""
    table = np.zeros((256, 4), np.uint8)
    for i in range(1, 256):
        low, high = [(i >> c) & 1 for c in range(3)], [(i >> (c + 4)) & 1 for c in range(3)]
        if i < 8:
            table[i] = (*(255 * bit for bit in low), 63)
            continue
        base, small, large, alpha = {
            0x00: (0, 85, 170, 255), 0x08: (0, 85, 170, 127), 0x80: (127, 43, 85, 255), 0x88: (0, 43, 85, 255)
        }[i & 0x88]  # fmt: skip
        table[i] = (*(base + small * a + large * b for a, b in zip(low, high, strict=True)), alpha)
    return table


def _default_16() -> np.ndarray:
    table = np.zeros((16, 4), np.uint8)
    for i in range(1, 16):
        table[i] = (*((255 if i < 8 else 127) * ((i >> c) & 1) for c in range(3)), 255)
    return table


_DEFAULTS: dict[int, np.ndarray] = {
    2: np.array([[0, 0, 0, 0], [255, 255, 255, 255], [0, 0, 0, 255], [127, 127, 127, 255]], np.uint8),
    4: _default_16(),
    8: _default_256(),
}
