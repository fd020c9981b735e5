"""What the planes of a pixel format hold. Names are FFmpeg's."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FORMATS", "PixelFormat", "find_format"]


@dataclass(frozen=True)
class PixelFormat:
    """Memory layout of one pixel format.

    Attributes:
        family: ``"yuv"`` (planar), ``"nv"`` (interleaved chroma plane), ``"gray"``, ``"gbr"`` (planar) or ``"packed"``.
        bits: Significant bits of a sample.
        shift: Unused low bits of a 16-bit sample (6 for p010).
        chroma_shift: Base-2 logarithm of the horizontal and vertical chroma subsampling.
        order: Position of R, G, B: among the planes for ``"gbr"``, among the bytes of a pixel for ``"packed"``;
            of U, V in the pair for ``"nv"``.
        step: Samples from one pixel to the next in a packed plane.
        full_range: Whether the name alone says full range.
    """

    family: str
    bits: int = 8
    shift: int = 0
    chroma_shift: tuple[int, int] = (0, 0)
    order: tuple[int, ...] = ()
    step: int = 1
    full_range: bool = False

    @property
    def bytes_per_sample(self) -> int:
        """1 up to 8 bits, 2 above."""
        return 1 if self.bits <= 8 else 2

    def chroma_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the chroma planes; odd sizes round up."""
        return -(-width >> self.chroma_shift[0]), -(-height >> self.chroma_shift[1])


def _planar_yuv() -> dict[str, PixelFormat]:
    shifts = {"420": (1, 1), "422": (1, 0), "444": (0, 0), "440": (0, 1), "411": (2, 0)}
    table = {}
    for name, shift in shifts.items():
        table[f"yuv{name}p"] = PixelFormat("yuv", chroma_shift=shift)
        table[f"yuvj{name}p"] = PixelFormat("yuv", chroma_shift=shift, full_range=True)
        if name in ("420", "422", "444"):
            table[f"yuva{name}p"] = PixelFormat("yuv", chroma_shift=shift)
            for bits in (9, 10, 12, 14, 16):
                table[f"yuv{name}p{bits}le"] = PixelFormat("yuv", bits=bits, chroma_shift=shift)
    return table


FORMATS: dict[str, PixelFormat] = {
    **_planar_yuv(),
    "nv12": PixelFormat("nv", chroma_shift=(1, 1), order=(0, 1)),
    "nv21": PixelFormat("nv", chroma_shift=(1, 1), order=(1, 0)),
    "nv16": PixelFormat("nv", chroma_shift=(1, 0), order=(0, 1)),
    "p010le": PixelFormat("nv", bits=10, shift=6, chroma_shift=(1, 1), order=(0, 1)),
    "p012le": PixelFormat("nv", bits=12, shift=4, chroma_shift=(1, 1), order=(0, 1)),
    "p016le": PixelFormat("nv", bits=16, chroma_shift=(1, 1), order=(0, 1)),
    # FFmpeg reads gray as full range whatever the stream says.
    "gray": PixelFormat("gray", full_range=True),
    **{f"gray{bits}le": PixelFormat("gray", bits=bits, full_range=True) for bits in (9, 10, 12, 14, 16)},
    "gbrp": PixelFormat("gbr", order=(2, 0, 1), full_range=True),
    "gbrap": PixelFormat("gbr", order=(2, 0, 1), full_range=True),
    **{
        f"gbrp{bits}le": PixelFormat("gbr", bits=bits, order=(2, 0, 1), full_range=True) for bits in (9, 10, 12, 14, 16)
    },
    "rgb24": PixelFormat("packed", order=(0, 1, 2), step=3, full_range=True),
    "bgr24": PixelFormat("packed", order=(2, 1, 0), step=3, full_range=True),
    **{name: PixelFormat("packed", order=(0, 1, 2), step=4, full_range=True) for name in ("rgba", "rgb0")},
    **{name: PixelFormat("packed", order=(2, 1, 0), step=4, full_range=True) for name in ("bgra", "bgr0")},
    **{name: PixelFormat("packed", order=(1, 2, 3), step=4, full_range=True) for name in ("argb", "0rgb")},
    **{name: PixelFormat("packed", order=(3, 2, 1), step=4, full_range=True) for name in ("abgr", "0bgr")},
}


def find_format(name: str) -> PixelFormat | None:
    """Layout of an FFmpeg pixel format, or ``None`` where the source has to convert it first."""
    return FORMATS.get(name)
