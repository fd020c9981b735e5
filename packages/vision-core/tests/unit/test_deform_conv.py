"""Deformable convolution against loops over pixels, torch's own convolution, and numerical gradients."""

from __future__ import annotations

import itertools
import math
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from vision_core import _native
from vision_core.ops.deform_conv import DeformConv2d, deform_conv2d


def example(
    batch: int = 2,
    channels: int = 4,
    out_channels: int = 6,
    size: tuple[int, int] = (6, 7),
    kernel: tuple[int, int] = (3, 2),
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (1, 0),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
    offset_groups: int = 1,
    dtype: torch.dtype = torch.float64,
    seed: int = 0,
) -> tuple[list[Tensor], dict]:
    """input, offset, weight, bias and mask, and the settings."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    out = [(size[i] + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in (0, 1)]
    taps = kernel[0] * kernel[1]
    tensors = [
        draw(batch, channels, *size),
        2 * draw(batch, 2 * offset_groups * taps, *out),
        draw(out_channels, channels // groups, *kernel),
        draw(out_channels),
        draw(batch, offset_groups * taps, *out),
    ]
    return tensors, {"stride": stride, "padding": padding, "dilation": dilation}


def convolve(tensors: list[Tensor], chosen: dict) -> Tensor:
    input, offset, weight, bias, mask = tensors
    return deform_conv2d(input, offset, weight, bias, mask=mask, **chosen)


def by_hand(tensors: list[Tensor], chosen: dict) -> Tensor:
    """The definition, one output position, tap and channel after the other, in float64."""
    batch, channels, height, width = tensors[0].shape
    out_channels, group_channels, _, kernel_width = tensors[2].shape
    _, masks, out_height, out_width = tensors[4].shape
    taps = tensors[2][0, 0].numel()
    per_offset, per_group = channels * taps // masks, out_channels * group_channels // channels
    image, offset, weight, bias, mask = (t.tolist() for t in tensors)
    out = torch.zeros(batch, out_channels, out_height, out_width, dtype=torch.float64)
    for n, i, j in itertools.product(range(batch), range(out_height), range(out_width)):
        total = list(bias)
        for tap, c in itertools.product(range(taps), range(channels)):
            tap_y, tap_x = tap // kernel_width, tap % kernel_width
            place = c // per_offset * taps + tap
            y = i * chosen["stride"][0] - chosen["padding"][0] + tap_y * chosen["dilation"][0]
            x = j * chosen["stride"][1] - chosen["padding"][1] + tap_x * chosen["dilation"][1]
            y, x = y + offset[n][2 * place][i][j], x + offset[n][2 * place + 1][i][j]
            value = 0.0
            for at_y, at_x in itertools.product(*(range(math.floor(p), math.floor(p) + 2) for p in (y, x))):
                if 0 <= at_y < height and 0 <= at_x < width:
                    value += (1 - abs(y - at_y)) * (1 - abs(x - at_x)) * image[n][c][at_y][at_x]
            group = c // group_channels
            for k in range(group * per_group, (group + 1) * per_group):
                total[k] += weight[k][c % group_channels][tap_y][tap_x] * value * mask[n][place][i][j]
        out[n, :, i, j] = torch.tensor(total, dtype=torch.float64)
    return out


CASES = {
    "plain": {},
    "strides and dilations": {"size": (9, 8), "stride": (2, 1), "dilation": (2, 3), "padding": (2, 3)},
    "groups": {"channels": 6, "groups": 3, "offset_groups": 2},
    "depthwise": {"channels": 3, "out_channels": 6, "groups": 3, "offset_groups": 3},
    "one tap": {"kernel": (1, 1), "padding": (0, 0)},
    "many channels": {"channels": 37, "size": (3, 4), "batch": 1},
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("path", ["small", "matrix products", "parts of images"])
def test_equals_the_definition(
    backend: str, name: str, dtype: torch.dtype, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if backend == "reference" and path != "small":
        pytest.skip("the reference has one path")
    if path != "small":
        monkeypatch.setattr("vision_core.ops.deform_conv._SMALL", 0)
    if path == "parts of images":
        monkeypatch.setattr("vision_core.ops.deform_conv._MOST_COLUMNS", 1)
        monkeypatch.setattr("vision_core.ops.deform_conv._LEAST_POSITIONS", 5)
    tensors, chosen = example(**CASES[name], dtype=dtype)
    if name not in _expected:
        _expected[name] = by_hand(*example(**CASES[name]))
    torch.testing.assert_close(
        convolve(tensors, chosen).double(), _expected[name], rtol=1e-4 if dtype == torch.float32 else 1e-10, atol=1e-4
    )
    without_mask, _ = example(**CASES[name], dtype=dtype)
    ones = torch.ones_like(without_mask[4])
    plain = deform_conv2d(*without_mask[:4], **chosen)
    torch.testing.assert_close(plain, convolve([*without_mask[:4], ones], chosen))


_expected: dict[str, Tensor] = {}


@pytest.mark.parametrize("groups", [1, 2])
def test_without_offsets_it_is_a_convolution(backend: str, groups: int) -> None:
    tensors, chosen = example(size=(20, 21), channels=32, groups=groups, dtype=torch.float32)
    expected = nn.functional.conv2d(tensors[0], tensors[2], tensors[3], groups=groups, **chosen)
    moved = deform_conv2d(tensors[0], torch.zeros_like(tensors[1]), tensors[2], tensors[3], **chosen)
    torch.testing.assert_close(moved, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["plain", "strides and dilations", "groups"])
@pytest.mark.parametrize("part", ["whole", "parts of images"])
def test_gradients(backend: str, name: str, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if part != "whole":
        monkeypatch.setattr("vision_core.ops.deform_conv._MOST_COLUMNS", 1)
        monkeypatch.setattr("vision_core.ops.deform_conv._LEAST_POSITIONS", 5)
    case = {"size": (4, 5), **{key: value for key, value in CASES[name].items() if key != "size"}}
    tensors, chosen = example(**case)
    tensors[1] += 0.013  # away from whole positions, where there is no derivative
    leaves = [t.requires_grad_() for t in tensors]
    whole = backend == "avx2" and name == "plain"  # element by element, and along random directions elsewhere
    assert torch.autograd.gradcheck(lambda *t: convolve(list(t), chosen), leaves, fast_mode=not whole)


def test_gradients_of_gradients() -> None:
    tensors, chosen = example(batch=1, channels=2, out_channels=2, size=(4, 4), kernel=(2, 2))
    leaves = [t.requires_grad_() for t in tensors]
    assert torch.autograd.gradgradcheck(lambda *t: convolve(list(t), chosen), leaves, fast_mode=True)


@pytest.mark.parametrize("needed", range(5))
def test_one_gradient_at_a_time(backend: str, needed: int) -> None:
    tensors, chosen = example(dtype=torch.float32)
    every = [t.clone().requires_grad_() for t in tensors]
    convolve(every, chosen).square().sum().backward()
    tensors[needed].requires_grad_()
    convolve(tensors, chosen).square().sum().backward()
    for i, (one, all_) in enumerate(zip(tensors, every, strict=True)):
        if i == needed:
            torch.testing.assert_close(one.grad, all_.grad)
        else:
            assert one.grad is None


def test_gradients_do_not_depend_on_chance(backend: str) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        tensors, chosen = example(channels=48, size=(20, 20), batch=3, dtype=torch.float32)
        found = []
        for _ in range(3):
            leaves = [t.clone().requires_grad_() for t in tensors]
            convolve(leaves, chosen).square().sum().backward()
            found.append([t.grad for t in leaves])
        assert all(torch.equal(a, b) for later in found[1:] for a, b in zip(found[0], later, strict=True))
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(backend: str, dtype: torch.dtype) -> None:
    tensors, chosen = example(dtype=dtype)
    wide = [t.float().requires_grad_() for t in tensors]
    leaves = [t.requires_grad_() for t in tensors]
    result, expected = convolve(leaves, chosen), convolve(wide, chosen)
    assert torch.equal(result, expected.to(dtype))
    result.sum().backward()
    expected.sum().backward()
    for a, b in zip(leaves, wide, strict=True):
        assert a.grad is not None
        assert a.grad.dtype == dtype
        torch.testing.assert_close(a.grad, b.grad.to(dtype))


def test_autocast_takes_mixed_precisions(backend: str) -> None:
    tensors, chosen = example(dtype=torch.float32)
    tensors[0] = tensors[0].bfloat16()
    expected = convolve([t.float() for t in tensors], chosen)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = convolve(tensors, chosen)
    assert result.dtype == torch.bfloat16
    assert torch.equal(result, expected.bfloat16())


def test_any_strides(backend: str) -> None:
    tensors, chosen = example(channels=40, size=(9, 9), dtype=torch.float32)
    expected = convolve(tensors, chosen)
    odd = [t.transpose(0, -1).contiguous().transpose(0, -1) for t in tensors]
    assert torch.equal(convolve(odd, chosen), expected)
    odd[0] = tensors[0].to(memory_format=torch.channels_last)
    assert torch.equal(convolve(odd, chosen), expected)
    assert convolve(odd, chosen).is_contiguous()
    leaves = [t.clone().requires_grad_() for t in tensors]
    convolve(leaves, chosen).transpose(0, 1).contiguous().sum().backward()
    other = [t.detach().requires_grad_() for t in odd]
    convolve(other, chosen).sum().backward()
    for a, b in zip(leaves, other, strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_empty_batch(backend: str) -> None:
    tensors, chosen = example(batch=0, dtype=torch.float32)
    leaves = [t.requires_grad_() for t in tensors]
    result = convolve(leaves, chosen)
    assert result.shape == (0, 6, 6, 6)
    result.sum().backward()
    assert [t.grad.abs().sum().item() for t in leaves] == [0.0] * 5


def test_nowhere_is_outside(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for small in (1 << 16, 0):
        monkeypatch.setattr("vision_core.ops.deform_conv._SMALL", small)
        tensors, chosen = example(dtype=torch.float32)
        for value in (math.nan, math.inf, -math.inf, 3e38, -3e38, 1e10, -1e10):
            odd = [t.clone() for t in tensors]
            odd[1][...] = value
            leaves = [t.requires_grad_() for t in odd]
            result = convolve(leaves, chosen)
            assert torch.equal(result, tensors[3][None, :, None, None].expand_as(result))
            result.sum().backward()
            assert all(t.grad.abs().sum() == 0 for t in (leaves[0], leaves[1], leaves[2], leaves[4]))


def test_pixels_outside_are_not_read(backend: str) -> None:
    """An infinite pixel reaches only what it is sampled for."""
    image = torch.full((1, 1, 2, 2), math.inf)
    image[0, 0, 0, 0] = 1.0
    offset = torch.tensor([-0.5, -0.5]).view(1, 2, 1, 1).expand(1, 2, 2, 2)
    result = deform_conv2d(image, offset, torch.ones(1, 1, 1, 1))
    assert result[0, 0, 0, 0] == 0.25


@settings(max_examples=30, deadline=None)
@given(
    batch=st.integers(0, 3),
    group_channels=st.integers(1, 20),
    groups=st.integers(1, 3),
    offset_groups=st.integers(1, 3),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    size=st.tuples(st.integers(3, 9), st.integers(3, 9)),
    dtype=st.sampled_from([torch.float32, torch.float64, torch.float16]),
)
def test_every_isa_equals_the_reference(
    batch: int, group_channels: int, groups: int, offset_groups: int, kernel: tuple[int, int],
    stride: tuple[int, int], padding: tuple[int, int], size: tuple[int, int], dtype: torch.dtype,
) -> None:  # fmt: skip
    channels = group_channels * groups * offset_groups
    tensors, chosen = example(
        batch, channels, 2 * groups, size, kernel, stride, padding, (1, 1), groups, offset_groups, dtype
    )
    tolerance = {torch.float32: 1e-3, torch.float64: 1e-9, torch.float16: 5e-2}[dtype]

    def run() -> list[Tensor]:
        leaves = [t.clone().requires_grad_() for t in tensors]
        result = convolve(leaves, chosen)
        result.float().mul(0.1).square().sum().backward()
        return [result.detach(), *(t.grad for t in leaves if t.grad is not None)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_native, "module", None)
        expected = run()
    for isa in _native.module.isas() if _native.module else []:
        _native.module.force_isa(isa)
        try:
            for a, b in zip(run(), expected, strict=True):
                torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance * 10)
        finally:
            _native.module.force_isa(None)


def test_operator_checks() -> None:
    operators = torch.ops.vision_core
    tensors, chosen = example(channels=6, groups=3, offset_groups=2, dtype=torch.float32)
    values = [list(chosen[key]) for key in ("stride", "padding", "dilation")]
    torch.library.opcheck(operators.deform_conv2d.default, (*tensors[:3], None, None, *values))
    leaves = [t.clone().requires_grad_() for t in tensors]
    torch.library.opcheck(operators.deform_conv2d.default, (*leaves, *values))
    arguments = (convolve(tensors, chosen), *tensors, *values, [True, False, True, True])
    tests = ("test_schema", "test_faketensor")
    torch.library.opcheck(operators.deform_conv2d_backward.default, arguments, test_utils=tests)


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.offsets = nn.Conv2d(4, 18, 3, padding=1)
        self.convolution = DeformConv2d(4, 8, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        return self.convolution(image, self.offsets(image)).relu()


def test_compiles_exports_and_scripts() -> None:
    torch.manual_seed(0)
    block, image = Block(), torch.rand(2, 4, 9, 11)
    expected = block(image)
    compiled = torch.compile(block, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(image), expected)
    compiled(image).sum().backward()
    found = [p.grad.clone() for p in block.parameters()]
    block.zero_grad()
    block(image).sum().backward()
    for a, b in zip(found, block.parameters(), strict=True):
        torch.testing.assert_close(a, b.grad)
    sizes = {0: torch.export.Dim("n", max=9), 2: torch.export.Dim("h", min=3, max=99), 3: torch.export.Dim("w", min=3)}
    program = torch.export.export(block, (image,), dynamic_shapes=(sizes,))
    other = torch.rand(1, 4, 20, 6)
    torch.testing.assert_close(program.module()(other), block(other))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert torch.equal(torch.jit.script(block)(other), block(other))
        assert torch.equal(torch.jit.trace(block, image)(other), block(other))


def test_module() -> None:
    layer = DeformConv2d(4, 8, (3, 2), stride=2, padding=1, dilation=2, groups=2)
    assert {name: tuple(p.shape) for name, p in layer.state_dict().items()} == {"weight": (8, 2, 3, 2), "bias": (8,)}
    assert DeformConv2d(4, 8, 3, bias=False).bias is None
    assert repr(layer) == (
        "DeformConv2d(4, 8, kernel_size=(3, 2), stride=(2, 2), padding=(1, 1), dilation=(2, 2), groups=2)"
    )
    bound = 1 / math.sqrt(2 * 3 * 2)
    assert all(p.detach().abs().max() <= bound for p in (layer.weight, layer.bias))
    for channels in ((3, 8), (4, 7)):
        with pytest.raises(ValueError, match="multiple of groups=2"):
            DeformConv2d(*channels, 3, groups=2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input": torch.zeros(4, 6, 7)}, "3, 4 and 4 dimensions"),
        ({"input": torch.zeros(2, 5, 6, 7)}, "with 5 channels"),
        ({"input": torch.zeros(2, 4, 0, 7)}, "0 x 7"),
        ({"offset": torch.zeros(2, 11, 6, 6)}, "got 11"),
        ({"offset": torch.zeros(2, 0, 6, 6)}, "got 0"),
        ({"offset": torch.zeros(2, 36, 6, 6)}, "divide 4 channels, got 36"),
        ({"offset": torch.zeros(2, 12, 6, 5)}, r"\[2, 12, 6, 6\]"),
        ({"offset": torch.zeros(1, 12, 6, 6)}, r"\[2, 12, 6, 6\]"),
        ({"weight": torch.zeros(5, 2, 3, 2)}, "no multiple of 2 groups"),
        ({"weight": torch.zeros(6, 4, 30, 2)}, "got 12"),
        ({"weight": torch.zeros(6, 4, 9, 2), "offset": torch.zeros(2, 36, 1, 1)}, "too few"),
        ({"bias": torch.zeros(5)}, r"bias: expected \[6\]"),
        ({"mask": torch.zeros(2, 6, 6, 5)}, "mask"),
        ({"stride": (0, 1)}, "stride"),
        ({"padding": (-1, 0)}, "padding"),
        ({"dilation": (1, 0)}, "dilation"),
    ],
)
def test_wrong_arguments_name_themselves(backend: str, change: dict, message: str) -> None:
    tensors, chosen = example(dtype=torch.float32)
    arguments = dict(zip(("input", "offset", "weight", "bias", "mask"), tensors, strict=True), **chosen)
    with pytest.raises(ValueError, match=message):
        deform_conv2d(**{**arguments, **change})


def test_whole_numbers_are_refused(backend: str) -> None:
    tensors, chosen = example(dtype=torch.float32)
    tensors[1] = tensors[1].long()
    with pytest.raises(TypeError, match=r"offset: expected floating point, got torch\.int64"):
        convolve(tensors, chosen)
