"""The Swish activation."""

import torch
from torch import Tensor, nn

__all__ = ["Swish"]


class Swish(nn.Module):
    """``x * sigmoid(x)``, written as two plain operators so that compilers, exporters and quantisers see them.

    Source: Ramachandran et al., "Searching for Activation Functions", 2017, https://arxiv.org/abs/1710.05941.

    Examples:
        >>> Swish()(torch.zeros(2))
        tensor([0., 0.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Apply the activation to a tensor of any shape."""
        return x * torch.sigmoid(x)
