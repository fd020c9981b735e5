"""Where a token stands: learned for clips, sinusoidal for sequences and grids."""

import math

import torch
from torch import Tensor, nn

__all__ = [
    "PositionalEncoding",
    "SpatioTemporalClsPositionalEncoding",
    "get_1d_sincos_pos_embed_from_grid",
    "get_2d_sincos_pos_embed",
    "get_2d_sincos_pos_embed_from_grid",
    "get_3d_sincos_pos_embed",
]


class PositionalEncoding(nn.Module):
    """Adds sines and cosines of the position in a sequence.

    Args:
        embed_dim: Channels, an even number.
        seq_len: Longest sequence.

    Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, https://arxiv.org/abs/1706.03762.

    Examples:
        >>> PositionalEncoding(8)(torch.zeros(1, 4, 8))[0, 0].tolist()
        [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]
    """

    pe: Tensor

    def __init__(self, embed_dim: int, seq_len: int = 1024) -> None:
        super().__init__()
        position = torch.arange(seq_len, dtype=torch.float)[:, None]
        rate = torch.exp(torch.arange(0, embed_dim, 2).float() * (-math.log(10000.0) / embed_dim))
        table = torch.zeros(seq_len, embed_dim)
        table[:, 0::2] = torch.sin(position * rate)
        table[:, 1::2] = torch.cos(position * rate)
        self.register_buffer("pe", table[None])

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, L, embed_dim]`` to the same shape.

        Raises:
            ValueError: When the sequence is longer than ``seq_len``.
        """
        if x.shape[1] > self.pe.shape[1]:
            raise ValueError(f"the sequence has {x.shape[1]} tokens, at most {self.pe.shape[1]} were expected")
        return x + self.pe[:, : x.shape[1]]


class SpatioTemporalClsPositionalEncoding(nn.Module):
    """Puts a class token before the tokens of a clip and adds learned encodings of their places.

    Args:
        embed_dim: Channels.
        patch_embed_shape: Tokens of a clip: (time, height, width).
        sep_pos_embed: Learn one encoding for the place in a frame and one for the frame, and add them.
        has_cls: Whether there is a class token.

    Examples:
        >>> layer = SpatioTemporalClsPositionalEncoding(8, (2, 3, 3))
        >>> layer(torch.zeros(1, 18, 8)).shape
        torch.Size([1, 19, 8])
    """

    def __init__(
        self,
        embed_dim: int,
        patch_embed_shape: tuple[int, int, int],
        sep_pos_embed: bool = False,
        has_cls: bool = True,
    ) -> None:
        super().__init__()
        if len(patch_embed_shape) != 3:
            raise ValueError(f"patch_embed_shape must be (time, height, width), got {patch_embed_shape}")
        time, height, width = (int(size) for size in patch_embed_shape)
        self.cls_embed_on = has_cls
        self.sep_pos_embed = sep_pos_embed
        self._patch_embed_shape = (time, height, width)
        self.num_spatial_patch = height * width
        self.num_temporal_patch = time
        if has_cls:
            self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dim))
        else:
            self.register_parameter("cls_token", None)
        if sep_pos_embed:
            self.pos_embed_spatial = nn.Parameter(torch.zeros(1, self.num_spatial_patch, embed_dim))
            self.pos_embed_temporal = nn.Parameter(torch.zeros(1, self.num_temporal_patch, embed_dim))
            if has_cls:
                self.pos_embed_class = nn.Parameter(torch.zeros(1, 1, embed_dim))
            else:
                self.register_parameter("pos_embed_class", None)
            self.register_parameter("pos_embed", None)
        else:
            tokens = self.num_spatial_patch * self.num_temporal_patch + int(has_cls)
            self.pos_embed = nn.Parameter(torch.zeros(1, tokens, embed_dim))
            for name in ("pos_embed_spatial", "pos_embed_temporal", "pos_embed_class"):
                self.register_parameter(name, None)

    @torch.jit.export
    def patch_embed_shape(self) -> tuple[int, int, int]:
        """Return the number of tokens of a clip: (time, height, width)."""
        return self._patch_embed_shape

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, T * H * W, C]`` to ``[N, 1 + T * H * W, C]`` (without a class token, to the same shape)."""
        token = self.cls_token
        if token is not None:
            x = torch.cat((token.expand(x.shape[0], -1, -1), x), dim=1)
        whole, spatial, temporal = self.pos_embed, self.pos_embed_spatial, self.pos_embed_temporal
        if whole is not None:
            return x + whole
        assert spatial is not None and temporal is not None  # noqa: PT018 - TorchScript refines both here
        places = spatial.repeat(1, self.num_temporal_patch, 1) + temporal.repeat_interleave(
            self.num_spatial_patch, dim=1
        )
        own = self.pos_embed_class
        return x + (places if own is None else torch.cat((own, places), dim=1))


def get_1d_sincos_pos_embed_from_grid(embed_dim: int, pos: Tensor) -> Tensor:
    """Encode positions: sines of the first half of the channels, cosines of the second.

    Args:
        embed_dim: Channels, an even number.
        pos: Positions of any shape with M elements.

    Returns:
        float64 ``[M, embed_dim]``.

    Raises:
        ValueError: When ``embed_dim`` is odd.

    Examples:
        >>> get_1d_sincos_pos_embed_from_grid(4, torch.zeros(1)).tolist()
        [[0.0, 0.0, 1.0, 1.0]]
    """
    if embed_dim % 2:
        raise ValueError(f"embed_dim must be even, got {embed_dim}")
    half = embed_dim // 2
    rate = 1.0 / 10000 ** (torch.arange(half, dtype=torch.float64) / half)
    angle = torch.as_tensor(pos).reshape(-1, 1).to(torch.float64) * rate
    return torch.cat((angle.sin(), angle.cos()), dim=1)


def get_2d_sincos_pos_embed_from_grid(embed_dim: int, grid: Tensor) -> Tensor:
    """Encode places: half of the channels for each of two coordinates.

    Args:
        embed_dim: Channels, a multiple of 4.
        grid: ``[2, ...]`` coordinates of M places.

    Returns:
        float64 ``[M, embed_dim]``.

    Raises:
        ValueError: When ``embed_dim`` is no multiple of 4.
    """
    if embed_dim % 4:
        raise ValueError(f"embed_dim must be a multiple of 4, got {embed_dim}")
    return torch.cat([get_1d_sincos_pos_embed_from_grid(embed_dim // 2, axis) for axis in grid[:2]], dim=1)


def get_2d_sincos_pos_embed(embed_dim: int, grid_size: int, cls_token: bool = False) -> Tensor:
    """Encode the places of a square grid, row by row; the first half of the channels is for the column.

    Args:
        embed_dim: Channels, a multiple of 4.
        grid_size: Side of the grid.
        cls_token: Begin with a row of zeros, for a class token.

    Returns:
        float64 ``[grid_size**2, embed_dim]``, one more row with ``cls_token``.

    Examples:
        >>> get_2d_sincos_pos_embed(8, 3, cls_token=True).shape
        torch.Size([10, 8])
    """
    side = torch.arange(grid_size, dtype=torch.float64)
    rows, columns = torch.meshgrid(side, side, indexing="ij")
    table = get_2d_sincos_pos_embed_from_grid(embed_dim, torch.stack((columns, rows)))
    return torch.cat((table.new_zeros(1, embed_dim), table)) if cls_token else table


def get_3d_sincos_pos_embed(embed_dim: int, grid_size: int, t_size: int, cls_token: bool = False) -> Tensor:
    """Encode the places of a clip: a quarter of the channels for time, the rest for the place in the frame.

    Args:
        embed_dim: Channels, a multiple of 16.
        grid_size: Side of a frame's grid.
        t_size: Number of frames.
        cls_token: Begin with a row of zeros, for a class token.

    Returns:
        float64 ``[t_size * grid_size**2, embed_dim]``, one more row with ``cls_token``.

    Raises:
        ValueError: When ``embed_dim`` is no multiple of 16.

    Source: Feichtenhofer et al., "Masked Autoencoders As Spatiotemporal Learners", NeurIPS 2022,
    https://arxiv.org/abs/2205.09113.

    Examples:
        >>> get_3d_sincos_pos_embed(16, 2, 3).shape
        torch.Size([12, 16])
    """
    if embed_dim % 16:
        raise ValueError(f"embed_dim must be a multiple of 16, got {embed_dim}")
    time_dim = embed_dim // 4
    space = get_2d_sincos_pos_embed(embed_dim - time_dim, grid_size)
    time = get_1d_sincos_pos_embed_from_grid(time_dim, torch.arange(t_size))
    table = torch.cat((time.repeat_interleave(len(space), dim=0), space.repeat(t_size, 1)), dim=1)
    return torch.cat((table.new_zeros(1, embed_dim), table)) if cls_token else table
