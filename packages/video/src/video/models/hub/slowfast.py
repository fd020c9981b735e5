"""SlowFast networks as published, trained on Kinetics-400 (and AVA)."""

from typing import Any

from torch import nn

from video.models.hub._builder import MODEL_ZOO_ROOT_DIR, hub_model_builder
from video.models.slowfast import create_slowfast, create_slowfast_with_roi_head

__all__ = ["slowfast_16x8_r101_50_50", "slowfast_r50", "slowfast_r50_detection", "slowfast_r101"]

checkpoint_paths = {
    "slowfast_r50": f"{MODEL_ZOO_ROOT_DIR}/kinetics/SLOWFAST_8x8_R50.pyth",
    "slowfast_r50_detection": f"{MODEL_ZOO_ROOT_DIR}/ava/SLOWFAST_8x8_R50_DETECTION.pyth",
    "slowfast_r101": f"{MODEL_ZOO_ROOT_DIR}/kinetics/SLOWFAST_8x8_R101.pyth",
    "slowfast_16x8_r101_50_50": f"{MODEL_ZOO_ROOT_DIR}/kinetics/SLOWFAST_16x8_R101_50_50.pyth",
}
_ONE, _TIME = (1, 1, 1), (3, 1, 1)


def slowfast_r50(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """SlowFast-R50 8x8, for 8 and 32 frames of 224 x 224 pixels: 34.6 M parameters, 76.9 % top-1 on Kinetics-400.

    Args:
        pretrained: Load the published weights.
        progress: Show a progress bar while downloading them.
        **kwargs: Arguments of :func:`~video.models.slowfast.create_slowfast` that win over this variant's defaults.

    Source: Feichtenhofer et al., "SlowFast Networks", ICCV 2019, https://arxiv.org/abs/1812.03982.
    """
    config = {"model_depth": 50, "slowfast_fusion_conv_kernel_size": (7, 1, 1)}
    return hub_model_builder(create_slowfast, pretrained, progress, checkpoint_paths["slowfast_r50"], config, **kwargs)


def slowfast_r101(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """SlowFast-R101 8x8: 62.8 M parameters, 77.9 % top-1; see :func:`slowfast_r50`."""
    config = {"model_depth": 101, "slowfast_fusion_conv_kernel_size": (5, 1, 1)}
    return hub_model_builder(create_slowfast, pretrained, progress, checkpoint_paths["slowfast_r101"], config, **kwargs)


def slowfast_16x8_r101_50_50(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """SlowFast-R101 16x8, for 16 and 64 frames: 53.8 M parameters, 78.7 % top-1; see :func:`slowfast_r50`.

    Only the first 6 blocks of stage 3 have kernels over time.
    """
    stage3 = (_TIME,) * 6 + (_ONE,) * 17
    config = {
        "model_depth": 101,
        "slowfast_fusion_conv_kernel_size": (5, 1, 1),
        "stage_conv_a_kernel_sizes": ((_ONE, _ONE, stage3, _TIME), (_TIME, _TIME, stage3, _TIME)),
        "head_pool_kernel_sizes": ((16, 7, 7), (64, 7, 7)),
    }
    path = checkpoint_paths["slowfast_16x8_r101_50_50"]
    return hub_model_builder(create_slowfast, pretrained, progress, path, config, **kwargs)


def slowfast_r50_detection(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """SlowFast-R50 that scores boxes: 33.8 M parameters, 80 classes of AVA; see :func:`slowfast_r50`.

    It maps ``([slow, fast], boxes)`` to scores, see :func:`~video.models.slowfast.create_slowfast_with_roi_head`.
    """
    path = checkpoint_paths["slowfast_r50_detection"]
    return hub_model_builder(create_slowfast_with_roi_head, pretrained, progress, path, {}, **kwargs)
