"""Pictures for people: grids, files, boxes, masks, keypoints, captions and flow drawn on image tensors.

Every function takes and returns tensors `[C, H, W]`; nothing here opens a window or imports a plotting library.
"""

from vision_core.utils._boxes import draw_bounding_boxes
from vision_core.utils._captions import annotate_label
from vision_core.utils._flow import flow_to_image
from vision_core.utils._grid import make_grid, save_image
from vision_core.utils._keypoints import draw_keypoints
from vision_core.utils._masks import draw_segmentation_masks

__all__ = [
    "annotate_label",
    "draw_bounding_boxes",
    "draw_keypoints",
    "draw_segmentation_masks",
    "flow_to_image",
    "make_grid",
    "save_image",
]
