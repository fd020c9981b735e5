"""What all builders do with ``weights``: fix the number of classes, construct, load."""

from collections.abc import Callable
from typing import Any, TypeVar

from torch import nn

from vision_models._download import Report
from vision_models._weights import WeightsEnum

Model = TypeVar("Model", bound=nn.Module)


def build(
    constructor: Callable[..., Model],
    weights: WeightsEnum | None,
    progress: Report,
    /,
    *args: Any,
    **kwargs: Any,
) -> Model:
    """Construct a model and load ``weights`` (verified already) into it.

    Args:
        constructor: called with ``*args`` and ``**kwargs``.
        weights: what to load, or ``None`` for a fresh initialisation.
        progress: see :meth:`WeightsEnum.get_state_dict`.
        *args: for the constructor.
        **kwargs: for the constructor; with ``weights``, ``num_classes`` must be what they were trained for.

    Raises:
        ValueError: ``num_classes`` contradicts the weights.
    """
    if weights is None:
        return constructor(*args, **kwargs)
    classes = len(weights.meta["categories"])
    if kwargs.setdefault("num_classes", classes) != classes:
        raise ValueError(
            f"num_classes: {weights!r} has {classes} classes, got {kwargs['num_classes']}; "
            f"build with num_classes={classes} and replace the last layer, or pass weights=None"
        )
    model = constructor(*args, **kwargs)
    model.load_state_dict(weights.get_state_dict(progress=progress, check_hash=True))
    return model
