"""Multilayer perceptrons."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import Tensor, nn

__all__ = ["Mlp", "make_multilayer_perceptron"]


class Mlp(nn.Module):
    """Two linear layers with an activation between, as in transformer blocks.

    ::

        x ── fc1 ── act ── dropout ── fc2 ── dropout ── y

    Args:
        in_features: Channels of the input.
        hidden_features: Channels between; ``None`` means ``in_features``.
        out_features: Channels of the output; ``None`` means ``in_features``.
        act_layer: Builder of the activation.
        dropout_rate: Probability of dropping a value after the activation and after the last layer.
        bias_on: Whether the linear layers have a bias.

    Examples:
        >>> Mlp(in_features=8, hidden_features=16, out_features=4)(torch.rand(2, 5, 8)).shape
        torch.Size([2, 5, 4])
    """

    def __init__(
        self,
        in_features: int,
        hidden_features: int | None = None,
        out_features: int | None = None,
        act_layer: Callable[[], nn.Module] = nn.GELU,
        dropout_rate: float = 0.0,
        bias_on: bool = True,
    ) -> None:
        super().__init__()
        hidden = hidden_features or in_features
        self.fc1 = nn.Linear(in_features, hidden, bias=bias_on)
        self.act = act_layer()
        self.fc2 = nn.Linear(hidden, out_features or in_features, bias=bias_on)
        self.dropout = nn.Dropout(dropout_rate) if dropout_rate > 0 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[..., in_features]`` to ``[..., out_features]``."""
        x = self.dropout(self.act(self.fc1(x)))
        return self.dropout(self.fc2(x))


def make_multilayer_perceptron(
    fully_connected_dims: Sequence[int],
    norm: Callable[[int], nn.Module] | None = None,
    mid_activation: Callable[[], nn.Module] = nn.ReLU,
    final_activation: Callable[[], nn.Module] | None = nn.ReLU,
    dropout_rate: float = 0.0,
) -> tuple[nn.Module, int]:
    """Build linear layers of the given widths, each followed by norm, activation and dropout.

    Args:
        fully_connected_dims: Channels of the input and of each layer's output.
        norm: Builder of the norm of the layers but the last, called with the channels; ``None`` for none.
        mid_activation: Builder of the activation of the layers but the last.
        final_activation: Builder of the last activation; ``None`` for none.
        dropout_rate: Probability of dropping a value after the layers but the last.

    Returns:
        The layers, and the channels of their output.

    Raises:
        ValueError: On fewer than two widths.

    Examples:
        >>> layers, width = make_multilayer_perceptron([8, 16, 4])
        >>> width, layers(torch.rand(2, 8)).shape
        (4, torch.Size([2, 4]))
    """
    if len(fully_connected_dims) < 2:
        raise ValueError(f"expected the widths of the input and of each layer, got {list(fully_connected_dims)}")
    layers: list[nn.Module] = []
    last = len(fully_connected_dims) - 2
    for i, (width_in, width_out) in enumerate(pairwise(fully_connected_dims)):
        layers.append(nn.Linear(width_in, width_out))
        if i < last:
            if norm is not None:
                layers.append(norm(width_out))
            layers.append(mid_activation())
            if dropout_rate > 0:
                layers.append(nn.Dropout(p=dropout_rate))
        elif final_activation is not None:
            layers.append(final_activation())
    return nn.Sequential(*layers), fully_connected_dims[-1]
