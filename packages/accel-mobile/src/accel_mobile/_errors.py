"""What can go wrong, as exceptions that say what to do."""

from __future__ import annotations

__all__ = ["CaptureError", "DeployedInputError", "DeploymentError", "QuantizationError"]


class DeploymentError(RuntimeError):
    """A model could not be brought into its deployed form."""


class CaptureError(DeploymentError):
    """`torch.export` could not trace the model, or traced something that a deployed graph cannot hold."""


class QuantizationError(DeploymentError):
    """The calibration data or the configuration do not allow an int8 form."""


class DeployedInputError(ValueError):
    """A deployed module was called with an input that it cannot take (device, dtype, gradient, structure)."""
