"""Colours of subtitle pictures, read from their packets: PyAV hands out the indices of a picture alone."""

from __future__ import annotations

import re
import struct
from typing import Any, Protocol

import numpy as np

from vision_io._video.subtitle_dvb import DvbPalettes

__all__ = ["BluRayPalettes", "DvdPalettes", "Palettes", "palettes_for"]

_SIZE = 256
_HD_HEIGHT = 576  # above it Blu-ray titles are BT.709


class Palettes(Protocol):
    """Follows the packets of a stream and knows the colours of the latest picture."""

    def feed(self, packet: bytes) -> None:
        """Take the next packet."""
        ...

    def colours(self, left: int, top: int, width: int, height: int) -> np.ndarray:
        """RGBA of each index of the picture at this place, uint8 (256, 4)."""
        ...


def palettes_for(codec: str, context: Any) -> Palettes | None:
    """The reader of colours for a codec, or ``None`` where there is none."""
    if codec in ("hdmv_pgs_subtitle", "pgssub"):
        return BluRayPalettes()
    if codec in ("dvd_subtitle", "dvdsub"):
        return DvdPalettes(bytes(context.extradata or b""))
    if codec in ("dvb_subtitle", "dvbsub"):
        return DvbPalettes()
    return None


class BluRayPalettes:
    """Presentation graphics of Blu-ray titles: segments of kind, length and body.

    Kind 0x14 defines entries (index, Y, Cr, Cb, alpha) of a palette; kind 0x16 chooses the palette of a picture, and
    where it begins an epoch forgets what was there.
    """

    def __init__(self) -> None:
        self._palettes: dict[int, np.ndarray] = {}
        self._chosen = 0
        self._high = False

    def feed(self, packet: bytes) -> None:
        """Take the segments of a packet; what is cut off is left out."""
        place = 0
        while place + 3 <= len(packet):
            kind, length = packet[place], int.from_bytes(packet[place + 1 : place + 3], "big")
            body = packet[place + 3 : place + 3 + length]
            place += 3 + length
            if kind == 0x16 and len(body) >= 11:
                if body[7] >> 6:
                    self._palettes.clear()
                self._high = int.from_bytes(body[2:4], "big") > _HD_HEIGHT
                self._chosen = body[9]
            elif kind == 0x14 and len(body) >= 2:
                entries = np.frombuffer(body[2 : 2 + (len(body) - 2) // 5 * 5], np.uint8).reshape(-1, 5)
                palette = self._palettes.setdefault(body[0], np.zeros((_SIZE, 4), np.uint8))
                palette[entries[:, 0]] = _rgba(entries[:, 1:], self._high)

    def colours(self, left: int, top: int, width: int, height: int) -> np.ndarray:
        """RGBA of each index, uint8 (256, 4), the same at all places."""
        return self._palettes.get(self._chosen, np.zeros((_SIZE, 4), np.uint8))


def _rgba(entries: np.ndarray, high: bool) -> np.ndarray:
    """(N, 4) of limited-range Y, Cr, Cb and alpha as RGBA, uint8."""
    kr, kb = (0.2126, 0.0722) if high else (0.299, 0.114)
    y = (entries[:, 0].astype(np.float64) - 16) / 219
    cr, cb = ((entries[:, i].astype(np.float64) - 128) / 224 for i in (1, 2))
    red = y + 2 * (1 - kr) * cr
    blue = y + 2 * (1 - kb) * cb
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    colours = np.clip(np.rint(255 * np.stack([red, green, blue], 1)), 0, 255).astype(np.uint8)
    return np.concatenate([colours, entries[:, 3:]], 1)


class DvdPalettes:
    """Sub-picture units of DVDs: four colours of a palette of sixteen, which stands in the codec's extra data.

    Args:
        extradata: Text with a line ``palette: 000000, ffffff, ...``; without it the four colours are levels of gray.
    """

    def __init__(self, extradata: bytes) -> None:
        found = re.search(rb"palette:\s*((?:[0-9a-fA-F]{6}[\s,]*){1,16})", extradata)
        words = re.findall(rb"[0-9a-fA-F]{6}", found[1]) if found else []
        self._sixteen = [tuple(bytes.fromhex(word.decode())) for word in words]
        self._colours = np.zeros((_SIZE, 4), np.uint8)
        self._rest = b""

    def feed(self, packet: bytes) -> None:
        """Take a packet; a unit may come in several."""
        data = self._rest + packet
        if len(data) < 4:
            return
        size, control = struct.unpack(">HH", data[:4])
        if len(data) < size:
            self._rest = data
            return
        self._rest = b""
        chosen, alpha = _dvd_choice(data[:size], control)
        self._colours = np.zeros((_SIZE, 4), np.uint8)
        for index, (entry, opacity) in enumerate(zip(chosen, alpha, strict=True)):
            gray = (255 * index // 3,) * 3
            colour = self._sixteen[entry] if entry < len(self._sixteen) else gray
            self._colours[index] = (*colour, 17 * opacity)

    def colours(self, left: int, top: int, width: int, height: int) -> np.ndarray:
        """RGBA of each index, uint8 (256, 4), the same at all places."""
        return self._colours


_DVD_ARGUMENTS = {0x00: 0, 0x01: 0, 0x02: 0, 0x03: 2, 0x04: 2, 0x05: 6, 0x06: 4}


def _dvd_choice(unit: bytes, control: int) -> tuple[list[int], list[int]]:
    """Entries of the palette and opacity (0..15) of the four colours, as the last command that sets them says."""
    chosen, alpha = [0, 1, 2, 3], [0, 15, 15, 15]
    seen: set[int] = set()
    while 4 <= control <= len(unit) - 4 and control not in seen:
        seen.add(control)
        following = int.from_bytes(unit[control + 2 : control + 4], "big")
        place = control + 4
        while place < len(unit) and unit[place] in _DVD_ARGUMENTS:
            command, arguments = unit[place], unit[place + 1 : place + 1 + _DVD_ARGUMENTS[unit[place]]]
            if command in (0x03, 0x04) and len(arguments) == 2:
                nibbles = [arguments[1] & 15, arguments[1] >> 4, arguments[0] & 15, arguments[0] >> 4]
                if command == 0x03:
                    chosen = nibbles
                else:
                    alpha = nibbles
            place += 1 + _DVD_ARGUMENTS[command]
        control = following
    return chosen, alpha
