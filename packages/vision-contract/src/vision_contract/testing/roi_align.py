"""The suite of ``roi_align``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from vision_contract.testing.suite import OperatorConformance, raises

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["RoIAlignConformance", "exact_roi_align"]


def exact_roi_align(
    input: Tensor,
    boxes: Tensor,
    output_size: list[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """Sample by sample, in double precision: (K, C, height, width) float64, differentiable.

    Bilinear sampling is separable, so the samples of one direction, averaged per bin, are the rows of a matrix.
    """
    import torch

    image = input.double()
    height, width = output_size
    shift = 0.5 if aligned else 0.0
    results = []
    for index, *corners in boxes.tolist():
        x1, y1, x2, y2 = (corner * spatial_scale - shift for corner in corners)
        rows = _bins(y1, y2, height, image.shape[2], sampling_ratio, aligned)
        columns = _bins(x1, x2, width, image.shape[3], sampling_ratio, aligned)
        rows, columns = (torch.tensor(m, dtype=torch.float64, device=image.device) for m in (rows, columns))
        results.append(rows @ image[int(index)] @ columns.t())
    return torch.stack(results) if results else image.new_zeros(0, image.shape[1], height, width)


def _bins(start: float, stop: float, bins: int, pixels: int, ratio: int, aligned: bool) -> list[list[float]]:
    """How much each pixel of one direction counts in each bin."""
    extent = stop - start if aligned else max(stop - start, 1.0)
    samples = ratio if ratio > 0 else math.ceil(extent / bins)
    matrix = [[0.0] * pixels for _ in range(bins)]
    for i in range(bins):
        for s in range(samples):
            position = start + extent / bins * (i + (s + 0.5) / samples)
            if position < -1 or position > pixels:
                continue
            position = min(max(position, 0.0), pixels - 1.0)
            low = min(int(position), pixels - 1)
            part = position - low
            matrix[i][low] += (1 - part) / samples
            if part:
                matrix[i][low + 1] += part / samples
    return matrix


class RoIAlignConformance(OperatorConformance):
    """What a ``roi_align`` must do: see :class:`vision_contract.RoIAlign`.

    Attributes:
        tolerance: largest error for float32 inputs of magnitude one.

    Examples:
        >>> class TestRoIAlign(RoIAlignConformance):
        ...     operator = staticmethod(my_package.roi_align)
    """

    tolerance = 1e-5

    def test_equals_direct_sampling(self) -> None:
        image, boxes = self._scene()
        for aligned in (False, True):
            for ratio in (-1, 1, 2, 3):
                for size in ([7, 7], [3, 5], [1, 1]):
                    self._compare(image, boxes, size, sampling_ratio=ratio, aligned=aligned)

    def test_spatial_scale(self) -> None:
        image, boxes = self._scene()
        for scale in (0.25, 0.6, 2.0):
            self._compare(image, boxes, [4, 3], spatial_scale=scale, aligned=True)
            self._compare(image, boxes, [4, 3], spatial_scale=scale, sampling_ratio=2)

    def test_defaults(self) -> None:
        image, boxes = self._scene()
        self._close(self.operator(image, boxes, [3, 3]), exact_roi_align(image, boxes, [3, 3], 1.0, -1, False))

    def test_a_ramp_gives_its_value_at_the_centres(self) -> None:
        """Bilinear sampling is exact on linear functions: the answer is known without any oracle."""
        import torch

        y, x = torch.meshgrid(torch.arange(16.0), torch.arange(20.0), indexing="ij")
        ramp = (2 * x - 3 * y + 1)[None, None].to(self.device)
        boxes = torch.tensor([[0, 2.0, 3.0, 10.0, 11.0]], device=self.device)
        got = self.operator(ramp, boxes, [2, 4], aligned=True)
        columns, rows = 2 + torch.arange(1, 8, 2) - 0.5, 3 + torch.arange(2, 8, 4) - 0.5
        expected = (2 * columns[None] - 3 * rows[:, None] + 1)[None, None].to(self.device)
        torch.testing.assert_close(got, expected, atol=1e-4, rtol=0)

    def test_boxes_outside_of_the_image(self) -> None:
        image, _ = self._scene()
        boxes = self._boxes([[0, -30, -30, -20, -20], [1, 5, 5, 90, 90], [0, -3, 2, 4, 40], [1, 200, 200, 210, 210]])
        for aligned in (False, True):
            self._compare(image, boxes, [5, 5], aligned=aligned)
            self._compare(image, boxes, [5, 5], sampling_ratio=2, aligned=aligned)

    def test_boxes_smaller_than_a_pixel(self) -> None:
        image, _ = self._scene()
        boxes = self._boxes([[0, 3.2, 3.4, 3.3, 3.5], [1, 0.1, 0.1, 0.4, 0.9], [0, 6.0, 7.0, 6.5, 9.0]])
        for aligned in (False, True):
            self._compare(image, boxes, [2, 2], sampling_ratio=2, aligned=aligned)

    def test_no_boxes(self) -> None:
        image, boxes = self._scene()
        assert self.operator(image, boxes[:0], [3, 2]).shape == (0, image.shape[1], 3, 2)

    def test_double_precision(self) -> None:
        import torch

        image, boxes = (x.double() for x in self._scene())
        got = self.operator(image, boxes, [4, 4], sampling_ratio=2)
        assert got.dtype == torch.float64
        torch.testing.assert_close(got, exact_roi_align(image, boxes, [4, 4], 1.0, 2), atol=1e-10, rtol=0)

    def test_any_strides(self) -> None:
        image, boxes = self._scene()
        self._compare(image.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), boxes, [3, 3])
        self._compare(image[:, :, ::2, 1:], boxes, [3, 3], sampling_ratio=2)
        self._compare(image, boxes.t().contiguous().t(), [3, 3], aligned=True)

    def test_leaves_its_arguments_alone(self) -> None:
        import torch

        image, boxes = self._scene()
        before = image.clone(), boxes.clone()
        self.operator(image, boxes, [3, 3], spatial_scale=0.5, aligned=True)
        assert torch.equal(image, before[0])
        assert torch.equal(boxes, before[1])

    def test_gradient(self) -> None:
        import torch

        self.promises("differentiable")
        image, boxes = self._scene()
        for aligned, ratio in ((False, -1), (True, 2)):
            gradients = []
            for function in (self.operator, exact_roi_align):
                leaf = image.clone().requires_grad_()
                result = function(leaf, boxes, [3, 4], 0.5, ratio, aligned)
                weights = self.random(*result.shape, seed=9).to(result.dtype)
                (gradient,) = torch.autograd.grad((result * weights).sum(), leaf)
                gradients.append(gradient)
            torch.testing.assert_close(*gradients, atol=20 * self.tolerance, rtol=1e-4)

    def test_wrong_arguments_are_refused(self) -> None:
        image, boxes = self._scene()
        with raises(what="boxes without the index of the image"):
            self.operator(image, boxes[:, 1:], [3, 3])
        with raises(what="an image of three axes"):
            self.operator(image[0], boxes, [3, 3])

    def test_compiles_and_exports(self) -> None:
        import torch

        self.promises("compiles")
        image, boxes = self._scene()
        compiled = self.compiled()
        k = torch.export.Dim("k", min=2, max=4096)
        exported = self.exported((image, boxes), (None, {0: k}), output_size=[3, 3], sampling_ratio=2)
        for count in (len(boxes), 5):
            expected = exact_roi_align(image, boxes[:count], [3, 3], 1.0, 2)
            self._close(compiled(image, boxes[:count], [3, 3], 1.0, 2, False), expected)
            self._close(exported(image, boxes[:count]), expected)

    def test_scripts(self) -> None:
        self.promises("scripts")
        image, boxes = self._scene()
        got = self.scripted()(image, boxes, [3, 3], 0.5, 2, True)
        self._close(got, exact_roi_align(image, boxes, [3, 3], 0.5, 2, True))

    def _scene(self) -> tuple[Tensor, Tensor]:
        """Two images of 17 x 23 and twelve boxes across them, some over the border."""
        import torch

        corner = self.random(12, 2, seed=2) * 16 - 2
        size = self.random(12, 2, seed=3) * 14 + 0.5
        index = torch.arange(12, device=self.device)[:, None] % 2
        return self.random(2, 3, 17, 23, seed=1) * 2 - 1, torch.cat([index, corner, corner + size], dim=1)

    def _boxes(self, values: list[list[float]]) -> Tensor:
        import torch

        return torch.tensor(values, dtype=torch.float32, device=self.device)

    def _compare(self, image: Tensor, boxes: Tensor, size: list[int], **options: Any) -> None:
        got = self.operator(image, boxes, size, **options)
        assert got.dtype == image.dtype
        self._close(got, exact_roi_align(image, boxes, size, **options), f"output_size={size}, {options}: ")

    def _close(self, got: Tensor, expected: Tensor, what: str = "") -> None:
        import torch

        torch.testing.assert_close(got.double(), expected, atol=self.tolerance, rtol=0, msg=lambda text: what + text)
