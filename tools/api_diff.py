"""Compares two public surfaces: what was added, what breaks a caller, what changed without breaking one.

A break is whatever can make code that worked fail or mean something else: a name, member or parameter gone or renamed,
a new parameter without default, a lost or different default, another order of the positional ones, another kind, a lost
base class. A new name, member or optional parameter is an addition. Another annotation is a change.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ApiDiff", "compare"]


@dataclass
class ApiDiff:
    """The difference of two surfaces, as lines for people.

    Args:
        breaks: what can fail in code that worked before.
        additions: what is new.
        changes: what is different and harmless to callers.
    """

    breaks: list[str] = field(default_factory=list)
    additions: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.breaks or self.additions or self.changes)

    def lines(self) -> list[str]:
        """All of it, breaks first, each line with its sign."""
        marked = (("! breaks", self.breaks), ("+ adds", self.additions), ("~ changes", self.changes))
        return [f"{sign} {line}" for sign, group in marked for line in group]


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> ApiDiff:
    """The difference between two surfaces as :func:`api_surface.read_surface` gives them.

    Example:
        >>> compare({"m": {"f": {"kind": "function", "signature": "(a)"}}}, {"m": {}}).breaks
        ['m.f is gone']
    """
    diff = ApiDiff()
    for module in sorted(old.keys() | new.keys()):
        if module not in new:
            diff.breaks.append(f"module {module} is gone")
        elif module not in old:
            diff.additions.append(f"module {module} with {', '.join(new[module]) or 'no names'}")
        else:
            _compare_names(module, old[module], new[module], diff)
    return diff


def _compare_names(owner: str, old: Mapping[str, Any], new: Mapping[str, Any], diff: ApiDiff) -> None:
    for name in sorted(old.keys() | new.keys()):
        path = f"{owner}.{name}"
        if name not in new:
            diff.breaks.append(f"{path} is gone")
        elif name not in old:
            diff.additions.append(f"{path}{new[name].get('signature', '')}")
        else:
            _compare_entry(path, old[name], new[name], diff)


def _compare_entry(path: str, old: Mapping[str, Any], new: Mapping[str, Any], diff: ApiDiff) -> None:
    if old["kind"] != new["kind"]:
        diff.breaks.append(f"{path} was a {old['kind']}, is a {new['kind']}")
        return
    if old.get("type") != new.get("type"):
        diff.changes.append(f"{path}: type {old.get('type')} -> {new.get('type')}")
    before, after = old.get("signature"), new.get("signature")
    if before != after:
        _compare_signature(path, before or "()", after or "()", diff)
    lost = [base for base in old.get("bases", ()) if base not in new.get("bases", ())]
    if lost:
        diff.breaks.append(f"{path} no longer derives from {', '.join(lost)}")
    elif old.get("bases", []) != new.get("bases", []):
        diff.changes.append(f"{path}: bases {', '.join(old.get('bases', ()))} -> {', '.join(new.get('bases', ()))}")
    _compare_names(path, old.get("members", {}), new.get("members", {}), diff)


@dataclass(frozen=True)
class _Parameter:
    name: str
    place: str  # "positional", "either", "keyword", "*", "**"
    default: str | None


def _compare_signature(path: str, old: str, new: str, diff: ApiDiff) -> None:
    before, after = _parameters(old), _parameters(new)
    if before is None or after is None:
        diff.breaks.append(f"{path}: signature {old} -> {new}")
        return
    count = len(diff.breaks) + len(diff.additions)
    _compare_order(path, before, after, diff)
    for name, parameter in before.items():
        _compare_parameter(f"{path}({name})", parameter, after.get(name), after, diff)
    for name, parameter in after.items():
        if name not in before:
            optional = parameter.default is not None or parameter.place in ("*", "**")
            (diff.additions if optional else diff.breaks).append(
                f"{path}: new {'optional' if optional else 'required'} parameter {name}"
            )
    if count == len(diff.breaks) + len(diff.additions):
        diff.changes.append(f"{path}: {old} -> {new}")


def _compare_order(path: str, before: Mapping[str, _Parameter], after: Mapping[str, _Parameter], diff: ApiDiff) -> None:
    """Arguments given by position must land where they did: the old positional names are a prefix of the new ones."""
    was = [p.name for p in before.values() if p.place in ("positional", "either")]
    now = [p.name for p in after.values() if p.place in ("positional", "either")]
    kept = [name for name in was if name in after]
    if now[: len(kept)] != kept and all(after[name].place != "keyword" for name in kept):
        diff.breaks.append(f"{path}: order of positional parameters {', '.join(was)} -> {', '.join(now)}")


def _compare_parameter(
    where: str, old: _Parameter, new: _Parameter | None, after: Mapping[str, _Parameter], diff: ApiDiff
) -> None:
    if new is None:
        swallowed = old.place == "keyword" and any(p.place == "**" for p in after.values())
        (diff.changes if swallowed else diff.breaks).append(f"{where} is gone" + (" into **" if swallowed else ""))
        return
    if old.place != new.place and (old.place, new.place) not in {("positional", "either"), ("keyword", "either")}:
        diff.breaks.append(f"{where} was {old.place}, is {new.place}")
    if old.default is not None and new.default is None:
        diff.breaks.append(f"{where} lost its default {old.default}")
    elif old.default is None and new.default is not None and old.place not in ("*", "**"):
        diff.additions.append(f"{where} became optional, default {new.default}")
    elif old.default != new.default:
        diff.breaks.append(f"{where}: default {old.default} -> {new.default}")


def _parameters(signature: str) -> dict[str, _Parameter] | None:
    """The parameters of a signature written as source; ``None`` for one that is unknown or cannot be parsed."""
    if signature.startswith("(...)"):
        return None
    try:
        function = ast.parse(f"def f{signature}: ...").body[0]
    except SyntaxError:
        return None
    assert isinstance(function, ast.FunctionDef)
    spec = function.args
    plain = [*((a, "positional") for a in spec.posonlyargs), *((a, "either") for a in spec.args)]
    defaults = [None] * (len(plain) - len(spec.defaults)) + list(spec.defaults)
    found = [_parameter(argument, place, default) for (argument, place), default in zip(plain, defaults, strict=True)]
    found += [_parameter(spec.vararg, "*", None)] if spec.vararg else []
    found += [_parameter(a, "keyword", d) for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)]
    found += [_parameter(spec.kwarg, "**", None)] if spec.kwarg else []
    return {parameter.name: parameter for parameter in found}


def _parameter(argument: ast.arg, place: str, default: ast.expr | None) -> _Parameter:
    return _Parameter(argument.arg, place, ast.unparse(default) if default else None)
