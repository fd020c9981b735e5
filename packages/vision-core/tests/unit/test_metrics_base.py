"""What all metrics share: merging, and the sum over processes."""

from __future__ import annotations

import copy
import socket

import pytest
import torch
import torch.distributed as dist

from vision_core.metrics import Accuracy, ConfusionMatrix, Metric


class Total(Metric[int]):
    """A user's own metric."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.values: list[int] = []

    def update(self, value: int) -> None:
        self.values.append(value)

    def merge(self, other: Total) -> None:
        self.check_mergeable(other)
        self.values += other.values

    def compute(self) -> int:
        return sum(self.values)


def test_merge_names_what_differs() -> None:
    with pytest.raises(TypeError, match=r"merge: expected another Total, got Accuracy"):
        Total().merge(Accuracy())
    with pytest.raises(ValueError, match=r"merge: topk is \(1,\) here and \(5,\) there"):
        Accuracy().merge(Accuracy((5,)))
    metric = Total()
    with pytest.raises(ValueError, match=r"merge: the metric itself"):
        metric.merge(metric)


def test_repr_shows_the_settings() -> None:
    assert repr(Accuracy((1, 5))) == "Accuracy(topk=(1, 5), ignore_index=None)"


def test_sync_alone_changes_nothing() -> None:
    metric = Total()
    metric.update(3)
    assert metric.sync().sync().compute() == 3
    metric.update(4)
    assert metric.compute() == 7


def _process(rank: int, port: int, results: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    total = Total()
    for value in ([1, 2], [10])[rank]:
        total.update(value)
    part = copy.deepcopy(total).sync()
    assert part.values == [1, 2, 10]
    matrix = ConfusionMatrix(2)
    if rank == 0:  # nothing on the other
        matrix.update(torch.tensor([0, 1]), torch.tensor([1, 1]))
    total.update(100)
    total.sync()
    for action in (lambda: total.update(1), lambda: total.merge(Total()), lambda: total.sync()):
        with pytest.raises(RuntimeError, match=r"holds the sum over all processes"):
            action()
    torch.save((total.values, matrix.sync().compute().tolist()), f"{results}/{rank}.pt")
    total.reset()
    total.update(5)
    assert total.compute() == 5
    dist.destroy_process_group()


def test_sync_over_two_processes(tmp_path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    torch.multiprocessing.spawn(_process, args=(port, str(tmp_path)), nprocs=2)
    for rank in range(2):
        assert torch.load(tmp_path / f"{rank}.pt") == ([1, 2, 100, 10, 100], [[0, 0], [1, 1]])
