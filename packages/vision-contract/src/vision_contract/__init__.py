"""Named tensor layouts, operator protocols and conformance suites: how the vision wheels fit together."""

from vision_contract.__about__ import __version__

__all__ = ["__version__"]
