"""Cutting rotated boxes down to their image, keeping their angle."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["clamp_rotated"]


def clamp_rotated(boxes: Tensor, height: int, width: int, *, hard: bool) -> Tensor:
    """Clamp boxes to an image.

    First a box shrinks to the smallest one of its angle that covers its visible part. What then still reaches beyond
    a border, with `hard`, is a corner: it moves to the middle of the cut that the border makes through the box, and
    the opposite corner stays.

    Args:
        boxes: floating point `[..., 5]`: centre, width, height, angle in degrees, counter-clockwise.
        height: of the image, in pixels.
        width: of the image, in pixels.
        hard: nothing may stay outside.

    Returns:
        `[..., 5]`; boxes that do not meet the image have no size left.
    """
    cx, cy, w, h, r = boxes.unbind(-1)
    angle = r * (math.pi / 180)
    cos, sin = torch.cos(angle), torch.sin(angle)
    # In the box's own frame u runs along its width and v along its height, from its first corner.
    x0, y0 = cx - (w * cos + h * sin) / 2, cy - (h * cos - w * sin) / 2
    frame = (x0, y0, cos, sin)
    u0, u1, v0, v1 = _visible_part(frame, w, h, height, width)
    if hard:
        for border in (("x", 0.0), ("y", 0.0), ("x", float(width)), ("y", float(height))):
            u0, u1, v0, v1 = _cut_corner(frame, (u0, u1, v0, v1), *border)
    middle_u, middle_v = (u0 + u1) / 2, (v0 + v1) / 2
    x, y = _to_image(frame, middle_u, middle_v)
    return torch.stack((x, y, u1 - u0, v1 - v0, r), dim=-1)


def _to_image(frame: tuple[Tensor, ...], u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    x0, y0, cos, sin = frame
    return x0 + u * cos + v * sin, y0 - u * sin + v * cos


def _visible_part(
    frame: tuple[Tensor, ...], w: Tensor, h: Tensor, height: int, width: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the range of u and v that the part within the image takes.

    The part is convex; its corners are corners of the box, corners of the image, or where their sides cross.
    """
    x0, y0, cos, sin = frame
    zero = torch.zeros_like(w)
    us, vs = [], []
    tolerance = 1e-4 * (1 + w + h)

    def add(u: Tensor, v: Tensor) -> None:
        x, y = _to_image(frame, u, v)
        inside = (x >= -tolerance) & (x <= width + tolerance) & (y >= -tolerance) & (y <= height + tolerance)
        inside &= (u >= -tolerance) & (u <= w + tolerance) & (v >= -tolerance) & (v <= h + tolerance)
        us.append(torch.where(inside, u.clamp(zero, w), torch.nan))
        vs.append(torch.where(inside, v.clamp(zero, h), torch.nan))

    for u, v in ((zero, zero), (w, zero), (w, h), (zero, h)):
        add(u, v)
    for x, y in ((0, 0), (width, 0), (width, height), (0, height)):
        add((x - x0) * cos - (y - y0) * sin, (x - x0) * sin + (y - y0) * cos)
    for x in (0, width):
        for u in (zero, w):  # x0 + u cos + v sin = x
            add(u, (x - x0 - u * cos) / sin)
        for v in (zero, h):
            add((x - x0 - v * sin) / cos, v)
    for y in (0, height):
        for u in (zero, w):  # y0 - u sin + v cos = y
            add(u, (y - y0 + u * sin) / cos)
        for v in (zero, h):
            add((y0 + v * cos - y) / sin, v)
    u, v = torch.stack(us), torch.stack(vs)
    seen = u.isfinite() & v.isfinite()
    any_seen = seen.any(0)
    # What is not seen at all shrinks to the point of the image that is nearest to its centre.
    x, y = _to_image(frame, w / 2, h / 2)
    x, y = x.clamp(0, width) - x0, y.clamp(0, height) - y0
    near_u, near_v = x * cos - y * sin, x * sin + y * cos
    low_u = torch.where(seen, u, torch.inf).amin(0)
    high_u = torch.where(seen, u, -torch.inf).amax(0)
    low_v = torch.where(seen, v, torch.inf).amin(0)
    high_v = torch.where(seen, v, -torch.inf).amax(0)
    return (
        torch.where(any_seen, low_u, near_u),
        torch.where(any_seen, high_u, near_u),
        torch.where(any_seen, low_v, near_v),
        torch.where(any_seen, high_v, near_v),
    )


def _cut_corner(
    frame: tuple[Tensor, ...], box: tuple[Tensor, Tensor, Tensor, Tensor], axis: str, limit: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Bring the corner that reaches furthest beyond one border back to it."""
    x0, y0, cos, sin = frame
    u0, u1, v0, v1 = box
    # Distance along the border's axis is base + u * du + v * dv.
    base, du, dv = (x0, cos, sin) if axis == "x" else (y0, -sin, cos)
    outward = -1.0 if limit == 0 else 1.0
    u_far = torch.where(du * outward >= 0, u1, u0)
    v_far = torch.where(dv * outward >= 0, v1, v0)
    excess = ((base + u_far * du + v_far * dv) - limit) * outward
    excess = excess.clamp_min(0)
    # The border cuts the two sides at that corner at these distances from it; half of each is the middle of the cut.
    along_u = torch.minimum(excess / du.abs().clamp_min(1e-12), u1 - u0) / 2
    along_v = torch.minimum(excess / dv.abs().clamp_min(1e-12), v1 - v0) / 2
    # Sides that run along the border do not meet it; then the other side moves by the whole excess.
    along_u, along_v = (
        torch.where(dv.abs() < 1e-6, 2 * along_u, torch.where(du.abs() < 1e-6, torch.zeros_like(along_u), along_u)),
        torch.where(du.abs() < 1e-6, 2 * along_v, torch.where(dv.abs() < 1e-6, torch.zeros_like(along_v), along_v)),
    )
    u_is_high, v_is_high = du * outward >= 0, dv * outward >= 0
    return (
        torch.where(u_is_high, u0, u0 + along_u),
        torch.where(u_is_high, u1 - along_u, u1),
        torch.where(v_is_high, v0, v0 + along_v),
        torch.where(v_is_high, v1 - along_v, v1),
    )
