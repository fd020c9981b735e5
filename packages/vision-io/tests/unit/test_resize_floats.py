"""Float pictures are resized by Pillow's triangle filter, down to single pixels."""

import itertools

import numpy as np
import pytest
import torch
from PIL import Image

from vision_io._pixels.resize import resize_floats


@pytest.mark.parametrize("size", itertools.product((1, 2, 8, 9), (1, 2, 8)))
@pytest.mark.parametrize("wanted", itertools.product((1, 4, 9), (1, 2, 5)))
def test_values_are_pillows(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    picture = torch.rand(3, *size, generator=torch.Generator().manual_seed(0)) * 255
    height, width = wanted
    planes = [Image.fromarray(plane.numpy()).resize((width, height), Image.Resampling.BILINEAR) for plane in picture]
    expected = np.stack([np.asarray(plane) for plane in planes])
    np.testing.assert_allclose(resize_floats(picture, height, width).numpy(), expected, atol=1e-3)
