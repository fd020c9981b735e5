"""Wheels: when one is built anew, and what a bad one is refused for."""

import hashlib
import os
import shutil
import subprocess
import time
import zipfile
from base64 import urlsafe_b64encode

import pytest
import wheel_checks
import wheel_repair
import wheelhouse
import wheels
import workspace
from workspace import Package, ToolError

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")


@pytest.fixture
def lens(repository):
    repository.package("lens", files={"README.md": "x", "LICENSE": "x"})
    return workspace.load(repository.root)


def package(tmp_path, *, native):
    return Package("lens", tmp_path, native=native)


@pytest.mark.slow
def test_a_wheel_is_built_once_and_again_after_a_change(lens):
    member = lens.packages["lens"]
    first = wheelhouse.fresh_wheels(lens, [member])["lens"]
    built = first.stat().st_mtime_ns
    assert first.name == "lens-0.1.0-py3-none-any.whl"
    assert (lens.dist / "lens-0.1.0.tar.gz").exists()
    assert wheelhouse.fresh_wheels(lens, [member])["lens"].stat().st_mtime_ns == built
    later = time.time() + 5
    os.utime(member.source / "__init__.py", (later, later))
    assert wheelhouse.fresh_wheels(lens, [member])["lens"].stat().st_mtime_ns > built


@pytest.mark.slow
def test_a_failed_build_says_why_and_keeps_what_was_there(lens):
    member = lens.packages["lens"]
    first = wheelhouse.fresh_wheels(lens, [member])["lens"]
    shutil.rmtree(member.source)
    with pytest.raises(ToolError, match="build of lens failed"):
        wheelhouse.build(member, lens.dist, isolated=False)
    assert first.exists()


def test_stale_wheels_of_a_version_go(lens):
    lens.dist.mkdir()
    names = ["lens-0.1.0-cp311-abi3-manylinux_2_34_x86_64.whl", "lens-0.1.0.tar.gz", "lens-0.2.0-py3-none-any.whl"]
    for name in names:
        (lens.dist / name).touch()
    wheelhouse.remove_old(lens.dist, lens.packages["lens"])
    assert [path.name for path in lens.dist.iterdir()] == ["lens-0.2.0-py3-none-any.whl"]


def test_a_wheel_for_another_machine_is_not_taken(lens):
    lens.dist.mkdir()
    (lens.dist / "lens-0.1.0-cp311-abi3-manylinux_2_34_s390x.whl").touch()
    assert wheelhouse.find_wheel(lens, lens.packages["lens"]) is None


@pytest.mark.parametrize(
    ("name", "native", "good"),
    [
        ("lens-0.1.0-cp311-abi3-manylinux_2_34_x86_64.whl", True, True),
        ("lens-0.1.0-cp311-cp311-manylinux_2_34_x86_64.whl", True, False),
        ("lens-0.1.0-py3-none-manylinux_2_34_x86_64.whl", True, False),
        ("lens-0.1.0-cp311-abi3-any.whl", True, False),
        ("lens-0.1.0-py3-none-any.whl", False, True),
        ("lens-0.1.0-cp311-abi3-linux_x86_64.whl", False, False),
    ],
)
def test_tags(tmp_path, name, native, good):
    if good:
        assert wheel_checks.check_tag(package(tmp_path, native=native), tmp_path / name)
    else:
        with pytest.raises(ToolError, match="the tag must be"):
            wheel_checks.check_tag(package(tmp_path, native=native), tmp_path / name)


def wheel_with(tmp_path, code, *flags):
    source, module = tmp_path / "m.cpp", tmp_path / "_native_ext.abi3.so"
    source.write_text(code)
    command = ["g++", "-shared", "-fPIC", "-o", module, source, f"-L{tmp_path}", "-Wl,--no-as-needed", *flags]
    subprocess.run(command, check=True)
    wheel = tmp_path / "lens-0.1.0-cp311-abi3-linux_x86_64.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(module, "lens/_native_ext.abi3.so")
        archive.writestr("lens-0.1.0.dist-info/RECORD", "")
    return wheel


THROWS = "#include <string>\n#include <stdexcept>\nvoid f(std::string s) { throw std::runtime_error(s); }\n"


@needs_compiler
def test_links_of_a_good_module(tmp_path):
    assert "libstdc++.so.6" in wheel_checks.check_links(wheel_with(tmp_path, THROWS))


@needs_compiler
@pytest.mark.parametrize("library", ["torch", "torch_cpu", "c10", "python3.11", "gomp", "asan"])
def test_forbidden_libraries(tmp_path, library):
    (tmp_path / "fake.cpp").write_text("int fake() { return 0; }\n")
    soname, output = f"-Wl,-soname,lib{library}.so.1", tmp_path / f"lib{library}.so"
    subprocess.run(["g++", "-shared", "-fPIC", soname, "-o", output, tmp_path / "fake.cpp"], check=True)
    wheel = wheel_with(tmp_path, "int f() { return 1; }", f"-l:lib{library}.so")
    with pytest.raises(ToolError, match=f"links lib{library}"):
        wheel_checks.check_links(wheel)


@needs_compiler
def test_a_static_libstdcxx_is_found(tmp_path):
    with pytest.raises(ToolError, match=r"own copy of libstdc\+\+"):
        wheel_checks.check_links(wheel_with(tmp_path, THROWS, "-static-libstdc++"))


def test_added_files_are_recorded(tmp_path):
    wheel, copy = tmp_path / "a.whl", tmp_path / "b.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("lens/__init__.py", "x = 1\n")
        archive.writestr("lens-0.1.0.dist-info/RECORD", "lens/__init__.py,,\n")
    wheel_repair.add_files(wheel, {"lens-0.1.0.dist-info/licenses/LICENSE-jpeg.txt": b"free, as it is"}, copy)
    with zipfile.ZipFile(copy) as archive:
        assert archive.testzip() is None
        record = archive.read("lens-0.1.0.dist-info/RECORD").decode().splitlines()
        assert archive.read("lens-0.1.0.dist-info/licenses/LICENSE-jpeg.txt") == b"free, as it is"
        assert archive.read("lens/__init__.py") == b"x = 1\n"
    digest = urlsafe_b64encode(hashlib.sha256(b"free, as it is").digest()).decode().rstrip("=")
    assert record == ["lens/__init__.py,,", f"lens-0.1.0.dist-info/licenses/LICENSE-jpeg.txt,sha256={digest},14"]


def test_grafted_libraries_and_their_licences(tmp_path):
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("lens.libs/libstdc++-1c2f0b3a.so.6.0.30", "")
        archive.writestr("lens/_native_ext.abi3.so", "")
    assert wheel_repair.grafted_libraries(wheel) == ["libstdc++.so.6.0.30"]
    if shutil.which("dpkg") is None:
        pytest.skip("not a Debian machine")
    texts = wheel_repair.licence_texts(["libstdc++.so.6"])
    assert b"GNU" in texts["LICENSE-libstdc++6.txt"]
    with pytest.raises(ToolError, match="no Debian package owns libnosuch"):
        wheel_repair.licence_texts(["libnosuch.so.1"])


def test_the_oldest_glibc_of_a_tag():
    assert wheel_repair.needed_glibc("x-1-cp311-abi3-manylinux_2_24_x86_64.manylinux_2_34_x86_64.whl") == (2, 24)
    assert wheel_repair.needed_glibc("x-1-cp311-abi3-linux_x86_64.whl") is None


def test_a_missing_cross_compiler_is_one_line(lens, monkeypatch):
    monkeypatch.setattr(wheels.shutil, "which", lambda name: None)
    with pytest.raises(ToolError, match=r"apt install g\+\+-aarch64-linux-gnu"):
        wheels.cross_build(lens, lens.packages["lens"])


def test_an_absent_python_is_none():
    assert wheel_checks.find_python("2.0") is None
