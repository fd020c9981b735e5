"""The same transforms under the path that torchvision gives them; there is one generation of them only.

Examples:
    >>> from vision_core import transforms
    >>> from vision_core.transforms import v2
    >>> v2.Resize is transforms.Resize
    True
"""

from vision_core.transforms import *  # noqa: F403
from vision_core.transforms import __all__ as __all__
