"""What a call of a transform costs beside torchvision's, on inputs so small that little else is timed.

Every functional and every class of torchvision's that ours has too, on every kind of input that both take. The table
is sorted by how far a call is from its goal (a functional: not slower than the peer; a class: twice as fast), losses
first. Run it as `python packages/vision-core/benchmarks/bench_transform_calls.py --json out.json`; words in the
environment variable `CALLS` choose the cases whose names hold one of them.
"""

from __future__ import annotations

import math
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.harness import race, script, show, write_json
from vision_core import transforms, tv_tensors

_START = [[0, 0], [7, 0], [7, 7], [0, 7]]
_END = [[0, 1], [7, 0], [6, 7], [0, 6]]
_AFFINE = {"angle": 30.0, "translate": [1, 1], "scale": 1.0, "shear": [3.0, 2.0]}

# name: arguments, made once
FUNCTIONALS: dict[str, dict[str, Any]] = {
    "adjust_brightness": {"brightness_factor": 1.3},
    "adjust_contrast": {"contrast_factor": 1.3},
    "adjust_gamma": {"gamma": 1.3},
    "adjust_hue": {"hue_factor": 0.1},
    "adjust_saturation": {"saturation_factor": 1.3},
    "adjust_sharpness": {"sharpness_factor": 1.3},
    "affine": _AFFINE,
    "autocontrast": {},
    "center_crop": {"output_size": [4, 4]},
    "clamp_bounding_boxes": {},
    "clamp_keypoints": {},
    "convert_bounding_box_format": {"new_format": "CXCYWH"},
    "crop": {"top": 1, "left": 1, "height": 4, "width": 4},
    "elastic": {"displacement": torch.full((1, 8, 8, 2), 0.05)},
    "equalize": {},
    "erase": {"i": 1, "j": 1, "h": 2, "w": 2, "v": torch.zeros(3, 1, 1, dtype=torch.uint8)},
    "five_crop": {"size": [4, 4]},
    "gaussian_blur": {"kernel_size": [3, 3], "sigma": [1.0, 1.0]},
    "gaussian_noise": {},
    "get_dimensions": {},
    "get_num_channels": {},
    "get_size": {},
    "grayscale_to_rgb": {},
    "horizontal_flip": {},
    "invert": {},
    "jpeg": {"quality": 50},
    "normalize": {"mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2]},
    "pad": {"padding": [1, 1]},
    "permute_channels": {"permutation": [2, 0, 1]},
    "perspective": {"startpoints": _START, "endpoints": _END},
    "pil_to_tensor": {},
    "posterize": {"bits": 3},
    "resize": {"size": [5, 5]},
    "resized_crop": {"top": 1, "left": 1, "height": 5, "width": 5, "size": [4, 4]},
    "rgb_to_grayscale": {},
    "rotate": {"angle": 30.0},
    "sanitize_bounding_boxes": {},
    "sanitize_keypoints": {},
    "solarize": {"threshold": 100.0},
    "ten_crop": {"size": [4, 4]},
    "to_dtype": {"dtype": torch.float32, "scale": True},
    "to_image": {},
    "to_pil_image": {},
    "uniform_temporal_subsample": {"num_samples": 2},
    "vertical_flip": {},
}
# name: what makes one, of a module's classes
CLASSES: dict[str, Callable[[Any], Any]] = {
    "AugMix": lambda m: m.AugMix(),
    "AutoAugment": lambda m: m.AutoAugment(),
    "CenterCrop": lambda m: m.CenterCrop(4),
    "ClampBoundingBoxes": lambda m: m.ClampBoundingBoxes(),
    "ClampKeyPoints": lambda m: m.ClampKeyPoints(),
    "ColorJitter": lambda m: m.ColorJitter(0.3, 0.3, 0.3, 0.1),
    "Compose": lambda m: m.Compose([m.RandomHorizontalFlip(1.0), m.CenterCrop(4)]),
    "ConvertBoundingBoxFormat": lambda m: m.ConvertBoundingBoxFormat("CXCYWH"),
    "ElasticTransform": lambda m: m.ElasticTransform(sigma=1.0),
    "FiveCrop": lambda m: m.FiveCrop(4),
    "GaussianBlur": lambda m: m.GaussianBlur(3),
    "GaussianNoise": lambda m: m.GaussianNoise(),
    "Grayscale": lambda m: m.Grayscale(),
    "Identity": lambda m: m.Identity(),
    "JPEG": lambda m: m.JPEG(50),
    "Lambda": lambda m: m.Lambda(_same),
    "LinearTransformation": lambda m: m.LinearTransformation(torch.eye(192), torch.zeros(192)),
    "Normalize": lambda m: m.Normalize([0.5] * 3, [0.2] * 3),
    "PILToTensor": lambda m: m.PILToTensor(),
    "Pad": lambda m: m.Pad(1),
    "RGB": lambda m: m.RGB(),
    "RandAugment": lambda m: m.RandAugment(),
    "RandomAdjustSharpness": lambda m: m.RandomAdjustSharpness(1.3, p=1.0),
    "RandomAffine": lambda m: m.RandomAffine(30, (0.1, 0.1), (0.9, 1.1), 5),
    "RandomApply": lambda m: m.RandomApply([m.RandomHorizontalFlip(1.0)], p=1.0),
    "RandomAutocontrast": lambda m: m.RandomAutocontrast(p=1.0),
    "RandomChannelPermutation": lambda m: m.RandomChannelPermutation(),
    "RandomChoice": lambda m: m.RandomChoice([m.RandomHorizontalFlip(1.0), m.RandomVerticalFlip(1.0)]),
    "RandomCrop": lambda m: m.RandomCrop(4),
    "RandomEqualize": lambda m: m.RandomEqualize(p=1.0),
    "RandomErasing": lambda m: m.RandomErasing(p=1.0),
    "RandomGrayscale": lambda m: m.RandomGrayscale(p=1.0),
    "RandomHorizontalFlip": lambda m: m.RandomHorizontalFlip(1.0),
    "RandomHorizontalFlip, p=0": lambda m: m.RandomHorizontalFlip(0.0),
    "RandomInvert": lambda m: m.RandomInvert(p=1.0),
    "RandomIoUCrop": lambda m: m.RandomIoUCrop(trials=1),
    "RandomOrder": lambda m: m.RandomOrder([m.RandomHorizontalFlip(1.0), m.RandomVerticalFlip(1.0)]),
    "RandomPerspective": lambda m: m.RandomPerspective(p=1.0),
    "RandomPhotometricDistort": lambda m: m.RandomPhotometricDistort(p=1.0),
    "RandomPosterize": lambda m: m.RandomPosterize(3, p=1.0),
    "RandomResize": lambda m: m.RandomResize(5, 6),
    "RandomResizedCrop": lambda m: m.RandomResizedCrop(4),
    "RandomRotation": lambda m: m.RandomRotation(30),
    "RandomShortestSize": lambda m: m.RandomShortestSize(5),
    "RandomSolarize": lambda m: m.RandomSolarize(100.0, p=1.0),
    "RandomVerticalFlip": lambda m: m.RandomVerticalFlip(1.0),
    "RandomZoomOut": lambda m: m.RandomZoomOut(side_range=(1.5, 1.6), p=1.0),
    "Resize": lambda m: m.Resize((5, 5)),
    "SanitizeBoundingBoxes": lambda m: m.SanitizeBoundingBoxes(labels_getter=None),
    "SanitizeKeyPoints": lambda m: m.SanitizeKeyPoints(labels_getter=None),
    "ScaleJitter": lambda m: m.ScaleJitter((6, 6), (0.8, 1.2)),
    "SetClampingMode": lambda m: m.SetClampingMode("hard"),
    "TenCrop": lambda m: m.TenCrop(4),
    "ToDtype": lambda m: m.ToDtype(torch.float32, scale=True),
    "ToImage": lambda m: m.ToImage(),
    "ToPILImage": lambda m: m.ToPILImage(),
    "ToPureTensor": lambda m: m.ToPureTensor(),
    "TrivialAugmentWide": lambda m: m.TrivialAugmentWide(),
    "UniformTemporalSubsample": lambda m: m.UniformTemporalSubsample(2),
}
NESTED = ("pair", "dict")  # kinds of inputs that only classes take
FLOATS = ("normalize", "Normalize", "LinearTransformation")  # what takes no uint8
DRAWN = ("gaussian_noise", "jpeg")  # results may differ by more than a rounding
TURNED = ("rotate", "affine", "perspective", "elastic")  # nearest pixels may be other ones where two are as near


def _same(inpt: Any) -> Any:
    return inpt


def inputs(module: Any, as_float: bool) -> dict[str, Any]:
    """One input of each kind."""
    import PIL.Image

    large = torch.arange(3 * 32 * 32).remainder(251).to(torch.uint8).view(3, 32, 32)
    pixels = large[:, :8, :8].contiguous()
    dtype = torch.float32 if as_float else torch.uint8
    boxes = torch.tensor([[1.0, 1.0, 3.0, 3.0], [0.0, 2.0, 5.0, 7.0], [2.0, 2.0, 4.0, 8.0], [1.0, 0.0, 8.0, 6.0]])
    image = module.Image(pixels.to(dtype))
    typed = module.BoundingBoxes(boxes, format="XYXY", canvas_size=(8, 8))
    return {
        "tensor": pixels.to(dtype),
        "tensor 32": large.to(dtype),
        "Image": image,
        "Video": module.Video(pixels.to(dtype).expand(4, 3, 8, 8).contiguous()),
        "Mask": module.Mask(pixels[:1].clone()),
        "BoundingBoxes": typed,
        "KeyPoints": module.KeyPoints(boxes[:, :2].clone(), canvas_size=(8, 8)),
        "PIL": PIL.Image.fromarray(np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())),
        "pair": (image, typed),
        "dict": {"image": image, "boxes": typed, "label": 3},
    }


def _leaves(output: Any) -> Iterator[Any]:
    if isinstance(output, dict):
        output = tuple(output.values())
    if isinstance(output, (list, tuple)):
        for item in output:
            yield from _leaves(item)
    else:
        yield output


def _array(leaf: Any) -> np.ndarray:
    return np.asarray(leaf.detach().as_subclass(torch.Tensor) if isinstance(leaf, torch.Tensor) else leaf)


def _check(name: str, ours: Any, theirs: Any, same_draws: bool) -> None:
    """Assert that results agree: kinds and, where nothing was drawn, shapes and values."""
    ours, theirs = list(_leaves(ours)), list(_leaves(theirs))
    assert [type(leaf).__name__ for leaf in ours] == [type(leaf).__name__ for leaf in theirs], name
    for own, other in zip(ours, theirs, strict=True) if same_draws else ():
        own, other = _array(own), _array(other)
        assert own.shape == other.shape, f"{name}: {own.shape} is not {other.shape}"
        if own.size and own.dtype != object and not name.startswith(DRAWN + TURNED):
            difference = np.abs(own.astype(float) - other.astype(float)).max()
            assert difference <= 1 + 1e-4, f"{name}: differs by {difference}"


def _runs(name: str, run: Callable[[Any], Any], other: Callable[[Any], Any], own: Any, same: Any, draws: bool) -> Any:
    """Return what to race, or None where one of them refuses the input."""
    try:
        theirs, ours = other(same), run(own)
    except Exception:  # whatever one refuses is no case
        return None
    if theirs is same and ours is not own:  # the peer hands on what this library transforms
        return None
    _check(name, ours, theirs, not draws)
    return {"vision-core": lambda: run(own), "torchvision": lambda: other(same)}


def cases(peer: Any, peer_types: Any) -> Iterator[tuple[str, Any]]:
    """Yield the name of each case and what to race in it."""
    words = os.environ.get("CALLS", "").split()
    for name in [*(f"functional.{name}" for name in FUNCTIONALS), *CLASSES]:
        short = name.removeprefix("functional.")
        mine, others = inputs(tv_tensors, short in FLOATS), inputs(peer_types, short in FLOATS)
        for kind in mine:
            case = f"{name} | {kind}"
            if (words and not any(word in case for word in words)) or (short != name and kind in NESTED):
                continue
            if short != name:
                run, other = _bound(transforms.functional, short), _bound(peer.functional, short)
            else:
                run, other = CLASSES[name](transforms), CLASSES[name](peer)
            found = _runs(short, run, other, mine[kind], others[kind], short == name)
            if found is not None:
                yield case, found


def _bound(module: Any, name: str) -> Callable[[Any], Any]:
    function, arguments = getattr(module, name), FUNCTIONALS[name]
    if name == "elastic":  # a displacement has the size of its image
        return lambda x: function(x, torch.full((1, *module.get_size(x), 2), 0.05))
    return lambda x: function(x, **arguments)


def main(path: Path) -> None:
    """Time every call and write the results."""
    warnings.simplefilter("ignore")
    try:
        import torchvision.transforms.v2 as peer
        import torchvision.tv_tensors as peer_types
    except ImportError:
        peer, peer_types = transforms, tv_tensors  # against itself: only the times tell something
    results = {case: race(runs, repeat=11, threads=(1,)) for case, runs in cases(peer, peer_types)}

    def share_of_goal(case: str) -> float:
        ratio = results[case]["threads"]["1"]["torchvision"]["ratio"]
        return ratio / (1.0 if case.startswith("functional.") else 2.0)

    ordered = {case: results[case] for case in sorted(results, key=share_of_goal)}
    reached = sum(share_of_goal(case) >= 1 for case in ordered)
    show(ordered, title=f"calls of transforms: {reached} of {len(ordered)} reach the goal, the others first")
    mean = math.exp(sum(math.log(share_of_goal(case)) for case in ordered) / max(len(ordered), 1))
    print(f"geometric mean of the shares of the goal: {mean:.2f}", file=sys.stderr)
    write_json(path, ordered)


if __name__ == "__main__":
    script(main)
