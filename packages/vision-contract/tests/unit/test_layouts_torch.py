"""Layouts on torch tensors and NumPy arrays: hints that work, and checks that tracing does not see."""

import copy
import itertools
import pickle
import re
import warnings

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from vision_contract.layouts import (  # noqa: E402
    BOXES_XYXY,
    ENCODED_BYTES,
    FRAMES_TCHW,
    IMAGE_CHW,
    SCORES_N,
    VIDEO_CTHW,
    ContractError,
    Layout,
)
from vision_contract.testing import assert_checks, mistaken, sample  # noqa: E402

LETTERS = {"A": 2, "B": 3, "C": 4, "D": 5}


class Checked(nn.Module):
    """A module that checks its arguments, as the modules of the wheels do."""

    def forward(self, clip, boxes, scores):
        VIDEO_CTHW.check(clip, "clip", C=3)
        BOXES_XYXY.check(boxes, "boxes")
        SCORES_N.check(scores, "scores", N=boxes.shape[0])
        frames = VIDEO_CTHW.sizes(clip)["T"]
        clip = clip.permute(*range(clip.ndim - 4), *VIDEO_CTHW.permutation(FRAMES_TCHW))
        return FRAMES_TCHW.check(clip, "frames", C=3) * frames, boxes * scores.unsqueeze(1)


class Selecting(nn.Module):
    """Sizes that only the run knows: as after nms."""

    def forward(self, boxes, scores):
        kept = torch.nonzero(scores > 0.5).flatten()
        sure = torch.nonzero(scores > 0.4999).flatten()
        BOXES_XYXY.check(boxes[kept], "kept", N=kept.shape[0])
        SCORES_N.check(scores[sure], "sure", N=kept.shape[0])
        return boxes[kept] + scores[sure][:, None]


def arguments(batch=2, frames=8, n=6):
    return torch.rand(batch, 3, frames, 5, 7), torch.rand(n, 4), torch.rand(n)


@pytest.mark.parametrize("library", ["torch", "numpy"])
def test_every_hint_does_what_it_says(library):
    """The code in a hint, run, gives the tensor that was asked for: all orders of four axes, with a batch axis."""
    np = pytest.importorskip("numpy")
    for order in itertools.permutations("ABCD"):
        if list(order) == list("ABCD"):
            continue
        here = Layout("HERE", "... A B C D", neighbours=(Layout("THERE", "... " + " ".join(order)),))
        x = torch.arange(240.0).reshape(2, *(LETTERS[letter] for letter in "ABCD"))
        wrong = x.permute(0, *(1 + "ABCD".index(letter) for letter in order))
        x, wrong = (x.numpy(), wrong.numpy()) if library == "numpy" else (x, wrong)
        with pytest.raises(ContractError) as caught:
            here.check(wrong, "wrong", **LETTERS)
        fixed = eval(caught.value.hint.partition("use ")[2], {"wrong": wrong, "np": np})
        assert fixed.shape == x.shape
        assert (fixed == x).all()


@pytest.mark.parametrize(("layout", "shape"), [(VIDEO_CTHW, (3, 4, 5)), (BOXES_XYXY, (4,)), (FRAMES_TCHW, (3, 4, 5))])
def test_hints_add_the_axis_that_is_missing(layout, shape):
    np = pytest.importorskip("numpy")
    for x in (torch.zeros(shape), np.zeros(shape)):
        with pytest.raises(ContractError) as caught:
            layout.check(x, "x")
        for code in re.findall(r"use (.*?\))(?:, or|$)", caught.value.hint):
            assert layout.fits(eval(code, {"x": x, "np": np}))


def test_encoded_bytes_as_tensors():
    np = pytest.importorskip("numpy")
    for data in (torch.zeros(9, dtype=torch.uint8), np.zeros(9, np.uint8)):
        assert ENCODED_BYTES.check(data, "data") is data
        assert ENCODED_BYTES.sizes(data) == {"L": 9}
    for data in (torch.zeros(9), np.zeros(9), torch.zeros(3, 3, dtype=torch.uint8), torch.zeros(9, dtype=torch.int8)):
        with pytest.raises(ContractError):
            ENCODED_BYTES.check(data, "data")


@pytest.mark.parametrize("dynamic", [None, True])
def test_compiles_without_graph_breaks(dynamic):
    torch._dynamo.reset()
    module = Checked()
    compiled = torch.compile(module, fullgraph=True, backend="eager", dynamic=dynamic)
    for sizes in ({}, {"frames": 9, "n": 4}, {"batch": 3, "frames": 10, "n": 300}):
        inputs = arguments(**sizes)
        for got, expected in zip(compiled(*inputs), module(*inputs), strict=True):
            assert torch.equal(got, expected)


def test_dynamic_sizes_compile_once():
    from torch._dynamo.testing import CompileCounter

    torch._dynamo.reset()
    counter = CompileCounter()
    compiled = torch.compile(Checked(), fullgraph=True, backend=counter, dynamic=True)
    for n in (20, 21, 30, 300):  # unlike any other size: Dynamo takes equal sizes for the same one
        compiled(*arguments(frames=n + 3, n=n))
    assert counter.frame_count == 1


def test_compiled_code_still_refuses():
    torch._dynamo.reset()
    clip, boxes, scores = arguments()
    compiled = torch.compile(Checked(), backend="eager")
    tells_why = hasattr(torch.compiler, "is_exporting")  # torch 2.6 takes compiling for exporting, which keeps no text
    with pytest.raises(ContractError if tells_why else RuntimeError, match="FRAMES_TCHW" if tells_why else "_check"):
        compiled(clip.transpose(1, 2), boxes, scores)
    torch._dynamo.reset()
    with pytest.raises(Exception, match=r"scores: expected SCORES_N \[N\]" if tells_why else "_check"):
        torch.compile(Checked(), fullgraph=True, backend="eager", dynamic=True)(clip, boxes, scores[:-1])


@pytest.mark.parametrize("strict", [False, True])
def test_exports_with_dynamic_sizes(strict):
    module = Checked()
    n, b, t = torch.export.Dim("n"), torch.export.Dim("b"), torch.export.Dim("t")
    program = torch.export.export(module, arguments(), dynamic_shapes=({0: b, 2: t}, {0: n}, {0: n}), strict=strict)
    assert "_assert" not in program.graph_module.code  # the checks leave nothing behind
    for sizes in ({}, {"batch": 5, "frames": 11, "n": 400}):
        inputs = arguments(**sizes)
        for got, expected in zip(program.module()(*inputs), module(*inputs), strict=True):
            assert torch.equal(got, expected)


def test_export_shows_the_error():
    clip, boxes, scores = arguments()
    with pytest.raises(ContractError, match=r"use clip\.transpose"):
        torch.export.export(Checked(), (clip.transpose(1, 2), boxes, scores), strict=False)


@pytest.mark.parametrize("strict", [False, True])
def test_exports_with_sizes_that_only_the_run_knows(strict):
    boxes, scores = torch.rand(6, 4), torch.tensor([0.1, 0.9, 0.6, 0.3, 0.7, 0.2])
    n = torch.export.Dim("n")
    program = torch.export.export(Selecting(), (boxes, scores), dynamic_shapes=({0: n}, {0: n}), strict=strict)
    assert torch.equal(program.module()(boxes, scores), Selecting()(boxes, scores))
    more = torch.cat([boxes, boxes]), torch.cat([scores, scores])
    assert torch.equal(program.module()(*more), Selecting()(*more))
    with pytest.raises(RuntimeError):
        program.module()(boxes, torch.tensor([0.1, 0.9, 0.49995, 0.3, 0.7, 0.2]))  # 2 kept, 3 sure


def test_compiles_with_sizes_that_only_the_run_knows():
    import torch._dynamo.config

    torch._dynamo.reset()
    boxes, scores = torch.rand(6, 4), torch.tensor([0.1, 0.9, 0.6, 0.3, 0.7, 0.2])
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        compiled = torch.compile(Selecting(), fullgraph=True, backend="eager")
        assert torch.equal(compiled(boxes, scores), Selecting()(boxes, scores))


def test_traces_without_a_warning():
    module = Checked()
    with warnings.catch_warnings():
        warnings.simplefilter("error", torch.jit.TracerWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = torch.jit.trace(module, arguments())
    inputs = arguments()
    for got, expected in zip(traced(*inputs), module(*inputs), strict=True):
        assert torch.equal(got, expected)
    wrong = torch.rand(2, 8, 3, 5, 7), *inputs[1:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ContractError, match=r"got \(2, 8, 3, 5, 7\)"):
            torch.jit.trace(module, wrong)


def test_scripts_behind_the_usual_guard():
    class Guarded(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if not torch.jit.is_scripting():
                IMAGE_CHW.check(x, "image", C=3)
            return x + 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        scripted = torch.jit.script(Guarded())
    assert torch.equal(scripted(torch.zeros(3, 4, 5)), torch.ones(3, 4, 5))


def test_works_under_vmap_and_on_meta_tensors():
    doubled = torch.vmap(lambda image: IMAGE_CHW.check(image, "image", C=3) * 2)(torch.ones(4, 3, 5, 6))
    assert torch.equal(doubled, torch.full((4, 3, 5, 6), 2.0))
    assert IMAGE_CHW.fits(torch.empty(3, 4, 5, device="meta"))


def test_modules_that_hold_layouts_pickle_and_copy():
    module = nn.Identity()
    module.layout = VIDEO_CTHW
    assert pickle.loads(pickle.dumps(module)).layout is VIDEO_CTHW
    assert copy.deepcopy(module).layout is VIDEO_CTHW


def test_samples_and_mistakes():
    assert sample(VIDEO_CTHW, 2, T=5).shape == (2, 3, 5, 10, 14)
    assert sample(ENCODED_BYTES).dtype == torch.uint8
    assert [what for what, _ in mistaken(IMAGE_CHW, C=3)] == [
        "an axis is missing",
        "axis -3 is 4",
        "axis -3 moved to the end",
    ]
    assert_checks(lambda x: VIDEO_CTHW.check(x, "clip", C=3), VIDEO_CTHW, "clip", C=3)
    assert_checks(lambda x: BOXES_XYXY.check(x, "boxes"), BOXES_XYXY, "boxes")
    with pytest.raises(AssertionError, match="was accepted"):
        assert_checks(lambda x: VIDEO_CTHW.check(x, "clip"), VIDEO_CTHW, "clip", C=3)
    with pytest.raises(AssertionError, match="names 'video', not 'clip'"):
        assert_checks(lambda x: VIDEO_CTHW.check(x, "video", C=3), VIDEO_CTHW, "clip", C=3)
