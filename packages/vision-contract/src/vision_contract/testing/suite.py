"""What the suites have in common."""

from __future__ import annotations

import copy
import inspect
import pickle
import unittest
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["OperatorConformance", "raises"]


class OperatorConformance:
    """The base of the suites of operators on tensors.

    Attributes:
        operator: the function under test. A plain function is made static, so that it does not become a method.
        device: where the tests run.
        compiles: whether it promises ``torch.compile(fullgraph=True)`` and ``torch.export`` with dynamic sizes.
        scripts: whether it promises ``torch.jit.script``.
        differentiable: whether it promises gradients, where the operator has any.
    """

    operator: ClassVar[Callable[..., Any]]
    device: ClassVar[str] = "cpu"
    compiles: ClassVar[bool] = True
    scripts: ClassVar[bool] = True
    differentiable: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        operator = cls.__dict__.get("operator")
        if inspect.isfunction(operator) and next(iter(inspect.signature(operator).parameters), "") != "self":
            cls.operator = staticmethod(operator)

    def test_pickles_and_copies(self) -> None:
        """Models hold operators, and are pickled by spawned workers and copied by trainers."""
        operator = self.operator
        assert pickle.loads(pickle.dumps(operator)) is operator
        assert copy.deepcopy(operator) is operator

    def promises(self, promise: str) -> None:
        """Skip the running test unless the operator makes `promise`."""
        if not getattr(self, promise):
            raise unittest.SkipTest(f"{type(self).__name__} declares {promise} = False")

    def compiled(self) -> Callable[..., Any]:
        """The operator compiled without graph breaks; the eager backend shows tracing errors in milliseconds."""
        import torch
        import torch._dynamo.config

        torch._dynamo.reset()

        def call(*args: Any, **options: Any) -> Any:
            with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
                return function(*args, **options)

        function = torch.compile(self.operator, fullgraph=True, backend="eager", dynamic=True)
        return call

    def scripted(self) -> Callable[..., Any]:
        """The operator as TorchScript."""
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return torch.jit.script(self.operator)

    def exported(self, arguments: tuple[Any, ...], dynamic: tuple[Any, ...], **options: Any) -> Callable[..., Any]:
        """The operator exported with `dynamic` sizes, `options` baked in."""
        import torch

        operator = self.operator

        class Call(torch.nn.Module):
            def forward(self, *tensors: Any) -> Any:
                return operator(*tensors, **options)

        return torch.export.export(Call(), arguments, dynamic_shapes=(dynamic,)).module()

    def random(self, *shape: int, seed: int = 0, dtype: Any = None) -> Tensor:
        """Uniform in 0..1, the same on every device."""
        import torch

        generator = torch.Generator().manual_seed(seed)
        return torch.rand(shape, generator=generator, dtype=torch.float64).to(self.device, dtype or torch.float32)


@contextmanager
def raises(*errors: type[BaseException], what: str = "this") -> Iterator[None]:
    """Fail unless the block raises one of `errors` (ValueError or RuntimeError if none is given).

    Examples:
        >>> with raises(what="a box of five numbers"):
        ...     nms(torch.zeros(3, 5), torch.zeros(3), 0.5)
    """
    wanted = errors or (ValueError, RuntimeError)
    try:
        yield
    except wanted:
        return
    names = " or ".join(error.__name__ for error in wanted)
    raise AssertionError(f"{what} was accepted: expected {names}")
