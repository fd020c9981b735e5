"""Feature pyramids: maps of many scales that all have seen the coarsest one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from vision_core.ops.misc import Conv2dNormActivation

__all__ = ["ExtraFPNBlock", "FeaturePyramidNetwork", "LastLevelMaxPool", "LastLevelP6P7"]


class ExtraFPNBlock(nn.Module):
    """What makes further, coarser maps of a pyramid; subclasses say how.

    Examples:
        >>> class Nothing(ExtraFPNBlock):
        ...     def forward(self, results, x, names):
        ...         return results, names
    """

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        """Return the maps and their names with more of them at their ends.

        Args:
            results: the maps of the pyramid, finest first.
            x: the maps that it was made of.
            names: names of the maps.
        """
        raise TypeError(f"{type(self).__name__}: forward is to be written by subclasses of ExtraFPNBlock")


class FeaturePyramidNetwork(nn.Module):
    """Add coarse maps, enlarged, to finer ones.

    Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017, figure 3.

    Args:
        in_channels_list: channels of each map, finest first.
        out_channels: channels of every map of the pyramid.
        extra_blocks: makes further maps.
        norm_layer: makes the normalisation behind each convolution; None for none.

    Raises:
        ValueError: a map without channels.
        TypeError: `extra_blocks` that are no `ExtraFPNBlock`.

    Examples:
        >>> import torch
        >>> pyramid = FeaturePyramidNetwork([10, 20], 5, extra_blocks=LastLevelMaxPool())
        >>> maps = {"fine": torch.zeros(1, 10, 8, 8), "coarse": torch.zeros(1, 20, 4, 4)}
        >>> [(name, map.shape[-1]) for name, map in pyramid(maps).items()]
        [('fine', 8), ('coarse', 4), ('pool', 2)]
    """

    _version = 2

    def __init__(
        self,
        in_channels_list: list[int],
        out_channels: int,
        extra_blocks: ExtraFPNBlock | None = None,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if 0 in in_channels_list:
            raise ValueError(f"in_channels_list: expected channels in every map, got {in_channels_list}")
        if extra_blocks is not None and not isinstance(extra_blocks, ExtraFPNBlock):
            raise TypeError(f"extra_blocks: expected an ExtraFPNBlock, got {type(extra_blocks).__name__}")
        self.inner_blocks = nn.ModuleList()
        self.layer_blocks = nn.ModuleList()
        for channels in in_channels_list:
            self.inner_blocks.append(_convolution(channels, out_channels, 1, norm_layer))
            self.layer_blocks.append(_convolution(out_channels, out_channels, 3, norm_layer))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                _initialise(module)
        self.extra_blocks = extra_blocks

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load checkpoints from before each convolution stood in a block of its own, too."""
        if (local_metadata.get("version") or 1) < 2:
            for blocks in ("inner_blocks", "layer_blocks"):
                for i in range(len(self.inner_blocks)):
                    for kind in ("weight", "bias"):
                        old = f"{prefix}{blocks}.{i}.{kind}"
                        if old in state_dict:
                            state_dict[f"{prefix}{blocks}.{i}.0.{kind}"] = state_dict.pop(old)
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )

    def get_result_from_inner_blocks(self, x: Tensor, idx: int) -> Tensor:
        """Return `self.inner_blocks[idx](x)`, in a way that can be scripted."""
        if idx < 0:
            idx += len(self.inner_blocks)
        out = x
        for i, module in enumerate(self.inner_blocks):
            if i == idx:
                out = module(x)
        return out

    def get_result_from_layer_blocks(self, x: Tensor, idx: int) -> Tensor:
        """Return `self.layer_blocks[idx](x)`, in a way that can be scripted."""
        if idx < 0:
            idx += len(self.layer_blocks)
        out = x
        for i, module in enumerate(self.layer_blocks):
            if i == idx:
                out = module(x)
        return out

    def forward(self, x: dict[str, Tensor]) -> dict[str, Tensor]:
        """Make the pyramid of the maps `[N, C, H, W]`, finest first; an ordered dictionary with the same names."""
        names = list(x.keys())
        maps = list(x.values())
        last = self.get_result_from_inner_blocks(maps[-1], -1)
        results = [self.get_result_from_layer_blocks(last, -1)]
        for i in range(len(maps) - 2, -1, -1):
            lateral = self.get_result_from_inner_blocks(maps[i], i)
            last = lateral + F.interpolate(last, size=lateral.shape[-2:], mode="nearest")
            results.insert(0, self.get_result_from_layer_blocks(last, i))
        if self.extra_blocks is not None:
            results, names = self.extra_blocks(results, maps, names)
        return OrderedDict([(name, result) for name, result in zip(names, results)])  # noqa: B905 (TorchScript)


def _convolution(
    in_channels: int, out_channels: int, kernel_size: int, norm_layer: Callable[..., nn.Module] | None
) -> nn.Module:
    return Conv2dNormActivation(in_channels, out_channels, kernel_size, norm_layer=norm_layer, activation_layer=None)


def _initialise(convolution: nn.Conv2d) -> None:
    nn.init.kaiming_uniform_(convolution.weight, a=1)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)


class LastLevelMaxPool(ExtraFPNBlock):
    """A further map "pool": every second pixel of the coarsest one.

    Examples:
        >>> import torch
        >>> maps, names = LastLevelMaxPool()([torch.zeros(1, 2, 5, 5)], [torch.zeros(1, 4, 5, 5)], ["a"])
        >>> maps[1].shape, names
        (torch.Size([1, 2, 3, 3]), ['a', 'pool'])
    """

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        """Add the map; see `ExtraFPNBlock`."""
        names.append("pool")
        results.append(F.max_pool2d(results[-1], kernel_size=1, stride=2, padding=0))
        return results, names


class LastLevelP6P7(ExtraFPNBlock):
    """Two further maps "p6" and "p7", by convolutions of stride 2, as in RetinaNet.

    Args:
        in_channels: channels of the map that they are made of.
        out_channels: channels of the new maps. When both are equal they are made of the coarsest map of the pyramid,
            otherwise of the coarsest one that the pyramid was made of.

    Examples:
        >>> import torch
        >>> maps, names = LastLevelP6P7(2, 2)([torch.zeros(1, 2, 8, 8)], [torch.zeros(1, 4, 8, 8)], ["a"])
        >>> [map.shape[-1] for map in maps], names
        ([8, 4, 2], ['a', 'p6', 'p7'])
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.p6 = nn.Conv2d(in_channels, out_channels, 3, 2, 1)
        self.p7 = nn.Conv2d(out_channels, out_channels, 3, 2, 1)
        _initialise(self.p6)
        _initialise(self.p7)
        self.use_P5 = in_channels == out_channels

    def forward(self, results: list[Tensor], x: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        """Add the maps; see `ExtraFPNBlock`."""
        p6 = self.p6(results[-1] if self.use_P5 else x[-1])
        p7 = self.p7(F.relu(p6))
        results.extend([p6, p7])
        names.extend(["p6", "p7"])
        return results, names
