"""DropBlock: dropout of whole blocks of neighbouring pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["DropBlock2d", "DropBlock3d", "drop_block2d", "drop_block3d"]


def drop_block2d(
    input: Tensor, p: float, block_size: int, inplace: bool = False, eps: float = 1e-06, training: bool = True
) -> Tensor:
    """Set square blocks of feature maps to zero by chance, and scale the rest so that the mean stays.

    Ghiasi et al., "DropBlock: A regularization method for convolutional networks", NeurIPS 2018.

    Args:
        input: `[N, C, H, W]`; each channel has its own blocks.
        p: about the share of pixels that are set to zero.
        block_size: side of the blocks, at most that of the image.
        inplace: change the input itself.
        eps: keeps from dividing by zero when nothing is left.
        training: without it the input is returned as it is.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: a probability outside of 0 to 1, or other than four dimensions.

    Examples:
        >>> import torch
        >>> drop_block2d(torch.ones(1, 1, 4, 4), 0.0, 2).sum().item()
        16.0
    """
    if input.dim() != 4:
        raise ValueError(f"input: expected [N, C, H, W], got {input.dim()} dimensions")
    _check(p)
    if not training or p == 0.0:
        return input
    height, width = input.shape[2], input.shape[3]
    block = min(block_size, height, width)
    places = (height - block + 1) * (width - block + 1)
    # Each block is drawn by its first pixel, with the probability that makes p of all pixels, overlaps aside.
    gamma = p * height * width / (block * block * places)
    noise = torch.empty(
        [input.shape[0], input.shape[1], height - block + 1, width - block + 1], dtype=input.dtype, device=input.device
    ).bernoulli_(gamma)
    border = block - 1
    kept = 1 - F.max_pool2d(F.pad(noise, [border, border, border, border]), [block, block], stride=[1, 1])
    return _apply(input, kept, inplace, eps)


def drop_block3d(
    input: Tensor, p: float, block_size: int, inplace: bool = False, eps: float = 1e-06, training: bool = True
) -> Tensor:
    """Set cubes of feature maps to zero by chance, and scale the rest so that the mean stays.

    Args:
        input: `[N, C, D, H, W]`; each channel has its own blocks.
        p: about the share of pixels that are set to zero.
        block_size: side of the blocks, at most that of the input.
        inplace: change the input itself.
        eps: keeps from dividing by zero when nothing is left.
        training: without it the input is returned as it is.

    Returns:
        The same shape and dtype.

    Raises:
        ValueError: a probability outside of 0 to 1, or other than five dimensions.

    Examples:
        >>> import torch
        >>> drop_block3d(torch.ones(1, 1, 2, 4, 4), 0.0, 2).sum().item()
        32.0
    """
    if input.dim() != 5:
        raise ValueError(f"input: expected [N, C, D, H, W], got {input.dim()} dimensions")
    _check(p)
    if not training or p == 0.0:
        return input
    depth, height, width = input.shape[2], input.shape[3], input.shape[4]
    block = min(block_size, depth, height, width)
    places = (depth - block + 1) * (height - block + 1) * (width - block + 1)
    gamma = p * depth * height * width / (block * block * block * places)
    size = [input.shape[0], input.shape[1], depth - block + 1, height - block + 1, width - block + 1]
    noise = torch.empty(size, dtype=input.dtype, device=input.device).bernoulli_(gamma)
    border = block - 1
    padded = F.pad(noise, [border, border, border, border, border, border])
    kept = 1 - F.max_pool3d(padded, [block, block, block], stride=[1, 1, 1])
    return _apply(input, kept, inplace, eps)


def _check(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"p: expected a probability from 0 to 1, got {p}")


def _apply(input: Tensor, kept: Tensor, inplace: bool, eps: float) -> Tensor:
    scale = kept.numel() / (eps + kept.sum())
    if inplace:
        return input.mul_(kept).mul_(scale)
    return input * kept * scale


class DropBlock2d(nn.Module):
    """`drop_block2d` while training.

    Args:
        p: about the share of pixels that are set to zero.
        block_size: side of the blocks.
        inplace: change the input itself.
        eps: keeps from dividing by zero when nothing is left.

    Examples:
        >>> import torch
        >>> DropBlock2d(0.1, 3).eval()(torch.ones(1, 1, 4, 4)).sum().item()
        16.0
    """

    def __init__(self, p: float, block_size: int, inplace: bool = False, eps: float = 1e-06) -> None:
        super().__init__()
        self.p = p
        self.block_size = block_size
        self.inplace = inplace
        self.eps = eps

    def forward(self, input: Tensor) -> Tensor:
        """Set blocks to zero by chance; see `drop_block2d`."""
        return drop_block2d(input, self.p, self.block_size, self.inplace, self.eps, self.training)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p}, block_size={self.block_size}, inplace={self.inplace})"


class DropBlock3d(DropBlock2d):
    """`drop_block3d` while training; see `DropBlock2d` for the arguments.

    Examples:
        >>> import torch
        >>> DropBlock3d(0.1, 3).eval()(torch.ones(1, 1, 2, 4, 4)).sum().item()
        32.0
    """

    def forward(self, input: Tensor) -> Tensor:
        """Set cubes to zero by chance; see `drop_block3d`."""
        return drop_block3d(input, self.p, self.block_size, self.inplace, self.eps, self.training)
