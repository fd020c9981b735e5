"""Channel-separated networks as published, trained on Kinetics-400."""

from typing import Any

from torch import nn

from video.models.csn import create_csn
from video.models.hub._builder import MODEL_ZOO_ROOT_DIR, hub_model_builder

__all__ = ["csn_r101"]

checkpoint_paths = {"csn_r101": f"{MODEL_ZOO_ROOT_DIR}/kinetics/CSN_32x2_R101.pyth"}


def csn_r101(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """ir-CSN-101 for clips of 32 frames of 224 x 224 pixels: 22.2 M parameters, 77.0 % top-1 on Kinetics-400.

    Args:
        pretrained: Load the published weights.
        progress: Show a progress bar while downloading them.
        **kwargs: Arguments of :func:`~video.models.csn.create_csn` that win over the defaults of this variant.

    Source: Tran et al., ICCV 2019, https://arxiv.org/abs/1904.02811.
    """
    config = {"model_depth": 101, "stem_pool": nn.MaxPool3d, "head_pool_kernel_size": (4, 7, 7)}
    return hub_model_builder(create_csn, pretrained, progress, checkpoint_paths["csn_r101"], config, **kwargs)
