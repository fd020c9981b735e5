"""Pictures for people: grids, files, boxes, masks, keypoints, captions and flow drawn on images.

What torchvision has (`draw_*`, `make_grid`, `save_image`, `flow_to_image`) takes and returns tensors `[C, H, W]`;
the annotators take tensors `[C, H, W]` and NumPy arrays `[H, W, C]` and return the same kind. Nothing here opens a
window or imports a plotting library.
"""

from vision_core.utils._boxes import draw_bounding_boxes
from vision_core.utils._captions import annotate_label
from vision_core.utils._detections import annotate_detections
from vision_core.utils._flow import flow_to_image
from vision_core.utils._grid import make_grid, save_image
from vision_core.utils._halo import annotate_masks
from vision_core.utils._keypoints import draw_keypoints
from vision_core.utils._masks import draw_segmentation_masks
from vision_core.utils._tracks import annotate_tracks

__all__ = [
    "annotate_detections",
    "annotate_label",
    "annotate_masks",
    "annotate_tracks",
    "draw_bounding_boxes",
    "draw_keypoints",
    "draw_segmentation_masks",
    "flow_to_image",
    "make_grid",
    "save_image",
]
