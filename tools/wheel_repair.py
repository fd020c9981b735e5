"""Makes a native wheel portable: auditwheel grafts system libraries, and their licence texts go in with them."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from workspace import ToolError, run

__all__ = ["add_files", "grafted_libraries", "licence_texts", "repair"]

NEWEST_GLIBC = (
    2,
    34,
)  # of the systems that a wheel must run on; auditwheel names an older one where the symbols allow it


def repair(wheel: Path, *, machine: str = "x86_64") -> Path:
    """Grafts libraries into a wheel, gives it its manylinux tag, and puts the libraries' licence texts inside.

    Args:
        wheel: a wheel with the plain ``linux_<machine>`` tag; it is replaced.
        machine: the processor that it was built for.

    Returns:
        The repaired wheel, in the same folder.

    Raises:
        ToolError: if auditwheel cannot, the wheel needs a newer glibc than :data:`NEWEST_GLIBC`, or a grafted library's
            licence text is not on this machine.
    """
    with tempfile.TemporaryDirectory(prefix="vision-repair-") as temporary:
        command = [sys.executable, "-m", "auditwheel", "repair", "-w", temporary, wheel]
        run(command, what=f"auditwheel repair of {wheel.name}")
        (repaired,) = Path(temporary).glob("*.whl")
        glibc = needed_glibc(repaired.name)
        if glibc is None or glibc > NEWEST_GLIBC:
            raise ToolError(f"{repaired.name}: glibc {NEWEST_GLIBC[0]}.{NEWEST_GLIBC[1]} must be enough to run it")
        texts = licence_texts(grafted_libraries(repaired), machine=machine)
        with zipfile.ZipFile(repaired) as archive:
            metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        folder = metadata.removesuffix("METADATA") + "licenses/"
        target = wheel.with_name(repaired.name)
        add_files(repaired, {folder + name: text for name, text in texts.items()}, target)
    if target != wheel:
        wheel.unlink()
    return target


def needed_glibc(name: str) -> tuple[int, int] | None:
    """The oldest glibc that a wheel's file name claims to run on, ``None`` without a manylinux tag.

    Example:
        >>> needed_glibc("x-1.0-cp311-abi3-manylinux_2_24_x86_64.manylinux_2_34_x86_64.whl")
        (2, 24)
    """
    tags = re.findall(r"manylinux_(\d+)_(\d+)_", name)
    return min(((int(major), int(minor)) for major, minor in tags), default=None)


def grafted_libraries(wheel: Path) -> list[str]:
    """The file names of the libraries that auditwheel copied into a wheel, with its hashes removed.

    Example:
        ``vision_io.libs/libjpeg-1c2f0b3a.so.62.3.0`` is ``libjpeg.so.62.3.0``.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = [Path(name).name for name in archive.namelist() if ".libs/" in name and ".so" in name]
    return [re.sub(r"-[0-9a-f]{8}(?=\.so)", "", name) for name in names]


def licence_texts(libraries: Iterable[str], *, machine: str = "x86_64") -> dict[str, bytes]:
    """The licence text of each library's Debian package: ``LICENSE-libjpeg62-turbo.txt`` to its content.

    Raises:
        ToolError: if no package owns a library, or it has no copyright file: what we may not name we may not ship.
    """
    texts = {}
    for library in libraries:
        package = _owner(library, machine)
        file = Path("/usr/share/doc") / package / "copyright"
        if not file.is_file():
            raise ToolError(
                f"{library} is of the package {package}, which has no {file}; its licence text must be shipped"
            )
        texts[f"LICENSE-{package}.txt"] = file.read_bytes()
    return texts


def _owner(library: str, machine: str) -> str:
    """The Debian package that a library's file is of."""
    for folder in (f"/usr/lib/{machine}-linux-gnu", f"/lib/{machine}-linux-gnu", f"/usr/{machine}-linux-gnu/lib"):
        done = subprocess.run(["dpkg", "-S", f"{folder}/{library}"], capture_output=True, text=True, check=False)
        owners = [line.split(":")[0] for line in done.stdout.splitlines() if not line.startswith("diversion")]
        if owners:
            return owners[0]
    raise ToolError(f"no Debian package owns {library}; build release wheels with the distribution's libraries")


def add_files(wheel: Path, files: Mapping[str, bytes], target: Path) -> None:
    """Writes a copy of a wheel with more files in it, named in its RECORD.

    Args:
        wheel: the wheel to copy.
        files: path inside the wheel to content.
        target: the copy.
    """
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        record = next(name for name in source.namelist() if name.endswith(".dist-info/RECORD"))
        for entry in source.infolist():
            if entry.filename == record:
                continue
            copy.writestr(entry, source.read(entry), compress_type=zipfile.ZIP_DEFLATED)
        rows = io.StringIO()
        rows.write(source.read(record).decode())
        for name, content in files.items():
            copy.writestr(zipfile.ZipInfo(name, (2020, 2, 2, 0, 0, 0)), content, compress_type=zipfile.ZIP_DEFLATED)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            csv.writer(rows, lineterminator="\n").writerow([name, f"sha256={digest}", len(content)])
        copy.writestr(source.getinfo(record), rows.getvalue(), compress_type=zipfile.ZIP_DEFLATED)
