"""What all transforms share: fields become arguments, and inputs of any nesting are walked once."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Self, dataclass_transform

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

from vision_core._pillow import is_pil_image

__all__ = ["Identity", "Lambda", "RandomTransform", "Transform"]


@dataclass_transform(eq_default=False, field_specifiers=(dataclasses.field,))
class Transform(nn.Module):
    """Base of all transforms, and of your own.

    A subclass declares its arguments as annotated fields, as a dataclass does (or writes its own `__init__`), and
    defines `transform`; a random one draws its numbers in `make_params`, once for all inputs of a call.

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

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        transform = super().__new__(cls)
        nn.Module.__init__(transform)  # fields that are modules can be set from here on
        return transform

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if inspect.get_annotations(cls) and "__init__" not in cls.__dict__:
            dataclasses.dataclass(eq=False, repr=False)(cls)

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise if the transform cannot take these inputs; called first, with all leaves of the nesting."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the random numbers of one call. `flat_inputs` are the inputs that will be transformed."""
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Transform one image, with what `make_params` returned."""
        return inpt

    def forward(self, *inputs: Any) -> Any:
        """Transform the images in `inputs` and hand on everything else as it is.

        Images are PIL images and, where there is none, the first tensor: the tensors behind it are taken for labels.
        """
        if len(inputs) == 1 and _is_image(inputs[0]):  # the common case, without the cost of walking
            self.check_inputs(list(inputs))
            return self.transform(inputs[0], self.make_params(list(inputs)))
        leaves, structure = tree_flatten(inputs if len(inputs) != 1 else inputs[0])
        self.check_inputs(leaves)
        chosen = _positions_of_images(leaves)
        params = self.make_params([leaves[i] for i in chosen])
        for i in chosen:
            leaves[i] = self.transform(leaves[i], params)
        return tree_unflatten(leaves, structure)

    def extra_repr(self) -> str:
        """List the fields."""
        if not dataclasses.is_dataclass(self):
            return ""
        shown = ((f.name, getattr(self, f.name)) for f in dataclasses.fields(self) if f.repr)
        return ", ".join(f"{name}={value!r}" for name, value in shown if not isinstance(value, nn.Module))


def _is_image(value: object) -> bool:
    return isinstance(value, Tensor) or is_pil_image(value)


def _positions_of_images(leaves: Sequence[Any]) -> list[int]:
    pictures = [i for i, leaf in enumerate(leaves) if is_pil_image(leaf)]
    if pictures:
        return pictures
    return [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor)][:1]


class RandomTransform(Transform):
    """Base of transforms that happen with probability `p`, else hand their inputs on."""

    p: float = 0.5
    generator: torch.Generator | None = dataclasses.field(default=None, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        if not 0.0 <= self.p <= 1.0:
            raise ValueError(f"p: expected a probability in 0..1, got {self.p}")

    def forward(self, *inputs: Any) -> Any:
        """Transform the images in `inputs` with probability `p`."""
        if float(torch.rand(1, generator=self.generator)) >= self.p:
            return inputs if len(inputs) != 1 else inputs[0]
        return super().forward(*inputs)


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
        leaves, structure = tree_flatten(inputs if len(inputs) != 1 else inputs[0])
        return tree_unflatten([self.lambd(x) if isinstance(x, self.types) else x for x in leaves], structure)

    def extra_repr(self) -> str:
        """Name the function and the types."""
        name = getattr(self.lambd, "__name__", repr(self.lambd))
        return f"{name}, types={[kind.__name__ for kind in self.types]}"
