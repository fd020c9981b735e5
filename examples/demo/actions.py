"""The eight actions, the motion that each one means, and the symmetries that turn one into another.

A single frame must say nothing about the action. So every action draws the pose of a frame (where it looks, at what
angle and scale) from one and the same distribution, and only the *change* of the pose differs:

* the position is uniform on the torus that a scene is, the angle uniform on the circle: translations and rotations of a
  uniform variable stay uniform, at every time;
* the logarithm of the scale is uniform in ``[-reach, reach]``: a zoom passes through that whole range at constant
  speed, so at a random time its scale is uniform there too; all other actions draw a constant from that range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

__all__ = ["ACTIONS", "FLIP_X", "FLIP_Y", "REVERSE_TIME", "TITLES", "TRANSPOSE", "Motion", "draw_motion"]

ACTIONS = (
    "move_left",
    "move_right",
    "move_up",
    "move_down",
    "turn_clockwise",
    "turn_counterclockwise",
    "come_closer",
    "go_away",
)
TITLES = tuple(action.replace("_", " ") for action in ACTIONS)

# What a symmetry of the video does to the action: SYMMETRY[old index] is the new index.
REVERSE_TIME = (1, 0, 3, 2, 5, 4, 7, 6)
FLIP_X = (1, 0, 2, 3, 5, 4, 6, 7)  # left and right swap
FLIP_Y = (0, 1, 3, 2, 5, 4, 6, 7)  # top and bottom swap
TRANSPOSE = (2, 3, 0, 1, 5, 4, 6, 7)  # rows and columns swap

# Heading of the moving content, degrees; y grows downwards.
_HEADINGS = {"move_left": 180.0, "move_right": 0.0, "move_up": 270.0, "move_down": 90.0}

HEADING_SPREAD = 15.0  # degrees to either side
SPEED = (8.0, 18.0)  # pixels per second
SPIN = (20.0, 45.0)  # degrees per second
REACH = (0.2, 0.4)  # half of the range of log scale
# Frame pixels per scene pixel at scale 1: a zoomed-out frame still has fewer details than pixels (no aliasing, which
# would move against the motion).
MAGNIFICATION = 1.25
CENTRE_SPREAD = 20.0  # pixels to either side of the middle of the frame


@dataclass(frozen=True)
class Motion:
    """How the pose of a scene changes with time.

    Attributes:
        position: Point of the scene under the centre, (x, y) in scene pixels.
        centre: Centre of turning and zooming, (x, y) in pixels from the middle of the frame.
        velocity: (x, y), pixels per second, of the content on the screen.
        angle: Angle at time 0, radians; clockwise on the screen.
        spin: Radians per second; positive is clockwise on the screen.
        log_scale: Logarithm of the scale at time 0.
        zoom: Change of the logarithm of the scale per second; positive comes closer.

    Time is counted in seconds from the middle of the video.
    """

    position: tuple[float, float]
    centre: tuple[float, float]
    velocity: tuple[float, float] = (0.0, 0.0)
    angle: float = 0.0
    spin: float = 0.0
    log_scale: float = 0.0
    zoom: float = 0.0

    def to_scene(self, times: Tensor) -> Tensor:
        """The affine maps from the pixels of the frames to the points of the scene that they show.

        Args:
            times: ``[T]``, seconds from the middle of the video.

        Returns:
            ``[T, 2, 3]``: times (x, y, 1), in pixels from the middle of the frame, it gives (x, y) in scene pixels.
        """
        shrink = torch.exp(-(self.log_scale + self.zoom * times)) / MAGNIFICATION
        angle = self.angle + self.spin * times
        cos, sin = torch.cos(angle) * shrink, torch.sin(angle) * shrink
        x, y = (self.centre[i] + self.velocity[i] * times for i in (0, 1))  # of the centre, on the screen
        top = torch.stack([cos, sin, self.position[0] - cos * x - sin * y], dim=-1)
        bottom = torch.stack([-sin, cos, self.position[1] + sin * x - cos * y], dim=-1)
        return torch.stack([top, bottom], dim=-2)


def _uniform(generator: Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def draw_motion(action: str, duration: float, scene_size: int, generator: Generator) -> Motion:
    """Draw the motion of one video.

    Args:
        action: One of :data:`ACTIONS`.
        duration: Length of the video, seconds.
        scene_size: Side of the (periodic) scene, pixels.
        generator: Source of randomness.

    Raises:
        ValueError: Unknown action.
    """
    if action not in ACTIONS:
        raise ValueError(f"action: got {action!r}, expected one of {', '.join(ACTIONS)}")
    reach = _uniform(generator, *REACH)
    position = (_uniform(generator, 0, scene_size), _uniform(generator, 0, scene_size))
    centre = (_uniform(generator, -CENTRE_SPREAD, CENTRE_SPREAD), _uniform(generator, -CENTRE_SPREAD, CENTRE_SPREAD))
    angle = _uniform(generator, 0, 2 * math.pi)
    log_scale = _uniform(generator, -reach, reach)
    velocity, spin, zoom = (0.0, 0.0), 0.0, 0.0
    if action in _HEADINGS:
        heading = math.radians(_HEADINGS[action] + _uniform(generator, -HEADING_SPREAD, HEADING_SPREAD))
        speed = _uniform(generator, *SPEED)
        velocity = (speed * math.cos(heading), speed * math.sin(heading))
    elif action.startswith("turn"):
        spin = math.radians(_uniform(generator, *SPIN)) * (1 if action == "turn_clockwise" else -1)
    else:
        log_scale = 0.0
        zoom = 2 * reach / duration * (1 if action == "come_closer" else -1)
    return Motion(position, centre, velocity, angle, spin, log_scale, zoom)
