"""3-D ResNets as published, trained on Kinetics-400 (and AVA)."""

from typing import Any

from torch import nn

from video.models.hub._builder import MODEL_ZOO_ROOT_DIR, hub_model_builder
from video.models.resnet import create_resnet, create_resnet_with_roi_head

__all__ = ["c2d_r50", "i3d_r50", "slow_r50", "slow_r50_detection"]

checkpoint_paths = {
    "slow_r50": f"{MODEL_ZOO_ROOT_DIR}/kinetics/SLOW_8x8_R50.pyth",
    "slow_r50_detection": f"{MODEL_ZOO_ROOT_DIR}/ava/SLOW_4x16_R50_DETECTION.pyth",
    "c2d_r50": f"{MODEL_ZOO_ROOT_DIR}/kinetics/C2D_8x8_R50.pyth",
    "i3d_r50": f"{MODEL_ZOO_ROOT_DIR}/kinetics/I3D_8x8_R50.pyth",
}


def slow_r50(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """Slow-R50 for clips of 8 frames of 224 x 224 pixels: 32.5 M parameters, 74.6 % top-1 on Kinetics-400.

    Args:
        pretrained: Load the published weights.
        progress: Show a progress bar while downloading them.
        **kwargs: Arguments of :func:`~video.models.resnet.create_resnet` that win over the defaults of this variant.

    Source: Feichtenhofer et al., "SlowFast Networks", ICCV 2019, https://arxiv.org/abs/1812.03982.
    """
    config = {"stem_conv_kernel_size": (1, 7, 7), "head_pool_kernel_size": (8, 7, 7), "model_depth": 50}
    return hub_model_builder(create_resnet, pretrained, progress, checkpoint_paths["slow_r50"], config, **kwargs)


def slow_r50_detection(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """Slow-R50 that scores boxes, for clips of 4 frames: 31.8 M parameters, 80 classes of AVA; see :func:`slow_r50`.

    It maps ``(clip, boxes)`` to scores, see :func:`~video.models.resnet.create_resnet_with_roi_head`.
    """
    path = checkpoint_paths["slow_r50_detection"]
    return hub_model_builder(create_resnet_with_roi_head, pretrained, progress, path, {}, **kwargs)


def c2d_r50(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """C2D-R50, a ResNet without kernels over time: 24.3 M parameters, 71.5 % top-1; see :func:`slow_r50`.

    Source: Wang et al., "Non-local Neural Networks", CVPR 2018, https://arxiv.org/abs/1711.07971.
    """
    config = {
        "stem_conv_kernel_size": (1, 7, 7),
        "stage1_pool": nn.MaxPool3d,
        "stage_conv_a_kernel_size": ((1, 1, 1), (1, 1, 1), (1, 1, 1), (1, 1, 1)),
    }
    return hub_model_builder(create_resnet, pretrained, progress, checkpoint_paths["c2d_r50"], config, **kwargs)


def i3d_r50(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """I3D-R50, every second block with a kernel over time: 28.0 M parameters, 73.3 % top-1; see :func:`slow_r50`.

    Source: Carreira and Zisserman, "Quo Vadis, Action Recognition?", CVPR 2017, https://arxiv.org/abs/1705.07750.
    """
    config = {
        "stem_conv_kernel_size": (5, 7, 7),
        "stage1_pool": nn.MaxPool3d,
        "stage_conv_a_kernel_size": (
            ((3, 1, 1),),
            ((3, 1, 1), (1, 1, 1)),
            ((3, 1, 1), (1, 1, 1)),
            ((1, 1, 1), (3, 1, 1)),
        ),
    }
    return hub_model_builder(create_resnet, pretrained, progress, checkpoint_paths["i3d_r50"], config, **kwargs)
