"""Metrics over a data set: update them batch by batch, merge them, sum them over processes, compute.

Each is a plain object with `update`, `compute`, `reset`, `merge` and `sync(group=None)`; `Metric` is the base for your
own. Values are fractions in 0..1 (but those of the function `accuracy`, which gives percent as training scripts do).
"""

from vision_core.metrics._accuracy import Accuracy, accuracy
from vision_core.metrics._confusion_matrix import ConfusionMatrix, confusion_matrix
from vision_core.metrics._frame_mean_average_precision import FrameMeanAveragePrecision, FrameMeanAveragePrecisionResult
from vision_core.metrics._mean_average_precision import COCO_KEYPOINT_SIGMAS, MeanAveragePrecision
from vision_core.metrics._mean_average_precision_result import MeanAveragePrecisionResult
from vision_core.metrics._mean_iou import MeanIoU, MeanIoUResult, mean_iou
from vision_core.metrics._metric import Metric
from vision_core.metrics._panoptic_quality import PanopticQuality, PanopticQualityResult

__all__ = [
    "COCO_KEYPOINT_SIGMAS",
    "Accuracy",
    "ConfusionMatrix",
    "FrameMeanAveragePrecision",
    "FrameMeanAveragePrecisionResult",
    "MeanAveragePrecision",
    "MeanAveragePrecisionResult",
    "MeanIoU",
    "MeanIoUResult",
    "Metric",
    "PanopticQuality",
    "PanopticQualityResult",
    "accuracy",
    "confusion_matrix",
    "mean_iou",
]
