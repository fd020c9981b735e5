"""Conformance suites: what an operator must do to be found under its name, as tests that providers and fallbacks share.

Subclass a suite in a test module; pytest collects the subclass::

    from vision_contract.testing import NMSConformance

    class TestNMS(NMSConformance):
        operator = staticmethod(my_package.nms)

Each suite compares with an oracle of its own: slow, obvious, in float64. What an operator knowingly cannot do is
declared in the class (``scripts = False``), which shows as a skipped test. pytest is not imported, torch only when a
test runs.
"""

from vision_contract.testing.images import ImageDecoderConformance, flat_jpeg, png
from vision_contract.testing.layouts import assert_checks, mistaken, sample
from vision_contract.testing.nms import NMSConformance, brute_force_nms
from vision_contract.testing.resize import ResizeConformance, exact_resize
from vision_contract.testing.roi_align import RoIAlignConformance, exact_roi_align
from vision_contract.testing.suite import OperatorConformance, raises
from vision_contract.testing.video import VideoDecoderConformance

__all__ = [
    "ImageDecoderConformance",
    "NMSConformance",
    "OperatorConformance",
    "ResizeConformance",
    "RoIAlignConformance",
    "VideoDecoderConformance",
    "assert_checks",
    "brute_force_nms",
    "exact_resize",
    "exact_roi_align",
    "flat_jpeg",
    "mistaken",
    "png",
    "raises",
    "sample",
]
