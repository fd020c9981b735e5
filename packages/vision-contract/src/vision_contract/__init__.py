"""Named tensor layouts, operator protocols and conformance suites: how the vision wheels fit together.

>>> from vision_contract import VIDEO_CTHW, find
>>> clip = VIDEO_CTHW.check(clip, "clip", C=3)
>>> nms = find("nms", default=reference_nms)
"""

from vision_contract import layouts, protocols, providers
from vision_contract.__about__ import __version__
from vision_contract.layouts import *  # noqa: F403 - the names are listed once, where they are made
from vision_contract.protocols import *  # noqa: F403
from vision_contract.providers import *  # noqa: F403

__all__ = ["__version__"]
__all__ += layouts.__all__
__all__ += protocols.__all__
__all__ += providers.__all__
