"""Deployment of video networks on CPUs: fused fp32 and int8 conv3d kernels and a small runtime."""

from accel_mobile.__about__ import __version__

__all__ = ["__version__"]
