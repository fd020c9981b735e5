"""Published weights as data: where they are, what they were measured at, how their inputs are prepared."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, partial
from importlib import resources
from typing import Any

import torch
from torch import nn

from vision_models._download import Report, cache_dir, fetch
from vision_models._preprocess import ImageClassification

__all__ = ["Weights", "WeightsEnum"]


@dataclass(frozen=True, eq=False)
class Weights:
    """One set of published weights.

    Two entries are equal only when they are the same object, which makes ``DEFAULT = IMAGENET1K_V2`` an alias.

    Attributes:
        url: where the checkpoint is published (``https://``, ``http://`` or ``file://``).
        transforms: makes the module that prepares an image for a model with these weights.
        meta: facts: ``num_params``, ``min_size``, ``categories``, ``recipe``, ``_metrics``, ``_ops``
            (10^9 multiply-adds per image), ``_file_size`` (MiB).
        sha256: the first digits of the file's SHA-256, at least eight; read from the file name ``name-<digits>.pth`` by
            default; ``None`` when that has none.

    Examples:
        >>> from functools import partial
        >>> from vision_models import ImageClassification, Weights
        >>> Weights("https://example.org/net-0a1b2c3d.pth", partial(ImageClassification, crop_size=224), {}).sha256
        '0a1b2c3d'
    """

    url: str
    transforms: Callable[..., nn.Module]
    meta: dict[str, Any] = field(repr=False)
    sha256: str | None = None

    def __post_init__(self) -> None:
        if self.sha256 is None:
            found = re.search(r"-([0-9a-f]{8,64})\.\w+$", self.url)
            object.__setattr__(self, "sha256", found.group(1) if found else None)


class WeightsEnum(Enum):
    """Base of the weights enumerations: each member is one :class:`Weights`.

    Examples:
        >>> from vision_models import ResNet50_Weights
        >>> weights = ResNet50_Weights.DEFAULT
        >>> weights, weights.meta["num_params"], weights.meta["_metrics"]["ImageNet-1K"]["acc@1"]
        (ResNet50_Weights.IMAGENET1K_V2, 25557032, 80.858)
        >>> prepare = weights.transforms()
    """

    @classmethod
    def verify(cls, obj: Any) -> Any:
        """Turn what a caller passed as ``weights=`` into a member of this enumeration, or ``None``.

        Args:
            obj: ``None``, a member, or its name (``"DEFAULT"``, ``"IMAGENET1K_V1"``, ``"ResNet50_Weights.DEFAULT"``).

        Raises:
            ValueError: a name that this enumeration does not have.
            TypeError: anything else, e.g. the weights of another model.
        """
        if obj is None or isinstance(obj, cls):
            return obj
        if isinstance(obj, str):
            name = obj.removeprefix(f"{cls.__name__}.")
            if name not in cls.__members__:
                raise ValueError(f"{cls.__name__} has no member {name!r}; it has {', '.join(cls.__members__)}")
            return cls[name]
        raise TypeError(
            f"weights: expected {cls.__name__}, one of its names or None, got {obj!r} ({type(obj).__name__})"
        )

    @property
    def url(self) -> str:
        """Where the checkpoint is published."""
        return self.value.url

    @property
    def transforms(self) -> Callable[..., nn.Module]:
        """Makes the preprocessing module; keyword arguments override the published settings."""
        return self.value.transforms

    @property
    def meta(self) -> dict[str, Any]:
        """Facts about the weights, see :class:`Weights`."""
        return self.value.meta

    def get_state_dict(
        self,
        model_dir: str | None = None,
        map_location: Any = None,
        progress: Report = True,
        check_hash: bool = True,
        file_name: str | None = None,
        mirrors: list[str] | None = None,
    ) -> Mapping[str, torch.Tensor]:
        """Read the checkpoint, fetching it first if the cache does not have it.

        Only tensors and plain containers are unpickled (``weights_only=True``).

        Args:
            model_dir: the cache, by default ``hub/checkpoints`` under ``TORCH_HOME``.
            map_location: as in :func:`torch.load`; CPU by default.
            progress: called with ``(received bytes, total bytes or None)``; ``True`` logs, ``False`` is silent.
            check_hash: compare the file, also a cached one, with the published SHA-256 prefix.
            file_name: the name in the cache, the URL's last part by default.
            mirrors: bases or folders to try before the URL, see :func:`vision_models.hub.fetch`.

        Raises:
            DownloadError: the file could not be had, see :mod:`vision_models.hub`.
        """
        path = fetch(
            self.url,
            directory=model_dir if model_dir is not None else cache_dir(),
            file_name=file_name,
            sha256=self.value.sha256 if check_hash else None,
            mirrors=mirrors,
            progress=progress,
        )
        return torch.load(path, map_location=map_location or "cpu", weights_only=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return getattr, (type(self), self.name)  # by name: the entry itself need not travel


def published(family: str) -> Callable[[str, str], Weights]:
    """A reader of the weights published for one family: ``published("resnet")("resnet50", "IMAGENET1K_V2")``.

    The facts stand in ``weights/<family>.json``: per builder and name the ``url``, the ``transforms`` (arguments of the
    preprocessing) and the ``meta``; ``categories`` there names a text file with one class a line.
    """
    cards = json.loads(resources.files("vision_models").joinpath("weights", f"{family}.json").read_text("utf-8"))

    def entry(builder: str, name: str) -> Weights:
        card = cards[builder][name]
        meta = dict(card["meta"])
        if "min_size" in meta:
            meta["min_size"] = tuple(meta["min_size"])
        meta["categories"] = None if meta["categories"] is None else categories(meta["categories"])
        return Weights(card["url"], partial(ImageClassification, **card["transforms"]), meta)

    return entry


@cache
def categories(data_set: str) -> list[str]:
    """Class names of a data set in the order of the models' outputs."""
    text = resources.files("vision_models").joinpath("weights", f"{data_set}_categories.txt").read_text("utf-8")
    return text.splitlines()
