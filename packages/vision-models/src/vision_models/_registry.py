"""The table of builders: names to functions, and the weights that belong to them.

Every family module registers its builders where they are defined, so adding a model is adding a function; the tests of
the package run over this table.
"""

import difflib
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import ModuleType
from typing import Any, TypeVar

from torch import nn

from vision_models._weights import WeightsEnum

__all__ = ["get_model", "get_model_builder", "get_model_weights", "get_weight", "list_models", "register_model"]

Builder = TypeVar("Builder", bound=Callable[..., nn.Module])


@dataclass(frozen=True)
class _Entry:
    builder: Callable[..., nn.Module]
    weights: type[WeightsEnum] | None


_ENTRIES: dict[str, _Entry] = {}


def register_model(
    name: str | None = None, *, weights: type[WeightsEnum] | None = None
) -> Callable[[Builder], Builder]:
    """Enter a builder into the registry; the decorator returns the function unchanged.

    Args:
        name: the name to register, the function's own name by default. Lower case.
        weights: the enumeration of weights that the builder accepts, if there are any.

    Raises:
        ValueError: the name is taken by another builder, or holds upper case letters.

    Examples:
        >>> from torch import nn
        >>> import vision_models
        >>> @vision_models.register_model()
        ... def tiny_linear(*, weights=None, progress=True, **kwargs):
        ...     return nn.Linear(2, 2)
        >>> vision_models.get_model("tiny_linear")
        Linear(in_features=2, out_features=2, bias=True)
    """

    def register(builder: Builder) -> Builder:
        key = name if name is not None else getattr(builder, "__name__", "")
        if not key or key != key.lower():
            raise ValueError(f"register_model: expected a lower-case model name, got {key!r}; pass name=...")
        if key in _ENTRIES:
            raise ValueError(
                f"register_model: {_ENTRIES[key].builder.__module__} has registered {key!r} already; pass another name="
            )
        _ENTRIES[key] = _Entry(builder, weights)
        return builder

    return register


def list_models(
    module: ModuleType | None = None,
    include: Iterable[str] | str | None = None,
    exclude: Iterable[str] | str | None = None,
) -> list[str]:
    """Names of the registered models, sorted.

    Args:
        module: keep the builders that this package or family module defines, e.g. ``vision_models`` (classification)
            or ``vision_models.resnet``.
        include: shell-style pattern or patterns; a name is kept when any of them matches. All names by default.
        exclude: shell-style pattern or patterns of names to leave out; applied after ``include``.

    Examples:
        >>> import vision_models
        >>> vision_models.list_models(include="resne*", exclude=["*101*", "*152"])
        ['resnet18', 'resnet34', 'resnet50', 'resnext50_32x4d']
    """
    kept = _patterns(include, "include") if include is not None else ["*"]
    dropped = _patterns(exclude, "exclude") if exclude is not None else []
    return sorted(
        name
        for name, entry in _ENTRIES.items()
        if (module is None or _defined_in(entry.builder, module))
        and any(fnmatchcase(name, pattern) for pattern in kept)
        and not any(fnmatchcase(name, pattern) for pattern in dropped)
    )


def get_model_builder(name: str) -> Callable[..., nn.Module]:
    """The function that builds the model called ``name`` (case does not matter).

    Raises:
        ValueError: no model has this name; the message suggests names that are close.
    """
    return _entry(name).builder


def get_model(name: str, **config: Any) -> nn.Module:
    """Build the model called ``name``.

    Args:
        name: a name out of :func:`list_models`; case does not matter.
        **config: passed to the builder, e.g. ``weights="DEFAULT"`` or ``num_classes=10``.

    Raises:
        ValueError: no model has this name.

    Examples:
        >>> import vision_models
        >>> model = vision_models.get_model("mobilenet_v3_small", weights=None, num_classes=10)
        >>> model.classifier[-1].out_features
        10
    """
    return _entry(name).builder(**config)


def get_model_weights(name: Callable[..., nn.Module] | str) -> type[WeightsEnum]:
    """The enumeration of weights that a model has.

    Args:
        name: a model's name or its builder.

    Raises:
        ValueError: no such model, or a model without published weights.

    Examples:
        >>> import vision_models
        >>> [entry.name for entry in vision_models.get_model_weights("resnet50")]
        ['IMAGENET1K_V1', 'IMAGENET1K_V2']
    """
    if isinstance(name, str):
        entry, label = _entry(name), name
    else:
        function = name.func if isinstance(name, functools.partial) else name
        label = getattr(function, "__name__", repr(function))
        entry = next((entry for entry in _ENTRIES.values() if entry.builder is function), None)
        if entry is None:
            raise ValueError(f"get_model_weights: {label} is not a registered builder; see register_model")
    if entry.weights is None:
        raise ValueError(f"get_model_weights: {label} has no published weights")
    return entry.weights


def get_weight(name: str) -> WeightsEnum:
    """The weights called ``name``, e.g. ``"ResNet50_Weights.IMAGENET1K_V2"``.

    Raises:
        ValueError: the name has no dot, or names no known enumeration or no member of it.

    Examples:
        >>> import vision_models
        >>> vision_models.get_weight("ResNet50_Weights.DEFAULT")
        ResNet50_Weights.IMAGENET1K_V2
    """
    enumeration, dot, member = name.partition(".")
    if not dot:
        raise ValueError(f"get_weight: expected 'Enumeration.MEMBER', got {name!r}")
    known = {entry.weights.__name__: entry.weights for entry in _ENTRIES.values() if entry.weights is not None}
    if enumeration not in known:
        raise ValueError(f"get_weight: no enumeration is called {enumeration!r}{_suggestion(enumeration, known)}")
    return known[enumeration].verify(member)


def _entry(name: str) -> _Entry:
    entry = _ENTRIES.get(name.lower())
    if entry is None:
        raise ValueError(f"no model is called {name!r}{_suggestion(name.lower(), _ENTRIES)}; list_models() lists all")
    return entry


def _suggestion(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=3)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _patterns(patterns: Iterable[str] | str, argument: str) -> list[str]:
    found = [patterns] if isinstance(patterns, str) else list(patterns)
    if not all(isinstance(pattern, str) for pattern in found):
        raise TypeError(f"list_models: expected {argument} to be a pattern or patterns (str), got {patterns!r}")
    return found


def _defined_in(builder: Callable[..., nn.Module], module: ModuleType) -> bool:
    family = builder.__module__
    return module.__name__ in (family, family.rpartition(".")[0])
