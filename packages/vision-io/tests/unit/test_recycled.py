"""Memory of large results that comes back: never while somebody holds it, and never more than is allowed."""

from __future__ import annotations

import gc
import threading

import pytest
import torch

from vision_io._native import kernels
from vision_io._pixels.store import empty_frames, empty_uint8

pytestmark = pytest.mark.skipif(kernels is None, reason="no native module")

MOST = 64 << 20
SIZE = 5 << 20


@pytest.fixture(autouse=True)
def nothing_kept():
    """Push out what other tests have left."""
    largest = empty_uint8(MOST)
    del largest
    blocks = empty_uint8(MOST)
    yield
    del blocks


def kept() -> int:
    assert kernels is not None
    gc.collect()
    return kernels.recycled_kept()


def test_memory_comes_back():
    first = empty_uint8(SIZE)
    address = first.data_ptr()
    assert address % (2 << 20) == 0
    first.fill_(7)
    del first
    second = empty_uint8(1, SIZE)
    assert second.data_ptr() == address
    third = empty_uint8(SIZE)
    assert third.data_ptr() != address
    third.zero_()
    second.fill_(1)
    assert int(third.max()) == 0


def test_views_hold_it():
    clip = empty_frames((2, 3, 1024, 1024), torch.float32)
    assert clip.dtype == torch.float32
    assert clip.is_contiguous()
    address = clip.data_ptr()
    part = clip[1, 2, 5:7]
    array = clip.numpy()
    del clip
    assert empty_frames((2, 3, 1024, 1024), torch.float32).data_ptr() != address
    del part
    assert empty_frames((2, 3, 1024, 1024), torch.float32).data_ptr() != address
    del array
    gc.collect()
    assert address in {
        tensor.data_ptr() for tensor in [empty_frames((2, 3, 1024, 1024), torch.float32) for _ in range(4)]
    }


def test_what_is_kept_is_bounded():
    tensors = [empty_uint8(SIZE + i) for i in range(0, 40 << 20, 3 << 20)]
    assert sum(map(len, tensors)) > 3 * MOST
    del tensors
    assert 0 < kept() <= MOST
    larger = empty_uint8(MOST + 1)
    before = kept()
    del larger
    assert kept() == before


def test_many_threads():
    failures = []

    def work(value: int) -> None:
        for _ in range(20):
            tensor = empty_uint8(SIZE)
            tensor[:: 1 << 16] = value
            if not bool((tensor[:: 1 << 16] == value).all()):
                failures.append(value)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert kept() <= MOST
