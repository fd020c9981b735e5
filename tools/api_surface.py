"""Reads the public names of an importable package, in a form that is the same on every supported Python.

Public is: a module with no underscore in its path, and in it the names of ``__all__``. Each name has a kind
(``function``, ``class``, ``module``, ``constant``) and, where that makes sense, a signature written as Python source. A
class also has its bases and the public members that this package defines; what a third party's base class brings is
that party's.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

from workspace import ToolError

__all__ = ["Surface", "read_surface"]

Entry = dict[str, Any]
Surface = dict[str, dict[str, Entry]]  # module -> name -> entry

# Of the special methods these are part of what a user writes.
_CALLED_BY_SYNTAX = {
    "__call__",
    "__contains__",
    "__enter__",
    "__exit__",
    "__getitem__",
    "__iter__",
    "__len__",
    "__next__",
}


def read_surface(import_name: str) -> Surface:
    """The public names of a package and its public submodules.

    Args:
        import_name: the package, which must be importable with its extras.

    Raises:
        ToolError: if a public module cannot be imported, has no ``__all__``, or names in it what it does not have.
    """
    surface: Surface = {}
    for module in _public_modules(import_name):
        names = getattr(module, "__all__", None)
        if names is None:
            raise ToolError(f"{module.__name__} is public but has no __all__; add one, or start its name with _")
        missing = [name for name in names if not hasattr(module, name)]
        if missing:
            raise ToolError(f"{module.__name__}.__all__ names {', '.join(missing)}, which it does not have")
        surface[module.__name__] = {
            name: _entry(getattr(module, name), import_name) for name in sorted(names) if not _is_dunder(name)
        }
    return surface


def _public_modules(import_name: str) -> Iterator[types.ModuleType]:
    root = _import(import_name)
    yield root
    queue = [root]
    while queue:
        parent = queue.pop(0)
        for found in sorted(pkgutil.iter_modules(getattr(parent, "__path__", ())), key=lambda info: info.name):
            if found.name.startswith("_"):
                continue
            module = _import(f"{parent.__name__}.{found.name}")
            yield module
            if found.ispkg:
                queue.append(module)


def _import(name: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:  # whatever a module raises while it is imported keeps it from its users
        raise ToolError(f"cannot import {name}: {type(error).__name__}: {error}") from error


def _entry(value: Any, package: str) -> Entry:
    if isinstance(value, types.ModuleType):
        return {"kind": "module"}
    if isinstance(value, type):
        return _class_entry(value, package)
    if callable(value) and not _is_typing_form(value):
        return {"kind": "function", "signature": _signature(value)}
    return {"kind": "constant", "type": type(value).__name__}


def _class_entry(cls: type, package: str) -> Entry:
    entry: Entry = {"kind": "class", "bases": [_type_name(base) for base in cls.__bases__ if base is not object]}
    if issubclass(cls, enum.Enum):
        entry["members"] = {name: {"kind": "attribute"} for name in cls.__members__}
        return entry
    ours = [base for base in cls.__mro__ if base.__module__.split(".")[0] == package]
    if not getattr(cls, "_is_protocol", False) and any({"__init__", "__new__"} & vars(base).keys() for base in ours):
        entry["signature"] = _signature(cls)
    members: dict[str, Entry] = {}
    for base in reversed(ours):
        for name in inspect.get_annotations(base):
            members[name] = {"kind": "attribute"}
        members |= {name: _member(value) for name, value in vars(base).items()}
    shown = {name: m for name, m in members.items() if not name.startswith("_") or name in _CALLED_BY_SYNTAX}
    entry["members"] = dict(sorted(shown.items()))
    return entry


def _member(value: Any) -> Entry:
    if isinstance(value, staticmethod | classmethod):
        return {"kind": type(value).__name__, "signature": _signature(value.__func__)}
    if inspect.isfunction(value):
        return {"kind": "method", "signature": _signature(value)}
    return {"kind": "attribute"}  # properties, slots, constants: read the same way


def _signature(function: Callable[..., Any]) -> str:
    """The signature as Python source that :func:`ast.parse` accepts after ``def f``; ``(...)`` where there is none."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return "(...)"
    parts: list[str] = []
    previous = None
    for parameter in signature.parameters.values():
        if previous == parameter.POSITIONAL_ONLY != parameter.kind:
            parts.append("/")
        if parameter.kind == parameter.KEYWORD_ONLY and previous not in (
            parameter.KEYWORD_ONLY,
            parameter.VAR_POSITIONAL,
        ):
            parts.append("*")
        parts.append(_parameter(parameter))
        previous = parameter.kind
    if previous == inspect.Parameter.POSITIONAL_ONLY:
        parts.append("/")
    returns = signature.return_annotation
    arrow = "" if returns is signature.empty else f" -> {_annotation(returns)}"
    return f"({', '.join(parts)}){arrow}"


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    text = stars + parameter.name
    annotated = parameter.annotation is not parameter.empty
    if annotated:
        text += f": {_annotation(parameter.annotation)}"
    if parameter.default is not parameter.empty:
        text += (" = " if annotated else "=") + _value(parameter.default)
    return text


def _annotation(hint: Any) -> str:
    """An annotation as source. ``Optional[int]`` and ``int | None`` come out alike on every Python."""
    if isinstance(hint, str):
        return " ".join(hint.split())
    if hint is None or hint is type(None):
        return "None"
    if hint is Ellipsis:
        return "..."
    if isinstance(hint, list):  # the arguments of a Callable
        return f"[{', '.join(_annotation(part) for part in hint)}]"
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(_annotation(part) for part in arguments)
    if origin is typing.Literal:
        return f"Literal[{', '.join(_value(part) for part in arguments)}]"
    if origin is typing.Annotated:
        return _annotation(arguments[0])
    if origin is not None and arguments:
        return f"{_type_name(origin)}[{', '.join(_annotation(part) for part in arguments)}]"
    if isinstance(hint, typing.ForwardRef):
        return hint.__forward_arg__
    return _type_name(hint)


def _value(value: Any) -> str:
    """A default as source: literals as they are, names for what has one, never an address."""
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, bool | int | str | bytes | type(None)) or value is Ellipsis:
        return "..." if value is Ellipsis else repr(value)
    if isinstance(value, float):
        return f"float({str(value)!r})" if value != value or value in (float("inf"), float("-inf")) else repr(value)
    if isinstance(value, tuple):
        return f"({', '.join(_value(part) for part in value)}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(_value(part) for part in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_value(k)}: {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, type) or inspect.isroutine(value):
        name = _type_name(value)
        return name if name.replace(".", "_").isidentifier() else repr(name)  # a lambda has no name to write
    text = repr(value)  # torch.float32, Layout objects and the like: stable, unless it shows an address
    return text if text.replace(".", "_").isidentifier() else repr(f"<{type(value).__name__}>")


def _type_name(value: Any) -> str:
    """``Tensor`` for ``torch.Tensor``: which module a class lives in is not a promise."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None) or getattr(value, "_name", None)
    return (name or str(value).removeprefix("typing.")).replace("<locals>.", "")


def _is_typing_form(value: Any) -> bool:
    return typing.get_origin(value) is not None or type(value).__module__ == "typing"


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
