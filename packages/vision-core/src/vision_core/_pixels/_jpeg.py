"""What compression as JPEG loses."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_core import _native
from vision_core._pixels._memory import allocate, applies, describe

__all__ = ["jpeg_loss"]

_LONGEST = 65500  # pixels a side: encoders take no more


def jpeg_loss(image: Tensor, quality: int) -> Tensor | None:
    """Do to pixels what a JPEG file does to them, without making the file.

    Colours become luma and chroma, chroma is halved both ways, blocks of 8 x 8 are quantised in the frequencies of
    their cosine transform by the example tables of ITU-T T.81, and all that is undone. The integers are those of
    libjpeg-turbo with its defaults (accurate transforms, smooth chroma): results are equal to the last bit.

    Args:
        image: uint8 `[..., 1 or 3, H, W]`.
        quality: 1 (worst) to 100.

    Returns:
        The same shape and memory order; None also where a side is longer than 65500 pixels.

    Examples:
        >>> import torch
        >>> result = jpeg_loss(torch.zeros(3, 8, 8, dtype=torch.uint8), 50)
    """
    if not applies(image) or image.shape[-3] not in (1, 3) or max(image.shape[-2:]) > _LONGEST:
        return None
    source, layout = describe(image)
    result = allocate(image, layout)
    _native.module.jpeg_loss_u8(source.data_ptr(), layout, quality, result.data_ptr(), torch.get_num_threads())
    return result
