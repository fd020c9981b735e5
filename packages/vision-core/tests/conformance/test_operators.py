"""The contract's suites, run on the kernels, on the references, and on what `find` returns."""

from __future__ import annotations

import pytest

from vision_contract import find, operators
from vision_contract.testing import NMSConformance, ResizeConformance, RoIAlignConformance
from vision_core import _native, ops, resampling


class TestNMS(NMSConformance):
    operator = staticmethod(ops.nms)


class TestNMSReference(NMSConformance):
    operator = staticmethod(ops.nms_reference)
    compiles = False  # it looks at values: torch.compile gets the operator, not its reference
    scripts = False


class TestNMSWithoutNativeModule(NMSConformance):
    operator = staticmethod(ops.nms)

    @pytest.fixture(autouse=True)
    def _without(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_native, "module", None)


class TestResize(ResizeConformance):
    operator = staticmethod(resampling.resize)


class TestResizeWithoutNativeModule(ResizeConformance):
    operator = staticmethod(resampling.resize)

    @pytest.fixture(autouse=True)
    def _without(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_native, "module", None)


class TestRoIAlign(RoIAlignConformance):
    operator = staticmethod(ops.roi_align)


class TestRoIAlignWithoutNativeModule(RoIAlignConformance):
    operator = staticmethod(ops.roi_align)

    @pytest.fixture(autouse=True)
    def _without(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_native, "module", None)


@pytest.mark.parametrize(
    ("name", "function"), [("nms", ops.nms), ("roi_align", ops.roi_align), ("resize", resampling.resize)]
)
def test_the_contract_finds_the_operators(name: str, function: object) -> None:
    assert find(name, prefer="vision-core") is function
    offered = [provider for provider in operators() if provider.name == name]
    assert any(provider.distribution == "vision-core" and provider.error is None for provider in offered)
