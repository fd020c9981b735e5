"""Fixtures: a clean look-up, and wheels that exist only in a temporary folder."""

import importlib
import importlib.metadata
import sys
import textwrap

import pytest

from vision_contract import providers


@pytest.fixture
def clean(monkeypatch):
    """The look-up as in a fresh process in which no wheel offers the contract's operators; afterwards as before."""
    everything = importlib.metadata.entry_points

    def ours(**selection):
        return [entry for entry in everything(**selection) if entry.name not in providers.WHEELS]

    monkeypatch.setattr(importlib.metadata, "entry_points", ours)
    monkeypatch.setattr(providers, "_provided", {})
    monkeypatch.setattr(providers, "_loaded", {})
    monkeypatch.setattr(providers, "_warned", set())
    providers._installed.cache_clear()
    yield
    providers._installed.cache_clear()


@pytest.fixture
def install(tmp_path, monkeypatch, clean):
    """Install a wheel: a distribution with entry points, and the module that they name."""
    modules = []

    def install(distribution, source, version="1.0", **entries):
        site = tmp_path / distribution
        module = distribution.replace("-", "_")
        info = site / f"{module}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        lines = "".join(f"{name} = {module}:{attribute}\n" for name, attribute in entries.items())
        (info / "entry_points.txt").write_text(f"[vision_contract.operators]\n{lines}")
        (site / f"{module}.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(str(site))
        importlib.invalidate_caches()
        modules.append(module)
        return site

    yield install
    for module in modules:
        sys.modules.pop(module, None)
