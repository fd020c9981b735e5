"""Fixtures: the reference facts beside the repository, and the models that the generic tests run on."""

import gzip
import importlib.util
import json
import os
from functools import cache
from pathlib import Path

import pytest
import torch

import vision_models

torch.set_num_threads(1)  # small inputs: threads that wait for each other cost more than they bring

REPOSITORY = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("VISION_SHARED", REPOSITORY.parent / "shared"))


@cache
def _facts(name: str):
    with gzip.open(SHARED / "reference" / f"{name}.json.gz") as file:
        return json.load(file)


@pytest.fixture(scope="session")
def facts():
    """``facts("torchvision_layouts")`` reads a table of reference facts."""
    if not (SHARED / "reference").is_dir():
        pytest.skip(f"no reference facts at {SHARED}; set VISION_SHARED")
    return _facts


@pytest.fixture(scope="session")
def fill(facts):
    """The module that makes the deterministic weights and inputs of the goldens."""
    spec = importlib.util.spec_from_file_location("fill", SHARED / "reference" / "fill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def size_of(name: str) -> tuple[int, int]:
    """Parameters, and modules: what running and what compiling takes."""
    with torch.device("meta"):
        model = vision_models.get_model(name)
    return sum(p.numel() for p in model.parameters()), sum(1 for _ in model.modules())


def quick_ones(names: list[str]) -> set[str]:
    """The smallest model of each family, if it is small."""
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(vision_models.get_model_builder(name).__module__, []).append(name)
    smallest = {min(members, key=size_of) for members in families.values()}
    return {name for name in smallest if size_of(name)[0] < 15_000_000 and size_of(name)[1] < 230}


def slow_unless(names: list[str], quick: set[str]) -> list:
    return [pytest.param(name, marks=() if name in quick else pytest.mark.slow) for name in names]


def pytest_generate_tests(metafunc):
    """Parametrise over the registry.

    ``any_model``: all models. ``golden_model``: all, large ones slow. ``model_name``: all, of which only the smallest
    of each family is not slow, and only if it is small.
    """
    names = vision_models.list_models()
    if "any_model" in metafunc.fixturenames:
        metafunc.parametrize("any_model", names)
    if "model_name" in metafunc.fixturenames:
        metafunc.parametrize("model_name", slow_unless(names, quick_ones(names)))
    if "golden_model" in metafunc.fixturenames:
        metafunc.parametrize("golden_model", slow_unless(names, {n for n in names if size_of(n)[0] < 15_000_000}))


@pytest.fixture
def image_batch():
    """Makes a batch that the named model accepts, as small as its published minimum and 64 allow."""

    def make(name: str, batch: int = 2) -> torch.Tensor:
        smallest = 32
        for weights in vision_models.get_model_weights(name):
            smallest = max(smallest, *weights.meta["min_size"])
        generator = torch.Generator().manual_seed(0)
        return torch.randn(batch, 3, max(smallest, 64), max(smallest, 64), generator=generator)

    return make


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)
