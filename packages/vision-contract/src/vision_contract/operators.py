"""Finding an operator that another wheel owns, without importing that wheel.

A wheel that has an operator offers it as an entry point of the group ``vision_contract.operators``; a wheel that needs one
asks for it by name in ``__init__`` (never in ``forward``)::

    [project.entry-points."vision_contract.operators"]
    nms = "vision_core.ops:nms"

    class Detector(nn.Module):
        def __init__(self, nms: NMS | None = None):
            self.nms = nms or find("nms", default=_reference_nms)

An operator is found in this order: what was :func:`provide`\\ d in the process, the installed providers, the default of
the caller. Of two installed providers the one that `prefer` names is taken, then the one that the environment variable
``VISION_CONTRACT_PREFER_<NAME>`` names, then the first by distribution name, with one warning. A provider that cannot be
loaded is warned of once and passed over. Providers are looked up when first asked for, and remembered.
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
from typing import Any, Literal, TypeVar, overload

from vision_contract.protocols import NMS, ImageDecoder, Resize, RoIAlign, VideoDecoderFactory

__all__ = ["OperatorNotFoundError", "Provider", "ProviderWarning", "find", "operators", "provide"]

GROUP = "vision_contract.operators"
WHEELS = {
    "nms": "vision-core",
    "roi_align": "vision-core",
    "resize": "vision-core",
    "decode_image": "vision-io",
    "video_decoder": "vision-io[video]",
}
"""The wheel that an error proposes for each operator of the contract."""

F = TypeVar("F", bound=Callable[..., Any])


class OperatorNotFoundError(LookupError):
    """No provider of the operator is installed or none can be loaded, and the caller has no default.

    Attributes:
        name: the name of the operator.
    """

    def __init__(self, message: str, name: str = "") -> None:
        super().__init__(message, name)
        self.name = name

    def __str__(self) -> str:
        return self.args[0]


class ProviderWarning(UserWarning):
    """Two providers of one operator and no preference, a preference that cannot be met, or a broken provider."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider of an operator, for bug reports.

    Attributes:
        name: the operator.
        target: where it is, ``"module:attribute"``.
        distribution: the wheel that offers it; None if it was :func:`provide`\\ d by the process.
        version: the version of that wheel.
        chosen: whether :func:`find` returns this one.
        error: why it cannot be loaded; None if it can.
    """

    name: str
    target: str
    distribution: str | None
    version: str | None
    chosen: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An installed provider that has not been loaded yet."""

    distribution: str
    version: str
    entry: importlib.metadata.EntryPoint


_provided: dict[str, Callable[..., Any]] = {}
_loaded: dict[_Candidate, Callable[..., Any] | str] = {}  # the operator, or why it cannot be loaded
_warned: set[str] = set()


def provide(name: str, function: F | None) -> F | None:
    """Make `function` the provider of an operator in this process, before every installed one.

    Args:
        name: the operator, ``"nms"``.
        function: a top-level function or class: models that hold it are pickled and copied. None withdraws the one
            that was provided before.

    Returns:
        `function`.

    Raises:
        TypeError: `function` cannot be called, or cannot be pickled (a lambda, a local function, a torch operator).

    Example:
        >>> provide("nms", my_package.fast_nms)
    """
    if function is None:
        _provided.pop(name, None)
    elif problem := _unfit(function):
        raise TypeError(f"provide({name!r}): {problem}")
    else:
        _provided[name] = function
    return function


@overload
def find(name: Literal["nms"], *, default: NMS | None = None, prefer: str | None = None) -> NMS: ...
@overload
def find(name: Literal["roi_align"], *, default: RoIAlign | None = None, prefer: str | None = None) -> RoIAlign: ...
@overload
def find(name: Literal["resize"], *, default: Resize | None = None, prefer: str | None = None) -> Resize: ...
@overload
def find(
    name: Literal["decode_image"], *, default: ImageDecoder | None = None, prefer: str | None = None
) -> ImageDecoder: ...
@overload
def find(
    name: Literal["video_decoder"], *, default: VideoDecoderFactory | None = None, prefer: str | None = None
) -> VideoDecoderFactory: ...
@overload
def find(name: str, *, default: Callable[..., Any] | None = None, prefer: str | None = None) -> Callable[..., Any]: ...
def find(name: str, *, default: Callable[..., Any] | None = None, prefer: str | None = None) -> Callable[..., Any]:
    """The operator called `name`. Call it where a module is built, never where it runs.

    Args:
        name: the operator: ``"nms"``, ``"roi_align"``, ``"resize"``, ``"decode_image"``, ``"video_decoder"``, or any other
            that a provider offers.
        default: the caller's own reference implementation, returned where nobody provides the operator.
        prefer: the distribution whose operator is taken if several are installed.

    Returns:
        A top-level function or class: it can be pickled, deep-copied and, if its author annotated it, scripted.

    Raises:
        OperatorNotFoundError: nobody provides it and there is no default; the text names the wheel to install.

    Example:
        >>> nms = find("nms", default=_reference.nms)
    """
    if name in _provided:
        return _provided[name]
    candidates = _ranked(name, prefer, warn=True)
    for candidate in candidates:
        operator = _load(candidate)
        if not isinstance(operator, str):
            return operator
        _warn(f"{_describe(candidate)} is passed over: it cannot be loaded ({operator})")
    if default is not None:
        return default
    if not candidates:  # what was installed since the first look is not yet known
        _candidates.cache_clear()
        if _ranked(name, prefer, warn=False):
            return find(name, prefer=prefer)
    raise _not_found(name, candidates)


def operators() -> list[Provider]:
    """Every provider of every operator, and which one :func:`find` chooses: what a bug report should hold.

    Installed providers are loaded for it, so that a broken one shows its error.

    Example:
        >>> for provider in operators():
        ...     print(provider)
        Provider(name='nms', target='vision_core.ops:nms', distribution='vision-core', version='0.1.0', chosen=True, \
error=None)
    """
    table = []
    for name in sorted({*_provided, *_candidates()}):
        chosen = name in _provided
        if chosen:
            function = _provided[name]
            table.append(Provider(name, f"{function.__module__}:{_qualname(function)}", None, None, True, None))
        for candidate in _ranked(name, None, warn=False):
            operator = _load(candidate)
            error = operator if isinstance(operator, str) else None
            first = not chosen and error is None
            chosen = chosen or first
            target = candidate.entry.value
            table.append(Provider(name, target, candidate.distribution, candidate.version, first, error))
    return table


@lru_cache(maxsize=1)
def _candidates() -> dict[str, list[_Candidate]]:
    """The installed providers by operator, ordered by distribution. Looking them up takes milliseconds: done once."""
    found: dict[str, list[_Candidate]] = {}
    for entry in importlib.metadata.entry_points(group=GROUP):
        distribution = entry.dist
        name, version = (distribution.name, distribution.version) if distribution else ("", "")
        found.setdefault(entry.name, []).append(_Candidate(name, version, entry))
    for candidates in found.values():
        candidates.sort(key=lambda candidate: (_normal(candidate.distribution), candidate.entry.value))
    return found


def _ranked(name: str, prefer: str | None, *, warn: bool) -> list[_Candidate]:
    """The installed providers of `name`, the chosen one first."""
    candidates = _candidates().get(name, [])
    variable = f"VISION_CONTRACT_PREFER_{name.upper()}"
    wishes = [("prefer", prefer), (variable, os.environ.get(variable))]
    for source, wish in wishes:
        if not wish:
            continue
        wanted = [candidate for candidate in candidates if _normal(candidate.distribution) == _normal(wish)]
        if wanted:
            return wanted + [candidate for candidate in candidates if candidate not in wanted]
        if warn and candidates:
            offers = ", ".join(candidate.distribution for candidate in candidates)
            _warn(f"{source}={wish!r}: that distribution does not provide {name!r}; {offers} does")
    if warn and len(candidates) > 1:
        offers = ", ".join(map(_describe, candidates))
        _warn(f"{name!r} has {len(candidates)} providers: {offers}; the first is taken. Choose with {variable}")
    return candidates


def _load(candidate: _Candidate) -> Callable[..., Any] | str:
    """The operator of `candidate`, or why it cannot be loaded. Tried once."""
    if candidate not in _loaded:
        try:
            operator = candidate.entry.load()
            outcome = _unfit(operator) or operator
        except Exception as error:  # whatever a foreign module raises when it is imported
            outcome = f"{type(error).__name__}: {error}"
        _loaded[candidate] = outcome
    return _loaded[candidate]


def _unfit(operator: object) -> str | None:
    """Why `operator` cannot be handed out, or None if it can."""
    if not callable(operator):
        return f"{operator!r} cannot be called"
    try:
        pickle.dumps(operator)
    except Exception as error:  # pickle raises PicklingError, AttributeError, TypeError or what __reduce__ likes
        return f"{operator!r} cannot be pickled ({error}): it must be a top-level function or class of an importable module"
    return None


def _not_found(name: str, broken: list[_Candidate]) -> OperatorNotFoundError:
    if name not in WHEELS and not broken:
        known = ", ".join(sorted({*WHEELS, *_candidates()}))
        return OperatorNotFoundError(f"nobody provides {name!r}; known operators: {known}", name)
    wheel = WHEELS.get(name) or broken[0].distribution
    reasons = "".join(f"\n  {_describe(candidate)} cannot be loaded: {_load(candidate)}" for candidate in broken)
    verb = "reinstall" if broken else "install"
    return OperatorNotFoundError(
        f"no working provider of {name!r}: {verb} one (pip install '{wheel}'), pass a function of your own, "
        f"or call vision_contract.provide({name!r}, function){reasons}",
        name,
    )


def _describe(candidate: _Candidate) -> str:
    return f"{candidate.distribution} {candidate.version} ({candidate.entry.value})"


def _warn(text: str) -> None:
    if text not in _warned:
        _warned.add(text)
        warnings.warn(text, ProviderWarning, stacklevel=4)


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _qualname(function: object) -> str:
    return getattr(function, "__qualname__", type(function).__qualname__)
