"""Finding an operator that another wheel owns, without importing that wheel.

A wheel offers an operator as an entry point; one that needs it asks by name in ``__init__``, never in ``forward``::

    [project.entry-points."vision_contract.operators"]
    nms = "vision_core.ops:nms"

    self.nms = nms or find("nms", default=_reference_nms)

First comes what was given to :func:`provide` in this process, then the installed providers, then the caller's default.
Of two installed providers the one that `prefer` names is taken, then the one that the environment variable
``VISION_CONTRACT_PREFER_<NAME>`` names, then the first by name of its distribution, with one warning. A provider that
cannot be loaded is passed over, with one warning. Providers are looked up and loaded when first asked for, and kept.
"""

from __future__ import annotations

import importlib.metadata
import os
import pickle
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeVar, overload

from vision_contract.protocols import NMS, ImageDecoder, Resize, RoIAlign, VideoDecoderFactory

__all__ = ["OperatorNotFoundError", "Provider", "ProviderWarning", "find", "operators", "provide"]

GROUP = "vision_contract.operators"
WHEELS = {"nms": "vision-core", "roi_align": "vision-core", "resize": "vision-core"}
WHEELS |= {"decode_image": "vision-io", "video_decoder": "vision-io[video]"}

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)


class OperatorNotFoundError(LookupError):
    """Nobody provides the operator and the caller has no default. The text names the wheel to install."""


class ProviderWarning(UserWarning):
    """A broken provider, two providers and no preference, or a preference for one that is not there."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider of an operator, for bug reports.

    Attributes:
        name: the operator.
        target: where it is, ``"module:attribute"``.
        distribution: the wheel that offers it; None if it was given to :func:`provide`.
        version: of that wheel.
        chosen: whether :func:`find` returns this one.
        error: why it cannot be loaded; None if it can.
    """

    name: str
    target: str
    distribution: str | None
    version: str | None
    chosen: bool
    error: str | None


class _Installed(NamedTuple):
    distribution: str
    version: str
    target: str
    entry: importlib.metadata.EntryPoint

    def __str__(self) -> str:
        return f"{self.distribution} {self.version} ({self.target})"


_provided: dict[str, Function] = {}
_loaded: dict[_Installed, tuple[Function | None, str | None]] = {}  # the operator, or why it cannot be loaded
_warned: set[str] = set()


def provide(name: str, function: F) -> F:
    """Make `function` the provider of an operator in this process, before every installed one.

    Args:
        name: the operator, ``"nms"``.
        function: a top-level function or class: models that hold it are pickled and copied. None takes it back.

    Returns:
        `function`.

    Raises:
        TypeError: it cannot be called or pickled (a lambda, a local function, a torch operator).

    Examples:
        >>> provide("nms", my_package.fast_nms)
    """
    if function is None:
        _provided.pop(name, None)
    elif problem := _unfit(function):
        raise TypeError(f"provide({name!r}): {problem}")
    else:
        _provided[name] = function
    return function


# fmt: off
@overload
def find(name: Literal["nms"], *, default: NMS | None = None, prefer: str | None = None) -> NMS: ...
@overload
def find(name: Literal["roi_align"], *, default: RoIAlign | None = None, prefer: str | None = None) -> RoIAlign: ...
@overload
def find(name: Literal["resize"], *, default: Resize | None = None, prefer: str | None = None) -> Resize: ...
@overload
def find(name: Literal["decode_image"], *, default: Any = None, prefer: str | None = None) -> ImageDecoder: ...
@overload
def find(name: Literal["video_decoder"], *, default: Any = None, prefer: str | None = None) -> VideoDecoderFactory: ...
@overload
def find(name: str, *, default: Function | None = None, prefer: str | None = None) -> Function: ...
# fmt: on


def find(name: str, *, default: Function | None = None, prefer: str | None = None) -> Function:
    """The operator called `name`. Call it where a module is built, never where it runs.

    Args:
        name: ``"nms"``, ``"roi_align"``, ``"resize"``, ``"decode_image"``, ``"video_decoder"``, or one of a provider's.
        default: the caller's own reference, returned where nobody provides the operator.
        prefer: the distribution whose operator is taken if several are installed.

    Returns:
        A top-level function or class: it pickles, deep-copies and, if its author annotated it, scripts.

    Raises:
        OperatorNotFoundError: nobody provides it and there is no default.

    Examples:
        >>> nms = find("nms", default=_reference.nms)
    """
    if name in _provided:
        return _provided[name]
    if name not in _installed() and default is None:
        _installed.cache_clear()  # it may have been installed since the first look
    ranked = _ranked(name, prefer)
    for provider in ranked:
        operator, error = _load(provider)
        if operator is not None:
            return operator
        _warn(f"{provider} is passed over: {error}")
    if default is not None:
        return default
    reasons = "".join(f"\n  {provider}: {_load(provider)[1]}" for provider in ranked)
    wheel = WHEELS.get(name) or (ranked[0].distribution if ranked else None)
    advice = f"pip install '{wheel}'" if wheel else f"the contract knows {', '.join(WHEELS)}"
    raise OperatorNotFoundError(
        f"no {'working ' * bool(ranked)}provider of {name!r} is installed: {advice}; or pass a function of your own, "
        f"or call vision_contract.provide({name!r}, function){reasons}"
    )


def operators() -> list[Provider]:
    """Every provider of every operator, and which one :func:`find` returns. Loads them, so that a broken one shows why.

    Examples:
        >>> operators()
        [Provider(name='nms', target='vision_core.ops:nms', distribution='vision-core', version='0.1.0', ...)]
    """
    table = []
    for name in sorted({*_provided, *_installed()}):
        if chosen := name in _provided:
            function: Any = _provided[name]
            target = f"{function.__module__}:{getattr(function, '__qualname__', type(function).__qualname__)}"
            table.append(Provider(name, target, None, None, True, None))
        for provider in _ranked(name, None, warn=False):
            operator, error = _load(provider)
            first = operator is not None and not chosen
            chosen = chosen or first
            table.append(Provider(name, provider.target, provider.distribution, provider.version, first, error))
    return table


@lru_cache(maxsize=1)
def _installed() -> dict[str, list[_Installed]]:
    """The installed providers by operator, ordered by distribution. Looking them up takes milliseconds."""
    found: dict[str, list[_Installed]] = {}
    for entry in importlib.metadata.entry_points(group=GROUP):
        name, version = (entry.dist.name, entry.dist.version) if entry.dist else ("unknown", "?")
        found.setdefault(entry.name, []).append(_Installed(name, version, entry.value, entry))
    for providers in found.values():
        providers.sort(key=lambda provider: (_normal(provider.distribution), provider.target))
    return found


def _ranked(name: str, prefer: str | None, *, warn: bool = True) -> list[_Installed]:
    """The installed providers of `name`, the preferred one first."""
    providers = _installed().get(name, [])
    variable = f"VISION_CONTRACT_PREFER_{name.upper()}"
    for source, wish in (("prefer", prefer), (variable, os.environ.get(variable))):
        ranked = sorted(providers, key=lambda provider: _normal(provider.distribution) != _normal(wish or ""))
        if wish and ranked and _normal(ranked[0].distribution) == _normal(wish):
            return ranked
        if wish and ranked and warn:
            _warn(f"{source}={wish!r} does not provide {name!r}, but {', '.join(map(str, ranked))}")
    if len(providers) > 1 and warn:
        _warn(f"{name!r} has {len(providers)} providers, {', '.join(map(str, providers))}: choose one with {variable}")
    return providers


def _load(provider: _Installed) -> tuple[Function | None, str | None]:
    """The operator, or why it cannot be loaded. Tried once."""
    if provider not in _loaded:
        try:
            operator = provider.entry.load()
            error = _unfit(operator)
        except Exception as problem:  # whatever the import of a foreign module raises
            operator, error = None, f"{type(problem).__name__}: {problem}"
        _loaded[provider] = (operator, None) if error is None else (None, error)
    return _loaded[provider]


def _unfit(operator: Any) -> str | None:
    """Why `operator` cannot be handed out, or None if it can."""
    if not callable(operator):
        return f"{operator!r} cannot be called"
    try:
        pickle.dumps(operator)
    except Exception as problem:  # pickle raises PicklingError, AttributeError, TypeError, or what __reduce__ likes
        return f"{operator!r} must be a top-level function or class: it cannot be pickled ({problem})"
    return None


def _warn(text: str) -> None:
    if text not in _warned:
        _warned.add(text)
        warnings.warn(text, ProviderWarning, stacklevel=4)


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
