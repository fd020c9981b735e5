"""Small networks and the instruction sets that the tests run over."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from accel_mobile import _native


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "isa" in metafunc.fixturenames:
        present = _native.extension.isas() if _native.extension is not None else []
        metafunc.parametrize("isa", present or ["absent"], indirect=True)


@pytest.fixture
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Force each instruction set of this machine in turn."""
    if _native.extension is None:
        pytest.skip("the compiled kernels are absent")
    _native.extension.force_isa(request.param)
    yield request.param
    _native.extension.force_isa(None)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Swish(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(x)


class SqueezeExcitation(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.AdaptiveAvgPool3d(1), nn.Conv3d(channels, 8, 1), nn.ReLU(), nn.Conv3d(8, channels, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.block(x)


class Block(nn.Module):
    def __init__(self, channels: int, inner: int, out: int, stride: int, gated: bool, inplace: bool) -> None:
        super().__init__()
        steps = (1, stride, stride)
        self.branch = nn.Sequential(
            nn.Conv3d(channels, inner, 1, bias=False),
            nn.BatchNorm3d(inner),
            nn.ReLU(inplace=inplace),
            nn.Conv3d(inner, inner, 3, stride=steps, padding=1, groups=inner, bias=False),
            nn.BatchNorm3d(inner),
            SqueezeExcitation(inner) if gated else nn.Identity(),
            Swish(),
            nn.Conv3d(inner, out, 1, bias=False),
            nn.BatchNorm3d(out),
        )
        self.shortcut: nn.Module = nn.Identity()
        if channels != out:
            self.shortcut = nn.Sequential(nn.Conv3d(channels, out, 1, stride=steps, bias=False), nn.BatchNorm3d(out))
        elif stride != 1:
            self.shortcut = nn.Conv3d(channels, out, 1, stride=steps, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.shortcut(x) + self.branch(x))


class VideoNet(nn.Module):
    """X3D's kinds of layers, narrow and shallow."""

    def __init__(self, classes: int = 7, frames: int = 4, crop: int = 32, inplace: bool = False) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(3, 12, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1), bias=False),
            nn.Conv3d(12, 12, (5, 1, 1), padding=(2, 0, 0), groups=12, bias=False),
            nn.BatchNorm3d(12),
            nn.ReLU(inplace=inplace),
        )
        self.blocks = nn.Sequential(
            Block(12, 27, 12, 2, True, inplace),
            Block(12, 27, 20, 1, False, inplace),
            Block(20, 45, 20, 1, True, inplace),
        )
        self.head = nn.Sequential(
            nn.Conv3d(20, 40, 1, bias=False),
            nn.BatchNorm3d(40),
            nn.ReLU(),
            nn.AvgPool3d((frames, crop // 4, crop // 4), 1),
        )
        self.widen = nn.Conv3d(40, 64, 1, bias=False)
        self.dropout = nn.Dropout(0.5)
        self.project = nn.Linear(64, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.widen(self.head(self.blocks(self.stem(x)))))
        x = self.project(self.dropout(x).permute(0, 2, 3, 4, 1)).permute(0, 4, 1, 2, 3)
        x = nn.functional.adaptive_avg_pool3d(x, 1)
        return x.view(x.shape[0], -1)


@pytest.fixture(scope="session")
def video_net() -> Callable[..., nn.Module]:
    """Return a builder of seeded networks in eval mode with batch norms that do something."""

    def build(**options: int | bool) -> nn.Module:
        torch.manual_seed(0)
        net = VideoNet(**options)  # type: ignore[arg-type]
        for module in net.modules():
            if isinstance(module, nn.BatchNorm3d):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, std=0.2)
                nn.init.normal_(module.running_mean, std=0.2)  # type: ignore[arg-type]
                nn.init.uniform_(module.running_var, 0.5, 1.5)  # type: ignore[arg-type]
        return net.eval()

    return build
