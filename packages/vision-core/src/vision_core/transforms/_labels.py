"""Where the labels are among nested inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

__all__ = ["LabelsGetter", "find_labels", "to_labels_getter"]

LabelsGetter: TypeAlias = "str | Callable[[Any], Any] | None"


def find_labels(inputs: Any) -> Any:
    """Return the labels of a sample: the second of a tuple, or in a dict what has `label` in its key.

    Raises:
        ValueError: there are none.
    """
    if isinstance(inputs, (tuple, list)):
        if len(inputs) < 2:
            raise ValueError(f"labels: expected (images, labels), got {len(inputs)} input")
        inputs = inputs[1]
    if not isinstance(inputs, Mapping):
        return inputs
    names = [name for name in inputs if isinstance(name, str)]
    found = next((name for name in names if name.lower() == "labels"), None)
    if found is None:
        found = next((name for name in names if "label" in name.lower()), None)
    if found is None:
        raise ValueError(f"labels: expected a key with 'label' in it, got {names}; pass labels_getter")
    return inputs[found]


def to_labels_getter(labels_getter: LabelsGetter) -> Callable[[Any], Any]:
    """Turn an argument `labels_getter` into a function: "default", a key, a function, or None for no labels.

    Raises:
        ValueError: something else.
    """
    if labels_getter == "default":
        return find_labels
    if callable(labels_getter):
        return labels_getter
    if isinstance(labels_getter, str):
        return _Key(labels_getter)
    if labels_getter is None:
        return _nothing
    raise ValueError(f'labels_getter: expected "default", a key, a function or None, got {labels_getter!r}')


class _Key:
    """Looks up a key; a class, as lambdas do not pickle."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __call__(self, inputs: Any) -> Any:
        holder = inputs
        if isinstance(inputs, (tuple, list)):
            holder = next((part for part in inputs if isinstance(part, Mapping) and self.key in part), None)
        if not isinstance(holder, Mapping) or self.key not in holder:
            raise ValueError(f"labels: expected the key {self.key!r} in a dict of the inputs")
        return holder[self.key]


def _nothing(inputs: Any) -> None:
    return None
