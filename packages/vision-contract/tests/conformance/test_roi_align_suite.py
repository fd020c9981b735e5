"""The suite of roi_align passes a correct operator and catches wrong ones."""

import math

import pytest

torch = pytest.importorskip("torch")

from vision_contract.testing import RoIAlignConformance  # noqa: E402


def _bilinear(image, y, x):
    """image (C, H, W) at the points y (P,), x (Q,): (C, P, Q), by gathering the four corners of each."""
    height, width = image.shape[1:]
    inside = ((y >= -1) & (y <= height))[:, None] & ((x >= -1) & (x <= width))
    y, x = y.clamp(0, height - 1)[:, None], x.clamp(0, width - 1)
    y0, x0 = y.floor().long(), x.floor().long()
    y1, x1 = (y0 + 1).clamp(max=height - 1), (x0 + 1).clamp(max=width - 1)
    v, u = y - y0, x - x0
    top = image[:, y0, x0] * (1 - u) + image[:, y0, x1] * u
    bottom = image[:, y1, x0] * (1 - u) + image[:, y1, x1] * u
    return (top * (1 - v) + bottom * v) * inside


def pool(input, boxes, output_size, spatial_scale=1.0, sampling_ratio=-1, aligned=False, fault=""):
    """Gathers samples and averages them: not how the oracle does it. `fault` plants a mistake."""
    if input.ndim != 4 or boxes.ndim != 2 or boxes.shape[1] != 5:
        raise ValueError("wrong shapes")
    bins_y, bins_x = output_size
    out = []
    for box in boxes.double():
        x1, y1, x2, y2 = (box[1:] * spatial_scale - (0.5 if aligned and fault != "not aligned" else 0)).tolist()
        height, width = y2 - y1, x2 - x1
        if not aligned and fault != "no least size":
            height, width = max(height, 1.0), max(width, 1.0)
        ratio = 2 if fault == "always two samples" else sampling_ratio
        ny = ratio if ratio > 0 else math.ceil(height / bins_y)
        nx = ratio if ratio > 0 else math.ceil(width / bins_x)
        half = 0 if fault == "corners" else 0.5
        y = y1 + (torch.arange(bins_y * ny, dtype=torch.float64) + half) * height / (bins_y * ny)
        x = x1 + (torch.arange(bins_x * nx, dtype=torch.float64) + half) * width / (bins_x * nx)
        image = input[0 if fault == "first image" else int(box[0])].double()
        samples = _bilinear(image, y, x)
        if fault == "edges repeat":
            samples = _bilinear(image, y.clamp(0, input.shape[2] - 1), x.clamp(0, input.shape[3] - 1))
        samples = samples.reshape(-1, bins_y, ny, bins_x, nx)
        out.append(samples.amax((2, 4)) if fault == "max" else samples.mean((2, 4)))
    result = torch.stack(out) if out else input.new_zeros(0, input.shape[1], bins_y, bins_x)
    return result.to(input.dtype)


# The schema is written out: torch 2.6 cannot read list[int].
@torch.library.custom_op(
    "vision_contract_tests::roi_align",
    mutates_args=(),
    schema="(Tensor input, Tensor boxes, SymInt[] size, float scale, SymInt ratio, bool aligned) -> Tensor",
)
def _roi_align(
    input: torch.Tensor, boxes: torch.Tensor, size: list[int], scale: float, ratio: int, aligned: bool
) -> torch.Tensor:
    return pool(input, boxes, size, scale, ratio, aligned)


@_roi_align.register_fake
def _(input, boxes, size, scale, ratio, aligned):
    return input.new_empty(boxes.shape[0], input.shape[1], size[0], size[1])


def _backward(ctx, gradient):
    input, boxes = ctx.saved_tensors
    with torch.enable_grad():
        leaf = input.detach().requires_grad_()
        result = pool(leaf, boxes, *ctx.options)
    return torch.autograd.grad(result, leaf, gradient)[0], None, None, None, None, None


def _keep(ctx, inputs, output):
    ctx.save_for_backward(*inputs[:2])
    ctx.options = inputs[2:]


_roi_align.register_autograd(_backward, setup_context=_keep)


def roi_align(
    input: torch.Tensor,
    boxes: torch.Tensor,
    output_size: list[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> torch.Tensor:
    return torch.ops.vision_contract_tests.roi_align(input, boxes, output_size, spatial_scale, sampling_ratio, aligned)


class TestRoIAlign(RoIAlignConformance):
    operator = staticmethod(roi_align)


def faulty(fault):
    def operator(*arguments, **options):
        return pool(*arguments, **options, fault=fault)

    return operator


def detached(input, *arguments, **options):
    result = pool(input, *arguments, **options)
    return result.detach() + 0 * input.sum().to(result.dtype)


def scales_in_place(input, boxes, output_size, spatial_scale=1.0, sampling_ratio=-1, aligned=False):
    boxes[:, 1:] *= spatial_scale
    return pool(input, boxes, output_size, 1.0, sampling_ratio, aligned)


def no_empty_batch(input, boxes, output_size, *arguments, **options):
    return pool(input, boxes if len(boxes) else input.new_zeros(1, 5), output_size, *arguments, **options)


def single_precision(input, boxes, *arguments, **options):
    return pool(input.float(), boxes, *arguments, **options).to(input.dtype)


WRONG = [
    (faulty("not aligned"), "test_equals_direct_sampling"),
    (faulty("not aligned"), "test_a_ramp_gives_its_value_at_the_centres"),
    (faulty("no least size"), "test_boxes_smaller_than_a_pixel"),
    (faulty("always two samples"), "test_equals_direct_sampling"),
    (faulty("always two samples"), "test_defaults"),
    (faulty("corners"), "test_a_ramp_gives_its_value_at_the_centres"),
    (faulty("first image"), "test_equals_direct_sampling"),
    (faulty("edges repeat"), "test_boxes_outside_of_the_image"),
    (faulty("max"), "test_equals_direct_sampling"),
    (detached, "test_gradient"),
    (scales_in_place, "test_leaves_its_arguments_alone"),
    (single_precision, "test_double_precision"),
    (no_empty_batch, "test_no_boxes"),
]


@pytest.mark.parametrize(("operator", "test"), WRONG)
def test_wrong_operators_are_caught(refuse, operator, test):
    refuse(RoIAlignConformance, operator, test)
