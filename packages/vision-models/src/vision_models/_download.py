"""Fetch a published file once and keep it: resumable, locked between processes, checked before anyone sees it.

A download goes to ``<name>.part`` beside its destination and is renamed when its SHA-256 prefix is right, so a file in
the cache is always whole. ``<name>.lock`` is held meanwhile; a second process waits and then finds the file.
"""

import hashlib
import logging
import os
import re
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeAlias
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

import torch.hub

from vision_models._lock import locked

__all__ = ["DownloadError", "HashMismatchError", "OfflineError", "cache_dir", "fetch"]

Progress: TypeAlias = Callable[[int, int | None], None]
Report: TypeAlias = bool | Progress

_logger = logging.getLogger(__name__)
_CHUNK = 1 << 18
_TRUE = ("1", "true", "yes", "on")


class DownloadError(RuntimeError):
    """A file could not be fetched; the message lists what each source answered."""


class HashMismatchError(DownloadError):
    """A file's SHA-256 does not begin with the published digits."""


class OfflineError(DownloadError):
    """A file is missing and ``VISION_MODELS_OFFLINE`` forbids fetching it."""


def cache_dir() -> Path:
    """Where checkpoints are kept: ``checkpoints`` in :func:`torch.hub.get_dir` (``TORCH_HOME``, ``XDG_CACHE_HOME``)."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def fetch(
    url: str,
    *,
    directory: str | os.PathLike[str] | None = None,
    file_name: str | None = None,
    sha256: str | None = None,
    mirrors: Sequence[str] | None = None,
    progress: Report = True,
    attempts: int = 3,
    timeout: float = 30.0,
) -> Path:
    """The path of a file in the cache, which is fetched first if it is not there.

    Args:
        url: where the file is published.
        directory: the cache; :func:`cache_dir` by default. It is made if needed.
        file_name: the file's name in the cache; the URL's last part by default.
        sha256: first hexadecimal digits of the file's SHA-256. A cached file is checked too. Without it only the length
            is checked and an interrupted download starts again.
        mirrors: tried in order before ``url``: URLs or folders that hold a file of the same name. By default those
            listed, separated by spaces, in the environment variable ``VISION_MODELS_MIRRORS``.
        progress: called with ``(received bytes, total bytes or None)``, from 0 to the end; ``True`` logs at level INFO.
        attempts: tries per source; a try that breaks off is resumed where it stopped.
        timeout: seconds without any data after which a try has failed.

    Raises:
        OfflineError: the file is missing and the environment variable ``VISION_MODELS_OFFLINE`` is set.
        HashMismatchError: the cached file, or what every source sent, has another SHA-256.
        DownloadError: no source delivered the file.

    Examples:
        >>> from vision_models.hub import fetch
        >>> path = fetch("https://example.org/net-0a1b2c3d.pth", sha256="0a1b2c3d")  # doctest: +SKIP
    """
    name = file_name or PurePosixPath(unquote(urlsplit(url).path)).name
    if not name or Path(name).name != name:
        raise ValueError(f"expected a plain file name at the end of the URL or in file_name, got {name!r} from {url}")
    target = Path(directory if directory is not None else cache_dir()) / name
    if target.exists():
        return _checked(target, sha256)
    if os.environ.get("VISION_MODELS_OFFLINE", "").lower() in _TRUE:
        raise OfflineError(
            f"{name} is not in the cache and VISION_MODELS_OFFLINE is set; fetch {url} elsewhere and put it at {target}"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.with_name(f"{name}.lock")):
        if target.exists():  # another process was faster
            return _checked(target, sha256)
        part = target.with_name(f"{name}.part")
        failures: list[Exception] = []
        for source in _sources(url, name, mirrors):
            try:
                _download(source, part, sha256, _reporter(progress, name), attempts, timeout)
            except DownloadError as error:
                failures.append(error)
                continue
            part.replace(target)
            return target
    kind = HashMismatchError if all(isinstance(error, HashMismatchError) for error in failures) else DownloadError
    raise kind(
        f"{name} could not be fetched:\n"
        + "\n".join(f"  {error}" for error in failures)
        + f"\nSet VISION_MODELS_MIRRORS to a server or folder that has it, or put the file at {target}"
    )


def _sources(url: str, name: str, mirrors: Sequence[str] | None) -> list[str]:
    bases = os.environ.get("VISION_MODELS_MIRRORS", "").split() if mirrors is None else list(mirrors)
    return [_below(base, name) for base in bases] + [url]


def _below(base: str, name: str) -> str:
    if "://" not in base:  # a folder
        return (Path(base).expanduser().absolute() / name).as_uri()
    return f"{base.rstrip('/')}/{name}"


def _reporter(progress: Report, name: str) -> Progress:
    if callable(progress):
        return progress
    if not progress:
        return lambda received, total: None

    def report(received: int, total: int | None) -> None:
        if received == 0 or received == total:
            _logger.info("%s: %d of %s bytes", name, received, "unknown" if total is None else total)

    return report


def _download(source: str, part: Path, sha256: str | None, report: Progress, attempts: int, timeout: float) -> None:
    """Make ``part`` the whole, checked file, or raise :class:`DownloadError`."""
    if sha256 is None:  # nothing would tell a file made of two versions
        part.unlink(missing_ok=True)
    last: Exception | None = None
    for _ in range(attempts):
        resumed = part.exists() and part.stat().st_size > 0
        try:
            _transfer(source, part, report, timeout)
            _verify(part, sha256, source)
            return
        except HashMismatchError as error:
            part.unlink(missing_ok=True)
            last = error
            if not resumed:  # the source itself has another file: asking again does not help
                raise
        except HTTPError as error:
            last = error
            error.close()
            if error.code == 416:  # the part is not a beginning of this file
                part.unlink(missing_ok=True)
            elif error.code < 500 and error.code not in (408, 429):
                break
        except (URLError, HTTPException, OSError, _BrokenOffError) as error:
            last = error
            if isinstance(error, URLError) and isinstance(error.reason, FileNotFoundError):
                break
        if sha256 is None:
            part.unlink(missing_ok=True)
    if isinstance(last, HashMismatchError):
        raise last
    raise DownloadError(f"{source}: {last}") from last


class _BrokenOffError(Exception):
    """The connection ended before the announced length."""


def _transfer(source: str, part: Path, report: Progress, timeout: float) -> None:
    """Append what ``part`` lacks of ``source``."""
    offset = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "vision-models", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    with urlopen(Request(source, headers=headers), timeout=timeout) as response:
        length = response.headers.get("Content-Length")
        if response.status != 206 or not _continues(response.headers.get("Content-Range"), offset):
            offset = 0  # the server sends the whole file
        total = None if length is None else offset + int(length)
        with part.open("r+b" if offset else "wb") as file:
            file.seek(offset)
            received = _copy(response, file, offset, total, report)
    if total is not None and received != total:
        raise _BrokenOffError(f"the connection ended after {received} of {total} bytes")


def _continues(content_range: str | None, offset: int) -> bool:
    return re.match(rf"bytes {offset}-", content_range or "") is not None


def _copy(response: BinaryIO, file: BinaryIO, received: int, total: int | None, report: Progress) -> int:
    report(received, total)
    while chunk := response.read(_CHUNK):
        file.write(chunk)
        received += len(chunk)
        report(received, total)
    return received


def _verify(path: Path, sha256: str | None, origin: str) -> None:
    if sha256 is None:
        return
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(sha256.lower()):
        raise HashMismatchError(f"{origin}: expected a SHA-256 that begins with {sha256}, got {digest}")


def _checked(path: Path, sha256: str | None) -> Path:
    try:
        _verify(path, sha256, str(path))
    except HashMismatchError as error:
        raise HashMismatchError(f"{error}; delete the file to fetch it again") from None
    return path
