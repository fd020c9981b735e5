"""Deployment of video networks on CPUs: fused fp32 and int8 conv3d kernels and a small runtime."""

from accel_mobile.__about__ import __version__
from accel_mobile._deploy import convert_to_deployable_form, quantize
from accel_mobile._errors import CaptureError, DeployedInputError, DeploymentError, QuantizationError
from accel_mobile._explain import Explanation, Step
from accel_mobile._module import DeployedModule
from accel_mobile._native import BuildInfo, build_info
from accel_mobile._quantization.config import QuantizationConfig

__all__ = [
    "BuildInfo",
    "CaptureError",
    "DeployedInputError",
    "DeployedModule",
    "DeploymentError",
    "Explanation",
    "QuantizationConfig",
    "QuantizationError",
    "Step",
    "__version__",
    "build_info",
    "convert_to_deployable_form",
    "quantize",
]
