"""Published checkpoints: where they are, and how a builder loads one."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import Tensor, nn

__all__ = ["MODEL_ZOO_ROOT_DIR", "hub_model_builder", "load_checkpoint"]

MODEL_ZOO_ROOT_DIR = "https://dl.fbaipublicfiles.com/pytorchvideo/model_zoo"
"""Address of the published checkpoints."""


def load_checkpoint(url: str, progress: bool = True) -> dict[str, Tensor]:
    """Return the state dict of a published checkpoint, downloading it where it is not in the cache.

    The cache is the folder ``checkpoints`` of ``torch.hub.get_dir()``; a download is written beside its place and moved
    there when it is whole. Only tensors are unpickled.

    Args:
        url: Address of the file (http, https or file).
        progress: Show a progress bar on standard error while downloading.

    Raises:
        OSError: When the file cannot be downloaded (``urllib.error.URLError`` is one).
        ValueError: When the file has no entry ``model_state``.
    """
    name = Path(urlsplit(url).path).name
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), progress=progress)
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    if "model_state" not in checkpoint:
        raise ValueError(f"{path}: expected a checkpoint with the entry 'model_state', found {sorted(checkpoint)[:8]}")
    return checkpoint["model_state"]


def hub_model_builder(
    model_builder_func: Callable[..., nn.Module],
    pretrained: bool = False,
    progress: bool = True,
    checkpoint_path: str = "",
    default_config: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> nn.Module:
    """Build a model from defaults and overrides, and load its published weights when asked to.

    Args:
        model_builder_func: The builder.
        pretrained: Load the weights at ``checkpoint_path``.
        progress: Show a progress bar while downloading.
        checkpoint_path: Address of the weights, see :func:`load_checkpoint`.
        default_config: Arguments of the builder.
        **kwargs: Arguments of the builder that win over ``default_config``.

    Raises:
        ValueError: When ``pretrained`` is set and there is no ``checkpoint_path``.
        RuntimeError: When the weights do not fit the model, as ``load_state_dict`` says.

    Examples:
        >>> hub_model_builder(nn.Linear, default_config={"in_features": 4, "out_features": 2}, out_features=3)
        Linear(in_features=4, out_features=3, bias=True)
    """
    model = model_builder_func(**{**(default_config or {}), **kwargs})
    if pretrained:
        if not checkpoint_path:
            raise ValueError(f"no published weights are known for {model_builder_func.__name__}: use pretrained=False")
        model.load_state_dict(load_checkpoint(checkpoint_path, progress))
    return model
