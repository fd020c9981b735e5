"""One frame says nothing: the pose of a frame has the same distribution whatever the action."""

import math

import pytest
import torch

from examples.demo.actions import ACTIONS, FLIP_X, FLIP_Y, REVERSE_TIME, TRANSPOSE, Motion, draw_motion
from examples.demo.scenes import SCENE_SIZE, draw_scene, film

DURATION = 2.0
DRAWS = 700


def pose(motion: Motion, time: float) -> tuple[float, float, float, float]:
    """Angle, log scale and looked-at point, read from the affine map itself."""
    matrix = motion.to_scene(torch.tensor([time]))[0]
    angle = math.atan2(matrix[0, 1], matrix[0, 0]) % (2 * math.pi)
    scale = -math.log(math.hypot(matrix[0, 0], matrix[0, 1]))
    return angle, scale, float(matrix[0, 2]) % SCENE_SIZE, float(matrix[1, 2]) % SCENE_SIZE


@pytest.fixture(scope="module")
def poses() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    drawn = {}
    for action in ACTIONS:
        rows = []
        for _ in range(DRAWS):
            time = (float(torch.rand((), generator=generator)) - 0.5) * DURATION
            rows.append(pose(draw_motion(action, DURATION, SCENE_SIZE, generator), time))
        drawn[action] = torch.tensor(rows)
    return drawn


def kolmogorov_smirnov(a: torch.Tensor, b: torch.Tensor) -> float:
    points = torch.cat([a, b]).sort().values
    below_a = torch.searchsorted(a.sort().values, points, right=True) / len(a)
    below_b = torch.searchsorted(b.sort().values, points, right=True) / len(b)
    return (below_a - below_b).abs().max().item()


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(("name", "column"), [("angle", 0), ("log scale", 1), ("x", 2), ("y", 3)])
def test_pose_of_a_frame_is_distributed_as_in_all_other_actions(poses, action, name, column):
    others = torch.cat([poses[other][:, column] for other in ACTIONS if other != action])
    distance = kolmogorov_smirnov(poses[action][:, column], others)
    limit = 1.95 * math.sqrt(1 / DRAWS + 1 / len(others))  # exceeded once in a thousand
    assert distance < limit, f"{name} gives {action} away"


def test_the_statistic_would_notice_a_zoom_that_starts_from_a_fixed_scale(poses):
    generator = torch.Generator().manual_seed(6)
    fixed = torch.tensor([0.0 + 0.02 * float(torch.randn((), generator=generator)) for _ in range(DRAWS)])
    scales = torch.cat([values[:, 1] for values in poses.values()])
    assert kolmogorov_smirnov(fixed - math.log(1 / 1.25), scales) > 0.3


@pytest.mark.parametrize("table", [REVERSE_TIME, FLIP_X, FLIP_Y, TRANSPOSE])
def test_symmetries_are_their_own_inverse(table):
    assert sorted(table) == list(range(len(ACTIONS)))
    assert [table[new] for new in table] == list(range(len(ACTIONS)))


@pytest.fixture(scope="module")
def scene() -> torch.Tensor:
    return draw_scene(0, torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("action", "shift"), [("move_right", (0, 4)), ("move_left", (0, -4)), ("move_down", (4, 0)), ("move_up", (-4, 0))]
)
def test_content_moves_where_the_name_says(scene, action, shift):
    motion = draw_motion(action, DURATION, SCENE_SIZE, torch.Generator().manual_seed(2))
    along = 1 if shift[1] else 0
    assert motion.velocity[1 - along] * sum(shift) > 0  # velocity is (x, y), shift is (rows, columns)
    straight = Motion(motion.position, motion.centre, velocity=(float(shift[1]), float(shift[0])))
    first, second = film(scene, straight, torch.tensor([0.0, 1.0]), 64).float()
    moved = first.roll(shift, dims=(1, 2))[:, 8:-8, 8:-8]
    assert (second[:, 8:-8, 8:-8] - moved).abs().max() <= 1


def test_positive_spin_turns_clockwise(scene):
    first, second = film(scene, Motion((10, 20), (0, 0), spin=math.pi / 2), torch.tensor([0.0, 1.0]), 64).float()
    assert (torch.rot90(first, -1, dims=(1, 2)) - second).abs().max() <= 1
    assert draw_motion("turn_clockwise", DURATION, SCENE_SIZE, torch.Generator().manual_seed(3)).spin > 0


def test_positive_zoom_magnifies(scene):
    motion = Motion((10, 20), (0, 0), zoom=math.log(2))
    near, far = motion.to_scene(torch.tensor([1.0, 0.0]))[:, :, :2]
    assert torch.allclose(near * 2, far, atol=1e-6)
    assert draw_motion("come_closer", DURATION, SCENE_SIZE, torch.Generator().manual_seed(3)).zoom > 0


def test_unknown_action():
    with pytest.raises(ValueError, match="move_left"):
        draw_motion("jump", DURATION, SCENE_SIZE, torch.Generator())
