"""Static int8: observe activations, quantise weights, rewrite the graph."""

from accel_mobile._quantization.calibrate import calibrate
from accel_mobile._quantization.config import QuantizationConfig
from accel_mobile._quantization.lower import lower_to_int8, quantise_weight
from accel_mobile._quantization.report import layer_sqnr, sqnr
from accel_mobile._quantization.select import float_reasons, select_int8

__all__ = [
    "QuantizationConfig",
    "calibrate",
    "float_reasons",
    "layer_sqnr",
    "lower_to_int8",
    "quantise_weight",
    "select_int8",
    "sqnr",
]
