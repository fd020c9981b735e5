"""Kernels of vision-core. Pointers are addresses of contiguous memory; nothing is checked here, the callers do that."""

from collections.abc import Sequence


# see _pixels/_memory.py
Layout = tuple[int, int, int, int, int, int, int, int]
compiler: str
environment_error: str | None

def isas() -> list[str]: ...
def active_isa() -> str: ...
def force_isa(name: str | None) -> None: ...
def pool_workers() -> int: ...
def box_areas(format: int, boxes: int, count: int, double: bool, threads: int, out: int) -> None: ...
def box_iou(
    kind: int,
    boxes1: int,
    count1: int,
    boxes2: int,
    count2: int,
    eps: float,
    double: bool,
    threads: int,
    out: int,
) -> None: ...
def clip_boxes(boxes: int, count: int, width: float, height: float, double: bool, threads: int, out: int) -> None: ...
def convert_boxes(source: int, to: int, boxes: int, count: int, double: bool, threads: int, out: int) -> None: ...
def large_boxes(boxes: int, count: int, least: float, double: bool, keep: int) -> int: ...
def matrix_nms(
    boxes: int,
    scores: int,
    groups: int,
    count: int,
    decay: int,
    sigma: float,
    shape: int,
    double: bool,
    threads: int,
    lowered: int,
) -> None: ...
def nms(
    boxes: int,
    scores: int,
    groups: int,
    count: int,
    iou_threshold: float,
    shape: int,
    double: bool,
    threads: int,
    keep: int,
) -> int: ...
def nms_mask(
    boxes: int,
    scores: int,
    groups: int,
    count: int,
    iou_threshold: float,
    shape: int,
    double: bool,
    threads: int,
    mask: int,
) -> None: ...
def rotated_box_iou(
    format: int, boxes1: int, count1: int, boxes2: int, count2: int, double: bool, threads: int, out: int
) -> None: ...
def soft_nms(
    boxes: int,
    scores: int,
    count: int,
    decay: int,
    iou_threshold: float,
    sigma: float,
    score_threshold: float,
    shape: int,
    double: bool,
    indices: int,
    lowered: int,
) -> int: ...
def resize_u8(
    source: int,
    target: int,
    planes: int,
    channels: int,
    source_height: int,
    source_width: int,
    target_height: int,
    target_width: int,
    row_stride: int,
    plane_stride: int,
    filter: int,
    threads: int,
) -> None: ...
def rle_area(rles: list[bytes], sizes: int, area: int) -> None: ...
def rle_boxes(rles: list[bytes], sizes: int, boxes: int) -> None: ...
def rle_compress(counts: int, count: int) -> bytes: ...
def rle_counts(text: bytes, height: int, width: int) -> list[int]: ...
def rle_decode(rles: list[bytes], height: int, width: int, threads: int, masks: int) -> None: ...
def rle_encode(masks: int, count: int, height: int, width: int, threads: int) -> list[bytes]: ...
def rle_iou(a: list[bytes], b: list[bytes], height: int, width: int, crowd: int, threads: int, iou: int) -> None: ...
def rle_merge(rles: list[bytes], height: int, width: int, intersect: bool) -> bytes: ...
def rle_polygons(xy: int, ends: int, count: int, height: int, width: int) -> list[bytes]: ...

class Instances:
    """Addresses of what native/detection_metrics.hpp describes."""

    offsets: int
    classes: int
    areas: int
    shapes: int
    scores: int
    boxes: int
    crowd: int
    ignore: int
    texts: int
    text_offsets: int
    sizes: int

class DetectionProblem:
    """Addresses and sizes of what native/detection_metrics.hpp describes."""

    images: int
    classes: int
    keypoints: int
    shape: int
    detections: Instances
    truths: Instances
    variances: int
    iou_thresholds: int
    recall_thresholds: int
    area_ranges: int
    max_detections: int
    iou_count: int
    recall_count: int
    area_count: int
    max_count: int
    precision: int
    scores: int
    recall: int

def evaluate_detections(problem: DetectionProblem, threads: int) -> None: ...
    batch: int,
    begin: int,
    bias: int,
    bilinear: bool,
    border: int,
    boxes: int,
    columns: int,
    compare: bool,
    count: int,
    double: bool,
    double: tuple[bool, bool],
    end: int,
    field: int,
    fill: bytes,
    fill: list[float],
    flags: tuple[bool, bool, bool, bool],
    height: int,
    image: int,
    images: int,
    input: int,
    input_shape: Sequence[int],
    kind: int,
    layout: Layout,
    left: int,
    mask: int,
    mask_gradient: int,
    mask_height: int,
    mask_width: int,
    masks: int,
    masks: int, count: int, height: int, width: int, size: int, floating: bool, threads: int, boxes: int
    numbers: Sequence[float],
    offset: int,
    offset_gradient: int,
    out: int,
    out_channels: int,
    pasted: int,
    pixel_gradient: int,
    pixels: int,
    places: int,
    pooled: int,
    pooled_shape: Sequence[int],
    rows: int,
    scale: Sequence[float],
    scale: float,
    settings: tuple[int, int, int],
    sizes: tuple[int, ...],
    source: int,
    source: int, layout: Layout, kind: int, first: float, second: float, target: int, threads: int
    source: int, layout: Layout, kinds: list[int], factors: list[float], target: int, threads: int
    source: int, layout: Layout, mean: list[float], std: list[float], type: int, target: int, threads: int
    source: int, planes: int, height: int, width: int, across: list[float], down: list[float], target: int, threads: int
    target: int,
    threads: int,
    threshold: float,
    top: int,
    weight: int,
    width: int,
) -> None: ...
) -> int: ...
def blur_f32(
def blur_u8(source: int, layout: Layout, across: list[float], down: list[float], target: int, threads: int) -> None: ...
def colour_chain_u8(
def deform_conv_gradients(
def deform_conv_sample(
def deform_conv_small(
def flip_u8(source: int, layout: Layout, horizontal: bool, target: int, threads: int) -> None: ...
def gray_u8(source: int, layout: Layout, channels: int, target: int, threads: int) -> None: ...
def histogram_u8(source: int, layout: Layout, bins: int, threads: int) -> None: ...
def lut_u8(source: int, layout: Layout, tables: int, per_channel: bool, target: int, threads: int) -> None: ...
def mask_iou(a: int, first_count: int, b: int, second_count: int, pixels: int, threads: int, iou: int) -> None: ...
def masks_to_boxes(
def max_regions(
def normalize_u8(
def pad_u8(
def paste_masks(
def point_u8(
def pool_regions(
def segment_pairs(a: int, b: int, count: int) -> list[tuple[int, int, int]]: ...
def sharpness_u8(source: int, layout: Layout, factor: float, target: int, threads: int) -> None: ...
def spread_max_regions(
def spread_regions(
def warp_u8(
) -> None: ...
