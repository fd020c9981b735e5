"""What all metrics share: a small class to be updated, computed, merged, and summed over processes."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar

import torch.distributed as dist

__all__ = ["Metric"]

Result = TypeVar("Result")


class Metric(ABC, Generic[Result]):
    """A number (or several) gathered over the batches of a data set.

    A metric is a plain object: it can be pickled and deep-copied, it is no `nn.Module`, and its state stands on the
    CPU whatever the device of the inputs. To write your own, define `update`, `compute`, `reset` and `merge`; `sync`
    comes for free, as long as the object can be pickled.

    Examples:
        >>> class Mean(Metric[float]):
        ...     def __init__(self):
        ...         self.reset()
        ...
        ...     def reset(self):
        ...         self.total, self.count = 0.0, 0
        ...
        ...     def update(self, values):
        ...         self.total, self.count = self.total + float(values.sum()), self.count + values.numel()
        ...
        ...     def merge(self, other):
        ...         self.check_mergeable(other)
        ...         self.total, self.count = self.total + other.total, self.count + other.count
        ...
        ...     def compute(self):
        ...         return self.total / self.count
        >>> import torch
        >>> mean = Mean()
        >>> mean.update(torch.tensor([1.0, 2.0]))
        >>> mean.update(torch.tensor([6.0]))
        >>> mean.sync().compute()
        3.0
    """

    _synced = False

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        for name, wrap in (("update", _local_only), ("merge", _local_only), ("reset", _local_again)):
            if name in cls.__dict__:
                setattr(cls, name, wrap(cls.__dict__[name]))

    @abstractmethod
    def update(self, *args: Any, **kwargs: Any) -> None:
        """Take in a batch."""

    @abstractmethod
    def compute(self) -> Result:
        """Return the result over all that was taken in; the state stays as it is."""

    @abstractmethod
    def reset(self) -> None:
        """Forget all that was taken in."""

    @abstractmethod
    def merge(self, other: Any) -> None:
        """Take in all that `other` has taken in, as if its batches had followed the own ones.

        Args:
            other: a metric of the same class and settings; it stays as it is.
        """

    def settings(self) -> dict[str, Any]:
        """Return what two metrics must have in common to be merged; `repr` shows it."""
        return {}

    def check_mergeable(self, other: object) -> None:
        """Check that `other` can be merged into this metric.

        Args:
            other: what `merge` was given.

        Raises:
            TypeError: another class.
            ValueError: other settings, or the metric itself.
        """
        if type(other) is not type(self):
            raise TypeError(f"merge: expected another {type(self).__name__}, got {type(other).__name__}")
        if other is self:
            raise ValueError("merge: the metric itself would count twice; merge another one")
        mine, theirs = self.settings(), other.settings()  # type: ignore[attr-defined]
        for name, value in mine.items():
            if theirs[name] != value:
                raise ValueError(f"merge: {name} is {value!r} here and {theirs[name]!r} there; both must be the same")

    def sync(self, group: dist.ProcessGroup | None = None) -> Self:
        """Sum up over all processes: afterwards each holds what all together have taken in, in the order of ranks.

        Every process of the group must call it. Without `torch.distributed`, or with one process, nothing changes.
        After it, `compute` is the same everywhere, and `update`, `merge` and another `sync` raise until `reset`: what
        came from the others would count twice. For a result in between, synchronise a copy:
        `copy.deepcopy(metric).sync().compute()`.

        Args:
            group: the processes; all of them if None.

        Returns:
            The metric itself.

        Raises:
            RuntimeError: if it already holds the sum.
        """
        self._check_local("sync")
        if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size(group) == 1:
            return self
        gathered: list[Any] = [None] * dist.get_world_size(group)
        dist.all_gather_object(gathered, self, group=group)
        total = gathered[0]
        for other in gathered[1:]:
            total.merge(other)
        vars(self).update(vars(total))
        self._synced = True
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.settings().items())})"

    def _check_local(self, action: str) -> None:
        if self._synced:
            raise RuntimeError(
                f"{action}: the metric holds the sum over all processes since sync(); reset() it first, or "
                "synchronise a deep copy next time"
            )


Method = TypeVar("Method", bound=Callable[..., Any])


def _local_only(method: Method) -> Method:
    @functools.wraps(method)
    def wrapper(self: Metric[Any], *args: Any, **kwargs: Any) -> Any:
        self._check_local(method.__name__)
        return method(self, *args, **kwargs)

    return wrapper  # type: ignore[return-value]


def _local_again(method: Method) -> Method:
    @functools.wraps(method)
    def wrapper(self: Metric[Any], *args: Any, **kwargs: Any) -> Any:
        self._synced = False
        return method(self, *args, **kwargs)

    return wrapper  # type: ignore[return-value]
