"""Kernels of vision-core. Pointers are addresses of contiguous memory; nothing is checked here, the callers do that."""

from collections.abc import Sequence

compiler: str
environment_error: str | None

Layout = tuple[int, int, int, int, int, int, int, int]  # see _pixels/_memory.py

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

def isas() -> list[str]: ...
def active_isa() -> str: ...
def force_isa(name: str | None) -> None: ...
def pool_workers() -> int: ...
def add_noise_u8(
    source: int, noise: int, count: int, scale: float, shift: float, clip: bool, target: int, threads: int
) -> None: ...
def blur_f32(
    source: int, planes: int, height: int, width: int, across: list[float], down: list[float], target: int, threads: int
) -> None: ...
def blur_u8(source: int, layout: Layout, across: list[float], down: list[float], target: int, threads: int) -> None: ...
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
def colour_chain_u8(
    source: int, layout: Layout, kinds: list[int], factors: list[float], target: int, threads: int
) -> None: ...
def convert_boxes(source: int, to: int, boxes: int, count: int, double: bool, threads: int, out: int) -> None: ...
def deform_conv_gradients(
    sizes: tuple[int, ...],
    image: int,
    images: int,
    begin: int,
    end: int,
    pixels: int,
    offset: int,
    mask: int,
    double: bool,
    threads: int,
    columns: int,
    pixel_gradient: int,
    offset_gradient: int,
    mask_gradient: int,
) -> None: ...
def deform_conv_sample(
    sizes: tuple[int, ...],
    image: int,
    images: int,
    begin: int,
    end: int,
    pixels: int,
    offset: int,
    mask: int,
    double: bool,
    threads: int,
    columns: int,
) -> None: ...
def deform_conv_small(
    sizes: tuple[int, ...],
    batch: int,
    out_channels: int,
    input: int,
    offset: int,
    weight: int,
    bias: int,
    mask: int,
    double: bool,
    out: int,
) -> None: ...
def evaluate_detections(problem: DetectionProblem, threads: int) -> None: ...
def fill_outside_u8(image: int, layout: Layout, inside: list[float], fill: list[int], threads: int) -> None: ...
def flip_u8(source: int, layout: Layout, horizontal: bool, target: int, threads: int) -> None: ...
def gray_u8(source: int, layout: Layout, channels: int, target: int, threads: int) -> None: ...
def histogram_u8(source: int, layout: Layout, bins: int, threads: int) -> None: ...
def jpeg_loss_u8(source: int, layout: Layout, quality: int, target: int, threads: int) -> None: ...
def large_boxes(boxes: int, count: int, least: float, double: bool, keep: int) -> int: ...
def lut_u8(source: int, layout: Layout, tables: int, per_channel: bool, target: int, threads: int) -> None: ...
def map_boxes(
    format: int,
    boxes: int,
    count: int,
    double: bool,
    mapping: Sequence[float],
    clamp: bool,
    size: tuple[float, float],
    threads: int,
    out: int,
) -> None: ...
def map_points(
    points: int, count: int, columns: int, double: bool, mapping: Sequence[float], threads: int, out: int
) -> None: ...
def mask_iou(a: int, first_count: int, b: int, second_count: int, pixels: int, threads: int, iou: int) -> None: ...
def masks_to_boxes(
    masks: int, count: int, height: int, width: int, size: int, floating: bool, threads: int, boxes: int
) -> None: ...
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
def max_regions(
    input: int,
    boxes: int,
    pooled: int,
    places: int,
    input_shape: Sequence[int],
    pooled_shape: Sequence[int],
    scale: float,
    threads: int,
    double: tuple[bool, bool],
) -> int: ...
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
def normalize_u8(
    source: int, layout: Layout, mean: list[float], std: list[float], type: int, target: int, threads: int
) -> None: ...
def pad_u8(
    source: int,
    layout: Layout,
    left: int,
    top: int,
    height: int,
    width: int,
    border: int,
    fill: bytes,
    target: int,
    threads: int,
) -> None: ...
def paste_masks(
    masks: int,
    boxes: int,
    count: int,
    mask_height: int,
    mask_width: int,
    height: int,
    width: int,
    compare: bool,
    threshold: float,
    threads: int,
    pasted: int,
) -> None: ...
def pixel_pass_u8(
    source: int,
    layout: Layout,
    mirrored: bool,
    upside_down: bool,
    kinds: list[int],
    factors: list[float],
    tables: bytes,
    mean: list[float],
    std: list[float],
    type: int,
    planar: bool,
    target: int,
    threads: int,
) -> None: ...
def point_u8(
    source: int, layout: Layout, kind: int, first: float, second: float, target: int, threads: int
) -> None: ...
def pool_regions(
    input: int,
    boxes: int,
    pooled: int,
    input_shape: Sequence[int],
    pooled_shape: Sequence[int],
    scale: Sequence[float],
    settings: tuple[int, int, int],
    flags: tuple[bool, bool, bool, bool],
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
def resize_window_u8(
    source: int,
    target: int,
    images: tuple[int, int, int, int, int, int],
    size: tuple[int, int],
    window: tuple[int, int, int, int],
    mirrored: bool,
    filter: int,
    threads: int,
) -> None: ...
def rle_area(rles: object, count: int, area: int) -> bool: ...
def rle_boxes(rles: object, count: int, boxes: int) -> bool: ...
def rle_compress(counts: int, count: int) -> bytes: ...
def rle_counts(text: bytes, height: int, width: int) -> list[int]: ...
def rle_decode(rles: object, count: int, height: int, width: int, threads: int, masks: int) -> bool: ...
def rle_encode(masks: int, count: int, height: int, width: int, threads: int) -> list[bytes]: ...
def rle_iou(a: object, first_count: int, b: object, second_count: int, crowd: int, threads: int, iou: int) -> bool: ...
def rle_merge(rles: object, intersect: bool) -> bytes | None: ...
def rle_polygons(xy: int, ends: int, count: int, height: int, width: int) -> list[bytes]: ...
def rotated_box_iou(
    format: int, boxes1: int, count1: int, boxes2: int, count2: int, double: bool, threads: int, out: int
) -> None: ...
def scale_boxes(
    source: int,
    to: int,
    boxes: int,
    count: int,
    double: bool,
    x: tuple[float, float],
    y: tuple[float, float],
    clamp: bool,
    size: tuple[float, float],
    threads: int,
    out: int,
) -> None: ...
def scale_points(
    points: int,
    count: int,
    columns: int,
    double: bool,
    x: tuple[float, float],
    y: tuple[float, float],
    clamp: bool,
    size: tuple[float, float],
    threads: int,
    out: int,
) -> None: ...
def segment_pairs(a: int, b: int, count: int) -> list[tuple[int, int, int]]: ...
def sharpness_u8(source: int, layout: Layout, factor: float, target: int, threads: int) -> None: ...
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
def spread_max_regions(
    pooled: int,
    boxes: int,
    places: int,
    input: int,
    input_shape: Sequence[int],
    pooled_shape: Sequence[int],
    threads: int,
    double: tuple[bool, bool],
) -> int: ...
def spread_regions(
    pooled: int,
    boxes: int,
    input: int,
    input_shape: Sequence[int],
    pooled_shape: Sequence[int],
    scale: Sequence[float],
    settings: tuple[int, int, int],
    flags: tuple[bool, bool, bool, bool],
) -> int: ...
def warp_u8(
    source: int,
    layout: Layout,
    kind: int,
    numbers: Sequence[float],
    field: int,
    columns: int,
    rows: int,
    height: int,
    width: int,
    bilinear: bool,
    fill: list[float],
    target: int,
    threads: int,
) -> None: ...
