"""Operators on boxes."""
__all__ = []
