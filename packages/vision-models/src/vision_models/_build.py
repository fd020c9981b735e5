"""What all builders do with ``weights``: fix the number of classes, construct, load."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from torch import Tensor, nn

from vision_models._download import Report
from vision_models._weights import WeightsEnum

Model = TypeVar("Model", bound=nn.Module)


def build(
    constructor: Callable[..., Model],
    weights: WeightsEnum | None,
    progress: Report,
    /,
    *args: Any,
    convert: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]] | None = None,
    **kwargs: Any,
) -> Model:
    """Construct a model and load ``weights`` (verified already) into it.

    Args:
        constructor: called with ``*args`` and ``**kwargs``.
        weights: what to load, or ``None`` for a fresh initialisation.
        progress: see :meth:`WeightsEnum.get_state_dict`.
        *args: for the constructor.
        convert: turns the checkpoint's entries into the model's, where their names have changed since.
        **kwargs: for the constructor; with ``weights``, ``num_classes`` must be what they were trained for.

    Raises:
        ValueError: ``num_classes`` contradicts the weights.
    """
    if weights is None:
        return constructor(*args, **kwargs)
    categories = weights.meta["categories"]
    classes = len(categories) if categories is not None else kwargs.get("num_classes", 1000)
    if kwargs.setdefault("num_classes", classes) != classes:
        raise ValueError(
            f"num_classes: {weights!r} has {classes} classes, got {kwargs['num_classes']}; "
            f"build with num_classes={classes} and replace the last layer, or pass weights=None"
        )
    model = constructor(*args, **kwargs)
    state = weights.get_state_dict(progress=progress, check_hash=True)
    model.load_state_dict(state if convert is None else convert(state))
    return model
