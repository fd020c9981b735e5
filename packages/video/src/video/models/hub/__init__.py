"""Networks with published weights, by name."""

from video.models.hub._builder import hub_model_builder
from video.models.hub.csn import csn_r101
from video.models.hub.r2plus1d import r2plus1d_r50
from video.models.hub.resnet import c2d_r50, i3d_r50, slow_r50, slow_r50_detection
from video.models.hub.slowfast import slowfast_16x8_r101_50_50, slowfast_r50, slowfast_r50_detection, slowfast_r101
from video.models.hub.vision_transformers import mvit_base_16, mvit_base_16x4, mvit_base_32x3
from video.models.hub.x3d import x3d_l, x3d_m, x3d_s, x3d_xs

__all__ = [
    "c2d_r50",
    "csn_r101",
    "hub_model_builder",
    "i3d_r50",
    "mvit_base_16",
    "mvit_base_16x4",
    "mvit_base_32x3",
    "r2plus1d_r50",
    "slow_r50",
    "slow_r50_detection",
    "slowfast_16x8_r101_50_50",
    "slowfast_r50",
    "slowfast_r50_detection",
    "slowfast_r101",
    "x3d_l",
    "x3d_m",
    "x3d_s",
    "x3d_xs",
]
