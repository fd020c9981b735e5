"""The suite of ``resize``."""

from __future__ import annotations

import math
import unittest
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from vision_contract.testing.suite import OperatorConformance, raises

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ResizeConformance", "exact_resize"]

# Coprime where nearest needs it: no position falls on the border between two pixels, where rounding decides.
SIZES = (((16, 21), (8, 10)), ((16, 21), (32, 42)), ((16, 21), (5, 23)), ((16, 21), (33, 4)), ((8, 9), (1, 1)))


def exact_resize(image: Tensor, size: list[int], interpolation: str = "bilinear", antialias: bool = True) -> Tensor:
    """One weighted sum per pixel and direction, in double precision; neither rounded nor clamped. Differentiable."""
    import torch

    (height, width), (new_height, new_width) = image.shape[-2:], size
    rows = _weights(height, new_height, interpolation, antialias)
    columns = _weights(width, new_width, interpolation, antialias)
    rows, columns = (torch.tensor(m, dtype=torch.float64, device=image.device) for m in (rows, columns))
    return rows @ image.double() @ columns.t()


def _weights(old: int, new: int, interpolation: str, antialias: bool) -> list[list[float]]:
    """How much each old pixel counts in each new one."""
    matrix = [[0.0] * old for _ in range(new)]
    scale = old / new
    for i, row in enumerate(matrix):
        centre = (i + 0.5) * scale
        if interpolation == "nearest":
            row[i * old // new] = 1.0
        elif interpolation == "nearest-exact":
            row[min(int(centre), old - 1)] = 1.0
        elif antialias:
            _filter(row, centre, max(scale, 1.0), *_kernel(interpolation, -0.5))
        else:
            kernel, radius = _kernel(interpolation, -0.75)
            first = math.floor(centre - 0.5) - radius + 1
            for j in range(first, first + 2 * radius):
                row[min(max(j, 0), old - 1)] += kernel(j + 0.5 - centre)
    return matrix


def _filter(row: list[float], centre: float, stretch: float, kernel: Callable[[float], float], radius: int) -> None:
    """The kernel, stretched over the pixels that become one and normalised over those that exist."""
    support = radius * stretch
    taps = range(max(int(centre - support + 0.5), 0), min(int(centre + support + 0.5), len(row)))
    values = [kernel((j + 0.5 - centre) / stretch) for j in taps]
    for j, value in zip(taps, values, strict=True):
        row[j] = value / sum(values)


def _kernel(interpolation: str, a: float) -> tuple[Callable[[float], float], int]:
    def triangle(x: float) -> float:
        return max(0.0, 1 - abs(x))

    def cubic(x: float) -> float:  # Keys, 1981
        x = abs(x)
        if x < 1:
            return ((a + 2) * x - (a + 3)) * x * x + 1
        return (((x - 5) * x + 8) * x - 4) * a if x < 2 else 0.0

    return (triangle, 1) if interpolation == "bilinear" else (cubic, 2)


class ResizeConformance(OperatorConformance):
    """What a ``resize`` must do: see :class:`vision_contract.Resize`.

    Attributes:
        interpolations: those that the operator offers; ``"bilinear"`` it must.
        tolerance: largest error for floats in 0..1.
        levels: largest error for uint8, for filters without and with negative weights. Two passes that each round to
            uint8 need (1, 2).

    Examples:
        >>> class TestResize(ResizeConformance):
        ...     operator = staticmethod(my_package.resize)
    """

    interpolations: ClassVar[tuple[str, ...]] = ("nearest", "nearest-exact", "bilinear", "bicubic")
    tolerance: ClassVar[float] = 1e-5
    levels: ClassVar[tuple[int, int]] = (1, 2)

    def test_offers_bilinear(self) -> None:
        assert "bilinear" in self.interpolations

    def test_floats_equal_the_exact_filter(self) -> None:
        for (height, width), size in SIZES:
            image = self.random(3, height, width)
            for interpolation, antialias in self._modes():
                got = self.operator(image, list(size), interpolation=interpolation, antialias=antialias)
                assert got.dtype == image.dtype
                assert got.shape == (3, *size)
                error = (got.double() - exact_resize(image, list(size), interpolation, antialias)).abs().max().item()
                what = f"{interpolation}, antialias={antialias}, {height}x{width} to {size}"
                assert error <= self.tolerance, f"{what}: off by {error:.2g}"

    def test_bytes_equal_the_exact_filter(self) -> None:
        import torch

        for (height, width), size in SIZES:
            image = (self.random(3, height, width) * 128 + 64).to(torch.uint8)  # far from the ends: nothing clamps
            for interpolation, antialias in self._modes():
                got = self.operator(image, list(size), interpolation=interpolation, antialias=antialias)
                assert got.dtype == torch.uint8
                assert got.shape == (3, *size)
                error = (got.double() - exact_resize(image, list(size), interpolation, antialias)).abs().max().item()
                limit = 0 if "nearest" in interpolation else self.levels[interpolation == "bicubic"] + 0.001
                what = f"{interpolation}, antialias={antialias}, {height}x{width} to {size}"
                assert error <= limit, f"{what}: off by {error:.2f}"

    def test_bytes_are_rounded_not_cut(self) -> None:
        import torch

        image = (self.random(3, 64, 64, seed=5) * 128 + 64).to(torch.uint8)
        for size in ([31, 29], [90, 83]):
            bias = (self.operator(image, size).double() - exact_resize(image, size)).mean().item()
            assert abs(bias) < 0.1, f"uint8 results are {bias:+.2f} off on average"

    def test_bytes_are_clamped(self) -> None:
        """A cubic filter overshoots at an edge between black and white."""
        import torch

        if "bicubic" not in self.interpolations:
            raise unittest.SkipTest(f"{type(self).__name__} does not offer bicubic")
        edge = torch.zeros(1, 12, 12, dtype=torch.uint8, device=self.device)
        edge[:, :, 6:] = 255
        for image, size in ((edge, [12, 30]), (edge.transpose(1, 2).contiguous(), [30, 12])):
            got = self.operator(image, size, interpolation="bicubic")
            expected = exact_resize(image, size, "bicubic").clamp(0, 255)
            assert (got.double() - expected).abs().max() <= self.levels[1]

    def test_defaults_are_bilinear_and_antialiased(self) -> None:
        image = self.random(3, 30, 40)
        error = (self.operator(image, [7, 9]).double() - exact_resize(image, [7, 9])).abs().max().item()
        assert error <= self.tolerance

    def test_a_flat_image_stays_flat(self) -> None:
        import torch

        for value in (0, 1, 127, 255):
            image = torch.full((3, 20, 30), value, dtype=torch.uint8, device=self.device)
            for interpolation, antialias in self._modes():
                for size in ([7, 64], [41, 11]):
                    got = self.operator(image, size, interpolation=interpolation, antialias=antialias)
                    assert got.unique().tolist() == [value], f"{interpolation}: {value} became {got.unique().tolist()}"

    def test_the_same_size_changes_nothing(self) -> None:
        import torch

        image = self.random(3, 9, 14)
        levels = (image * 255).to(torch.uint8)
        for interpolation, antialias in self._modes():
            got = self.operator(image, [9, 14], interpolation=interpolation, antialias=antialias)
            torch.testing.assert_close(got, image, atol=1e-6, rtol=0)
            assert torch.equal(self.operator(levels, [9, 14], interpolation=interpolation, antialias=antialias), levels)

    def test_any_batch(self) -> None:
        import torch

        for shape in ((1, 10, 12), (4, 10, 12), (5, 3, 10, 12), (2, 5, 3, 10, 12), (0, 3, 10, 12)):
            image = self.random(*shape)
            got = self.operator(image, [6, 17])
            torch.testing.assert_close(got.double(), exact_resize(image, [6, 17]), atol=self.tolerance, rtol=0)

    def test_any_strides(self) -> None:
        import torch

        image = (self.random(2, 20, 22, 3, seed=3) * 255).to(torch.uint8)
        views = (image.permute(0, 3, 1, 2), image.permute(0, 3, 2, 1), image.permute(0, 3, 1, 2)[..., ::2, 1:-3])
        for view in views:
            for values, limit in ((view, self.levels[0] + 0.001), (view / 255.0, self.tolerance)):
                assert (self.operator(values, [9, 31]).double() - exact_resize(values, [9, 31])).abs().max() <= limit

    def test_leaves_its_argument_alone(self) -> None:
        import torch

        image = self.random(3, 9, 14)
        before = image.clone()
        for size in ([9, 14], [4, 5]):
            self.operator(image, size).add_(0)
            assert torch.equal(image, before)

    def test_gradient(self) -> None:
        import torch

        self.promises("differentiable")
        for size in ([5, 23], [30, 8]):
            gradients = []
            for function in (self.operator, exact_resize):
                leaf = self.random(3, 16, 21).requires_grad_()
                result = function(leaf, size)
                (gradient,) = torch.autograd.grad((result * self.random(*result.shape, seed=4)).sum(), leaf)
                gradients.append(gradient)
            torch.testing.assert_close(*gradients, atol=20 * self.tolerance, rtol=1e-4)

    def test_wrong_arguments_are_refused(self) -> None:
        image = self.random(3, 9, 14)
        with raises(what="a height of 0"):
            self.operator(image, [0, 5])
        with raises(what="a negative width"):
            self.operator(image, [5, -5])
        with raises(what="an unknown interpolation"):
            self.operator(image, [5, 5], interpolation="smooth")
        with raises(what="an image of one axis"):
            self.operator(image[0, 0], [5, 5])

    def test_compiles_and_exports(self) -> None:
        import torch

        self.promises("compiles")
        compiled = self.compiled()
        # Higher than wide and than the result: what an operator decides by comparing sizes stays the same.
        t, h = torch.export.Dim("t", min=2, max=512), torch.export.Dim("h", min=24, max=512)
        exported = self.exported((self.random(4, 3, 30, 22),), ({0: t, 2: h},), size=[11, 13])
        for shape in ((4, 3, 30, 22), (7, 3, 41, 22)):
            image = self.random(*shape)
            expected = exact_resize(image, [11, 13])
            for function in (lambda x: compiled(x, [11, 13]), exported):
                torch.testing.assert_close(function(image).double(), expected, atol=self.tolerance, rtol=0)

    def test_scripts(self) -> None:
        import torch

        self.promises("scripts")
        image = self.random(3, 20, 22)
        got = self.scripted()(image, [11, 13])
        torch.testing.assert_close(got.double(), exact_resize(image, [11, 13]), atol=self.tolerance, rtol=0)

    def _modes(self) -> list[tuple[str, bool]]:
        return [(name, antialias) for name in self.interpolations for antialias in (True, False)]
