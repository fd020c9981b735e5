"""A symmetry of the video equals filming the mirrored scene with the mirrored motion, and the label goes along."""

from dataclasses import replace

import pytest
import torch

from examples.demo.actions import ACTIONS, Motion, draw_motion
from examples.demo.augment import apply_symmetry, random_symmetries
from examples.demo.scenes import SCENE_SIZE, draw_scene, film

TIMES = torch.tensor([-0.75, -0.25, 0.25, 0.75])
NONE = {"reverse": False, "flip_x": False, "flip_y": False, "transpose": False}


def action_of(motion: Motion) -> str:
    x, y = motion.velocity
    if motion.spin:
        return "turn_clockwise" if motion.spin > 0 else "turn_counterclockwise"
    if motion.zoom:
        return "come_closer" if motion.zoom > 0 else "go_away"
    if abs(x) > abs(y):
        return "move_right" if x > 0 else "move_left"
    return "move_down" if y > 0 else "move_up"


def mirrored(scene: torch.Tensor, axis: int) -> torch.Tensor:
    return scene.flip(axis).roll(1, axis)  # pixel 0 stays where it is


def reverse(scene, motion):
    return scene, replace(motion, velocity=tuple(-v for v in motion.velocity), spin=-motion.spin, zoom=-motion.zoom)


def flip_x(scene, motion):
    def turn(pair):
        return (-pair[0], pair[1])

    mirror = {name: turn(getattr(motion, name)) for name in ("position", "centre", "velocity")}
    return mirrored(scene, 2), replace(motion, **mirror, angle=-motion.angle, spin=-motion.spin)


def flip_y(scene, motion):
    def turn(pair):
        return (pair[0], -pair[1])

    mirror = {name: turn(getattr(motion, name)) for name in ("position", "centre", "velocity")}
    return mirrored(scene, 1), replace(motion, **mirror, angle=-motion.angle, spin=-motion.spin)


def transpose(scene, motion):
    swapped = {name: getattr(motion, name)[::-1] for name in ("position", "centre", "velocity")}
    return scene.transpose(1, 2), replace(motion, **swapped, angle=-motion.angle, spin=-motion.spin)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("symmetry", [reverse, flip_x, flip_y, transpose])
def test_symmetry_equals_filming_again(action, symmetry):
    generator = torch.Generator().manual_seed(ACTIONS.index(action))
    scene = draw_scene(0, generator)
    motion = draw_motion(action, 2.0, SCENE_SIZE, generator)
    clip = film(scene, motion, TIMES, 48).transpose(0, 1)
    changed, label = apply_symmetry(clip, ACTIONS.index(action), **{**NONE, symmetry.__name__: True})
    other_scene, other_motion = symmetry(scene, motion)
    again = film(other_scene, other_motion, TIMES, 48).transpose(0, 1)
    assert ACTIONS[label] == action_of(other_motion)
    assert (changed.int() - again.int()).abs().max() <= 1


def test_random_symmetries_keep_the_balance_and_leave_the_input_alone():
    clips = torch.randint(0, 256, (64, 3, 4, 6, 6), dtype=torch.uint8)
    labels = torch.arange(64) % 8
    before = clips.clone()
    changed, new = random_symmetries(clips, labels, torch.Generator().manual_seed(0))
    assert torch.equal(clips, before)
    assert torch.equal(labels, torch.arange(64) % 8)
    assert not torch.equal(changed, clips)
    kinds = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])  # moving, turning, zooming: no symmetry changes that
    assert torch.equal(kinds[new], kinds[labels])
