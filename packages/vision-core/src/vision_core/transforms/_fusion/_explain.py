"""What a `Compose` does in which passes, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from vision_core.transforms._fusion._rules import Fuse, Role, Rules
from vision_core.transforms._fusion._run import joining_of

__all__ = ["Explanation", "Pass", "explain"]


@dataclass(frozen=True)
class Pass:
    """Transforms that run together, or one that runs by itself.

    Args:
        transforms: their names, in their order.
        does: what is done to the pixels: "resize, mirrored", "one pass over the pixels (...)".
        ends: why the next transform is not among them; "" for the last one.
    """

    transforms: tuple[str, ...]
    does: str
    ends: str = ""

    def __str__(self) -> str:
        """One line."""
        line = f"{' + '.join(self.transforms)}: {self.does}"
        return f"{line} | ends here: {self.ends}" if self.ends else line


@dataclass(frozen=True)
class Explanation:
    """The plan of a `Compose`.

    Args:
        fuse: the mode.
        passes: in the order in which they run.
        of: what was planned: "8-bit images on the CPU", or the inputs of an example.
    """

    fuse: Fuse
    passes: tuple[Pass, ...]
    of: str

    def __str__(self) -> str:
        """A line for each pass."""
        lines = [f"{number}. {step}" for number, step in enumerate(self.passes, start=1)]
        return "\n".join([f'fuse="{self.fuse}", {self.of}:', *lines])

    __repr__ = __str__

    def __len__(self) -> int:
        return len(self.passes)

    def __iter__(self) -> Iterator[Pass]:
        return iter(self.passes)


_WORDS: dict[Role, str] = {
    "crop": "crop",
    "flip": "flip",
    "resize": "resize",
    "affine": "affine warp",
    "perspective": "perspective warp",
    "colour": "colours",
    "statistics": "colours",
    "scale": "to floating point",
    "normalise": "normalise",
}


def explain(transforms: Iterable[Any], fuse: Fuse) -> Explanation:
    """Plan transforms for 8-bit images on the CPU, as if everything that is random happened."""
    passes: list[Pass] = []
    names: list[str] = []
    roles: list[Role] = []
    rules = Rules(fuse == "tolerant")

    def end(reason: str) -> None:
        nonlocal rules
        if names:
            passes.append(Pass(tuple(names), _describe(roles), reason))
        names.clear()
        roles.clear()
        rules = Rules(fuse == "tolerant")

    for transform, name in _flat(transforms, fuse):
        joining = joining_of(transform) if fuse != "off" else None
        own = None if joining is None else joining.roles(transform)
        reason = f"{name} runs by itself" if own is None else next(filter(None, map(rules.refusal, own)), "")
        if reason:
            end(reason)
        if own is None or any(map(rules.refusal, own)):
            passes.append(Pass((name,), f"by itself{_why_alone(transform, fuse)}"))
            continue
        for role in own:
            rules.note(role)
        names.append(name)
        roles.extend(own)
    end("")
    return Explanation(fuse, tuple(passes), "8-bit images on the CPU")


def _flat(transforms: Iterable[Any], fuse: Fuse) -> Iterator[tuple[Any, str]]:
    from vision_core.transforms._containers import joins_inside

    for transform in transforms:
        name = name_of(transform)
        if fuse != "off" and joins_inside(transform, fuse):
            for inner, inner_name in _flat(transform.transforms, fuse):
                yield inner, inner_name if name == "Compose" else f"{name}({inner_name})"
        else:
            yield transform, name


def name_of(transform: Any) -> str:
    """Return what a plan calls a transform."""
    return getattr(transform, "__name__", type(transform).__name__)


def _why_alone(transform: Any, fuse: Fuse) -> str:
    if fuse == "off":
        return ", fusion is off"
    state = getattr(transform, "__dict__", {})
    if state.get("_forward_hooks") or state.get("_forward_pre_hooks"):
        return ", it has hooks"
    if state.get("per_sample"):
        return ", it draws for each sample"
    return ""


def _describe(roles: list[Role]) -> str:
    words = list(dict.fromkeys(_WORDS[role] for role in roles))
    colours = [word for word in words if word in ("colours", "to floating point", "normalise")]
    shapes = [word for word in words if word not in colours]
    resampled = any(word in shapes for word in ("resize", "affine warp", "perspective warp"))
    parts = []
    if resampled:
        parts.append(f"one resampling pass ({', '.join(shapes)})")
    elif shapes and not colours:
        parts.append("a view" if shapes == ["crop"] else f"one copy ({', '.join(shapes)})")
    if colours:
        inside = colours if resampled else shapes + colours
        parts.append(f"one colour pass ({', '.join(inside)})")
    return " + ".join(parts) or "nothing to do"
