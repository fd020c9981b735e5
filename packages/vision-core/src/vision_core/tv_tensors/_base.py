"""What all types of tensors share."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar, cast

import torch
from torch import Tensor

__all__ = ["TVTensor", "plain", "set_return_type", "take_type", "wrap"]

_is_compiling = torch.compiler.is_compiling

T = TypeVar("T", bound="TVTensor")


class TVTensor(Tensor):
    """Base of the typed tensors, and of your own.

    A subclass names its metadata in `_metadata`; `wrap` and the methods that keep the type copy them. Operators return
    plain tensors, unless `set_return_type("TVTensor")` says otherwise.
    """

    _metadata: ClassVar[tuple[str, ...]] = ()
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def _to_tensor(
        data: Any,
        dtype: torch.dtype | None = None,
        device: torch.device | str | int | None = None,
        requires_grad: bool | None = None,
    ) -> Tensor:
        if requires_grad is None:
            requires_grad = data.requires_grad if isinstance(data, Tensor) else False
        tensor = plain(data) if isinstance(data, TVTensor) else data
        return torch.as_tensor(tensor, dtype=dtype, device=device).requires_grad_(requires_grad)

    @classmethod
    def wrap(cls, tensor: Tensor, like: TVTensor, **kwargs: Any) -> Self:
        """Give `tensor` the type and the metadata of `like`; `kwargs` replace metadata."""
        if kwargs.keys() - set(cls._metadata):
            raise TypeError(f"{cls.__name__}.wrap: expected {list(cls._metadata)}, got {sorted(kwargs)}")
        typed = tensor.as_subclass(cls)
        for name in cls._metadata:
            setattr(typed, name, kwargs[name] if name in kwargs else getattr(like, name))
        return typed

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert as `torch.Tensor.to` does and keep the type."""
        return type(self).wrap(super().to(*args, **kwargs), self)

    def clone(self, *, memory_format: torch.memory_format | None = torch.preserve_format) -> Self:
        """Copy as `torch.Tensor.clone` does and keep the type."""
        return type(self).wrap(super().clone(memory_format=memory_format), self)

    def detach(self) -> Self:
        """Detach as `torch.Tensor.detach` does and keep the type."""
        return type(self).wrap(super().detach(), self)

    def pin_memory(self, device: Any = None) -> Self:
        """Pin as `torch.Tensor.pin_memory` does and keep the type."""
        return type(self).wrap(super().pin_memory(device) if device is not None else super().pin_memory(), self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copy values and metadata, but not the graph of gradients, as torch does for leaves."""
        if id(self) in memo:
            return memo[id(self)]
        metadata = {name: copy.deepcopy(getattr(self, name), memo) for name in self._metadata}
        values = plain(self).detach().clone().requires_grad_(self.requires_grad)
        memo[id(self)] = type(self).wrap(values, self, **metadata)
        return memo[id(self)]

    def __repr__(self, *, tensor_contents: object = None) -> str:
        """Show values as torch does, then the metadata."""
        text = super().__repr__()
        shown = "".join(f", {name}={getattr(self, name)}" for name in self._metadata)
        return f"{text[:-1]}{shown})"


def plain(tensor: Tensor) -> Tensor:
    """View a typed tensor as a plain one."""
    if _is_compiling():  # `as_subclass` cannot be traced towards the base class; an operator can
        return tensor.view_as(tensor)
    return tensor.as_subclass(Tensor)


def take_type(tensor: Tensor, kind: type[T], like: TVTensor) -> T:
    """Give a tensor that nobody else holds the type and the metadata of `like`.

    The object itself changes its type, which takes a tenth of the time of the view that `wrap` makes.
    """
    if type(tensor) is not Tensor or _is_compiling():
        return kind.wrap(tensor, like)
    tensor.__class__ = kind  # type: ignore[assignment]
    typed = cast("T", tensor)
    for name in kind._metadata:
        setattr(typed, name, getattr(like, name))
    return typed


def wrap(wrappee: Tensor, *, like: T, **kwargs: Any) -> T:
    """Give a plain tensor the type and the metadata of `like`.

    Args:
        wrappee: any tensor.
        like: a typed tensor.
        **kwargs: metadata that are to differ: `format`, `canvas_size` and `clamping_mode` of boxes, `canvas_size` of
            keypoints.

    Returns:
        A view of `wrappee` of the type of `like`.

    Examples:
        >>> import torch
        >>> from vision_core.tv_tensors import Mask
        >>> type(wrap(torch.zeros(4, 4), like=Mask(torch.zeros(2, 2)))).__name__
        'Mask'
    """
    return type(like).wrap(wrappee, like, **kwargs)


def _rewrap(output: Any, like: TVTensor) -> Any:
    if isinstance(output, TVTensor):
        return output
    if isinstance(output, Tensor):
        return type(like).wrap(output, like)
    if type(output) in (list, tuple):
        return type(output)(_rewrap(item, like) for item in output)
    return output


def _keep_type(
    cls: type[TVTensor],
    func: Callable[..., Any],
    types: Sequence[type],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    with torch._C.DisableTorchFunctionSubclass():
        output = func(*args, **(kwargs or {}))
        flat = [item for arg in args for item in (arg if isinstance(arg, (list, tuple)) else (arg,))]
        like = next((item for item in flat if isinstance(item, cls)), None)
        return output if like is None else _rewrap(output, like)


_RETURN_TYPES = {"Tensor": TVTensor.__dict__["__torch_function__"], "TVTensor": classmethod(_keep_type)}


class set_return_type:  # noqa: N801 - named as a function, which it is used as
    """Say what operators on typed tensors return: plain tensors, or tensors of the same type.

    Call it, or use it in a `with` statement, at whose end the former setting comes back. It holds for the whole
    process.

    Args:
        return_type: "Tensor", as it is at first, or "TVTensor".

    Raises:
        ValueError: another value.

    Examples:
        >>> import torch
        >>> from vision_core.tv_tensors import Image
        >>> with set_return_type("TVTensor"):
        ...     type(Image(torch.zeros(1, 2, 2)) + 1).__name__
        'Image'
    """

    def __init__(self, return_type: str) -> None:
        found = {name.lower(): value for name, value in _RETURN_TYPES.items()}.get(return_type.lower())
        if found is None:
            raise ValueError(f"return_type: expected 'Tensor' or 'TVTensor', got {return_type!r}")
        self._before = TVTensor.__dict__["__torch_function__"]
        TVTensor.__torch_function__ = found

    def __enter__(self) -> None:
        """The setting holds since the call."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Restore the former setting."""
        TVTensor.__torch_function__ = self._before
