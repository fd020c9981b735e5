"""The import check finds each way in which one package can reach into another, and lets the allowed ones be."""

import check_imports
import pytest
import workspace


@pytest.fixture
def two(repository):
    """Two packages and the contract; a function that adds a file to the first and returns the violations."""
    repository.package("vision-contract")
    repository.package("vision-io")

    def check(path="src/video/data.py", text="", dependencies='"vision-contract>=1.0"', extras='io = ["vision-io"]'):
        repository.package("video", dependencies=dependencies, extras=extras, files={path: text})
        return [str(violation) for violation in check_imports.check(workspace.load(repository.root))]

    return check


@pytest.mark.parametrize(
    "text",
    [
        "import vision_io",
        "import vision_io.video as v",
        "from vision_io import VideoDecoder",
        "from vision_io.video import VideoDecoder",
        "def decode():\n    from vision_io import VideoDecoder\n    return VideoDecoder",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import vision_io",
        "try:\n    import vision_io\nexcept ImportError:\n    vision_io = None",
        "import importlib\nimportlib.import_module('vision_io.video')",
        "from importlib import import_module as load\nfrom importlib import import_module\nimport_module('vision_io')",
        "__import__('vision_io')",
    ],
)
def test_each_way_to_import_a_sibling_is_found(two, text):
    violations = two(text=text)
    assert violations
    assert all("imports its sibling vision_io" in violation and "data.py" in violation for violation in violations)


def test_the_line_is_named(two):
    (violation,) = two(text="import torch\n\nimport vision_io\n")
    assert "data.py:3:" in violation


@pytest.mark.parametrize(
    "text",
    [
        "import vision_contract\nfrom vision_contract import find",
        "import torch, numpy",
        "import video.layers\nfrom video import layers",
        "from . import layers\nfrom .layers import x",
        "import importlib\nname = 'vision_io'\nimportlib.import_module(name)",
        "text = 'import vision_io'",
        "import vision_iota",
    ],
)
def test_what_is_allowed_stays_silent(two, text):
    assert two(text=text) == []


@pytest.mark.parametrize(
    ("path", "text", "escapes"),
    [
        ("src/video/data.py", "from ..vision_io import x", True),
        ("src/video/data.py", "from .. import vision_io", True),
        ("src/video/deep/data.py", "from .. import layers", False),
        ("src/video/deep/data.py", "from ... import vision_io", True),
        ("src/video/deep/__init__.py", "from .. import layers", False),
        ("src/video/deep/__init__.py", "from ... import vision_io", True),
        ("src/video/data.py", "import importlib\nimportlib.import_module('..vision_io', __package__)", True),
    ],
)
def test_relative_escapes(two, path, text, escapes):
    assert bool(two(path=path, text=text)) is escapes


def test_a_sibling_among_the_dependencies_is_found_and_an_extra_is_not(two):
    (violation,) = two(dependencies='"vision-contract>=1.0", "Vision_IO[video]>=0.1"')
    assert "depends on its sibling vision-io" in violation
    assert two() == []


def test_tests_need_the_marker_of_an_extra_that_brings_the_sibling(two):
    path = "tests/unit/test_data.py"
    (violation,) = two(path=path, text="def test():\n    import vision_io\n")
    assert "mark the test extra_io" in violation
    assert two(path=path, text="import pytest\npytest.importorskip('vision_io')\n")
    marked = "import pytest\n@pytest.mark.extra_io\ndef test():\n    import vision_io\n"
    assert two(path=path, text=marked) == []
    module = "import pytest\npytestmark = [pytest.mark.extra_io]\nvision_io = pytest.importorskip('vision_io')\n"
    assert two(path=path, text=module) == []
    wrong = marked.replace("extra_io", "extra_detection")
    assert two(path=path, text=wrong)
    (violation,) = two(path=path, text=marked, extras="")
    assert "no extra of this package brings it" in violation


def test_exit_codes(repository, tool):
    repository.package("vision-contract")
    repository.package("video", files={"src/video/data.py": "import torch"})
    repository.package("vision-io")
    assert tool("check_imports", root=repository.root).returncode == 0
    repository.write(repository.root / "packages/video/src/video/data.py", "import vision_io")
    done = tool("check_imports", root=repository.root)
    assert done.returncode == 1
    assert "data.py:1" in done.stdout
    repository.write(repository.root / "packages/video/src/video/data.py", "import (")
    done = tool("check_imports", root=repository.root)
    assert done.returncode == 2
    assert "cannot be parsed" in done.stderr


def test_this_repository_is_clean():
    assert check_imports.check(workspace.load()) == []
