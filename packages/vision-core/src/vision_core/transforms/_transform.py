"""What all transforms share: fields become arguments, and inputs of any nesting are walked once."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from enum import Enum
from typing import Any, ClassVar, Self, dataclass_transform

import torch.nn.modules.module
from torch import nn
from torch.utils._pytree import tree_map

from vision_core.transforms._fill import fill_for
from vision_core.transforms._per_sample import merge, run_alike, split
from vision_core.transforms._sample import ROLES, Sample, canvas_of
from vision_core.transforms.functional._dispatch import Functional, find_kernel

__all__ = ["Identity", "Lambda", "Params", "Transform"]


# The hooks of all modules: private names, but torch writes into these dictionaries and never replaces them.
_backward, _before_backward, _forward, _before_forward = (
    getattr(torch.nn.modules.module, f"_global_{name}_hooks")
    for name in ("backward", "backward_pre", "forward", "forward_pre")
)


class Params(dict[str, Any]):
    """What a transform drew for one call: the values that `make_params` returned.

    Attributes:
        canvas_size: (height, width) of the input that they were drawn for, None without an image.
    """

    canvas_size: tuple[int, int] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the attribute too."""
        return (_params, (dict(self), self.canvas_size))


def _params(values: dict[str, Any], canvas_size: tuple[int, int] | None) -> Params:
    params = Params(values)
    params.canvas_size = canvas_size
    return params


@dataclass_transform(eq_default=False, field_specifiers=(dataclasses.field,))
class Transform(nn.Module):
    """Base of all transforms, and of your own.

    A subclass declares its arguments as annotated fields, as a dataclass does (or writes its own `__init__`). What it
    does to one input is an operation, which has kernels for all types of inputs, or the method `transform`:

        class Resize(Transform, operation=F.resize):
            size: int | Sequence[int] | None
            interpolation: Interpolation = "bilinear"

    An operation is called with the fields that have the names of its arguments and with what `make_params` returned.
    What it has no kernel for passes through.

    Methods to override: `make_params` draws the random numbers of a call, once for all inputs; `transform` transforms
    one input; `check_inputs` refuses inputs; `inverse_transform` undoes `transform`.

    Examples:
        >>> import torch
        >>> class Brighter(Transform):
        ...     factor: float = 1.5
        ...
        ...     def transform(self, inpt, params):
        ...         return inpt * self.factor
        >>> Brighter(2.0)
        Brighter(factor=2.0)
        >>> Brighter(2.0)({"image": torch.ones(3, 1, 1), "label": 7})["image"].flatten().tolist()
        [2.0, 2.0, 2.0]
    """

    per_sample = False  # the field of those that draw random numbers
    _operation: ClassVar[Functional | None] = None
    _arguments: ClassVar[tuple[str, ...]] = ()
    _checks: ClassVar[bool] = False
    _batches: ClassVar[bool] = False  # whether `transform` does to a batch what it does to each sample
    _one_by_one: ClassVar[bool] = True
    _has_fields: ClassVar[bool] = False
    _draws: ClassVar[bool] = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        transform = super().__new__(cls)
        nn.Module.__init__(transform)  # fields that are modules can be set from here on
        return transform

    def __init_subclass__(cls, *, operation: Functional | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own_init = "__init__" in cls.__dict__
        if inspect.get_annotations(cls) and not own_init:
            dataclasses.dataclass(eq=False, repr=False)(cls)
        declared: Any = cls
        cls._has_fields = dataclasses.is_dataclass(declared) and not own_init
        if operation is not None:
            cls._operation = staticmethod(operation)  # type: ignore[assignment]
        chosen: Any = cls._operation
        if chosen is not None and cls._has_fields:
            fields = {field.name for field in dataclasses.fields(declared)}
            cls._arguments = tuple(name for name in chosen.parameters if name in fields)
        cls._checks = cls.check_inputs is not Transform.check_inputs
        cls._batches = (
            cls._operation is not None
            and cls.transform is Transform.transform
            and cls.sample_one is Transform.sample_one
            and cls.apply_one is Transform.apply_one
        )
        cls._one_by_one = cls.run_on is Transform.run_on
        cls._draws = cls.draw is not Transform.draw or cls.make_params is not Transform.make_params

    def __call__(self, *inputs: Any, **kwargs: Any) -> Any:
        """Call `forward`, and the hooks where there are any; asking for these here takes half as long as in torch."""
        if (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or self._compiled_call_impl is not None
            or _forward
            or _before_forward
            or _backward
            or _before_backward
        ):
            return super().__call__(*inputs, **kwargs)
        return self.forward(*inputs, **kwargs)

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise if the transform cannot take these inputs; called first, with all leaves of the nesting."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the random numbers of one call. `flat_inputs` are the inputs that will be transformed."""
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Transform one input, with what `make_params` returned."""
        operation = self._operation
        if operation is None:
            return inpt
        kernel = operation.kernels.get(type(inpt)) or find_kernel(operation, inpt)
        if kernel is None:
            return inpt
        if not self._arguments:
            return kernel(inpt, **params)
        arguments = {name: getattr(self, name) for name in self._arguments}
        if "fill" in arguments:
            arguments["fill"] = fill_for(arguments["fill"], inpt)
        arguments.update(params)
        return kernel(inpt, **arguments)

    def call(self, operation: Functional, inpt: Any, *args: Any, **kwargs: Any) -> Any:
        """Run an operation on one input; what it has no kernel for comes back as it is."""
        kernel = operation.kernels.get(type(inpt)) or find_kernel(operation, inpt)
        return inpt if kernel is None else kernel(inpt, *args, **kwargs)

    def fill_for(self, inpt: Any) -> Any:
        """Return the field `fill` for the type of an input."""
        return fill_for(getattr(self, "fill", None), inpt)

    def inverse_transform(self, inpt: Any, params: dict[str, Any], canvas_size: tuple[int, int]) -> Any:
        """Undo `transform` for one input.

        Args:
            inpt: what is to go back, of any type.
            params: what `make_params` returned.
            canvas_size: (height, width) before the transform.

        Returns:
            The input in the geometry before the transform; `inpt` itself where the geometry did not change, as then
            boxes and masks stay, and changes of colours are not undone.
        """
        return inpt

    def draw(self, flat_inputs: list[Any]) -> dict[str, Any] | None:
        """Return what `make_params` draws, or None to leave the inputs as they are."""
        return self.make_params(flat_inputs)

    def forward(self, *inputs: Any) -> Any:
        """Transform the images, videos, boxes, masks and keypoints in `inputs` and hand on everything else.

        A plain tensor or array is taken for an image if it is the first one and the inputs hold no typed image, video
        or PIL image. In a dict with an `image` or a `video`, the keys `boxes`, `masks` and `keypoints` tell the type.
        """
        if len(inputs) == 1 and self._one_by_one and not self.per_sample and ROLES.get(type(inputs[0])):
            inpt = inputs[0]  # alone, so there is no nesting to walk
            if self._checks:
                self.check_inputs([inpt])
            params = self.draw([inpt]) if self._draws else {}
            return inpt if params is None else self.transform(inpt, params)
        sample = Sample(inputs)
        if self.run_on(sample) is False:
            return inputs[0] if len(inputs) == 1 else inputs
        return sample.rebuild()

    def sample(self, *inputs: Any) -> Any:
        """Draw what a call with these inputs would draw, for `apply`.

        Returns:
            `Params`, or None where the transform would leave the inputs as they are; a list of these with
            `per_sample`. It can be printed, pickled and used again.

        Examples:
            >>> import torch
            >>> from vision_core.transforms import RandomCrop
            >>> crop, image = RandomCrop(2), torch.rand(1, 8, 8)
            >>> params = crop.sample(image)
            >>> torch.equal(crop.apply(params, image), crop.apply(params, image))
            True
        """
        return self.sample_on(Sample(inputs), run=False)

    def apply(self, params: Any, *inputs: Any) -> Any:  # type: ignore[override]
        """Transform inputs with what `sample` returned, instead of drawing; no inputs: `torch.nn.Module.apply`."""
        if not inputs and callable(params):
            on_modules: Any = params
            return super().apply(on_modules)
        sample = Sample(inputs)
        self.apply_on(sample, params)
        return sample.rebuild()

    def inverse(self, params: Any, *inputs: Any) -> Any:
        """Undo the geometry of `apply`: take images, boxes, masks, keypoints back to the frame of the original.

        What was cut away or lost in resampling does not come back; colours stay as they are.

        Raises:
            TypeError: the transform has no inverse.

        Examples:
            >>> import torch
            >>> from vision_core.transforms import RandomHorizontalFlip
            >>> flip, image = RandomHorizontalFlip(), torch.rand(1, 2, 4)
            >>> params = flip.sample(image)
            >>> torch.equal(flip.inverse(params, flip.apply(params, image)), image)
            True
        """
        sample = Sample(inputs)
        self.inverse_on(sample, params)
        return sample.rebuild()

    def run_on(self, sample: Sample) -> bool | None:
        """Transform the leaves of a sample; containers call this instead of walking the nesting again.

        Returns:
            False where the draw was to leave the sample as it is.
        """
        if self.per_sample and self._draws:
            self.sample_on(sample, run=True)
            return True
        if self._checks:
            self.check_inputs(sample.leaves)
        chosen = sample.chosen()
        params = self.draw([sample.leaves[i] for i in chosen]) if self._draws else {}
        if params is None:
            return False
        for i in chosen:
            sample.leaves[i] = self.transform(sample.leaves[i], params)
        return True

    def sample_on(self, sample: Sample, *, run: bool) -> Any:
        """Draw for a sample or, with `per_sample`, for each one of a batch, and transform the leaves too if `run`."""
        parts = split(sample) if self.per_sample else None
        if parts is None:
            return self.sample_one(sample, run=run)
        params = [self.sample_one(part, run=run and not self._batches) for part in parts]
        if run and self._batches:
            run_alike(sample, parts, params, self.transform)
        elif run:
            merge(sample, parts)
        return params

    def apply_on(self, sample: Sample, params: Any) -> None:
        """Transform the leaves of a sample with what `sample_on` returned."""
        if not isinstance(params, list):
            self.apply_one(sample, params)
            return
        parts = self._parts(sample, params)
        if self._batches:
            run_alike(sample, parts, params, self.transform)
            return
        for part, own in zip(parts, params, strict=True):
            self.apply_one(part, own)
        merge(sample, parts)

    def inverse_on(self, sample: Sample, params: Any) -> None:
        """Undo the geometry for the leaves of a sample."""
        if not isinstance(params, list):
            self.inverse_one(sample, params)
            return
        parts = self._parts(sample, params)
        for part, own in zip(parts, params, strict=True):
            self.inverse_one(part, own)
        merge(sample, parts)

    def sample_one(self, sample: Sample, *, run: bool) -> Any:
        """Draw once for a sample, and transform its leaves too if `run`."""
        if self._checks:
            self.check_inputs(sample.leaves)
        inputs = [sample.leaves[i] for i in sample.chosen()]
        drawn = self.draw(inputs)
        if drawn is None:
            return None
        params = _params(drawn, next((size for leaf in inputs if (size := canvas_of(leaf)) is not None), None))
        if run:
            self.apply_one(sample, params)
        return params

    def apply_one(self, sample: Sample, params: Any) -> None:
        """Transform the leaves of a sample with what `sample_one` returned."""
        if params is not None:
            for i in sample.chosen():
                sample.leaves[i] = self.transform(sample.leaves[i], params)

    def inverse_one(self, sample: Sample, params: Any) -> None:
        """Undo the geometry for the leaves of a sample, once."""
        if params is not None:
            for i in sample.chosen():
                sample.leaves[i] = self.inverse_transform(sample.leaves[i], params, params.canvas_size or (0, 0))

    def _parts(self, sample: Sample, params: list[Any]) -> list[Sample]:
        parts = split(sample)
        if parts is None or len(parts) != len(params):
            got = "no batch" if parts is None else f"a batch of {len(parts)}"
            raise ValueError(f"{type(self).__name__}: expected a batch of {len(params)}, as was sampled; got {got}")
        return parts

    def extra_repr(self) -> str:
        """List the fields; for a class with its own `__init__`, the public attributes with simple values."""
        if not (self._has_fields and dataclasses.is_dataclass(self)):
            simple = (bool, int, float, str, tuple, list, Enum)
            items = [
                (k, v) for k, v in vars(self).items() if not k.startswith("_") and k not in ("training", "per_sample")
            ]
            return ", ".join(f"{name}={value!r}" for name, value in items if isinstance(value, simple))
        shown = ((f.name, getattr(self, f.name)) for f in dataclasses.fields(self) if f.repr)
        return ", ".join(f"{name}={value!r}" for name, value in shown if not isinstance(value, nn.Module))


class Identity(Transform):
    """Hands its inputs on as they are."""


class Lambda(Transform):
    """Calls a function on every input of the given types, on any input when none is given.

    Args:
        lambd: the function, of one argument.
        *types: types of the inputs to call it on.

    Examples:
        >>> import torch
        >>> Lambda(lambda image: image / 255, torch.Tensor)({"image": torch.tensor([255]), "label": 3})
        {'image': tensor([1.]), 'label': 3}
    """

    def __init__(self, lambd: Callable[[Any], Any], *types: type) -> None:
        self.lambd = lambd
        self.types = types or (object,)

    def forward(self, *inputs: Any) -> Any:
        """Call the function on the leaves of `inputs` that are of the types."""
        return self._each(inputs) if len(inputs) != 1 else self._each(inputs[0])

    def _each(self, node: Any) -> Any:
        kind = type(node)
        if kind in ROLES:
            return self._on_leaf(node)
        if kind is dict:
            return {key: self._each(value) for key, value in node.items()}
        if kind is tuple or kind is list:
            return kind([self._each(value) for value in node])
        return tree_map(self._on_leaf, node)

    def _on_leaf(self, leaf: Any) -> Any:
        return self.lambd(leaf) if isinstance(leaf, self.types) else leaf

    def extra_repr(self) -> str:
        """Name the function and the types."""
        name = getattr(self.lambd, "__name__", repr(self.lambd))
        return f"{name}, types={[kind.__name__ for kind in self.types]}"
