"""Multiscale vision transformers as published."""

from typing import Any

from torch import nn

from video.models.hub._builder import MODEL_ZOO_ROOT_DIR, hub_model_builder
from video.models.vision_transformers import create_multiscale_vision_transformers

__all__ = ["mvit_base_16", "mvit_base_16x4", "mvit_base_32x3"]

checkpoint_paths = {
    "mvit_base_16x4": f"{MODEL_ZOO_ROOT_DIR}/kinetics/MVIT_B_16x4.pyth",
    "mvit_base_32x3": f"{MODEL_ZOO_ROOT_DIR}/kinetics/MVIT_B_32x3_f294077834.pyth",
    "mvit_base_16": f"{MODEL_ZOO_ROOT_DIR}/imagenet/MVIT_B_16_f292487636.pyth",
}

_BASE: dict[str, Any] = {
    "spatial_size": 224,
    "embed_dim_mul": [[1, 2.0], [3, 2.0], [14, 2.0]],
    "atten_head_mul": [[1, 2.0], [3, 2.0], [14, 2.0]],
    "pool_q_stride_size": [[1, 1, 2, 2], [3, 1, 2, 2], [14, 1, 2, 2]],
}
_VIDEO = {**_BASE, "pool_kv_stride_adaptive": (1, 8, 8), "pool_kvq_kernel": (3, 3, 3)}
_IMAGE = {
    **_BASE,
    "temporal_size": 1,
    "use_2d_patch": True,
    "conv_patch_embed_kernel": (7, 7),
    "conv_patch_embed_stride": (4, 4),
    "conv_patch_embed_padding": (3, 3),
    "pool_kv_stride_adaptive": (1, 4, 4),
    "pool_kvq_kernel": (1, 3, 3),
}


def _build(name: str, config: dict[str, Any], pretrained: bool, progress: bool, kwargs: dict[str, Any]) -> nn.Module:
    return hub_model_builder(
        create_multiscale_vision_transformers, pretrained, progress, checkpoint_paths[name], config, **kwargs
    )


def mvit_base_16x4(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """MViT-B for clips of 16 frames of 224 x 224 pixels: 36.6 M parameters, 78.9 % top-1 on Kinetics-400.

    Args:
        pretrained: Load the published weights.
        progress: Show a progress bar while downloading them.
        **kwargs: Arguments of :func:`~video.models.vision_transformers.create_multiscale_vision_transformers` that win
            over the defaults of this variant.

    Source: Fan et al., ICCV 2021, https://arxiv.org/abs/2104.11227.
    """
    return _build("mvit_base_16x4", {**_VIDEO, "temporal_size": 16}, pretrained, progress, kwargs)


def mvit_base_32x3(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """MViT-B for clips of 32 frames of 224 x 224 pixels: 36.6 M parameters, 80.3 % top-1 on Kinetics-400.

    Args:
        pretrained: Load the published weights.
        progress: Show a progress bar while downloading them.
        **kwargs: See :func:`mvit_base_16x4`.

    Source: Fan et al., ICCV 2021, https://arxiv.org/abs/2104.11227.
    """
    return _build("mvit_base_32x3", {**_VIDEO, "temporal_size": 32}, pretrained, progress, kwargs)


def mvit_base_16(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """MViT-B for images ``[N, 3, 224, 224]``: 36.5 M parameters.

    Args:
        pretrained: Load the published weights, of ImageNet's 1000 classes: pass ``head_num_classes=1000``.
        progress: Show a progress bar while downloading them.
        **kwargs: See :func:`mvit_base_16x4`.

    Source: Fan et al., ICCV 2021, https://arxiv.org/abs/2104.11227.
    """
    return _build("mvit_base_16", _IMAGE, pretrained, progress, kwargs)
