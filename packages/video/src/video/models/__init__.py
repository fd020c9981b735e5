"""Video networks: skeletons, families, and published variants in :mod:`video.models.hub`."""

from video.models import hub
from video.models.csn import create_csn
from video.models.head import (
    ResNetBasicHead,
    ResNetRoIHead,
    SequencePool,
    VisionTransformerBasicHead,
    create_res_basic_head,
    create_res_roi_pooling_head,
    create_vit_basic_head,
)
from video.models.net import DetectionBBoxNetwork, MultiPathWayNet, MultiPathWayWithFuse, Net
from video.models.r2plus1d import create_2plus1d_bottleneck_block, create_r2plus1d
from video.models.resnet import (
    BottleneckBlock,
    ResBlock,
    ResStage,
    SeparableBottleneckBlock,
    create_bottleneck_block,
    create_res_block,
    create_res_stage,
    create_resnet,
    create_resnet_with_roi_head,
)
from video.models.slowfast import (
    FastToSlowFusionBuilder,
    FuseFastToSlow,
    PoolConcatPathway,
    create_slowfast,
    create_slowfast_with_roi_head,
)
from video.models.stem import PatchEmbed, ResNetBasicStem, create_conv_patch_embed, create_res_basic_stem
from video.models.vision_transformers import MultiscaleVisionTransformers, create_multiscale_vision_transformers
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
    "BottleneckBlock",
    "DetectionBBoxNetwork",
    "FastToSlowFusionBuilder",
    "FuseFastToSlow",
    "MultiPathWayNet",
    "MultiPathWayWithFuse",
    "MultiscaleVisionTransformers",
    "Net",
    "PatchEmbed",
    "PoolConcatPathway",
    "ProjectedPool",
    "ResBlock",
    "ResNetBasicHead",
    "ResNetBasicStem",
    "ResNetRoIHead",
    "ResStage",
    "SeparableBottleneckBlock",
    "SequencePool",
    "VisionTransformerBasicHead",
    "create_2plus1d_bottleneck_block",
    "create_bottleneck_block",
    "create_conv_patch_embed",
    "create_csn",
    "create_multiscale_vision_transformers",
    "create_r2plus1d",
    "create_res_basic_head",
    "create_res_basic_stem",
    "create_res_block",
    "create_res_roi_pooling_head",
    "create_res_stage",
    "create_resnet",
    "create_resnet_with_roi_head",
    "create_slowfast",
    "create_slowfast_with_roi_head",
    "create_vit_basic_head",
    "create_x3d",
    "create_x3d_bottleneck_block",
    "create_x3d_head",
    "create_x3d_res_block",
    "create_x3d_res_stage",
    "create_x3d_stem",
    "hub",
    "init_net_weights",
]
