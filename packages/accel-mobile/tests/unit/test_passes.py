from __future__ import annotations

import pytest
import torch
from torch import nn

from accel_mobile._capture import capture
from accel_mobile._errors import CaptureError
from accel_mobile._passes import optimise, remove_identities
from accel_mobile._runtime.reference import run_graph


def ops(graph):
    return [node.op for node in graph]


def captured(model, x):
    return capture(model.eval(), (x,))


def check_same(model, graph, x):
    with torch.no_grad():
        torch.testing.assert_close(run_graph(graph.at_batch(x.shape[0]), [x])[0], model(x), rtol=1e-4, atol=1e-5)


def test_batch_size_is_free_and_other_sizes_are_those_of_the_example():
    net = nn.Sequential(nn.Conv3d(3, 4, 1), nn.Flatten())
    result = captured(net, torch.randn(1, 3, 2, 4, 4))
    assert result.any_batch
    assert repr(result.graph.input_shapes) == "[(B, 3, 2, 4, 4)]"
    for batch in (1, 2, 5):
        check_same(net, result.graph, torch.randn(batch, 3, 2, 4, 4))


@pytest.mark.parametrize("inplace", [False, True])
def test_norm_activation_and_sum_join_the_convolution(video_net, inplace):
    net = video_net(inplace=inplace)
    x = torch.randn(2, 3, 4, 32, 32)
    graph = optimise(captured(net, x).graph)
    assert set(ops(graph)) == {"conv", "global_avg_pool", "channel_scale", "reshape"}
    sums = [node for node in graph if node.op == "conv" and len(node.inputs) == 2]
    assert len(sums) == 3
    assert all(node.attrs["activation"] == "relu" for node in sums)
    gates = [node for node in graph if node.op == "channel_scale"]
    assert [node.attrs["activation"] for node in gates] == ["silu", "silu"]
    check_same(net, graph, x)


def test_batch_norm_without_convolution_becomes_affine():
    net = nn.Sequential(nn.ReLU(), nn.BatchNorm3d(3)).eval()
    net[1].running_mean.normal_()
    net[1].running_var.uniform_(0.5, 2)
    x = torch.randn(2, 3, 2, 4, 4)
    graph = optimise(captured(net, x).graph)
    assert ops(graph) == ["activation", "affine"]
    check_same(net, graph, x)


def test_batch_norm_is_not_folded_where_others_read_the_convolution():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)

        def forward(self, x):
            y = self.conv(x)
            return self.norm(y) + y

    net, x = Net().eval(), torch.randn(2, 3, 4, 4)
    net.norm.running_var.fill_(3.0)
    graph = optimise(captured(net, x).graph)
    assert "affine" in ops(graph)
    check_same(net, graph, x)


def test_activation_is_not_joined_where_its_argument_is_an_output():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, x):
            y = self.conv(x)
            return y, torch.relu(y)

    net, x = Net().eval(), torch.randn(2, 3, 4, 4)
    graph = optimise(captured(net, x).graph)
    first, second = run_graph(graph.at_batch(2), [x])
    torch.testing.assert_close(first, net(x)[0])
    torch.testing.assert_close(second, net(x)[1])
    assert (first < 0).any()


def test_of_two_convolutions_the_later_takes_the_sum():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, x):
            return torch.relu(self.a(x) + self.b(x))

    net, x = Net().eval(), torch.randn(2, 3, 6, 6)
    graph = optimise(captured(net, x).graph)
    assert [len(node.inputs) for node in graph] == [1, 2]
    check_same(net, graph, x)


def test_unknown_operators_stay_as_torch_has_them():
    class Net(nn.Module):
        def forward(self, x):
            return torch.cumsum(x, dim=2) + torch.fft.rfft(x).abs()[..., :1]

    x = torch.randn(2, 3, 4)
    graph = optimise(captured(Net(), x).graph)
    assert "aten" in ops(graph)
    check_same(Net(), graph, x)


def test_dropout_clone_and_flat_reshape_vanish():
    net = nn.Sequential(nn.Dropout(), nn.Identity(), nn.Conv3d(3, 4, 1))
    graph = remove_identities(captured(net, torch.randn(2, 3, 2, 2, 2)).graph)
    assert ops(graph) == ["conv"]


def test_what_cannot_be_traced_says_so():
    class Net(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(CaptureError, match="Net"):
        captured(Net(), torch.randn(2, 3))
