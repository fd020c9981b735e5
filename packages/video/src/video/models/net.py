"""Skeletons that turn lists of blocks into networks."""

import torch
from torch import Tensor, nn

from video.models.weight_init import init_net_weights

__all__ = ["DetectionBBoxNetwork", "MultiPathWayNet", "MultiPathWayWithFuse", "Net"]


class Net(nn.Module):
    """A network that is a list of blocks, run one after the other.

    ::

        x ── blocks[0] ── blocks[1] ── ... ── blocks[-1] ── y

    Args:
        blocks: The blocks; their parameters are named ``blocks.N.*`` and initialised with
            :func:`~video.models.weight_init.init_net_weights`.

    Examples:
        >>> Net(blocks=nn.ModuleList([nn.Flatten(), nn.Linear(12, 2)]))(torch.rand(1, 3, 4)).shape
        torch.Size([1, 2])
    """

    def __init__(self, *, blocks: nn.ModuleList) -> None:
        super().__init__()
        self.blocks = blocks
        init_net_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """Run all blocks on ``x``, e.g. ``[N, 3, T, H, W]`` to ``[N, classes]``."""
        for block in self.blocks:
            x = block(x)
        return x


class MultiPathWayNet(Net):
    """A :class:`Net` for a list of clips: blocks map lists to lists, until one of them joins the pathways.

    ::

        [x0, x1] ── blocks[0] ── ... ── [y0, y1] ── PoolConcatPathway ── y ── ... ── blocks[-1] ── z

    It runs as :class:`Net` does. Under TorchScript, whose variables have one type, blocks with an attribute
    ``multipathway_blocks`` map lists to lists, and one with an attribute ``retain_list`` joins them.

    Args:
        blocks: The blocks.
    """

    def forward(self, x: list[Tensor]) -> Tensor:  # type: ignore[override]
        """Run all blocks on one tensor ``[N, C, T, H, W]`` per pathway; the caller's list stays as it is."""
        if not torch.jit.is_scripting():  # pyright: ignore[reportPrivateImportUsage]
            return super().forward(x)  # type: ignore[arg-type]
        joined = x[0]
        for block in self.blocks:
            if hasattr(block, "multipathway_blocks"):
                x = block(x)
            elif hasattr(block, "retain_list"):
                joined = block(x)
            else:
                joined = block(joined)
        return joined


class DetectionBBoxNetwork(nn.Module):
    """A backbone and a head that scores boxes on its features.

    Args:
        model: Maps the clip (or the list of pathways) to features.
        detection_head: Maps ``(features, bboxes)`` to scores.
    """

    def __init__(self, model: nn.Module, detection_head: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.detection_head = detection_head

    def forward(self, x: Tensor, bboxes: Tensor) -> Tensor:
        """Score boxes.

        Args:
            x: Clip ``[N, C, T, H, W]``; a list of them, one per pathway, where the backbone has several.
            bboxes: ``[K, 5]`` float: index in the batch, then x1, y1, x2, y2 in pixels of the clip.

        Returns:
            ``[K, classes]``.
        """
        return self.detection_head(self.model(x), bboxes).flatten(1)


class MultiPathWayWithFuse(nn.Module):
    """Parallel blocks, one per pathway, and an optional fusion of their outputs.

    ::

        x[0] ── multipathway_blocks[0] ──┐
        x[1] ── multipathway_blocks[1] ──┼── multipathway_fusion ── list of outputs
        x[n] ── multipathway_blocks[n] ──┘

    Args:
        multipathway_blocks: One block per pathway (``nn.Identity`` where a pathway passes through).
        multipathway_fusion: Maps the list of outputs to a list; ``None`` for no fusion.
        inplace: Store each output in the caller's list, which frees that input earlier. Off by default.
    """

    def __init__(
        self,
        *,
        multipathway_blocks: nn.ModuleList,
        multipathway_fusion: nn.Module | None = None,
        inplace: bool = False,
    ) -> None:
        super().__init__()
        self.multipathway_blocks = multipathway_blocks
        self.multipathway_fusion = multipathway_fusion
        self.inplace = inplace

    def forward(self, x: list[Tensor]) -> list[Tensor]:
        """Run each block on its pathway's tensor, then fuse.

        Raises:
            ValueError: When the number of tensors is not the number of pathways.
        """
        if len(x) != len(self.multipathway_blocks):
            raise ValueError(f"expected {len(self.multipathway_blocks)} pathways in a list, got {len(x)}")
        outputs = x if self.inplace else list(x)
        for i, block in enumerate(self.multipathway_blocks):
            outputs[i] = block(x[i])
        if self.multipathway_fusion is not None:
            outputs = self.multipathway_fusion(outputs)
        return outputs
