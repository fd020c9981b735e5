"""Named tensor layouts, operator protocols and conformance suites: how the vision wheels fit together.

>>> from vision_contract import VIDEO_CTHW, find
>>> clip = VIDEO_CTHW.check(clip, "clip", C=3)
>>> nms = find("nms", default=reference_nms)
"""

from vision_contract.__about__ import __version__
from vision_contract.layouts import (
    BOXES_CXCYWH,
    BOXES_CXCYWHR,
    BOXES_XYWH,
    BOXES_XYXY,
    ENCODED_BYTES,
    FLOW_2HW,
    FRAMES_TCHW,
    FRAMES_THWC,
    IMAGE_CHW,
    IMAGE_HWC,
    KEYPOINTS_NKC,
    LABELS_N,
    MASKS_NHW,
    SCORES_N,
    SPECTROGRAM_TF,
    VIDEO_CTHW,
    WAVEFORM_CT,
    ContractError,
    Layout,
)
from vision_contract.operators import OperatorNotFoundError, Provider, ProviderWarning, find, operators, provide
from vision_contract.protocols import (
    NMS,
    Frame,
    FrameBatch,
    ImageDecoder,
    Resize,
    RoIAlign,
    VideoDecoder,
    VideoDecoderFactory,
    VideoMetadata,
)

__all__ = [
    "BOXES_CXCYWH",
    "BOXES_CXCYWHR",
    "BOXES_XYWH",
    "BOXES_XYXY",
    "ENCODED_BYTES",
    "FLOW_2HW",
    "FRAMES_TCHW",
    "FRAMES_THWC",
    "IMAGE_CHW",
    "IMAGE_HWC",
    "KEYPOINTS_NKC",
    "LABELS_N",
    "MASKS_NHW",
    "NMS",
    "SCORES_N",
    "SPECTROGRAM_TF",
    "VIDEO_CTHW",
    "WAVEFORM_CT",
    "ContractError",
    "Frame",
    "FrameBatch",
    "ImageDecoder",
    "Layout",
    "OperatorNotFoundError",
    "Provider",
    "ProviderWarning",
    "Resize",
    "RoIAlign",
    "VideoDecoder",
    "VideoDecoderFactory",
    "VideoMetadata",
    "__version__",
    "find",
    "operators",
    "provide",
]
