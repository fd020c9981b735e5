from __future__ import annotations

import math
import warnings

import pytest
import torch
from torch import Tensor

from vision_core.ops import MultiScaleRoIAlign, roi_align
from vision_core.ops.poolers import LevelMapper, initLevelMapper


def pyramid(sizes: tuple[int, ...], channels: int = 5) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {str(i): torch.randn(2, channels, s, s + s // 2, generator=generator) for i, s in enumerate(sizes)}


def boxes_of(count: int, largest: float) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    result = []
    for _ in range(2):
        corner = torch.rand(count, 2, generator=generator) * 200
        side = torch.exp(torch.rand(count, 2, generator=generator) * math.log(largest)) + 2
        result.append(torch.cat((corner, corner + side), 1))
    return result


IMAGES = [(256, 384), (250, 370)]


def test_each_box_is_pooled_from_its_own_level() -> None:
    features, boxes = pyramid((64, 32, 16, 8)), boxes_of(40, 2000)
    pool = MultiScaleRoIAlign(["0", "1", "2", "3"], (3, 2), 2)
    result = pool(features, boxes, IMAGES)
    assert pool.scales == [0.25, 0.125, 0.0625, 0.03125]
    k, seen = 0, set()
    for image, part in enumerate(boxes):
        for x1, y1, x2, y2 in part.tolist():
            level = math.floor(4 + math.log2(math.sqrt((x2 - x1) * (y2 - y1)) / 224) + 1e-6)
            level = min(max(level, 2), 5) - 2
            seen.add(level)
            box = torch.tensor([[float(image), x1, y1, x2, y2]])
            expected = roi_align(features[str(level)], box, (3, 2), 0.25 / 2**level, 2)
            torch.testing.assert_close(result[k : k + 1], expected)
            k += 1
    assert k == len(result)
    assert seen == {0, 1, 2, 3}


def test_other_feature_maps_are_left_out_and_one_level_is_enough() -> None:
    features, boxes = {**pyramid((64,)), "pool": torch.zeros(2, 5, 3, 3)}, boxes_of(5, 300)
    result = MultiScaleRoIAlign(["0"], 7, 2)(features, boxes, IMAGES)
    torch.testing.assert_close(result, roi_align(features["0"], boxes, 7, 0.25, 2))


def test_gradient_reaches_every_level() -> None:
    features = {name: f.requires_grad_() for name, f in pyramid((64, 32)).items()}
    MultiScaleRoIAlign(["0", "1"], 2, 2)(features, boxes_of(20, 600), IMAGES).sum().backward()
    for feature in features.values():
        assert feature.grad is not None
        assert feature.grad.abs().sum() > 0


def test_scripts_and_keeps_its_result() -> None:
    features, boxes = pyramid((64, 32, 16)), boxes_of(20, 600)
    pool = MultiScaleRoIAlign(["0", "1", "2"], 3, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(MultiScaleRoIAlign(["0", "1", "2"], 3, 2))
    torch.testing.assert_close(scripted(features, boxes, IMAGES), pool(features, boxes, IMAGES))


def test_compiles_without_graph_breaks() -> None:
    features, boxes = pyramid((64, 32)), boxes_of(20, 600)
    pool = MultiScaleRoIAlign(["0", "1"], 2, 2)
    expected = pool(features, boxes, IMAGES)
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        compiled = torch.compile(pool, fullgraph=True, backend="eager")
        torch.testing.assert_close(compiled(features, boxes, IMAGES), expected)


def test_no_boxes() -> None:
    pool = MultiScaleRoIAlign(["0", "1"], 2, 2)
    assert pool(pyramid((64, 32)), [torch.zeros(0, 4)] * 2, IMAGES).shape == (0, 5, 2, 2)


@pytest.mark.parametrize("make", [LevelMapper, initLevelMapper])
def test_levels(make: type[LevelMapper]) -> None:
    mapper = make(2, 5)
    sides = [1.0, 111.9, 112.0, 223.9, 224.0, 448.0, 5000.0]
    boxes = torch.tensor([[0.0, 0, s, s] for s in sides])
    assert mapper([boxes[:3], boxes[3:]]).tolist() == [0, 0, 1, 1, 2, 3, 3]
    assert mapper([torch.tensor([[0.0, 0, 0, 0], [9, 0, 0, 9]])]).tolist() == [0, 0]


def test_settings_show_themselves() -> None:
    text = "MultiScaleRoIAlign(featmap_names=['a'], output_size=(7, 7), sampling_ratio=2)"
    assert repr(MultiScaleRoIAlign(["a"], 7, 2)) == text


def test_wrong_arguments_name_themselves() -> None:
    pool = MultiScaleRoIAlign(["0", "1"], 2, 2)
    features, boxes = pyramid((64, 32)), boxes_of(3, 90)
    with pytest.raises(ValueError, match="image_shapes"):
        pool(features, boxes, [])
    with pytest.raises(ValueError, match="names"):
        pool({"other": features["0"]}, boxes, IMAGES)
    with pytest.raises(ValueError, match="both directions"):
        pool({"0": torch.zeros(2, 5, 64, 20)}, boxes, IMAGES)
    with pytest.raises(ValueError, match="for image 0"):
        pool(features, [torch.zeros(3, 5)], IMAGES)
