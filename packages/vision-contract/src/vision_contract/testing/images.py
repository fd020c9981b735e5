"""The suite of ``decode_image``, and the two small encoders that make its files."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from vision_contract.testing.suite import OperatorConformance, raises

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ImageDecoderConformance", "flat_jpeg", "png"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def png(pixels: Tensor, *, palette: Tensor | None = None) -> bytes:
    """Encode an image as PNG (ISO/IEC 15948), with all five row filters in turn, in two IDAT chunks.

    Args:
        pixels: (C, H, W) uint8: grey, grey and alpha, RGB, or RGB and alpha.
        palette: (P, 3) uint8: `pixels` (1, H, W) are indices into it.

    Examples:
        >>> data = png(torch.zeros(3, 8, 8, dtype=torch.uint8))
    """
    channels, height, width = pixels.shape
    rows = [bytes(row) for row in pixels.permute(1, 2, 0).reshape(height, -1).tolist()]
    above = bytes(width * channels)
    lines = []
    for y, row in enumerate(rows):
        lines.append(bytes([y % 5]) + _filtered(y % 5, row, above, channels))
        above = row
    body = zlib.compress(b"".join(lines))
    colour = 3 if palette is not None else COLOUR_TYPES[channels]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))]
    if palette is not None:
        chunks.append((b"PLTE", bytes(palette.flatten().tolist())))
    half = len(body) // 2
    chunks += [(b"IDAT", body[:half]), (b"IDAT", body[half:]), (b"IEND", b"")]
    return SIGNATURE + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _filtered(kind: int, row: bytes, above: bytes, step: int) -> bytes:
    left = bytes(step) + row[:-step]
    corner = bytes(step) + above[:-step]
    predicted = (
        lambda a, b, c: 0,
        lambda a, b, c: a,
        lambda a, b, c: b,
        lambda a, b, c: (a + b) // 2,
        lambda a, b, c: min((a, b, c), key=lambda v: abs(a + b - c - v)),
    )[kind]
    return bytes((x - predicted(a, b, c)) % 256 for x, a, b, c in zip(row, left, above, corner, strict=True))


def flat_jpeg(blocks: Tensor) -> bytes:
    """Encode an image of flat 8 x 8 blocks as baseline JPEG (ITU-T T.81), without loss in its own colour space.

    Args:
        blocks: (C, h, w) uint8: one grey level (C = 1), or Y, Cb and Cr (C = 3), per block.

    Returns:
        The file of an image of 8h x 8w pixels.

    Examples:
        >>> data = flat_jpeg(torch.full((1, 2, 2), 128, dtype=torch.uint8))  # 16 x 16 pixels of mid-grey
    """
    channels, height, width = blocks.shape
    bits: list[str] = []
    last = [0] * channels
    for values in blocks.permute(1, 2, 0).reshape(-1, channels).tolist():
        for channel, value in enumerate(values):
            level = 8 * (value - 128)  # the only coefficient of a flat block; all quantisers are 1
            difference, last[channel] = level - last[channel], level
            size = abs(difference).bit_length()
            bits.append(f"{size:04b}")  # twelve codes of four bits
            if size:
                bits.append(f"{difference if difference > 0 else difference + (1 << size) - 1:0{size}b}")
            bits.append("0")  # end of block: the only code of the second table
    stream = "".join(bits)
    stream += "1" * (-len(stream) % 8)
    scan = int(stream, 2).to_bytes(len(stream) // 8, "big").replace(b"\xff", b"\xff\x00")
    components = b"".join(bytes([i + 1, 0x11, 0]) for i in range(channels))
    selectors = b"".join(bytes([i + 1, 0]) for i in range(channels))
    segments = (
        (0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
        (0xDB, b"\x00" + b"\x01" * 64),
        (0xC0, struct.pack(">BHHB", 8, 8 * height, 8 * width, channels) + components),
        (0xC4, b"\x00" + bytes([0, 0, 0, 12] + [0] * 12) + bytes(range(12))),
        (0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\x00"),
        (0xDA, bytes([channels]) + selectors + b"\x00\x3f\x00"),
    )
    head = b"".join(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments)
    return b"\xff\xd8" + head + scan + b"\xff\xd9"


class ImageDecoderConformance(OperatorConformance):
    """What a ``decode_image`` must do: see :class:`vision_contract.ImageDecoder`.

    Examples:
        >>> class TestDecodeImage(ImageDecoderConformance):
        ...     operator = staticmethod(my_package.decode_image)
    """

    def test_png_is_exact(self) -> None:
        import torch

        for seed, channels in enumerate((1, 3, 4)):
            pixels = self._pixels(channels, 13, 18, seed)
            got = self.operator(png(pixels))
            assert got.dtype == torch.uint8
            assert got.shape == pixels.shape
            assert torch.equal(got.cpu(), pixels)

    def test_png_with_palette(self) -> None:
        import torch

        palette = self._pixels(3, 7, 1).squeeze(2).t().contiguous()
        indices = self._pixels(1, 9, 10) % 7
        expected = palette[indices[0].long()].permute(2, 0, 1)
        assert torch.equal(self.operator(png(indices, palette=palette), mode="RGB").cpu(), expected)

    def test_grey_jpeg_is_exact(self) -> None:
        import torch

        blocks = self._pixels(1, 3, 5)
        got = self.operator(flat_jpeg(blocks))
        assert got.dtype == torch.uint8
        assert torch.equal(got.cpu(), self._spread(blocks))

    def test_colour_jpeg(self) -> None:
        blocks = self._pixels(3, 4, 3) // 2 + 64
        y, cb, cr = self._spread(blocks).double()
        cb, cr = cb - 128, cr - 128
        expected = (y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb)  # JFIF 1.02
        got = self.operator(flat_jpeg(blocks)).cpu()
        assert got.shape == (3, 32, 24)
        for channel, values in zip(got.double(), expected, strict=True):
            assert (channel - values.clamp(0, 255)).abs().max() <= 1.5

    def test_modes(self) -> None:
        import torch

        rgb, grey, rgba = self._pixels(3, 8, 9), self._pixels(1, 8, 9, 1), self._pixels(4, 8, 9, 2)
        assert torch.equal(self.operator(png(grey), mode="RGB").cpu(), grey.expand(3, -1, -1))
        assert torch.equal(self.operator(png(rgba), mode="RGB").cpu(), rgba[:3])
        opaque = torch.full_like(grey, 255)
        assert torch.equal(self.operator(png(rgb), mode="RGB_ALPHA").cpu(), torch.cat([rgb, opaque]))
        assert torch.equal(self.operator(png(rgb), mode="UNCHANGED").cpu(), rgb)
        luma = (torch.tensor([0.299, 0.587, 0.114]).double()[:, None, None] * rgb).sum(0, keepdim=True)  # BT.601
        got = self.operator(png(rgb), mode="GRAY").cpu()
        assert got.shape == (1, 8, 9)
        assert (got - luma).abs().max() <= 1.5
        assert self.operator(flat_jpeg(self._pixels(1, 2, 2)), mode="RGB").shape == (3, 16, 16)
        assert self.operator(flat_jpeg(self._pixels(3, 2, 2)), mode="GRAY").shape == (1, 16, 16)

    def test_any_kind_of_bytes(self) -> None:
        import torch

        pixels = self._pixels(3, 6, 7)
        data = png(pixels)
        tensor = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        strided = tensor.repeat_interleave(2)[::2]
        for source in (data, bytearray(data), memoryview(data), memoryview(b"_" + data)[1:], tensor, strided):
            assert torch.equal(self.operator(source).cpu(), pixels), f"from {type(source).__name__}"
        assert bytes(tensor.tolist()) == data

    def test_the_result_is_its_own(self) -> None:
        import torch

        pixels = self._pixels(3, 6, 7)
        data = bytearray(png(pixels))
        got = self.operator(data)
        data[:] = bytes(len(data))
        assert torch.equal(got.cpu(), pixels)
        got.zero_()

    def test_what_is_no_image_is_refused(self) -> None:
        import torch

        for data in (b"", b"\x00", b"no image at all" * 20, SIGNATURE, b"\xff\xd8\xff", bytes(5000)):
            with raises(what=f"{data[:12]!r}"):
                self.operator(data)
        with raises(what="a float tensor"):
            self.operator(torch.zeros(100))
        with raises(what="an unknown mode"):
            self.operator(png(self._pixels(3, 4, 4)), mode="SEPIA")

    def test_what_is_cut_off_is_refused(self) -> None:
        for name, data in (("PNG", png(self._pixels(3, 40, 40))), ("JPEG", flat_jpeg(self._pixels(3, 30, 30)))):
            for part in (0.1, 0.5, 0.9):
                with raises(what=f"{part:.0%} of a {name}"):
                    self.operator(data[: int(len(data) * part)])

    def test_a_lie_about_the_size_is_refused(self) -> None:
        """30 GB are declared, a few bytes are there: nothing may be allocated for them."""
        header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
        with raises(what="a PNG of 100000 x 100000 pixels"):
            self.operator(SIGNATURE + b"".join(_chunk(*chunk) for chunk in chunks))

    def test_damage_is_refused_or_decoded(self) -> None:
        """One wrong byte anywhere: an image, or one of the two errors; nothing else comes out."""
        import torch

        for data in (png(self._pixels(3, 8, 8)), flat_jpeg(self._pixels(3, 2, 2))):
            for position in range(len(data)):
                damaged = bytearray(data)
                damaged[position] ^= 0x55
                try:
                    got = self.operator(damaged)
                except (ValueError, RuntimeError):
                    continue
                assert got.dtype == torch.uint8
                assert got.ndim == 3

    def _pixels(self, channels: int, height: int, width: int, seed: int = 0) -> Tensor:
        import torch

        generator = torch.Generator().manual_seed(seed)
        return torch.randint(0, 256, (channels, height, width), generator=generator, dtype=torch.uint8)

    def _spread(self, blocks: Tensor) -> Tensor:
        return blocks.repeat_interleave(8, 1).repeat_interleave(8, 2)
