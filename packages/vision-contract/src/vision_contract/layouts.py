"""Named tensor layouts: what the axes of an argument mean, checked in a fraction of a microsecond.

The field disagrees about layouts: PyTorchVideo's clips are ``C T H W``, torchvision's videos ``T C H W``, and what PyAV
or decord hand over is ``T H W C``. A :class:`Layout` gives each a name, checks an argument against it, and when the check
fails says which of its neighbours the argument looks like and how to get from there to here.

Nothing here imports torch or NumPy: whatever has a ``shape`` can be checked.

Conventions that go with the names (values are checked only where data enters or leaves the program): uint8 images are
0..255, float images 0..1, colours are RGB; boxes, keypoints and flow are in pixels; scores are 0..1.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = [
    "BOXES_CXCYWH",
    "BOXES_CXCYWHR",
    "BOXES_XYWH",
    "BOXES_XYXY",
    "ENCODED_BYTES",
    "FLOW_2HW",
    "FRAMES_TCHW",
    "FRAMES_THWC",
    "IMAGE_CHW",
    "IMAGE_HWC",
    "KEYPOINTS_NKC",
    "LABELS_N",
    "MASKS_NHW",
    "SCORES_N",
    "SPECTROGRAM_TF",
    "VIDEO_CTHW",
    "WAVEFORM_CT",
    "ContractError",
    "Layout",
]

T = TypeVar("T")


class ContractError(ValueError):
    """An argument does not have the layout that was asked for.

    Attributes:
        spec: the layout that was expected.
        shape: the shape that was found; None where the argument has none.
        argument: the name of the argument.
        hint: the way out (``"shape fits FRAMES_TCHW: use clip.transpose(-4, -3)"``), or None where none is known.
    """

    def __init__(
        self,
        message: str,
        *,
        spec: Layout | None = None,
        shape: tuple[Any, ...] | None = None,
        argument: str = "tensor",
        hint: str | None = None,
    ) -> None:
        # The message is in `args` since __new__: calling the base here would stop Dynamo from showing it.
        self.spec = spec
        self.shape = shape
        self.argument = argument
        self.hint = hint


class Layout:
    """The order and the meaning of the axes of a tensor. Immutable, hashable, picklable.

    Args:
        name: what it is called, by convention the name of the constant that holds it.
        axes: the axes from first to last, separated by spaces: a capital letter is an axis of any size, a number an axis
            of that size, and a leading ``...`` lets any number of batch axes stand before the others.
        neighbours: layouts that are mistaken for this one; an error proposes the way from them to this one.

    Raises:
        ValueError: `axes` cannot be understood.

    Example:
        >>> VIDEO_CTHW
        VIDEO_CTHW [... C T H W]
        >>> clip = VIDEO_CTHW.check(torch.zeros(8, 3, 4, 4), "clip", C=3)
        Traceback (most recent call last):
        vision_contract.layouts.ContractError: clip: expected VIDEO_CTHW [... 3 T H W], got (8, 3, 4, 4); shape fits \
FRAMES_TCHW: use clip.transpose(-4, -3); axis C (-4) is 8, not 3
    """

    __slots__ = ("_batched", "_fixed", "_index", "_neighbours", "_rank", "_tokens", "axes", "name")

    name: str
    axes: str

    def __init__(self, name: str, axes: str, *, neighbours: tuple[Layout, ...] = ()) -> None:
        tokens = tuple(axes.split())
        batched = tokens[:1] == ("...",)
        tokens = tokens[1:] if batched else tokens
        if not tokens or len(set(tokens)) < len(tokens) or not all(map(_is_axis, tokens)):
            raise ValueError(
                f"{name}: cannot read the axes {axes!r}: expected different capital letters or sizes separated by "
                f"spaces, after an optional leading '...', as in '... C H W' or 'N 4'"
            )
        rank = len(tokens)
        index = {token: i - rank for i, token in enumerate(tokens)}
        self._set("name", name)
        self._set("axes", ("... " if batched else "") + " ".join(tokens))
        self._set("_tokens", tokens)
        self._set("_batched", batched)
        self._set("_rank", rank)
        self._set("_index", index)
        self._set("_fixed", tuple((axis, int(token)) for token, axis in index.items() if token.isdigit()))
        self._set("_neighbours", tuple(neighbours))

    def check(self, x: T, argument: str = "tensor", **sizes: int) -> T:
        """Return `x` if it has this layout, else say what is wrong with it.

        About 0.3 us. Safe inside ``torch.compile(fullgraph=True)``, ``torch.export`` and ``torch.jit.trace``: sizes that
        are symbols are handed to ``torch._check`` and stay dynamic. In code that is scripted, put it under
        ``if not torch.jit.is_scripting():``.

        Args:
            x: anything with a ``shape`` (a tensor, an array, a memoryview...).
            argument: the name of the argument, for the error.
            **sizes: known sizes, by the letter of their axis: ``C=3``. They let an error recognise the neighbouring
                layout; without them only the number of axes is known.

        Returns:
            `x` itself.

        Raises:
            ContractError: `x` has another number of axes, or an axis of another size.
            TypeError: `sizes` names an axis that this layout does not have.

        Example:
            >>> clip = VIDEO_CTHW.check(clip, "clip", C=3)
        """
        try:
            shape = x.shape  # type: ignore[attr-defined]
            rank = len(shape)
        except (AttributeError, TypeError):
            raise self._shapeless(x, argument) from None
        if rank != self._rank and (rank < self._rank or not self._batched):
            raise self._error(x, shape, argument, sizes)
        for axis, expected in self._fixed:
            size = shape[axis]
            if size is not expected and not _agree(size, expected, self, argument):
                raise self._error(x, shape, argument, sizes)
        if sizes:
            index = self._index
            try:
                for letter, expected in sizes.items():
                    size = shape[index[letter]]
                    # Small ints are the same object: the usual `C=3` is settled without a call.
                    if size is not expected and not _agree(size, expected, self, argument):
                        raise self._error(x, shape, argument, sizes)
            except KeyError as error:
                raise self._unknown(error.args[0]) from None
        return x

    def fits(self, x: Any, **sizes: int) -> bool:
        """Whether `x` could have this layout: the question of :meth:`check`, answered without an error.

        Example:
            >>> IMAGE_CHW.fits(torch.zeros(3, 4, 5)), IMAGE_CHW.fits(torch.zeros(480, 640, 3), C=3)
            (True, False)
        """
        try:
            self.check(x, **sizes)
        except ContractError:
            return False
        return True

    def sizes(self, x: Any) -> dict[str, int]:
        """The size of each lettered axis of `x`, batch axes left out.

        Raises:
            ContractError: `x` does not have this layout.

        Example:
            >>> VIDEO_CTHW.sizes(torch.zeros(2, 3, 8, 4, 5))
            {'C': 3, 'T': 8, 'H': 4, 'W': 5}
        """
        shape = self.check(x).shape
        return {token: shape[axis] for token, axis in self._index.items() if not token.isdigit()}

    def axis(self, letter: str) -> int:
        """Where the axis `letter` is, counted from the end, so that batch axes do not move it.

        Raises:
            TypeError: this layout has no such axis.

        Example:
            >>> VIDEO_CTHW.axis("T")
            -3
        """
        if letter not in self._index:
            raise self._unknown(letter)
        return self._index[letter]

    def permutation(self, other: Layout) -> tuple[int, ...]:
        """The axes of this layout in the order of `other`, counted from the end. The caller permutes.

        Raises:
            ValueError: the two do not have the same axes.

        Example:
            >>> VIDEO_CTHW.permutation(FRAMES_TCHW)
            (-3, -4, -2, -1)
            >>> frames = clip.permute(*range(clip.ndim - 4), *VIDEO_CTHW.permutation(FRAMES_TCHW))
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

    def __reduce__(self) -> str | tuple[Callable[..., Layout], tuple[Any, ...]]:
        if globals().get(self.name) is self:
            return self.name  # by name: the constant itself comes back
        return _rebuild, (type(self), self.name, self.axes, self._neighbours)

    def __setattr__(self, attribute: str, value: object) -> None:
        raise AttributeError(f"{self!r} is immutable")

    def __delattr__(self, attribute: str) -> None:
        raise AttributeError(f"{self!r} is immutable")

    def _set(self, attribute: str, value: object) -> None:
        object.__setattr__(self, attribute, value)

    def _unknown(self, letter: str) -> TypeError:
        return TypeError(f"{self!r} has no axis {letter!r}")

    def _shapeless(self, x: object, argument: str) -> ContractError:
        hint = "stack its elements into one tensor" if isinstance(x, (list, tuple)) else "convert it to a tensor"
        text = f"{argument}: expected {self!r}, got {type(x).__name__}, which has no shape; {hint}"
        return ContractError(text, spec=self, argument=argument, hint=hint)

    def _error(self, x: object, shape: Any, argument: str, sizes: dict[str, int]) -> ContractError:
        """The error for `x`, with the neighbours that it fits and the first axis that is wrong."""
        shape = tuple(shape)
        axes = " ".join(str(sizes.get(token, token)) for token in self.axes.split())
        ways = [
            f"{neighbour.name}: use {way}"
            for neighbour in self._neighbours
            if (way := self._way_from(neighbour, x, argument)) and neighbour._holds(shape, sizes)
        ]
        hint = "shape fits " + ", or ".join(ways) if ways else None
        parts = [f"{argument}: expected {self.name} [{axes}], got {_show(shape)}", hint, self._fault(shape, sizes)]
        text = "; ".join(part for part in parts if part)
        return ContractError(text, spec=self, shape=shape, argument=argument, hint=hint)

    def _fault(self, shape: tuple[Any, ...], sizes: dict[str, int]) -> str:
        rank = len(shape)
        if rank < self._rank or (rank > self._rank and not self._batched):
            return f"it has {rank} {'axis' if rank == 1 else 'axes'}, not {self._rank}{' or more' * self._batched}"
        known = [(f"axis {axis}", axis, size) for axis, size in self._fixed]
        known += [(f"axis {letter} ({self.axis(letter)})", self.axis(letter), size) for letter, size in sizes.items()]
        return next(f"{what} is {shape[axis]}, not {size}" for what, axis, size in known if shape[axis] != size)

    def _holds(self, shape: tuple[Any, ...], sizes: dict[str, int]) -> bool:
        """Whether a shape that failed elsewhere fits here: what is not known about this layout is not held against it."""
        rank = len(shape)
        if rank != self._rank and (rank < self._rank or not self._batched):
            return False
        known = [
            *self._fixed,
            *((self._index[letter], size) for letter, size in sizes.items() if letter in self._index),
        ]
        return all(shape[axis] == size for axis, size in known)

    def _way_from(self, neighbour: Layout, x: object, argument: str) -> str | None:
        """How to bring `argument` from `neighbour` to this layout, in the words of its library."""
        numpy = type(x).__module__.partition(".")[0] == "numpy"
        missing = [token for token in self._tokens if token not in neighbour._index]
        rest = tuple(token for token in self._tokens if token in neighbour._index)
        if len(missing) == 1 and rest == neighbour._tokens and len(getattr(x, "shape", ())) == neighbour._rank:
            axis = self._index[missing[0]]
            return f"np.expand_dims({argument}, {axis})" if numpy else f"{argument}.unsqueeze({axis})"
        if missing or len(neighbour._tokens) != self._rank:
            return None
        order = neighbour.permutation(self)
        moved = [i - self._rank for i, axis in enumerate(order) if axis != i - self._rank]
        if len(moved) == 2:
            return f"{argument}.{'swapaxes' if numpy else 'transpose'}({moved[0]}, {moved[1]})"
        for start, stop in ((moved[0], moved[-1]), (moved[-1], moved[0])):
            left = [i - self._rank for i in range(self._rank) if i - self._rank != start]
            left.insert(stop + self._rank, start)
            if tuple(left) == order:
                return f"np.moveaxis({argument}, {start}, {stop})" if numpy else f"{argument}.movedim({start}, {stop})"
        order = (*range(len(getattr(x, "shape", order)) - self._rank), *order)
        return f"{argument}.{'transpose' if numpy else 'permute'}({', '.join(map(str, order))})"


class _EncodedBytes(Layout):
    """Bytes as they lie in a file: what has the buffer protocol, or a uint8 tensor of one axis."""

    __slots__ = ()

    def check(self, x: T, argument: str = "tensor", **sizes: int) -> T:
        if isinstance(x, (bytes, bytearray, memoryview)) or not hasattr(x, "shape"):
            try:
                shape: Any = (memoryview(x).nbytes,)  # type: ignore[arg-type]
            except TypeError:
                raise self._shapeless(x, argument) from None
            if all(shape[self.axis(letter)] == size for letter, size in sizes.items()):
                return x
            raise self._error(x, shape, argument, sizes)
        dtype = getattr(x, "dtype", None)
        if dtype is not None and str(dtype).rpartition(".")[2] != "uint8":
            hint = (
                f"use {argument}.{'astype' if type(x).__module__ == 'numpy' else 'to'}(uint8) if its values are bytes"
            )
            text = f"{argument}: expected {self!r} of uint8, got {dtype} {_show(tuple(x.shape))}; {hint}"  # type: ignore[attr-defined]
            raise ContractError(text, spec=self, shape=tuple(x.shape), argument=argument, hint=hint)  # type: ignore[attr-defined]
        return super().check(x, argument, **sizes)

    def sizes(self, x: Any) -> dict[str, int]:
        self.check(x)
        return {"L": x.shape[0] if hasattr(x, "dtype") else memoryview(x).nbytes}

    def _shapeless(self, x: object, argument: str) -> ContractError:
        hint = f"read the file first: open({argument}, 'rb').read()" if isinstance(x, str) else None
        text = f"{argument}: expected {self!r}: bytes, or a uint8 tensor of one axis, got {type(x).__name__}"
        return ContractError(f"{text}; {hint}" if hint else text, spec=self, argument=argument, hint=hint)


def _is_axis(token: str) -> bool:
    return token.isdigit() or (len(token) == 1 and "A" <= token <= "Z")


def _agree(size: Any, expected: Any, layout: Layout, argument: str) -> bool:
    """Whether two sizes are equal; what cannot be known while tracing is deferred to the run."""
    torch = sys.modules.get("torch")
    if torch is None:
        return bool(size == expected)
    tracing = torch.compiler.is_dynamo_compiling()  # Dynamo shows symbols as ints
    if not tracing and type(size) is int and type(expected) is int:
        return size == expected
    if tracing or isinstance(size, torch.SymInt) or isinstance(expected, torch.SymInt):
        if tracing and getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)():  # since torch 2.7
            torch._check(size == expected)  # a graph that is exported cannot hold the function that makes the text
        else:
            text = f"{argument}: expected {layout.name} [{layout.axes}], got another size of an axis"
            torch._check(size == expected, lambda: text)
        return True
    with warnings.catch_warnings():  # under torch.jit.trace sizes are tensors, and each comparison would warn
        warnings.simplefilter("ignore")
        return bool(size == expected)


def _show(shape: tuple[Any, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


def _rebuild(kind: type[Layout], name: str, axes: str, neighbours: tuple[Layout, ...]) -> Layout:
    return kind(name, axes, neighbours=neighbours)


def _acquaint(*family: Layout) -> None:
    """Make constants that are mistaken for each other neighbours: mutual, so it cannot be done in the constructor."""
    for layout in family:
        layout._set("_neighbours", layout._neighbours + tuple(other for other in family if other is not layout))


IMAGE_CHW = Layout("IMAGE_CHW", "... C H W")
IMAGE_HWC = Layout("IMAGE_HWC", "... H W C")
VIDEO_CTHW = Layout("VIDEO_CTHW", "... C T H W")
FRAMES_TCHW = Layout("FRAMES_TCHW", "... T C H W")
FRAMES_THWC = Layout("FRAMES_THWC", "... T H W C")
WAVEFORM_CT = Layout("WAVEFORM_CT", "... C T", neighbours=(Layout("WAVEFORM_TC", "... T C"), Layout("WAVEFORM_T", "T")))
SPECTROGRAM_TF = Layout("SPECTROGRAM_TF", "... T F", neighbours=(Layout("SPECTROGRAM_FT", "... F T"),))
BOXES_XYXY = Layout("BOXES_XYXY", "N 4", neighbours=(Layout("one box", "4"), Layout("BOXES_4N", "4 N")))
BOXES_XYWH = Layout("BOXES_XYWH", "N 4", neighbours=BOXES_XYXY._neighbours)
BOXES_CXCYWH = Layout("BOXES_CXCYWH", "N 4", neighbours=BOXES_XYXY._neighbours)
BOXES_CXCYWHR = Layout("BOXES_CXCYWHR", "N 5", neighbours=(Layout("one box", "5"), Layout("BOXES_5N", "5 N")))
SCORES_N = Layout("SCORES_N", "N")
LABELS_N = Layout("LABELS_N", "N")
MASKS_NHW = Layout("MASKS_NHW", "N H W", neighbours=(Layout("MASKS_HWN", "H W N"), Layout("one mask", "H W")))
KEYPOINTS_NKC = Layout("KEYPOINTS_NKC", "N K C", neighbours=(Layout("KEYPOINTS_KC", "K C"),))
FLOW_2HW = Layout("FLOW_2HW", "... 2 H W", neighbours=(Layout("FLOW_HW2", "... H W 2"),))
ENCODED_BYTES = _EncodedBytes("ENCODED_BYTES", "L")

_acquaint(IMAGE_CHW, IMAGE_HWC)
_acquaint(VIDEO_CTHW, FRAMES_TCHW, FRAMES_THWC)
for _clips in (VIDEO_CTHW, FRAMES_TCHW):
    _clips._set("_neighbours", (*_clips._neighbours, IMAGE_CHW))
FRAMES_THWC._set("_neighbours", (*FRAMES_THWC._neighbours, IMAGE_HWC))
