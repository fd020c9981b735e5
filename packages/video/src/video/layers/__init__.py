"""Layers that video networks are made of."""

from video.layers.convolutions import Conv2plus1d, ConvReduce3D, create_conv_2plus1d
from video.layers.depthwise import DepthwiseConv3d
from video.layers.roi_align import RoIAlign, reference_roi_align
from video.layers.squeeze_excitation import SqueezeExcitation
from video.layers.swish import Swish
from video.layers.utils import round_repeats, round_width

__all__ = [
    "Conv2plus1d",
    "ConvReduce3D",
    "DepthwiseConv3d",
    "RoIAlign",
    "SqueezeExcitation",
    "Swish",
    "create_conv_2plus1d",
    "reference_roi_align",
    "round_repeats",
    "round_width",
]
