"""YCbCr to RGB arithmetic: FFmpeg's 16-bit integer form and the exact form.

Two forms exist on purpose. ``swscale`` converts 8-bit 4:2:0 with truncating 16-bit products, and every FFmpeg based
reader returns those values, so equality with them is worth having although they lie up to three levels below the exact
ones. For everything else the exact form is used, rounded once.

Sources: ITU-R BT.601-7, BT.709-6, BT.2020-2 and SMPTE ST 240 for the luma weights; ISO/IEC 23091-2 for the numbers of
the matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

__all__ = ["ExactCoefficients", "FFmpegCoefficients", "exact_coefficients", "ffmpeg_coefficients", "is_known_matrix"]

# ISO/IEC 23091-2 MatrixCoefficients -> (Kr, Kb). 2 is "unspecified", which FFmpeg reads as BT.601 whatever the size.
_LUMA_WEIGHTS: dict[int, tuple[float, float]] = {
    1: (0.2126, 0.0722),
    2: (0.299, 0.114),
    3: (0.299, 0.114),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}

# The same matrices as 16.16 integers (V to R, U to B, U to G, V to G), for limited range chroma.
_FIXED_601 = (104597, 132201, 25675, 53279)
_FIXED: dict[int, tuple[int, int, int, int]] = {
    1: (117489, 138438, 13975, 34925),
    2: _FIXED_601,
    3: _FIXED_601,
    4: (104448, 132798, 24759, 53109),
    5: _FIXED_601,
    6: _FIXED_601,
    7: (117579, 136230, 16907, 35559),
    9: (110013, 140363, 12277, 42626),
    10: (110013, 140363, 12277, 42626),
}


@dataclass(frozen=True)
class FFmpegCoefficients:
    """Signed 16-bit factors of ``mh(a, b) = (a * b) >> 16``.

    ``Y = mh(8 y - y_offset, y_gain)``, ``U = 8 u - 1024``, ``V = 8 v - 1024``, ``R = Y + mh(V, v_to_r)``,
    ``G = Y + mh(U, u_to_g) + mh(V, v_to_g)``, ``B = Y + mh(U, u_to_b)``, clipped to 0..255.
    """

    y_offset: int
    y_gain: int
    v_to_r: int
    u_to_g: int
    v_to_g: int
    u_to_b: int

    def as_tuple(self) -> tuple[int, int, int, int, int, int]:
        """The six numbers in the order of the fields."""
        return (self.y_offset, self.y_gain, self.v_to_r, self.u_to_g, self.v_to_g, self.u_to_b)


@dataclass(frozen=True)
class ExactCoefficients:
    """Factors that take samples of ``bits`` bits to 0..255 in float arithmetic.

    ``Y = (y - y_offset) * y_gain``, ``R = Y + (v - centre) * v_to_r`` and so on; clipped and rounded once at the end.
    """

    y_offset: float
    y_gain: float
    centre: float
    v_to_r: float
    u_to_g: float
    v_to_g: float
    u_to_b: float

    def as_tuple(self) -> tuple[float, float, float, float, float, float, float]:
        """The seven numbers in the order of the fields."""
        return (self.y_offset, self.y_gain, self.centre, self.v_to_r, self.u_to_g, self.v_to_g, self.u_to_b)


def is_known_matrix(matrix: int) -> bool:
    """Whether the matrix code is one that this module can convert."""
    return matrix in _LUMA_WEIGHTS


def _round16(value: int) -> int:
    return (value + (1 << 15)) >> 16


@lru_cache(maxsize=64)
def ffmpeg_coefficients(matrix: int, full_range: bool) -> FFmpegCoefficients:
    """Integer factors for 8-bit samples.

    Args:
        matrix: ISO/IEC 23091-2 MatrixCoefficients code of the stream.
        full_range: Luma and chroma use 0..255 instead of 16..235 and 16..240.
    """
    v_to_r, u_to_b, u_to_g, v_to_g = _FIXED[matrix]
    if full_range:
        y_gain, y_offset = 1 << 16, 0
        v_to_r, u_to_b, u_to_g, v_to_g = (c * 224 // 255 for c in (v_to_r, u_to_b, u_to_g, v_to_g))
    else:
        y_gain, y_offset = 65536 * 255 // 219, 16 << 16
    return FFmpegCoefficients(
        y_offset=_round16(y_offset << 3),
        y_gain=_round16(y_gain << 13),
        v_to_r=_round16(v_to_r << 13),
        u_to_g=_round16(-u_to_g << 13),
        v_to_g=_round16(-v_to_g << 13),
        u_to_b=_round16(u_to_b << 13),
    )


@lru_cache(maxsize=256)
def exact_coefficients(matrix: int, full_range: bool, bits: int) -> ExactCoefficients:
    """Float factors for samples of ``bits`` bits (8 to 16).

    Args:
        matrix: ISO/IEC 23091-2 MatrixCoefficients code of the stream.
        full_range: Whether samples use their whole range.
        bits: Significant bits of a sample.
    """
    kr, kb = _LUMA_WEIGHTS[matrix]
    kg = 1.0 - kr - kb
    scale = 1 << (bits - 8)
    luma_span, chroma_span, offset = (
        ((1 << bits) - 1, (1 << bits) - 1, 0) if full_range else (219 * scale, 224 * scale, 16 * scale)
    )
    chroma = 255.0 / chroma_span
    return ExactCoefficients(
        y_offset=float(offset),
        y_gain=255.0 / luma_span,
        centre=float(128 * scale),
        v_to_r=2 * (1 - kr) * chroma,
        u_to_g=-2 * (1 - kb) * kb / kg * chroma,
        v_to_g=-2 * (1 - kr) * kr / kg * chroma,
        u_to_b=2 * (1 - kb) * chroma,
    )
