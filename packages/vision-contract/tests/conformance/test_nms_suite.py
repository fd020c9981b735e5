"""The suite of nms passes a correct operator and catches wrong ones."""

import pytest

torch = pytest.importorskip("torch")

from vision_contract.testing import NMSConformance, brute_force_nms  # noqa: E402


def _overlaps(boxes):
    x1, y1, x2, y2 = boxes.unbind(1)
    width = torch.minimum(x2[:, None], x2) - torch.maximum(x1[:, None], x1)
    height = torch.minimum(y2[:, None], y2) - torch.maximum(y1[:, None], y1)
    inter = width.clamp(min=0) * height.clamp(min=0)
    area = (x2 - x1) * (y2 - y1)
    return inter / (area[:, None] + area - inter)


def suppress(boxes, scores, iou_threshold):
    """A matrix of overlaps and a sweep over it: not how the oracle does it."""
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != boxes.shape[:1]:
        raise ValueError("wrong shapes")
    order = scores.sort(descending=True, stable=True).indices
    overlaps = _overlaps(boxes[order]) > iou_threshold
    alive = torch.ones(len(boxes), dtype=torch.bool)
    for i in range(len(boxes)):
        if alive[i]:
            alive[i + 1 :] &= ~overlaps[i, i + 1 :]
    return order[alive]


@torch.library.custom_op("vision_contract_tests::nms", mutates_args=())
def _nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    return suppress(boxes, scores, iou_threshold)


@_nms.register_fake
def _(boxes, scores, iou_threshold):
    return boxes.new_empty(torch.library.get_ctx().new_dynamic_size(), dtype=torch.int64)


def nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    return torch.ops.vision_contract_tests.nms(boxes, scores, iou_threshold)


class TestNMS(NMSConformance):
    operator = staticmethod(nms)


class TestPlainFunctionBecomesStatic(NMSConformance):
    operator = suppress  # and declares what it cannot do
    compiles = False
    scripts = False


def unstable(boxes, scores, iou_threshold):
    flipped = suppress(boxes.flip(0), scores.flip(0), iou_threshold)
    return len(boxes) - 1 - flipped


def not_strict(boxes, scores, iou_threshold):
    return suppress(boxes, scores, iou_threshold - 1e-6)


def one_sweep(boxes, scores, iou_threshold):
    """Lets suppressed boxes suppress others: what a careless parallel version does."""
    order = scores.sort(descending=True, stable=True).indices
    return order[~((_overlaps(boxes[order]) > iou_threshold).triu(1).any(0))]


def unsorted(boxes, scores, iou_threshold):
    return suppress(boxes, scores, iou_threshold).sort().values


def off_by_one_pixel(boxes, scores, iou_threshold):
    return suppress(boxes + torch.tensor([0, 0, 1, 1]), scores, iou_threshold)


def contiguous_only(boxes, scores, iou_threshold):
    storage = torch.as_strided(boxes, boxes.shape, (4, 1), boxes.storage_offset())
    return suppress(storage, scores, iou_threshold)


def sorts_in_place(boxes, scores, iou_threshold):
    kept = suppress(boxes, scores, iou_threshold)
    scores.copy_(scores.sort(descending=True).values)
    return kept


def narrow(boxes, scores, iou_threshold):
    return suppress(boxes, scores, iou_threshold).int()


def drops_flat_boxes(boxes, scores, iou_threshold):
    kept = suppress(boxes, scores, iou_threshold)
    return kept[(boxes[kept, 2] > boxes[kept, 0])]


def takes_anything(boxes, scores, iou_threshold):
    boxes = boxes.reshape(-1, boxes.shape[-1])[:, :4]
    return suppress(boxes, scores.reshape(-1)[:1].expand(len(boxes)), iou_threshold)


WRONG = [
    (unstable, "test_equal_scores_keep_their_order"),
    (not_strict, "test_only_a_greater_overlap_suppresses"),
    (one_sweep, "test_a_suppressed_box_suppresses_nothing"),
    (one_sweep, "test_equals_brute_force"),
    (unsorted, "test_equals_brute_force"),
    (off_by_one_pixel, "test_equals_brute_force"),
    (contiguous_only, "test_any_strides"),
    (sorts_in_place, "test_leaves_its_arguments_alone"),
    (narrow, "test_no_boxes"),
    (drops_flat_boxes, "test_boxes_without_area_overlap_nothing"),
    (takes_anything, "test_wrong_arguments_are_refused"),
]


@pytest.mark.parametrize(("operator", "test"), WRONG, ids=lambda value: getattr(value, "__name__", value))
def test_wrong_operators_are_caught(refuse, operator, test):
    refuse(NMSConformance, operator, test)


@pytest.mark.parametrize("test", ["test_scripts", "test_compiles_and_exports"])
def test_broken_promises_are_caught(refuse, test):
    refuse(NMSConformance, suppress, test, raising=Exception)


def test_what_does_not_pickle_is_caught(refuse):
    refuse(NMSConformance, lambda *arguments: suppress(*arguments), "test_pickles_and_copies", raising=Exception)


def test_the_oracle_on_an_example_done_by_hand():
    boxes = torch.tensor([[0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30], [0, 5, 10, 15.0]])  # IoU 9/11, 0, 1/3
    assert brute_force_nms(boxes, torch.tensor([0.8, 0.9, 0.1, 0.5]), 0.5) == [1, 3, 2]
    assert brute_force_nms(boxes, torch.tensor([0.8, 0.9, 0.1, 0.5]), 0.2) == [1, 2]
