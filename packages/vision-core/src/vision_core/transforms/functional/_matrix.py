"""Plane geometry in plain numbers: affine matrices and homographies, their inverses, and points under them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["affine_matrix", "homography", "invert_affine", "invert_homography", "map_points", "project_points"]

Affine = tuple[float, float, float, float, float, float]  # x' = 0 x + 1 y + 2, y' = 3 x + 4 y + 5


def affine_matrix(
    angle: float, translate: Sequence[float], scale: float, shear: Sequence[float], center: Sequence[float]
) -> Affine:
    """Return where points go: shear, then scale, then turn about `center`, then shift.

    Args:
        angle: in degrees, clockwise as seen in an image.
        translate: x and y.
        scale: factor of lengths.
        shear: along x and along y, in degrees.
        center: x and y of the point that only `translate` moves.
    """
    turn, shear_x, shear_y = math.radians(angle), math.radians(shear[0]), math.radians(shear[1])
    cos, sin, tan_x, tan_y = math.cos(turn), math.sin(turn), math.tan(shear_x), math.tan(shear_y)
    # turn @ [[1, 0], [-tan_y, 1]] @ [[1, -tan_x], [0, 1]] * scale
    a, c = (cos + sin * tan_y) * scale, (sin - cos * tan_y) * scale
    b, d = -a * tan_x - sin * scale, -c * tan_x + cos * scale
    x, y = center[0], center[1]
    return a, b, x + translate[0] - a * x - b * y, c, d, y + translate[1] - c * x - d * y


def invert_affine(matrix: Affine) -> Affine:
    """Return the affine matrix that undoes another one."""
    a, b, c, d, e, f = matrix
    determinant = a * e - b * d
    a, b, d, e = e / determinant, -b / determinant, -d / determinant, a / determinant
    return a, b, -a * c - b * f, d, e, -d * c - e * f


def map_points(points: Tensor, matrix: Affine) -> Tensor:
    """Map floating-point points `[..., 2]`."""
    a, b, c, d, e, f = matrix
    x, y = points.unbind(-1)
    return torch.stack((x * a + y * b + c, x * d + y * e + f), dim=-1)


def homography(sources: Sequence[Sequence[float]], targets: Sequence[Sequence[float]]) -> list[float]:
    """Return the eight coefficients that map four points to four others (Heckbert 1989, section 2.2.3).

    `(x, y)` goes to `((a x + b y + c) / (g x + h y + 1), (d x + e y + f) / (g x + h y + 1))`.

    Raises:
        ValueError: not four points each, or three of them on a line.
    """
    if len(sources) != 4 or len(targets) != 4:
        raise ValueError(f"expected four startpoints and four endpoints, got {len(sources)} and {len(targets)}")
    from_square, to_square = _square_to(targets), _inverse(_square_to(sources))
    product = _multiply(from_square, to_square)
    if product[8] == 0:
        raise ValueError(f"no perspective maps {list(sources)} to {list(targets)}: it would send (0, 0) to infinity")
    return [value / product[8] for value in product[:8]]


def _square_to(corners: Sequence[Sequence[float]]) -> list[float]:
    """Return the 3 x 3 matrix that maps the unit square to four corners, named around."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = ((float(x), float(y)) for x, y in corners)
    dx1, dx2, dy1, dy2 = x1 - x2, x3 - x2, y1 - y2, y3 - y2
    sx, sy = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    determinant = dx1 * dy2 - dx2 * dy1
    if determinant == 0:
        raise ValueError(f"expected four points no three of which are on a line, got {list(corners)}")
    g, h = (sx * dy2 - dx2 * sy) / determinant, (dx1 * sy - sx * dy1) / determinant
    return [x1 - x0 + g * x1, x3 - x0 + h * x3, x0, y1 - y0 + g * y1, y3 - y0 + h * y3, y0, g, h, 1.0]


def _multiply(p: Sequence[float], q: Sequence[float]) -> list[float]:
    return [sum(p[3 * row + k] * q[3 * k + column] for k in range(3)) for row in range(3) for column in range(3)]


def _inverse(m: Sequence[float]) -> list[float]:
    """Return the inverse of a 3 x 3 matrix."""
    a, b, c, d, e, f, g, h, i = m
    cofactors = [e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f]
    cofactors += [d * h - e * g, b * g - a * h, a * e - b * d]
    determinant = a * cofactors[0] + b * cofactors[3] + c * cofactors[6]
    if determinant == 0:
        raise ValueError("coefficients: expected a perspective that can be undone")
    return [value / determinant for value in cofactors]


def invert_homography(coefficients: Sequence[float]) -> list[float]:
    """Return the eight coefficients that undo others.

    Raises:
        ValueError: not eight of them, or they cannot be undone.
    """
    if len(coefficients) != 8:
        raise ValueError(f"coefficients: expected 8, got {len(coefficients)}")
    inverse = _inverse([*map(float, coefficients), 1.0])
    return [value / inverse[8] for value in inverse[:8]]


def project_points(points: Tensor, coefficients: Sequence[float]) -> Tensor:
    """Map floating-point points `[..., 2]` by eight coefficients."""
    a, b, c, d, e, f, g, h = coefficients
    x, y = points.unbind(-1)
    depth = x * g + y * h + 1
    return torch.stack(((x * a + y * b + c) / depth, (x * d + y * e + f) / depth), dim=-1)
