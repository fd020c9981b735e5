"""Whitening."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vision_core._pillow import is_pil_image
from vision_core.transforms._transform import Transform
from vision_core.transforms.functional._dispatch import find_kernel, functional

__all__ = ["LinearTransformation"]


class LinearTransformation(Transform):
    """Subtracts a mean image and multiplies by a matrix, as whitening does.

    Args:
        transformation_matrix: `[D, D]` with D of C x H x W.
        mean_vector: `[D]`.

    Raises:
        ValueError: a matrix that is not square, a mean or images of another size, or on two devices.
        TypeError: a PIL image among the inputs.

    Examples:
        >>> import torch
        >>> LinearTransformation(2 * torch.eye(4), torch.ones(4))(torch.full((1, 2, 2), 3.0)).unique().tolist()
        [4.0]
    """

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        if transformation_matrix.ndim != 2 or transformation_matrix.shape[0] != transformation_matrix.shape[1]:
            raise ValueError(f"transformation_matrix: expected [D, D], got {tuple(transformation_matrix.shape)}")
        if tuple(mean_vector.shape) != (transformation_matrix.shape[0],):
            raise ValueError(
                f"mean_vector: expected [{transformation_matrix.shape[0]}] as the matrix has, "
                f"got {tuple(mean_vector.shape)}"
            )
        if transformation_matrix.device != mean_vector.device:
            raise ValueError(
                f"mean_vector: expected on {transformation_matrix.device} like the matrix, got {mean_vector.device}"
            )
        if transformation_matrix.dtype != mean_vector.dtype:
            raise ValueError(
                f"mean_vector: expected {transformation_matrix.dtype} like the matrix, got {mean_vector.dtype}"
            )
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Refuse PIL images: they cannot hold the result."""
        if any(is_pil_image(leaf) for leaf in flat_inputs):
            raise TypeError("LinearTransformation: got a PIL image; put ToImage() and ToDtype(...) before it")

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Transform one image or video."""
        kernel = find_kernel(_whiten, inpt)
        return inpt if kernel is None else kernel(inpt, self.transformation_matrix, self.mean_vector)


def _whiten_image(image: Tensor, matrix: Tensor, mean: Tensor) -> Tensor:
    size = image.shape[-3] * image.shape[-2] * image.shape[-1]
    if size != matrix.shape[0]:
        raise ValueError(
            f"image: expected C x H x W = {matrix.shape[0]} values as the matrix has rows, got {tuple(image.shape)}"
        )
    if image.device != matrix.device:
        raise ValueError(f"image: expected on {matrix.device} like the matrix, got {image.device}")
    flat = image.reshape(-1, size)
    if image.dtype is matrix.dtype:
        return torch.mm(flat.sub(mean), matrix).view(image.shape)
    whitened = torch.mm(flat.to(matrix.dtype).sub_(mean), matrix).view(image.shape)
    return whitened.to(torch.promote_types(image.dtype, matrix.dtype))


_whiten = functional(_whiten_image, pil=None)
