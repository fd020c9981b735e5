"""R(2+1)D as published, trained on Kinetics-400."""

from typing import Any

from torch import nn

from video.models.hub._builder import MODEL_ZOO_ROOT_DIR, hub_model_builder
from video.models.r2plus1d import create_r2plus1d

__all__ = ["r2plus1d_r50"]

checkpoint_paths = {"r2plus1d_r50": f"{MODEL_ZOO_ROOT_DIR}/kinetics/R2PLUS1D_16x4_R50.pyth"}


def r2plus1d_r50(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """R(2+1)D-50 for clips of 16 frames of 224 x 224 pixels: 28.1 M parameters, 76.0 % top-1 on Kinetics-400.

    Args:
        pretrained: Load the published weights.
        progress: Show a progress bar while downloading them.
        **kwargs: Arguments of :func:`~video.models.r2plus1d.create_r2plus1d` that win over the defaults of this
            variant.

    Source: Tran et al., CVPR 2018, https://arxiv.org/abs/1711.11248.
    """
    config = {"dropout_rate": 0.5}
    return hub_model_builder(create_r2plus1d, pretrained, progress, checkpoint_paths["r2plus1d_r50"], config, **kwargs)
