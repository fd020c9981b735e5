"""What all metrics share: merging, and the sum over processes."""

from __future__ import annotations

import copy
import socket
import subprocess
import sys

import pytest
import torch
import torch.distributed as dist

from vision_core.metrics import Accuracy, ConfusionMatrix, MeanAveragePrecision, Metric


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
    boxes = MeanAveragePrecision()
    for image in (rank, rank + 2, 1):  # 1 is on both
        found = {"boxes": [[0.0, 0, 40 + image, 50]], "scores": [0.5], "labels": [image % 2]}
        boxes.update([found], [{"boxes": [[0, 0, 50, 50]], "labels": [image % 2], "image_id": image}])
    total.update(100)
    total.sync()
    for action in (lambda: total.update(1), lambda: total.merge(Total()), lambda: total.sync()):
        with pytest.raises(RuntimeError, match=r"holds the sum over all processes"):
            action()
    recall = boxes.sync().compute().recall[:, :, 0, -1].sum(0).tolist()
    torch.save((total.values, matrix.sync().compute().tolist(), recall), f"{results}/{rank}.pt")
    total.reset()
    total.update(5)
    assert total.compute() == 5
    dist.destroy_process_group()


# IoU is 0.8, 0.82, 0.84 and 0.86: of the ten thresholds images 0, 1 and 2 reach seven, image 3 eight.
EXPECTED = ([1, 2, 100, 10, 100], [[0, 0], [1, 1]], [7, 7.5])


def test_sync_over_two_processes(tmp_path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    # The file itself as a program: a function of a test module cannot be imported in another process.
    commands = [[sys.executable, __file__, str(rank), port, str(tmp_path)] for rank in range(2)]
    processes = [subprocess.Popen(command) for command in commands]
    assert [process.wait(timeout=100) for process in processes] == [0, 0]
    for rank in range(2):
        assert torch.load(tmp_path / f"{rank}.pt") == EXPECTED


if __name__ == "__main__":
    _process(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
