"""Video networks: skeletons, families, and published variants in :mod:`video.models.hub`."""

from video.models import hub
from video.models.head import ResNetBasicHead, create_res_basic_head
from video.models.net import DetectionBBoxNetwork, MultiPathWayNet, MultiPathWayWithFuse, Net
from video.models.stem import ResNetBasicStem, create_res_basic_stem
from video.models.weight_init import init_net_weights
from video.models.x3d import (
    ProjectedPool,
    create_x3d,
    create_x3d_bottleneck_block,
    create_x3d_head,
    create_x3d_res_block,
    create_x3d_res_stage,
    create_x3d_stem,
)

__all__ = [
    "DetectionBBoxNetwork",
    "MultiPathWayNet",
    "MultiPathWayWithFuse",
    "Net",
    "ProjectedPool",
    "ResNetBasicHead",
    "ResNetBasicStem",
    "create_res_basic_head",
    "create_res_basic_stem",
    "create_x3d",
    "create_x3d_bottleneck_block",
    "create_x3d_head",
    "create_x3d_res_block",
    "create_x3d_res_stage",
    "create_x3d_stem",
    "hub",
    "init_net_weights",
]
