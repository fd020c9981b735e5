"""Kernels of vision-core. Pointers are addresses of contiguous memory; nothing is checked here, the callers do that."""

compiler: str
environment_error: str | None

def isas() -> list[str]: ...
def active_isa() -> str: ...
def force_isa(name: str | None) -> None: ...
def pool_workers() -> int: ...
def nms(
    boxes: int, scores: int, groups: int, count: int, iou_threshold: float, double: bool, threads: int, keep: int
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
