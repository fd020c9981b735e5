"""Tensors that know what they hold: images, videos, boxes, masks, keypoints.

A transform looks at the type to know what to do, and metadata (the format of boxes, the size of the image that they
are in) travels with the values.

Each type is a plain subclass of `torch.Tensor` with torch's overrides switched off, so it costs almost nothing: an
operator on it runs at the speed of the plain tensor and returns one. Two other ways were measured (torch 2.13, one
thread, `flip` of 3 x 4 x 4 bytes, where the plain tensor takes 1.7 us):

| way | operator | wrapping | `torch.compile(fullgraph=True)` |
|---|---|---|---|
| subclass, overrides off (this one) | 2.1 us | 0.8 us | yes: reading metadata, wrapping and unwrapping |
| subclass with `__torch_function__` in Python | 3.6 us and more | 0.8 us | yes, one traced call more per operator |
| wrapper with `__torch_dispatch__` | 23 us | - | yes |

What a transform has made, and nobody else holds, takes its type without a new object (0.1 us).

What was given up: `torch.clone(image)` and the other spellings as functions return a plain tensor, only the methods
`to`, `clone`, `detach`, `requires_grad_` and `pin_memory` keep the type; and the debugging backends
`"aot_eager"` of torch 2.13 refuse every subclass on their first run (`"inductor"` and `"eager"` take them).

Examples:
    >>> import torch
    >>> image = Image(torch.zeros(3, 8, 8))
    >>> type(image.to(torch.uint8)).__name__, type(image + 1).__name__
    ('Image', 'Tensor')
"""

from vision_core.tv_tensors._base import TVTensor, set_return_type, wrap
from vision_core.tv_tensors._boxes import BoundingBoxes, BoundingBoxFormat, is_rotated_bounding_format
from vision_core.tv_tensors._images import Image, Mask, Video
from vision_core.tv_tensors._keypoints import KeyPoints

__all__ = [
    "BoundingBoxFormat",
    "BoundingBoxes",
    "Image",
    "KeyPoints",
    "Mask",
    "TVTensor",
    "Video",
    "is_rotated_bounding_format",
    "set_return_type",
    "wrap",
]
