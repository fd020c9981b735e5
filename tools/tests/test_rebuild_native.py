"""Rebuilding: nothing when nothing changed, the changed file when one did, the compiler's words when it fails."""

import os
import shutil
import time

import pytest
import rebuild_native
import workspace
from wheelhouse import newest_source
from workspace import ToolError

CMAKE = """\
cmake_minimum_required(VERSION 3.25)
project(lens LANGUAGES C)
add_library(_native_ext MODULE native/bindings.c)
set_target_properties(_native_ext PROPERTIES PREFIX "" SUFFIX ".abi3.so")
"""
HOOK = "\n[tool.hatch.build.targets.wheel.hooks.scikit-build]\n"

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


@pytest.fixture
def native(repository, tmp_path, monkeypatch):
    """A native package, the file that stands for its installed module, and a function that rebuilds."""
    files = {"CMakeLists.txt": CMAKE, "native/bindings.c": "int answer(void) { return 1; }\n"}
    folder = repository.package("lens", files=files)
    pyproject = folder / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + HOOK)
    installed = tmp_path / "site" / "lens" / "_native_ext.abi3.so"
    monkeypatch.setattr(rebuild_native, "installed_module", lambda package: installed)
    loaded = workspace.load(repository.root)
    return folder, installed, lambda **options: rebuild_native.rebuild(loaded, loaded.packages["lens"], **options)


def test_only_what_changed_is_built(native):
    folder, installed, rebuild = native
    assert rebuild().startswith("rebuilt")
    first = installed.read_bytes()
    assert rebuild() == "up to date"
    source = folder / "native" / "bindings.c"
    source.write_text("int question(void) { return 2; }\n")
    _later(source)
    assert rebuild(force=True).startswith("rebuilt")
    assert b"question" in installed.read_bytes() != first
    assert list(installed.parent.iterdir()) == [installed]


def test_an_edit_during_the_build_is_not_lost(native, monkeypatch):
    folder, installed, rebuild = native
    build = rebuild_native.build

    def build_and_edit(*arguments):
        built = build(*arguments)
        (folder / "native" / "bindings.c").write_text("int edited(void) { return 3; }\n")
        return built

    monkeypatch.setattr(rebuild_native, "build", build_and_edit)
    rebuild()
    monkeypatch.setattr(rebuild_native, "build", build)
    assert rebuild().startswith("rebuilt")
    assert b"edited" in installed.read_bytes()


def test_a_new_cmake_option_configures_again(native):
    _, _, rebuild = native
    rebuild()
    with pytest.raises(ToolError, match="cmake configure of lens failed"):
        rebuild(force=True, options=["-G", "No such generator"])


def test_the_compiler_is_quoted(native):
    folder, installed, rebuild = native
    (folder / "native" / "bindings.c").write_text("int answer(void) { return missing; }\n")
    with pytest.raises(ToolError, match=r"build of lens failed(.|\n)*missing"):
        rebuild()
    assert not installed.exists()


def test_what_is_not_installed_is_named(repository):
    repository.package("no-such-lens")
    package = workspace.load(repository.root).packages["no-such-lens"]
    with pytest.raises(ToolError, match=r"pip install --no-build-isolation --no-deps -e .*no-such-lens"):
        rebuild_native.installed_module(package)


def test_shared_native_code_counts_as_a_source(native, repository):
    loaded = workspace.load(repository.root)
    before = newest_source(loaded, loaded.packages["lens"], native_only=True)
    header = repository.root / "tools" / "native" / "include" / "vision.hpp"
    repository.write(header, "// new\n")
    _later(header)
    assert newest_source(loaded, loaded.packages["lens"], native_only=True) > before


def _later(path):
    """Clocks of file systems are coarse: an edit right after a build would carry the build's time."""
    moment = time.time() + 5
    os.utime(path, (moment, moment))
