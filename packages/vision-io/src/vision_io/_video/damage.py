"""Which frames of a damaged stream are whole, by what its decoder said of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vision_io._video.frame_index import FrameIndex

__all__ = ["ERROR_POLICIES", "DamageReport", "ErrorPolicy", "is_reference", "judge"]

ErrorPolicy = Literal["raise", "skip", "salvage"]
ERROR_POLICIES = ("raise", "skip", "salvage")


@dataclass(frozen=True)
class DamageReport:
    """The verdict on each frame of a stream.

    Attributes:
        came: The decoder put a picture out for the frame, bool (N).
        whole: It is the picture of the undamaged stream, as far as the decoder can tell, bool (N): neither the frame
            nor one that it may have been predicted from was reported.
    """

    came: np.ndarray
    whole: np.ndarray

    def stand_in(self, frame: int) -> int:
        """The frame that is shown in the place of one that did not come: the last one before it that did, or the next.

        Examples:
            >>> came = np.array([False, True, False, False, True])
            >>> [DamageReport(came, came).stand_in(n) for n in range(5)]
            [1, 1, 1, 1, 4]
        """
        there = np.flatnonzero(self.came)
        return int(there[max(int(np.searchsorted(there, frame, side="right")) - 1, 0)])


def judge(
    index: FrameIndex,
    came: Iterable[int],
    corrupt: Iterable[int],
    keys: Iterable[int],
    after: Iterable[int],
    references: Sequence[bool],
) -> DamageReport:
    """Put a report together.

    A damaged picture spoils what is predicted from it, and no container says what that is: every frame that is decoded
    after it counts as spoiled, up to the next frame from which decoding can start.

    Args:
        index: The frames.
        came: Frames that the decoder put out.
        corrupt: Those of them that it flagged.
        keys: Those of them from which decoding can start, for streams whose frames were counted.
        after: The first frames that came after packets that could not be decoded, for such streams likewise.
        references: Per packet in decode order: others may be predicted from its picture. Empty for counted streams.
    """
    count = len(index)
    there, flagged = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    there[list(came)] = True
    flagged[list(corrupt)] = True
    failed = flagged | ~there
    whole = ~failed
    if index.counted:
        starts, breaks = np.zeros(count, dtype=bool), np.zeros(count + 1, dtype=bool)
        starts[list(keys)] = True
        breaks[list(after)] = True
        spoiled = False
        for frame in range(count):
            spoiled = bool(failed[frame] or breaks[frame]) or (spoiled and not starts[frame])
            whole[frame] &= not spoiled
        return DamageReport(there, whole)
    broken = np.array([p for p in np.sort(index.packet[failed]).tolist() if references[p]], dtype=np.int64)
    # A frame is spoiled when a broken packet lies between its start and itself, in decode order.
    first = np.searchsorted(broken, index.start, side="left")
    last = np.searchsorted(broken, index.packet, side="left")
    return DamageReport(there, whole & (first >= last))


def is_reference(packet: bytes, codec: str, extradata: bytes | None) -> bool:
    """Whether other pictures may be predicted from the one in the packet; true where that cannot be told.

    Told for H.264 by ``nal_ref_idc`` (ITU-T H.264, 7.4.1).

    Args:
        packet: Encoded data.
        codec: FFmpeg's name of the codec.
        extradata: The stream's header; its first byte 1 means that packets hold lengths instead of start codes.
    """
    if codec != "h264":
        return True
    if extradata and extradata[0] == 1 and len(extradata) > 4:
        units = _units_by_length(packet, (extradata[4] & 3) + 1)
    else:
        units = _units_by_start_code(packet)
    slices = [unit for unit in units if unit & 31 in (1, 2, 5)]
    return not slices or any(unit >> 5 & 3 for unit in slices)


def _units_by_length(packet: bytes, size: int) -> list[int]:
    """The first byte of each NAL unit."""
    headers, place = [], 0
    while place + size < len(packet):
        headers.append(packet[place + size])
        place += size + int.from_bytes(packet[place : place + size], "big")
    return headers


def _units_by_start_code(packet: bytes) -> list[int]:
    headers, place = [], packet.find(b"\0\0\1")
    while 0 <= place < len(packet) - 3:
        headers.append(packet[place + 3])
        place = packet.find(b"\0\0\1", place + 3)
    return headers
