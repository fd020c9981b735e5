"""Layers that video networks are made of."""

from video.layers.attention import MultiScaleAttention, MultiScaleBlock
from video.layers.convolutions import Conv2plus1d, ConvReduce3D, create_conv_2plus1d
from video.layers.depthwise import DepthwiseConv3d
from video.layers.drop_path import DropPath, drop_path
from video.layers.mlp import Mlp, make_multilayer_perceptron
from video.layers.positional_encoding import (
    PositionalEncoding,
    SpatioTemporalClsPositionalEncoding,
    get_1d_sincos_pos_embed_from_grid,
    get_2d_sincos_pos_embed,
    get_2d_sincos_pos_embed_from_grid,
    get_3d_sincos_pos_embed,
)
from video.layers.roi_align import RoIAlign, reference_roi_align
from video.layers.squeeze_excitation import SqueezeExcitation
from video.layers.swish import Swish
from video.layers.utils import round_repeats, round_width

__all__ = [
    "Conv2plus1d",
    "ConvReduce3D",
    "DepthwiseConv3d",
    "DropPath",
    "Mlp",
    "MultiScaleAttention",
    "MultiScaleBlock",
    "PositionalEncoding",
    "RoIAlign",
    "SpatioTemporalClsPositionalEncoding",
    "SqueezeExcitation",
    "Swish",
    "create_conv_2plus1d",
    "drop_path",
    "get_1d_sincos_pos_embed_from_grid",
    "get_2d_sincos_pos_embed",
    "get_2d_sincos_pos_embed_from_grid",
    "get_3d_sincos_pos_embed",
    "make_multilayer_perceptron",
    "reference_roi_align",
    "round_repeats",
    "round_width",
]
