"""X3D networks as published, trained on Kinetics-400."""

from typing import Any

from torch import nn

from video.models.hub._builder import MODEL_ZOO_ROOT_DIR, hub_model_builder
from video.models.x3d import create_x3d

__all__ = ["x3d_l", "x3d_m", "x3d_s", "x3d_xs"]

checkpoint_paths = {
    name: f"{MODEL_ZOO_ROOT_DIR}/kinetics/{name.upper()}.pyth" for name in ("x3d_xs", "x3d_s", "x3d_m", "x3d_l")
}


def x3d_xs(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """X3D-XS for clips of 4 frames of 160 x 160 pixels: 3.8 M parameters, 0.61 GMACs, 69.1 % top-1 on Kinetics-400.

    Scores go through a softmax; ``head_activation=None`` gives logits, which is what training needs.

    Args:
        pretrained: Load the published weights.
        progress: Show a progress bar while downloading them.
        **kwargs: Arguments of :func:`~video.models.x3d.create_x3d` that win over the defaults of this variant.

    Source: Feichtenhofer, "X3D", CVPR 2020, https://arxiv.org/abs/2004.04730.

    Examples:
        >>> model = x3d_xs(model_num_class=6, head_activation=None)
    """
    return _x3d("x3d_xs", pretrained, progress, {"input_clip_length": 4, "input_crop_size": 160}, kwargs)


def x3d_s(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """X3D-S, 13 x 160 x 160: 3.8 M parameters, 1.96 GMACs, 73.3 % top-1; see :func:`x3d_xs`."""
    return _x3d("x3d_s", pretrained, progress, {"input_clip_length": 13, "input_crop_size": 160}, kwargs)


def x3d_m(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """X3D-M, 16 x 224 x 224: 3.8 M parameters, 4.73 GMACs, 75.9 % top-1; see :func:`x3d_xs`."""
    return _x3d("x3d_m", pretrained, progress, {"input_clip_length": 16, "input_crop_size": 224}, kwargs)


def x3d_l(pretrained: bool = False, progress: bool = True, **kwargs: Any) -> nn.Module:
    """X3D-L, 16 x 312 x 312: 6.2 M parameters, 18.4 GMACs, 77.4 % top-1; see :func:`x3d_xs`."""
    config = {"input_clip_length": 16, "input_crop_size": 312, "depth_factor": 5.0}
    return _x3d("x3d_l", pretrained, progress, config, kwargs)


def _x3d(name: str, pretrained: bool, progress: bool, config: dict[str, Any], kwargs: dict[str, Any]) -> nn.Module:
    defaults = {"head_activation": nn.Softmax, **config}
    return hub_model_builder(create_x3d, pretrained, progress, checkpoint_paths[name], defaults, **kwargs)
