"""The same operations under the path that torchvision gives them."""

from vision_core.transforms.functional import *  # noqa: F403
from vision_core.transforms.functional import __all__ as __all__
