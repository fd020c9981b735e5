"""Layouts on anything that has a shape: no torch, no NumPy."""

# ruff: noqa: E501

import array
import copy
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import vision_contract
from vision_contract import layouts
from vision_contract.layouts import (
    BOXES_XYXY,
    ENCODED_BYTES,
    FLOW_2HW,
    FRAMES_TCHW,
    FRAMES_THWC,
    IMAGE_CHW,
    IMAGE_HWC,
    MASKS_NHW,
    SCORES_N,
    VIDEO_CTHW,
    WAVEFORM_CT,
    ContractError,
    Layout,
)

NAMED = [getattr(layouts, name) for name in layouts.__all__ if name.isupper() or name == "FLOW_2HW"]


def shaped(*shape):
    return SimpleNamespace(shape=shape)


def test_the_names_of_the_contract():
    assert {layout.name: layout.axes for layout in NAMED} == {
        "IMAGE_CHW": "... C H W",
        "IMAGE_HWC": "... H W C",
        "VIDEO_CTHW": "... C T H W",
        "FRAMES_TCHW": "... T C H W",
        "FRAMES_THWC": "... T H W C",
        "WAVEFORM_CT": "... C T",
        "SPECTROGRAM_TF": "... T F",
        "BOXES_XYXY": "N 4",
        "BOXES_XYWH": "N 4",
        "BOXES_CXCYWH": "N 4",
        "BOXES_CXCYWHR": "N 5",
        "SCORES_N": "N",
        "LABELS_N": "N",
        "MASKS_NHW": "N H W",
        "KEYPOINTS_NKC": "N K C",
        "FLOW_2HW": "... 2 H W",
        "ENCODED_BYTES": "L",
    }
    assert all(getattr(vision_contract, layout.name) is layout for layout in NAMED)


def test_check_returns_its_argument():
    clip = shaped(3, 8, 4, 4)
    assert VIDEO_CTHW.check(clip, "clip", C=3, T=8) is clip
    batch = shaped(2, 5, 3, 8, 4, 4)
    assert VIDEO_CTHW.check(batch) is batch


# fmt: off
GOLDEN = [
    (VIDEO_CTHW, (8, 3, 4, 4), {"C": 3}, "x: expected VIDEO_CTHW [... 3 T H W], got (8, 3, 4, 4); shape fits FRAMES_TCHW: use x.transpose(-4, -3); axis C (-4) is 8, not 3"),
    (VIDEO_CTHW, (8, 4, 5, 3), {"C": 3}, "x: expected VIDEO_CTHW [... 3 T H W], got (8, 4, 5, 3); shape fits FRAMES_THWC: use x.movedim(-1, -4); axis C (-4) is 8, not 3"),
    (VIDEO_CTHW, (2, 8, 3, 4, 3), {"C": 3}, "x: expected VIDEO_CTHW [... 3 T H W], got (2, 8, 3, 4, 3); shape fits FRAMES_TCHW: use x.transpose(-4, -3), or FRAMES_THWC: use x.movedim(-1, -4); axis C (-4) is 8, not 3"),
    (VIDEO_CTHW, (3, 4, 5), {"C": 3}, "x: expected VIDEO_CTHW [... 3 T H W], got (3, 4, 5); shape fits IMAGE_CHW: use x.unsqueeze(-3); it has 3 axes, not 4 or more"),
    (VIDEO_CTHW, (1, 8, 4, 4), {"C": 3}, "x: expected VIDEO_CTHW [... 3 T H W], got (1, 8, 4, 4); axis C (-4) is 1, not 3"),
    (VIDEO_CTHW, (3, 8, 4, 4), {"C": 3, "T": 16}, "x: expected VIDEO_CTHW [... 3 16 H W], got (3, 8, 4, 4); axis T (-3) is 8, not 16"),
    (FRAMES_TCHW, (8, 4, 5, 3), {"C": 3}, "x: expected FRAMES_TCHW [... T 3 H W], got (8, 4, 5, 3); shape fits FRAMES_THWC: use x.movedim(-1, -3); axis C (-3) is 4, not 3"),
    (FRAMES_THWC, (3, 8, 4, 5), {"C": 3}, "x: expected FRAMES_THWC [... T H W 3], got (3, 8, 4, 5); shape fits VIDEO_CTHW: use x.movedim(-4, -1); axis C (-1) is 5, not 3"),
    (IMAGE_CHW, (480, 640, 3), {"C": 3}, "x: expected IMAGE_CHW [... 3 H W], got (480, 640, 3); shape fits IMAGE_HWC: use x.movedim(-1, -3); axis C (-3) is 480, not 3"),
    (IMAGE_CHW, (480, 640), {}, "x: expected IMAGE_CHW [... C H W], got (480, 640); it has 2 axes, not 3 or more"),
    (IMAGE_HWC, (3, 480, 640), {"C": 3}, "x: expected IMAGE_HWC [... H W 3], got (3, 480, 640); shape fits IMAGE_CHW: use x.movedim(-3, -1); axis C (-1) is 640, not 3"),
    (BOXES_XYXY, (4,), {}, "x: expected BOXES_XYXY [N 4], got (4,); shape fits one box: use x.unsqueeze(-2); it has 1 axis, not 2"),
    (BOXES_XYXY, (4, 7), {}, "x: expected BOXES_XYXY [N 4], got (4, 7); shape fits BOXES_4N: use x.transpose(-2, -1); axis -1 is 7, not 4"),
    (BOXES_XYXY, (7, 5), {}, "x: expected BOXES_XYXY [N 4], got (7, 5); axis -1 is 5, not 4"),
    (BOXES_XYXY, (2, 7, 4), {}, "x: expected BOXES_XYXY [N 4], got (2, 7, 4); it has 3 axes, not 2"),
    (BOXES_XYXY, (7, 4), {"N": 6}, "x: expected BOXES_XYXY [6 4], got (7, 4); axis N (-2) is 7, not 6"),
    (SCORES_N, (), {}, "x: expected SCORES_N [N], got (); it has 0 axes, not 1"),
    (MASKS_NHW, (4, 5), {}, "x: expected MASKS_NHW [N H W], got (4, 5); shape fits one mask: use x.unsqueeze(-3); it has 2 axes, not 3"),
    (FLOW_2HW, (4, 5, 2), {}, "x: expected FLOW_2HW [... 2 H W], got (4, 5, 2); shape fits FLOW_HW2: use x.movedim(-1, -3); axis -3 is 4, not 2"),
    (WAVEFORM_CT, (16000, 2), {"C": 2}, "x: expected WAVEFORM_CT [... 2 T], got (16000, 2); shape fits WAVEFORM_TC: use x.transpose(-2, -1); axis C (-2) is 16000, not 2"),
    (WAVEFORM_CT, (16000,), {}, "x: expected WAVEFORM_CT [... C T], got (16000,); shape fits mono: use x.unsqueeze(-2); it has 1 axis, not 2 or more"),
]
# fmt: on


@pytest.mark.parametrize(("layout", "shape", "sizes", "text"), GOLDEN, ids=[f"{g[0].name}-{g[1]}" for g in GOLDEN])
def test_error_texts(layout, shape, sizes, text):
    with pytest.raises(ContractError) as caught:
        layout.check(shaped(*shape), "x", **sizes)
    error = caught.value
    assert str(error) == text
    assert error.spec is layout
    assert error.shape == shape
    assert error.argument == "x"
    assert error.hint is None if "shape fits" not in text else error.hint in text
    assert isinstance(error, ValueError)


def test_what_has_no_shape():
    with pytest.raises(
        ContractError, match="boxes: expected BOXES_XYXY \\[N 4\\], got list, which has no shape; stack"
    ):
        BOXES_XYXY.check([[0, 0, 1, 1]], "boxes")
    with pytest.raises(ContractError, match="got str, which has no shape; convert it to a tensor"):
        IMAGE_CHW.check("cat.jpg", "image")
    with pytest.raises(ContractError, match="got NoneType"):
        IMAGE_CHW.check(None)
    with pytest.raises(ContractError):
        IMAGE_CHW.check(SimpleNamespace(shape=None))


def test_errors_survive_pickling():
    with pytest.raises(ContractError) as caught:
        VIDEO_CTHW.check(shaped(8, 3, 4, 4), "clip", C=3)
    error = pickle.loads(pickle.dumps(caught.value))
    assert str(error) == str(caught.value)
    assert (error.spec, error.shape, error.argument, error.hint) == (
        VIDEO_CTHW,
        (8, 3, 4, 4),
        "clip",
        "shape fits FRAMES_TCHW: use clip.transpose(-4, -3)",
    )


def test_unknown_axes_are_mistakes_of_the_caller():
    with pytest.raises(TypeError, match=r"IMAGE_CHW \[... C H W\] has no axis 'T'"):
        IMAGE_CHW.check(shaped(3, 4, 5), T=8)
    with pytest.raises(TypeError, match="has no axis 'T'"):
        IMAGE_CHW.axis("T")


def test_axes_and_sizes():
    assert [VIDEO_CTHW.axis(letter) for letter in "CTHW"] == [-4, -3, -2, -1]
    assert VIDEO_CTHW.sizes(shaped(9, 3, 8, 4, 5)) == {"C": 3, "T": 8, "H": 4, "W": 5}
    assert FLOW_2HW.sizes(shaped(2, 4, 5)) == {"H": 4, "W": 5}
    with pytest.raises(ContractError):
        VIDEO_CTHW.sizes(shaped(3, 8, 4))


def test_permutations():
    assert VIDEO_CTHW.permutation(FRAMES_TCHW) == (-3, -4, -2, -1)
    assert FRAMES_THWC.permutation(VIDEO_CTHW) == (-1, -4, -3, -2)
    with pytest.raises(ValueError, match="cannot be permuted"):
        VIDEO_CTHW.permutation(IMAGE_CHW)


def test_fits():
    assert IMAGE_CHW.fits(shaped(3, 4, 5))
    assert not IMAGE_CHW.fits(shaped(4, 5))
    assert not FLOW_2HW.fits(shaped(4, 5, 2))
    assert not IMAGE_CHW.fits("cat")


@pytest.mark.parametrize("axes", ["", "...", "C C", "c h", "CH W", "C ... H", "... 4 4", "N -1", "N  4", " N"])
def test_axes_that_make_no_sense(axes):
    with pytest.raises(ValueError, match="expected different capital letters"):
        Layout("WRONG", axes)


def test_layouts_are_values():
    mine = Layout("MINE", "... A B", neighbours=(Layout("YOURS", "... B A"), VIDEO_CTHW))
    assert repr(mine) == "MINE [... A B]"
    assert mine == Layout("MINE", "... A B")
    assert mine != Layout("MINE", "A B")
    assert mine != "MINE [... A B]"
    assert len({mine, Layout("MINE", "... A B"), VIDEO_CTHW}) == 2
    with pytest.raises(AttributeError, match="immutable"):
        mine.name = "OTHER"
    with pytest.raises(AttributeError, match="immutable"):
        del mine.axes
    with pytest.raises(AttributeError):
        mine.anything = 1


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_by_name_and_by_value(protocol):
    for layout in NAMED:
        assert pickle.loads(pickle.dumps(layout, protocol)) is layout
        assert copy.deepcopy(layout) is layout
    mine = Layout("MINE", "... 7 B", neighbours=(Layout("YOURS", "... B 7"), VIDEO_CTHW))
    again = pickle.loads(pickle.dumps(mine, protocol))
    assert again == mine
    assert again._neighbours == mine._neighbours
    impostor = Layout("VIDEO_CTHW", "T H W")
    assert pickle.loads(pickle.dumps(impostor, protocol)) == impostor


def test_encoded_bytes():
    for data in (b"abc", bytearray(b"abc"), memoryview(b"abc"), array.array("B", b"abc")):
        assert ENCODED_BYTES.check(data, "data") is data
        assert ENCODED_BYTES.check(data, "data", L=3) is data
        assert ENCODED_BYTES.sizes(data) == {"L": 3}
    tensor = SimpleNamespace(shape=(3,), dtype="torch.uint8")
    assert ENCODED_BYTES.check(tensor) is tensor
    assert ENCODED_BYTES.sizes(tensor) == {"L": 3}
    with pytest.raises(ContractError, match=r"data: expected ENCODED_BYTES \[L\] of uint8, got torch.float32 \(3,\)"):
        ENCODED_BYTES.check(SimpleNamespace(shape=(3,), dtype="torch.float32"), "data")
    with pytest.raises(ContractError, match=r"got \(3, 4\); it has 2 axes, not 1"):
        ENCODED_BYTES.check(SimpleNamespace(shape=(3, 4), dtype="torch.uint8"), "data")
    with pytest.raises(ContractError, match=r"got str; read the file: pathlib.Path\(data\).read_bytes\(\)"):
        ENCODED_BYTES.check("cat.jpg", "data")
    with pytest.raises(ContractError, match=r"expected ENCODED_BYTES \[4\], got \(3,\); axis L \(-1\) is 3, not 4"):
        ENCODED_BYTES.check(b"abc", "data", L=4)
    with pytest.raises(ContractError, match=r"got NoneType$"):
        ENCODED_BYTES.check(None)
    assert not ENCODED_BYTES.fits("cat.jpg")


def test_import_brings_in_neither_torch_nor_numpy():
    code = (
        "import vision_contract, vision_contract.testing, sys; print({'torch', 'numpy', 'pytest'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_contract_stays_small():
    sources = Path(vision_contract.__file__).parent.glob("*.py")
    assert sum(bool(line.strip()) for source in sources for line in source.read_text().splitlines()) < 600


shapes = st.lists(st.integers(0, 6), max_size=7).map(tuple)


@settings(deadline=None)
@given(layout=st.sampled_from([n for n in NAMED if n is not ENCODED_BYTES]), shape=shapes, data=st.data())
def test_check_accepts_exactly_what_the_axes_say(layout, shape, data):
    tokens = [token for token in layout.axes.split() if token != "..."]
    letters = [token for token in tokens if not token.isdigit()]
    sizes = data.draw(st.dictionaries(st.sampled_from(letters), st.integers(0, 6), max_size=2))
    ranks = len(shape) >= len(tokens) if layout.axes.startswith("...") else len(shape) == len(tokens)
    wanted = [int(token) if token.isdigit() else sizes.get(token) for token in tokens]
    fits = ranks and all(want in (None, got) for want, got in zip(reversed(wanted), reversed(shape), strict=False))
    x = shaped(*shape)
    if fits:
        assert layout.check(x, "x", **sizes) is x
    else:
        with pytest.raises(ContractError) as caught:
            layout.check(x, "x", **sizes)
        assert str(shape) in str(caught.value)


@settings(deadline=None)
@given(st.permutations(["C", "T", "H", "W", "3"]), st.permutations(["C", "T", "H", "W", "3"]))
def test_permutations_undo_each_other(first, second):
    one, two = Layout("ONE", " ".join(first)), Layout("TWO", " ".join(second))
    forth, back = one.permutation(two), two.permutation(one)
    assert [first[axis] for axis in forth] == second
    assert [forth[axis] for axis in back] == [-5, -4, -3, -2, -1]


@settings(deadline=None)
@given(layout=st.sampled_from(NAMED), sizes=st.dictionaries(st.sampled_from("CTHWNKF"), st.integers(1, 5), max_size=3))
def test_a_hint_is_given_only_if_a_neighbour_fits(layout, sizes):
    sizes = {letter: size for letter, size in sizes.items() if letter in layout.axes}
    assume(layout is not ENCODED_BYTES)
    for shape in ((3,), (3, 4), (4, 3), (2, 4, 3), (5, 3, 4, 2), (3, 5, 2, 4)):
        if not layout.fits(shaped(*shape)):
            with pytest.raises(ContractError) as caught:
                layout.check(shaped(*shape), "x", **sizes)
            fitting = [n.name for n in layout._neighbours if n.fits(shaped(*shape))]
            hint = caught.value.hint
            assert hint is None or any(name in hint for name in fitting)
