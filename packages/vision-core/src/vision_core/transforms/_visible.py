"""What is left of objects when a part of their picture is cut out or covered."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_core.transforms._scenes import Scene

__all__ = ["Region", "cover", "cut"]

Region = tuple[int, int, int, int]  # left, top, right, bottom in pixels


def _areas(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]).clamp(min=0) * (boxes[:, 3] - boxes[:, 1]).clamp(min=0)


def _clip(boxes: Tensor, region: Region) -> Tensor:
    left, top, right, bottom = region
    return torch.stack([boxes[:, 0::2].clamp(left, right), boxes[:, 1::2].clamp(top, bottom)], dim=2).flatten(1)


def _inside(shape: tuple[int, int], region: Region, device: torch.device) -> Tensor:
    inside = torch.zeros(shape, dtype=torch.bool, device=device)
    inside[region[1] : region[3], region[0] : region[2]] = True
    return inside


def cut(scene: Scene, region: Region, min_visible: float) -> Scene:
    """Keep what lies in a region; positions stay those of the whole picture, and so does the image.

    Objects of which less than `min_visible` is left are dropped.
    """
    if not scene.count:
        return scene
    left, top, right, bottom = region
    cropped = Scene(scene.image, dict(scene.objects), dict(scene.maps), dict(scene.rest), dict(scene.types))
    share = torch.ones(scene.count)
    if "boxes" in scene.objects:
        boxes = scene.objects["boxes"]
        cropped.objects["boxes"] = _clip(boxes, region)
        share = _areas(cropped.objects["boxes"]).float() / _areas(boxes).float().clamp(min=1e-9)
    if "masks" in scene.objects:
        masks = scene.objects["masks"]
        kept = masks * _inside(scene.size, region, masks.device)
        cropped.objects["masks"] = kept.to(masks.dtype)
        share = kept.flatten(1).sum(1).float() / masks.flatten(1).sum(1).float().clamp(min=1e-9)
    if "keypoints" in scene.objects:
        x, y = scene.objects["keypoints"][..., 0], scene.objects["keypoints"][..., 1]
        outside = (x < left) | (x >= right) | (y < top) | (y >= bottom)
        cropped.objects["keypoints"] = _hide(scene.objects["keypoints"], outside)
    return cropped.keep((share > 0) & (share >= min_visible))


def cover(scene: Scene, region: Region, min_visible: float) -> Scene:
    """Take away what lies in a region. Boxes shrink where the region covers a whole side of them."""
    if not scene.count:
        return scene
    left, top, right, bottom = region
    covered = Scene(scene.image, dict(scene.objects), dict(scene.maps), dict(scene.rest), dict(scene.types))
    share = torch.ones(scene.count)
    if "boxes" in scene.objects:
        boxes = scene.objects["boxes"]
        share = 1 - _areas(_clip(boxes, region)).float() / _areas(boxes).float().clamp(min=1e-9)
        covered.objects["boxes"] = _shrink(boxes, region)
    if "masks" in scene.objects:
        masks = scene.objects["masks"]
        kept = masks * ~_inside(scene.size, region, masks.device)
        covered.objects["masks"] = kept.to(masks.dtype)
        share = kept.flatten(1).sum(1).float() / masks.flatten(1).sum(1).float().clamp(min=1e-9)
    if "keypoints" in scene.objects:
        x, y = scene.objects["keypoints"][..., 0], scene.objects["keypoints"][..., 1]
        hidden = (x >= left) & (x < right) & (y >= top) & (y < bottom)
        covered.objects["keypoints"] = _hide(scene.objects["keypoints"], hidden)
    return covered.keep((share > 0) & (share >= min_visible))


def _shrink(boxes: Tensor, region: Region) -> Tensor:
    left, top, right, bottom = region
    x1, y1, x2, y2 = boxes.unbind(1)
    full_height = (y1 >= top) & (y2 <= bottom)
    full_width = (x1 >= left) & (x2 <= right)
    new_x1 = torch.where(full_height & (x1 >= left) & (x1 < right), x1.clamp(min=right), x1)
    new_x2 = torch.where(full_height & (x2 > left) & (x2 <= right), x2.clamp(max=left), x2)
    new_y1 = torch.where(full_width & (y1 >= top) & (y1 < bottom), y1.clamp(min=bottom), y1)
    new_y2 = torch.where(full_width & (y2 > top) & (y2 <= bottom), y2.clamp(max=top), y2)
    return torch.stack([new_x1, new_y1, new_x2, new_y2], dim=1)


def _hide(points: Tensor, hidden: Tensor) -> Tensor:
    """Set the visibility of points to 0, where they have one."""
    if points.shape[-1] == 2:
        return points
    return torch.cat([points[..., :2], points[..., 2:] * ~hidden[..., None]], dim=-1)
