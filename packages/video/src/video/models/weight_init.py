"""Initial weights of the networks."""

import math

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

__all__ = ["init_net_weights"]


@torch.no_grad()
def init_net_weights(model: nn.Module, init_std: float = 0.01, style: str = "resnet") -> None:
    """Initialise all weights of ``model`` in place.

    Args:
        model: The network.
        init_std: Standard deviation of linear layers (``"resnet"``), of all weights (``"vit"``).
        style: ``"resnet"``: convolutions normal with fan-out (He et al., 2015, https://arxiv.org/abs/1502.01852),
            norms one, the last norm of a residual branch zero (Goyal et al., 2017, https://arxiv.org/abs/1706.02677).
            ``"vit"``: linear layers truncated normal, layer norms one, all biases zero.

    Raises:
        ValueError: On an unknown style.

    Examples:
        >>> layer = nn.Linear(4, 4)
        >>> init_net_weights(layer)
        >>> bool((layer.bias == 0).all())
        True
    """
    if style == "resnet":
        _init_resnet_weights(model, init_std)
    elif style == "vit":
        _init_vit_weights(model, init_std)
    else:
        raise ValueError(f"style must be 'resnet' or 'vit', got {style!r}")


def _init_resnet_weights(model: nn.Module, fc_init_std: float) -> None:
    for m in model.modules():
        if isinstance(m, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            if m.bias is not None:
                nn.init.zeros_(m.bias)
        elif isinstance(m, _NormBase):
            if m.weight is not None:
                nn.init.constant_(m.weight, 0.0 if getattr(m, "block_final_bn", False) else 1.0)
            if m.bias is not None:
                nn.init.zeros_(m.bias)
        elif isinstance(m, nn.Linear):
            if getattr(m, "xavier_init", False):
                bound = math.sqrt(3.0 / m.in_features)
                nn.init.uniform_(m.weight, -bound, bound)
            else:
                nn.init.normal_(m.weight, mean=0.0, std=fc_init_std)
            if m.bias is not None:
                nn.init.zeros_(m.bias)


def _init_vit_weights(model: nn.Module, std: float) -> None:
    for m in model.modules():
        if isinstance(m, nn.Linear):
            nn.init.trunc_normal_(m.weight, std=std)
            if m.bias is not None:
                nn.init.zeros_(m.bias)
        elif isinstance(m, nn.LayerNorm):
            if m.weight is not None:
                nn.init.ones_(m.weight)
            if m.bias is not None:
                nn.init.zeros_(m.bias)
