"""Moving boxes and keypoints the way that pixels move."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from vision_core.ops._convert import _from_centre, _to_centre
from vision_core.transforms.functional import _native_moves
from vision_core.transforms.functional._boxes import clamp, corners_of, from_corners, to_float
from vision_core.transforms.functional._clamp_rotated import clamp_rotated
from vision_core.transforms.functional._matrix import map_points, project_points
from vision_core.transforms.functional._native_moves import Axis
from vision_core.tv_tensors import BoundingBoxFormat, is_rotated_bounding_format
from vision_core.tv_tensors._boxes import ClampingMode, to_format

__all__ = ["move_boxes", "move_keypoints", "scale_boxes", "scale_keypoints"]

Move = Callable[[Tensor], Tensor] | Sequence[float]


def _function(move: Move) -> Callable[[Tensor], Tensor]:
    if callable(move):
        return move
    a, b, c, d, e, f, *rest = move
    return (lambda at: project_points(at, move)) if rest else (lambda at: map_points(at, (a, b, c, d, e, f)))


def move_keypoints(points: Tensor, move: Move) -> Tensor:
    """Move keypoints `[..., 2]`, or `[..., 3]`, whose visibility stays; see `move_boxes` for `move`."""
    if not callable(move):
        native = _native_moves.map_points(points, move)
        if native is not None:
            return native
    moved = _function(move)(to_float(points[..., :2])).to(points.dtype)
    return moved if points.shape[-1] == 2 else torch.cat((moved, points[..., 2:]), dim=-1)


def scale_keypoints(points: Tensor, x: Axis, y: Axis) -> Tensor:
    """Scale and shift keypoints along each axis."""
    native = _native_moves.scale_points(points, x, y)
    if native is not None:
        return native
    more = [0.0] * (points.shape[-1] - 2)
    return _linear(points, [x[0], y[0], *(1.0 for _ in more)], [x[1], y[1], *more])


def _linear(values: Tensor, scales: list[float], shifts: list[float]) -> Tensor:
    """Scale and shift the last axis, in one step where one of them does nothing; integers are computed exactly."""
    moved = values
    if any(scale != 1 for scale in scales):
        if not values.is_floating_point() and all(abs(scale) == 1 for scale in scales):
            moved = moved * values.new_tensor([int(scale) for scale in scales])
        else:
            moved = to_float(moved)
            moved = moved * moved.new_tensor(scales)
    if any(shifts):
        moved = moved + moved.new_tensor(shifts)
    return moved.to(values.dtype)


def _scaled(values: Tensor, axis: Axis) -> Tensor:
    scale, shift = axis
    if scale == -1:
        return shift - values
    moved = values if scale == 1 else to_float(values) * scale
    return (moved + shift if shift else moved).to(values.dtype)


def scale_boxes(
    boxes: Tensor,
    format: BoundingBoxFormat | str,
    x: Axis,
    y: Axis,
    canvas_size: tuple[int, int],
    clamping_mode: ClampingMode = None,
) -> Tensor:
    """Scale and shift boxes along each axis, and clamp them.

    Args:
        boxes: `[..., K]`.
        format: of the boxes.
        x: scale, negative to mirror, and shift in pixels.
        y: the same downwards.
        canvas_size: (height, width) after the move, to clamp to.
        clamping_mode: None, "hard" or "soft".

    Returns:
        `[..., K]`, same dtype.
    """
    known = to_format(format)
    native = _native_moves.scale_boxes(boxes, known, known, x, y, None if clamping_mode is None else canvas_size)
    if native is not None:
        return native
    if is_rotated_bounding_format(known):
        scale = boxes.new_tensor([x[0], y[0]], dtype=torch.float64)
        shift = boxes.new_tensor([x[1], y[1]], dtype=torch.float64)
        return move_boxes(boxes, known, lambda at: at * scale + shift, canvas_size, clamping_mode)
    if x[0] > 0 and y[0] > 0 and (clamping_mode is None or known is BoundingBoxFormat.XYXY):
        # Centres, corners and sizes all scale alike; sizes do not shift.
        corners = known is BoundingBoxFormat.XYXY
        shifts = [x[1], y[1], *([x[1], y[1]] if corners else [0.0, 0.0])]
        moved = _linear(boxes, [x[0], y[0]] * 2, shifts)
        if clamping_mode is None:
            return moved
        height, width = canvas_size
        return torch.minimum(moved.clamp(min=0), moved.new_tensor([width, height, width, height]))
    mirrored = abs(x[0]) == 1 and abs(y[0]) == 1 and known is not BoundingBoxFormat.CXCYWH
    exact = boxes if mirrored else to_float(boxes)
    left, top, right, bottom = corners_of(exact, known)
    if x[0] < 0:
        left, right = right, left
    if y[0] < 0:
        top, bottom = bottom, top
    left, top, right, bottom = _scaled(left, x), _scaled(top, y), _scaled(right, x), _scaled(bottom, y)
    if clamping_mode is not None:
        height, width = canvas_size
        left, right, top, bottom = (
            left.clamp(0, width),
            right.clamp(0, width),
            top.clamp(0, height),
            bottom.clamp(0, height),
        )
    return from_corners((left, top, right, bottom), known).to(boxes.dtype)


def move_boxes(
    boxes: Tensor,
    format: BoundingBoxFormat | str,
    move: Move,
    canvas_size: tuple[int, int],
    clamping_mode: ClampingMode = None,
) -> Tensor:
    """Move the corners of boxes; the result is the smallest box, upright or rotated as before, that holds them.

    Args:
        boxes: `[..., K]`.
        format: of the boxes.
        move: maps points `[..., 2]` (x, y), floating point: a function, or the six numbers of an affine mapping, or
            the eight of a perspective one.
        canvas_size: (height, width) after the move, to clamp to.
        clamping_mode: None, "hard" or "soft".

    Returns:
        `[..., K]`, same dtype.
    """
    known = to_format(format)
    if not callable(move):
        native = _native_moves.map_boxes(boxes, known, move, None if clamping_mode is None else canvas_size)
        if native is not None:
            return native
    move = _function(move)
    exact = to_float(boxes)
    if is_rotated_bounding_format(known):
        name = known.value.lower()
        corners = _from_centre(_to_centre(exact, name), "xyxyxyxy").unflatten(-1, (4, 2))
        centred = _rectangle_around(move(corners))
        if clamping_mode is not None:
            centred = clamp_rotated(centred, *canvas_size, hard=clamping_mode == "hard")
        return _from_centre(centred, name).to(boxes.dtype)
    left, top, right, bottom = corners_of(exact, known)
    corners = torch.stack((left, top, right, top, right, bottom, left, bottom), dim=-1).unflatten(-1, (4, 2))
    moved = move(corners)
    low, high = moved.amin(-2), moved.amax(-2)
    upright = clamp(torch.cat((low, high), dim=-1), BoundingBoxFormat.XYXY, canvas_size, clamping_mode)
    if known is BoundingBoxFormat.XYXY:
        return upright.to(boxes.dtype)
    left, top, right, bottom = upright.unbind(-1)
    return from_corners((left, top, right, bottom), known).to(boxes.dtype)


def _rectangle_around(corners: Tensor) -> Tensor:
    """Return (centre, width, height, angle) of the rectangle along the longer side that holds four corners."""
    # A mirrored box would have its corners in the other order; naming them from the other end keeps it right.
    first, second, third, fourth = corners.unbind(-2)
    across, down = second - first, fourth - first
    mirrored = (across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0] < 0)[..., None]
    first, second = torch.where(mirrored, second, first), torch.where(mirrored, first, second)
    third, fourth = torch.where(mirrored, fourth, third), torch.where(mirrored, third, fourth)
    across, down = second - first, fourth - first
    wide = across.square().sum(-1) >= down.square().sum(-1)
    angle = torch.where(wide, torch.atan2(-across[..., 1], across[..., 0]), torch.atan2(down[..., 0], down[..., 1]))
    cos, sin = torch.cos(angle)[..., None], torch.sin(angle)[..., None]
    points = torch.stack((first, second, third, fourth), dim=-2)
    u = points[..., 0] * cos - points[..., 1] * sin
    v = points[..., 0] * sin + points[..., 1] * cos
    low_u, high_u, low_v, high_v = u.amin(-1), u.amax(-1), v.amin(-1), v.amax(-1)
    middle_u, middle_v = (low_u + high_u) / 2, (low_v + high_v) / 2
    cos, sin = cos[..., 0], sin[..., 0]
    x, y = middle_u * cos + middle_v * sin, middle_v * cos - middle_u * sin
    return torch.stack((x, y, high_u - low_u, high_v - low_v, torch.rad2deg(angle)), dim=-1)
