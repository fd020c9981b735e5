"""The public surface: what is read, that it is stable, and that each kind of difference is judged rightly."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from api_diff import compare
from api_surface import read_surface
from workspace import ToolError

TOOLS = Path(__file__).resolve().parents[1]

MODULE = """
import dataclasses, enum, typing
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Optional, Protocol, Union

__all__ = ["Decoder", "Frame", "Mode", "Size", "SIZES", "ratio", "resize"]

SIZES: tuple[int, ...] = (1, 2)
Size = Union[int, Sequence[int]]

class Mode(enum.Enum):
    NEAREST = "nearest"
    BILINEAR = "bilinear"

class Frame(NamedTuple):
    data: bytes
    pts: float = 0.0

@dataclasses.dataclass(frozen=True)
class Box:
    width: int = 1

class Decoder(Protocol):
    rate: float
    @property
    def length(self) -> int: ...
    @staticmethod
    def open(path: str, /) -> "Decoder": ...
    def __len__(self) -> int: ...
    def _hidden(self): ...
    def at(self, seconds: float, *, mode: Mode = Mode.NEAREST) -> Optional[Frame]: ...

def ratio(a, b=float("inf"), *rest, key: Callable[[int], int] = abs, **more: Literal["x"]) -> Union[int, None]: ...

def resize(
    size: Size, mode: "Mode | str" = Mode.BILINEAR, box: Box = Box(), made: object = object(), key=lambda x: x
) -> list[int]: ...

def _private(): ...
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes a package of a name that no other test uses, and returns the name."""
    name = f"surface_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    (folder / "__init__.py").write_text('__all__ = ["__version__"]\n__version__ = "1"\n')
    return name, folder


def test_what_is_read(package):
    name, folder = package
    (folder / "io.py").write_text(MODULE)
    (folder / "_private.py").write_text("raise RuntimeError('never imported')")
    surface = read_surface(name)
    assert list(surface) == [name, f"{name}.io"]
    assert surface[name] == {}  # the version is no promise
    names = surface[f"{name}.io"]
    assert names["SIZES"] == {"kind": "constant", "type": "tuple"}
    assert names["Size"]["kind"] == "constant"
    assert list(names["Mode"]["members"]) == ["NEAREST", "BILINEAR"]
    assert names["Frame"]["signature"] == "(data: bytes, pts: float = 0.0)"
    assert set(names["Decoder"]["members"]) == {"__len__", "at", "length", "open", "rate"}
    assert names["Decoder"]["members"]["open"] == {"kind": "staticmethod", "signature": "(path: str, /) -> Decoder"}
    assert names["ratio"]["signature"] == (
        "(a, b=float('inf'), *rest, key: Callable[[int], int] = abs, **more: Literal['x']) -> int | None"
    )
    assert names["resize"]["signature"].endswith("made: object = '<object>', key='<lambda>') -> list[int]")
    assert "0x" not in json.dumps(surface)


def test_third_party_members_are_not_ours(package):
    name, folder = package
    (folder / "io.py").write_text(
        "import io\n__all__ = ['Reader']\nclass Reader(io.BytesIO):\n    def frames(self): ...\n"
    )
    reader = read_surface(name)[f"{name}.io"]["Reader"]
    assert reader["bases"] == ["BytesIO"]
    assert set(reader["members"]) == {"frames"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(): ...", "has no __all__"),
        ("__all__ = ['f']", "names f, which it does not have"),
        ("import no_such_module_anywhere\n__all__ = []", "cannot import"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_module_that_cannot_be_read(package, text, message):
    name, folder = package
    (folder / "io.py").write_text(text)
    with pytest.raises(ToolError, match=message):
        read_surface(name)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_surface_is_the_same_on_every_python(package, version):
    name, folder = package
    (folder / "io.py").write_text(MODULE)
    python = shutil.which(f"python{version}")
    code = f"import json, api_surface; print(json.dumps(api_surface.read_surface({name!r})))"
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(TOOLS), str(folder.parent)]),
        "PYENV_VERSION": _pyenv(version),
    }
    done = subprocess.run([python or "python", "-c", code], capture_output=True, text=True, env=env, check=False)
    if not python or (done.returncode and "pyenv" in done.stderr):
        pytest.skip(f"no python{version} on this machine")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(json.dumps(read_surface(name)))


def _pyenv(version):
    """Which installed pyenv version a shim is to run; empty where there is no pyenv."""
    folders = (Path.home() / ".pyenv" / "versions").glob(f"{version}.*")
    return next((folder.name for folder in folders), "")


def function(signature):
    return {"m": {"f": {"kind": "function", "signature": signature}}}


@pytest.mark.parametrize(
    ("old", "new", "breaks", "additions", "changes"),
    [
        ("(a)", "(a)", 0, 0, 0),
        ("(a)", "(b)", 2, 0, 0),  # a is gone, and b is required
        ("(a)", "(a, b)", 1, 0, 0),
        ("(a)", "(a, b=1)", 0, 1, 0),
        ("(a)", "(a, *, b)", 1, 0, 0),
        ("(a)", "(a, **more)", 0, 1, 0),
        ("(a, b=1)", "(a, c=0, b=1)", 1, 1, 0),  # f(1, 2) meant b=2
        ("(a, b)", "(b, a)", 1, 0, 0),
        ("(a, b=1)", "(a, b)", 1, 0, 0),
        ("(a, b)", "(a, b=1)", 0, 1, 0),
        ("(a, b=1)", "(a, b=2)", 1, 0, 0),
        ("(a, b=1)", "(a, *, b=1)", 1, 0, 0),
        ("(a, *, b=1)", "(a, b=1)", 0, 0, 1),
        ("(a: int)", "(a: int | float)", 0, 0, 1),
        ("(a) -> int", "(a) -> float", 0, 0, 1),
        ("(a, /)", "(a)", 0, 0, 1),
        ("(a)", "(a, /)", 1, 0, 0),
        ("(a, *args)", "(a)", 1, 0, 0),
        ("(...)", "(a)", 1, 0, 0),
    ],
)
def test_signatures(old, new, breaks, additions, changes):
    diff = compare(function(old), function(new))
    assert (len(diff.breaks), len(diff.additions), len(diff.changes)) == (breaks, additions, changes), diff


def test_names_modules_kinds_and_bases():
    old = {"m": {"f": {"kind": "function", "signature": "()"}, "C": {"kind": "class", "bases": ["Module"]}}, "n": {}}
    new = {
        "m": {"f": {"kind": "constant", "type": "int"}, "C": {"kind": "class", "bases": []}, "g": {"kind": "module"}}
    }
    diff = compare(old, new)
    assert diff.breaks == ["m.C no longer derives from Module", "m.f was a function, is a constant", "module n is gone"]
    assert diff.additions == ["m.g"]
    assert not compare(new, new)
    assert compare(new, old).lines()[0].startswith("! breaks m.f")


def test_members():
    old = {"m": {"C": {"kind": "class", "bases": [], "members": {"at": {"kind": "method", "signature": "(self)"}}}}}
    new = {"m": {"C": {"kind": "class", "bases": [], "members": {"len": {"kind": "attribute"}}}}}
    diff = compare(old, new)
    assert diff.breaks == ["m.C.at is gone"]
    assert diff.additions == ["m.C.len"]


def test_the_program_records_and_fails_on_a_difference(repository, tool):
    folder = repository.package("lens", files={"src/lens/ops.py": "__all__ = ['f']\ndef f(a, b=1): ...\n"})
    assert tool("check_api", root=repository.root).returncode == 1
    assert tool("check_api", "--update", root=repository.root).returncode == 0
    assert "lens.ops" in json.loads((folder / "tests/api_surface.json").read_text())
    assert tool("check_api", "lens", root=repository.root).returncode == 0
    repository.write(folder / "src/lens/ops.py", "__all__ = ['f', 'g']\ndef f(a): ...\ndef g(): ...\n")
    done = tool("check_api", root=repository.root)
    assert done.returncode == 1
    assert "! breaks lens.ops.f(b) is gone" in done.stdout
    assert "+ adds lens.ops.g()" in done.stdout
    done = tool("check_api", "no-such", root=repository.root)
    assert done.returncode == 2
    assert "there are lens" in done.stderr
