"""The sanitizer run fails on a read past the end and on an overflow, and passes on clean code."""

import shutil

import pytest
import sanitize
import workspace

CMAKE = """\
cmake_minimum_required(VERSION 3.25)
project(lens LANGUAGES C)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
Python_add_library(_native_ext MODULE native/bindings.c)
if(VISION_SANITIZE)
  target_compile_options(_native_ext PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=undefined -g -O0)
  target_link_options(_native_ext PRIVATE -fsanitize=address,undefined)
endif()
"""
BINDINGS = """\
#include <Python.h>
#include <limits.h>
#include <stdlib.h>
static PyObject* call(PyObject* self, PyObject* args) {
  int n;
  if (!PyArg_ParseTuple(args, "i", &n)) return NULL;
  volatile char* data = malloc(4);
  data[0] = 0; data[3] = 0;
  volatile int big = INT_MAX - 3;
  int value = 0;
  BODY;
  free((void*)data);
  return PyLong_FromLong(value);
}
static PyMethodDef methods[] = {{"call", call, METH_VARARGS, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_native_ext", "", -1, methods};
PyMODINIT_FUNC PyInit__native_ext(void) { return PyModule_Create(&module); }
"""
TEST = "from lens import _native_ext\ndef test(): assert _native_ext.call(4) is not None\n"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler"),
]


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ("value = data[n - 1]", 0, "lens: clean"),
        ("value = data[n]", 1, "heap-buffer-overflow"),
        ("value = big + n", 1, "signed integer overflow"),
    ],
)
def test_findings(repository, tool, body, code, message):
    files = {"CMakeLists.txt": CMAKE, "native/bindings.c": BINDINGS.replace("BODY", body), "tests/test_lens.py": TEST}
    folder = repository.package("lens", files=files)
    pyproject = folder / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + "\n[tool.hatch.build.targets.wheel.hooks.scikit-build]\n")
    done = tool("sanitize", "lens", root=repository.root)
    assert done.returncode == code, done.stdout + done.stderr
    assert message in done.stdout


def test_only_native_facing_tests_are_chosen(repository, tool):
    files = {
        "tests/test_pure.py": "def test(): pass\n",
        "tests/unit/test_kernels.py": "# runs with force_isa\n",
        "tests/unit/test_loader.py": "from lens import _native\n",
        "tests/attacks/test_hostile.py": "def test(): pass\n",
    }
    repository.package("lens", files=files)
    package = workspace.load(repository.root).packages["lens"]
    chosen = [file.name for file in sanitize.native_tests(package)]
    assert chosen == ["test_hostile.py", "test_kernels.py", "test_loader.py"]
    done = tool("sanitize", "lens", root=repository.root)
    assert done.returncode == 2
    assert "lens has no native module" in done.stderr
