"""What a built wheel must satisfy: its tags, what it links, and that it loads where it says it does."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from alone_env import Environment, EnvironmentFactory, clean_environment
from workspace import Package, ToolError, run

__all__ = ["check_links", "check_tag", "find_python", "imports_from_archive", "loads_on"]

_FORBIDDEN = re.compile(r"^lib(torch|c10|python|asan|ubsan|gomp|i?omp)")

# Loads the extension file by itself: the package around it needs torch, which may not exist for that Python yet.
_LOAD = """
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.ExtensionFileLoader("_native_ext", sys.argv[1])
spec = importlib.util.spec_from_file_location("_native_ext", sys.argv[1], loader=loader)
module = importlib.util.module_from_spec(spec)
loader.exec_module(module)
names = [name for name in dir(module) if not name.startswith("__")]
assert names, "the module is empty"
print(len(names), "names,", "ISAs:", " ".join(module.isas()) if hasattr(module, "isas") else "unknown")
"""


def check_tag(package: Package, wheel: Path) -> str:
    """A native wheel is ``cp311-abi3`` for one platform, a pure one ``py3-none-any``.

    Raises:
        ToolError: if it is not.
    """
    _, _, python, abi, platform = wheel.stem.split("-")
    expected = ("cp311", "abi3") if package.native else ("py3", "none")
    if (python, abi) != expected or (platform == "any") == package.native:
        raise ToolError(f"{wheel.name}: the tag must be {'-'.join(expected)}, {'native' if package.native else 'any'}")
    return f"{python}-{abi}-{platform}"


def check_links(wheel: Path) -> str:
    """No library of torch, Python, OpenMP or a sanitizer is linked, and libstdc++ is the system's.

    Raises:
        ToolError: naming what is linked, or that libstdc++ went into the module.
    """
    lines = []
    with tempfile.TemporaryDirectory(prefix="vision-links-") as temporary:
        for name, needed, defined in _shared_objects(wheel, Path(temporary)):
            wrong = [library for library in needed if _FORBIDDEN.search(library)]
            if wrong:
                raise ToolError(f"{wheel.name}: {name} links {', '.join(wrong)}")
            # operator new and std::terminate are defined in a module only if libstdc++ was linked into it; a stripped
            # one does not show them, but then the shared library is missing among those that it needs.
            ours = name.startswith("_native_ext")
            if {"_Znwm", "_ZSt9terminatev"} & defined or (ours and not any("libstdc++" in n for n in needed)):
                raise ToolError(f"{wheel.name}: {name} has its own copy of libstdc++; link it dynamically")
            lines.append(f"{name} needs {' '.join(needed)}")
    return "; ".join(lines) or "no shared objects"


def _shared_objects(wheel: Path, folder: Path) -> Iterator[tuple[str, list[str], set[str]]]:
    """Each shared object in a wheel: its name, the libraries that it needs, and the symbols that it defines."""
    from elftools.elf.dynamic import DynamicSection
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if re.search(r"\.so(\.|$)", name)]
        for name in names:
            with Path(archive.extract(name, folder)).open("rb") as file:
                needed: list[str] = []
                defined: set[str] = set()
                for section in ELFFile(file).iter_sections():
                    if isinstance(section, DynamicSection):
                        needed += [vars(tag)["needed"] for tag in section.iter_tags("DT_NEEDED")]
                    elif isinstance(section, SymbolTableSection):
                        defined |= {s.name for s in section.iter_symbols() if s["st_shndx"] != "SHN_UNDEF"}
                yield Path(name).name, needed, defined


def find_python(version: str) -> Path | None:
    """An interpreter of a version such as ``3.12``: on the path, else among pyenv's; ``None`` if there is none.

    Example:
        >>> find_python("2.0") is None
        True
    """
    on_path = shutil.which(f"python{version}")
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    for candidate in [*([on_path] if on_path else []), *reversed(pyenv)]:
        done = subprocess.run([candidate, "-c", "pass"], capture_output=True, check=False)
        if done.returncode == 0:  # a pyenv shim exists also where no such version is chosen
            return Path(candidate)
    return None


def loads_on(python: Path, package: Package, wheel: Path, folder: Path) -> str:
    """The wheel's native module loads in a new environment of another Python, with nanobind-backend alone.

    Args:
        python: that interpreter.
        package: whose wheel.
        wheel: the wheel.
        folder: a temporary folder for the environment.

    Returns:
        What the module says about itself.

    Raises:
        ToolError: if it does not load.
    """
    environment = folder / f"{package.name}-{python.name}"
    run([python, "-m", "venv", environment], what=f"venv of {python.name}", env=clean_environment())
    own = environment / "bin" / "python"
    install = [own, "-m", "pip", "install", "-q", "--no-deps", "nanobind-backend", wheel]
    run(install, what=f"install of {wheel.name} on {python.name}", env=clean_environment())
    module = next((environment / "lib").glob(f"python*/site-packages/{package.import_name}/_native_ext*.so"), None)
    if module is None:
        raise ToolError(f"{wheel.name} installs no native module")
    return run(
        [own, "-c", _LOAD, module], what=f"native module of {package.name} on {python.name}", env=clean_environment()
    ).strip()


def imports_from_archive(factory: EnvironmentFactory, package: Package, archive: Path) -> str:
    """The source archive builds and installs as a user would do it, imports, and has its native module.

    Args:
        factory: makes the environment (with torch).
        package: whose archive.
        archive: the ``.tar.gz``.

    Raises:
        ToolError: if any of it fails.
    """
    environment: Environment = factory.make(f"sdist-{package.name}", with_torch=True)
    environment.install([archive])
    code = f"import {package.import_name} as m; print(m.__version__)"
    if package.native:
        code += f"; from {package.import_name} import _native_ext as n; print('native,', ' '.join(n.isas()))"
    out = run(
        [environment.python, "-c", code],
        what=f"import of {package.name} built from its archive",
        env=clean_environment(),
    )
    return " ".join(out.split())
