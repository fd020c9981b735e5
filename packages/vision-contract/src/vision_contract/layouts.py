"""Named tensor layouts: what the axes of an argument mean, checked in a fraction of a microsecond.

PyTorchVideo's clips are ``C T H W``, torchvision's videos ``T C H W``, what PyAV or decord hand over is ``T H W C``. A
:class:`Layout` gives each a name, and its error says which one the argument looks like and the way from there to here.
Nothing here imports torch or NumPy: whatever has a ``shape`` can be checked. Conventions that go with the names: uint8
images are 0..255, float images 0..1, colours RGB; boxes, keypoints and flow are in pixels; scores are 0..1.
"""

from __future__ import annotations

import re
import sys
import warnings
from functools import partial
from typing import Any, TypeVar

# fmt: off
__all__ = [
    "BOXES_CXCYWH", "BOXES_CXCYWHR", "BOXES_XYWH", "BOXES_XYXY", "ENCODED_BYTES", "FLOW_2HW", "FRAMES_TCHW",
    "FRAMES_THWC", "IMAGE_CHW", "IMAGE_HWC", "KEYPOINTS_NKC", "LABELS_N", "MASKS_NHW", "SCORES_N", "SPECTROGRAM_TF",
    "VIDEO_CTHW", "WAVEFORM_CT", "ContractError", "Layout",
]
# fmt: on

T = TypeVar("T")


class ContractError(ValueError):
    """An argument does not have the layout that was asked for.

    Attributes:
        spec: the :class:`Layout` that was expected.
        shape: the shape that was found; None where the argument has none.
        argument: the name of the argument.
        hint: the way out (``"shape fits FRAMES_TCHW: use clip.transpose(-4, -3)"``), or None where none is known.
    """

    def __init__(
        self, message: str, spec: Any = None, shape: Any = None, argument: str = "tensor", hint: str | None = None
    ) -> None:
        # The message is in `args` since __new__; a call of the base would keep Dynamo from showing this error.
        self.args = (message, spec, shape, argument, hint)
        self.spec: Layout | None = spec
        self.shape: tuple[Any, ...] | None = shape
        self.argument = argument
        self.hint = hint

    def __str__(self) -> str:
        return self.args[0]


class Layout:
    """The order and the meaning of the axes of a tensor. Immutable, hashable, picklable.

    Args:
        name: what it is called: the name of the constant that holds it.
        axes: the axes, separated by spaces: a capital letter is an axis of any size, a number an axis of that size;
            a leading ``...`` lets any number of batch axes stand before them.
        neighbours: layouts that are mistaken for this one; an error shows the way from the one that fits.

    Raises:
        ValueError: `axes` cannot be understood.

    Examples:
        >>> VIDEO_CTHW.check(torch.zeros(8, 3, 4, 4), "clip", C=3)
        ContractError: clip: expected VIDEO_CTHW [... 3 T H W], got (8, 3, 4, 4); shape fits FRAMES_TCHW: use
        clip.transpose(-4, -3); axis C (-4) is 8, not 3
    """

    __slots__ = ("_batched", "_fixed", "_index", "_neighbours", "_rank", "_tokens", "axes", "name")

    def __init__(self, name: str, axes: str, *, neighbours: tuple[Layout, ...] = ()) -> None:
        match = re.fullmatch(r"(\.\.\. )?((?:[A-Z]|[0-9]+)(?: (?:[A-Z]|[0-9]+))*)", axes)
        tokens = match[2].split() if match else []
        if match is None or len(set(tokens)) < len(tokens):
            raise ValueError(f"{name}: expected different capital letters or sizes, as in '... C H W', got {axes!r}")
        index = {token: i - len(tokens) for i, token in enumerate(tokens)}
        self._set("name", name)
        self._set("axes", axes)
        self._set("_tokens", tuple(tokens))
        self._set("_batched", match[1] is not None)
        self._set("_rank", len(tokens))
        self._set("_index", index)
        self._set("_fixed", tuple((axis, int(token)) for token, axis in index.items() if token.isdigit()))
        self._set("_neighbours", tuple(neighbours))

    def check(self, x: T, argument: str = "tensor", **sizes: int) -> T:
        """Return `x` if it has this layout, else say what is wrong with it. Takes about 0.3 us.

        Safe inside ``torch.compile(fullgraph=True)``, ``torch.export`` and ``torch.jit.trace``: sizes that are symbols
        go to ``torch._check`` and stay dynamic. For scripting put it under ``if not torch.jit.is_scripting():``.

        Args:
            x: anything with a ``shape``.
            argument: its name, for the error.
            **sizes: known sizes by letter, ``C=3``: without one that differs, a wrong order cannot be seen.

        Raises:
            ContractError: `x` has another number of axes, or an axis of another size.
            TypeError: `sizes` names an axis that this layout does not have.

        Examples:
            >>> clip = VIDEO_CTHW.check(clip, "clip", C=3)
        """
        try:
            shape: Any = x.shape  # type: ignore[attr-defined]
            rank = len(shape)
        except (AttributeError, TypeError):
            raise self._shapeless(x, argument) from None
        if rank != self._rank and (rank < self._rank or not self._batched):
            raise self._error(x, shape, argument, sizes)
        if self._fixed:  # asking costs less than going through none of them
            for axis, expected in self._fixed:
                size = shape[axis]  # a symbol does not answer True; to ask it for its truth would end the tracing
                if (size == expected) is not True and not _agree(size, expected, self, argument):
                    raise self._error(x, shape, argument, sizes)
        if sizes:
            index = self._index
            try:
                for letter, expected in sizes.items():
                    size = shape[index[letter]]
                    if (size == expected) is not True and not _agree(size, expected, self, argument):
                        raise self._error(x, shape, argument, sizes)
            except KeyError as error:
                raise TypeError(f"{self!r} has no axis {error}") from None
        return x

    def fits(self, x: Any) -> bool:
        """Whether `x` could have this layout: what :meth:`check` asks, without an error.

        Examples:
            >>> IMAGE_CHW.fits(torch.zeros(3, 4, 5)), FLOW_2HW.fits(torch.zeros(4, 5, 2))
            (True, False)
        """
        try:
            return self.check(x) is x
        except ContractError:
            return False

    def sizes(self, x: Any) -> dict[str, int]:
        """The size of each lettered axis of `x`; raises :class:`ContractError` if it does not have this layout.

        Examples:
            >>> VIDEO_CTHW.sizes(torch.zeros(2, 3, 8, 4, 5))
            {'C': 3, 'T': 8, 'H': 4, 'W': 5}
        """
        shape = self.check(x).shape
        return {token: shape[axis] for token, axis in self._index.items() if not token.isdigit()}

    def axis(self, letter: str) -> int:
        """Where an axis is, counted from the end, so that batch axes do not move it; TypeError if there is none.

        Examples:
            >>> VIDEO_CTHW.axis("T")
            -3
        """
        if letter not in self._index:
            raise TypeError(f"{self!r} has no axis {letter!r}")
        return self._index[letter]

    def permutation(self, other: Layout) -> tuple[int, ...]:
        """The axes of this layout in the order of `other`; the caller permutes. ValueError if they are not the same.

        Examples:
            >>> frames = clip.permute(*range(clip.ndim - 4), *VIDEO_CTHW.permutation(FRAMES_TCHW))  # -3, -4, -2, -1
        """
        if set(self._tokens) != set(other._tokens):
            raise ValueError(f"{self!r} cannot be permuted to {other!r}: their axes differ")
        return tuple(self._index[token] for token in other._tokens)

    def __repr__(self) -> str:
        return f"{self.name} [{self.axes}]"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layout) and (self.name, self.axes) == (other.name, other.axes)

    def __hash__(self) -> int:
        return hash((self.name, self.axes))

    def __reduce__(self) -> str | tuple[Any, ...]:
        if globals().get(self.name) is self:
            return self.name  # by name: the constant itself comes back
        return partial(type(self), neighbours=self._neighbours), (self.name, self.axes)

    def __setattr__(self, attribute: str, value: object = None) -> None:
        raise AttributeError(f"{self!r} is immutable")

    __delattr__ = __setattr__

    def _set(self, attribute: str, value: object) -> None:
        object.__setattr__(self, attribute, value)

    def _shapeless(self, x: object, argument: str) -> ContractError:
        hint = "stack its elements into one tensor" if isinstance(x, (list, tuple)) else "convert it to a tensor"
        text = f"{argument}: expected {self!r}, got {type(x).__name__}, which has no shape; {hint}"
        return ContractError(text, self, None, argument, hint)

    def _error(self, x: object, shape: Any, argument: str, sizes: dict[str, int]) -> ContractError:
        shape = tuple(n.item() if type(n).__name__ == "Tensor" else n for n in shape)  # tensors under torch.jit.trace
        axes = " ".join(str(sizes.get(token, token)) for token in self.axes.split())
        fitting = [neighbour for neighbour in self._neighbours if neighbour._fault(shape, sizes) is None]
        ways = [f"{other.name}: use {way}" for other in fitting if (way := self._way_from(other, x, argument, shape))]
        hint = f"shape fits {', or '.join(ways)}" if ways else None
        parts = (f"{argument}: expected {self.name} [{axes}], got {shape}", hint, self._fault(shape, sizes))
        return ContractError("; ".join(part for part in parts if part), self, shape, argument, hint)

    def _fault(self, shape: tuple[Any, ...], sizes: dict[str, int]) -> str | None:
        """What is wrong with `shape` first, if anything; sizes of letters that this layout lacks do not count."""
        rank = len(shape)
        if rank < self._rank or (rank > self._rank and not self._batched):
            return f"it has {rank} {'axis' if rank == 1 else 'axes'}, not {self._rank}{' or more' * self._batched}"
        known = {axis: (str(axis), size) for axis, size in self._fixed}
        known |= {self._index[k]: (f"{k} ({self._index[k]})", n) for k, n in sizes.items() if k in self._index}
        faults = (f"axis {what} is {shape[i]}, not {n}" for i, (what, n) in known.items() if shape[i] != n)
        return next(faults, None)

    def _way_from(self, other: Layout, x: object, argument: str, shape: tuple[Any, ...]) -> str | None:
        """How to bring `argument` from the layout `other` to this one, in the words of its library."""
        numpy = type(x).__module__.partition(".")[0] == "numpy"
        missing = [token for token in self._tokens if token not in other._index]
        if len(missing) == 1 and tuple(t for t in self._tokens if t not in missing) == other._tokens:
            axis = self._index[missing[0]]
            way = f"np.expand_dims({argument}, {axis})" if numpy else f"{argument}.unsqueeze({axis})"
            return way if len(shape) == other._rank else None
        if missing or other._rank != self._rank:
            return None
        order, here = other.permutation(self), list(self._index.values())
        moved = [axis for axis, origin in zip(here, order, strict=True) if axis != origin]
        if len(moved) == 2:
            return f"{argument}.{'swapaxes' if numpy else 'transpose'}({moved[0]}, {moved[1]})"
        for start, stop in ((moved[0], moved[-1]), (moved[-1], moved[0])):
            rest = [axis for axis in here if axis != start]
            if (*rest[: stop + self._rank], start, *rest[stop + self._rank :]) == order:
                return f"np.moveaxis({argument}, {start}, {stop})" if numpy else f"{argument}.movedim({start}, {stop})"
        order = ", ".join(map(str, (*range(len(shape) - self._rank), *order)))
        return f"{argument}.{'transpose' if numpy else 'permute'}({order})"


class _EncodedBytes(Layout):
    """The bytes of a file: whatever has the buffer protocol, or a uint8 tensor of one axis."""

    __slots__ = ()

    def check(self, x: T, argument: str = "tensor", **sizes: int) -> T:
        if hasattr(x, "shape") and not isinstance(x, memoryview):
            kind = str(getattr(x, "dtype", "uint8"))
            if not kind.endswith("uint8"):
                shape: Any = tuple(x.shape)  # type: ignore[attr-defined]
                text = f"{argument}: expected {self!r} of uint8, got {kind} {shape}"
                raise ContractError(text, self, shape, argument)
            return super().check(x, argument, **sizes)
        try:
            length = (memoryview(x).nbytes,)  # type: ignore[arg-type]
        except TypeError:
            text = f"{argument}: expected {self!r}, bytes or a uint8 tensor, got {type(x).__name__}"
            hint = f"read the file: pathlib.Path({argument}).read_bytes()" if isinstance(x, str) else None
            raise ContractError(f"{text}; {hint}" if hint else text, self, None, argument, hint) from None
        if any(length[self.axis(letter)] != size for letter, size in sizes.items()):
            raise self._error(x, length, argument, sizes)
        return x

    def sizes(self, x: Any) -> dict[str, int]:
        self.check(x)
        return {"L": x.shape[0] if hasattr(x, "shape") and not isinstance(x, memoryview) else memoryview(x).nbytes}


def _agree(size: Any, expected: Any, layout: Layout, argument: str) -> bool:
    """Whether two sizes are equal; what cannot be known while tracing is deferred to the run."""
    torch = sys.modules.get("torch")
    if torch is None:
        return bool(size == expected)
    tracing = torch.compiler.is_dynamo_compiling()  # Dynamo shows symbols as ints
    if not tracing and type(size) is int and type(expected) is int:
        return size == expected
    if tracing and getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)():  # the first is of torch 2.7
        torch._check(size == expected)  # a graph that is exported cannot hold the function that makes the text
        return True
    if tracing or isinstance(size, torch.SymInt) or isinstance(expected, torch.SymInt):
        text = f"{argument}: expected {layout.name} [{layout.axes}], got another size of an axis"
        torch._check(size == expected, lambda: text)
        return True
    with warnings.catch_warnings():  # under torch.jit.trace sizes are tensors, and each comparison would warn
        warnings.simplefilter("ignore")
        return bool(size == expected)


IMAGE_CHW = Layout("IMAGE_CHW", "... C H W")
IMAGE_HWC = Layout("IMAGE_HWC", "... H W C", neighbours=(IMAGE_CHW,))
VIDEO_CTHW = Layout("VIDEO_CTHW", "... C T H W")
FRAMES_TCHW = Layout("FRAMES_TCHW", "... T C H W")
FRAMES_THWC = Layout("FRAMES_THWC", "... T H W C", neighbours=(VIDEO_CTHW, FRAMES_TCHW, IMAGE_HWC))
# Some are mistaken for each other, which no constructor can say.
IMAGE_CHW._set("_neighbours", (IMAGE_HWC,))
VIDEO_CTHW._set("_neighbours", (FRAMES_TCHW, FRAMES_THWC, IMAGE_CHW))
FRAMES_TCHW._set("_neighbours", (VIDEO_CTHW, FRAMES_THWC, IMAGE_CHW))
WAVEFORM_CT = Layout("WAVEFORM_CT", "... C T", neighbours=(Layout("WAVEFORM_TC", "... T C"), Layout("mono", "T")))
SPECTROGRAM_TF = Layout("SPECTROGRAM_TF", "... T F", neighbours=(Layout("SPECTROGRAM_FT", "... F T"),))
_BOX = (Layout("one box", "4"), Layout("BOXES_4N", "4 N"))
BOXES_XYXY = Layout("BOXES_XYXY", "N 4", neighbours=_BOX)
BOXES_XYWH = Layout("BOXES_XYWH", "N 4", neighbours=_BOX)
BOXES_CXCYWH = Layout("BOXES_CXCYWH", "N 4", neighbours=_BOX)
BOXES_CXCYWHR = Layout("BOXES_CXCYWHR", "N 5", neighbours=(Layout("one box", "5"), Layout("BOXES_5N", "5 N")))
SCORES_N = Layout("SCORES_N", "N")
LABELS_N = Layout("LABELS_N", "N")
MASKS_NHW = Layout("MASKS_NHW", "N H W", neighbours=(Layout("MASKS_HWN", "H W N"), Layout("one mask", "H W")))
KEYPOINTS_NKC = Layout("KEYPOINTS_NKC", "N K C", neighbours=(Layout("KEYPOINTS_KC", "K C"),))
FLOW_2HW = Layout("FLOW_2HW", "... 2 H W", neighbours=(Layout("FLOW_HW2", "... H W 2"),))
ENCODED_BYTES = _EncodedBytes("ENCODED_BYTES", "L")
