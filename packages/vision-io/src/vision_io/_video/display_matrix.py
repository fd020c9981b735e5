"""Which way up a picture is shown: the matrix that containers and codecs carry.

Source: ISO/IEC 14496-12, 8.3.2 (the matrix of a track): a sample at (p, q), to the right and down, is shown at
``x = a p + c q + tx``, ``y = b p + d q + ty``; the numbers are stored row by row as ``a b u, c d v, tx ty w``.
"""

from __future__ import annotations

import struct

__all__ = ["orientation_of"]

# (axes swapped, x runs backwards, y runs backwards) -> (degrees counter-clockwise, then mirrored left to right)
_ORIENTATIONS = {
    (False, False, False): (0, False),
    (False, True, True): (180, False),
    (False, True, False): (0, True),
    (False, False, True): (180, True),
    (True, False, True): (90, False),
    (True, True, False): (270, False),
    (True, False, False): (270, True),
    (True, True, True): (90, True),
}


def orientation_of(matrix: bytes) -> tuple[int, bool]:
    """How a picture has to be turned and mirrored, as the matrix says.

    Args:
        matrix: Nine 32-bit integers in the byte order of this machine, as FFmpeg hands them out.

    Returns:
        Degrees counter-clockwise (0, 90, 180 or 270), and whether it is mirrored left to right afterwards. Matrices
        that turn by other angles, shear, or show nothing leave the picture as it is.

    Examples:
        >>> one = 1 << 16
        >>> orientation_of(struct.pack("=9i", 0, one, 0, -one, 0, 0, 0, 0, 1 << 30))
        (270, False)
        >>> orientation_of(struct.pack("=9i", -one, 0, 0, 0, one, 0, 0, 0, 1 << 30))
        (0, True)
    """
    if len(matrix) != 36:
        return 0, False
    a, b, _, c, d, *_ = struct.unpack("=9i", matrix)
    upright, swapped = min(abs(a), abs(d)), min(abs(b), abs(c))
    if upright > 64 * max(abs(b), abs(c)):
        return _ORIENTATIONS[False, a < 0, d < 0]
    if swapped > 64 * max(abs(a), abs(d)):
        return _ORIENTATIONS[True, c < 0, b < 0]
    return 0, False
