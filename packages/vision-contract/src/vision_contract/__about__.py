"""The version of this package: its only source."""

__version__ = "1.0.0"
