"""Attacks are made by the modules beside this file; each is given to a decoder under bounds on time and memory."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib.util
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from vision_io import BatchDecodeError, DecodeError, LimitError
from vision_io._native import kernels

HERE = Path(__file__).parent
HANGS_AFTER = 120  # seconds of one attack: the process then ends with a traceback
MOST_SECONDS = 10  # that one attack keeps processors busy: the machine may do other things as well
MOST_BYTES = 400 << 20


def _generator(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"vision_io_attacks_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def generator() -> Callable[[str], ModuleType]:
    """A module of this folder: ``generator("hostile_containers").mp4()``."""
    return _generator


@pytest.fixture(scope="session")
def attacks() -> Callable[..., list[Any]]:
    """The attacks of a generator: ``attacks("hostile_images")``."""
    return lambda name, group="attacks": list(getattr(_generator(name), group)())


class Probe:
    """Calls a decoder with hostile data and holds it to its promises."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        # the sanitizers' own memory counts as the process's
        self.measures = Path("/proc/self/clear_refs").exists() and not _sanitized()

    def __call__(self, name: str, expected: str, call: Callable[[], Any], allowed: tuple[type, ...] = ()) -> Any:
        """Run one attack.

        Args:
            name: How messages call it.
            expected: ``"limit"``, ``"damaged"``, ``"any"`` or ``"fine"``.
            call: The decoder, given the attack.
            allowed: Further errors that the decoder's documentation names.
        """
        result, error = None, None
        faulthandler.dump_traceback_later(HANGS_AFTER, exit=True, file=sys.__stderr__)
        before, start = self._reset(), time.process_time()
        try:
            result = call()
        except BatchDecodeError as caught:
            error = next(iter(caught.failures.values()))
        except DecodeError as caught:
            error = caught
        except allowed as caught:
            error = caught
            expected = "any"
        except Exception as caught:
            self.failures.append(f"{name}: {type(caught).__name__}: {caught}")
            return None
        seconds, grown = time.process_time() - start, self._peak() - before
        if seconds > MOST_SECONDS:
            self.failures.append(f"{name}: took {seconds:.1f} s")
        if grown > MOST_BYTES:
            self.failures.append(f"{name}: took {grown >> 20} MiB")
        if expected == "limit" and not isinstance(error, LimitError):
            self.failures.append(f"{name}: expected a LimitError, got {error!r} {getattr(result, 'shape', '')}")
        if expected == "damaged" and error is None:
            self.failures.append(f"{name}: expected a DecodeError, got {getattr(result, 'shape', result)}")
        if expected == "fine" and error is not None:
            self.failures.append(f"{name}: {error!r}")
        if error is not None and not str(error):
            self.failures.append(f"{name}: the error has no text")
        return result

    def verdict(self) -> None:
        """Fail with all that went wrong."""
        assert not self.failures, "\n".join([f"{len(self.failures)} attacks:", *self.failures[:40]])

    def _reset(self) -> int:
        if not self.measures:
            return 0
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        return _status("VmRSS")

    def _peak(self) -> int:
        return _status("VmHWM") if self.measures else 0


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) << 10
    return 0


def _sanitized() -> bool:
    return any("asan" in line for line in Path("/proc/self/maps").read_text().splitlines())


@pytest.fixture
def probe() -> Iterator[Probe]:
    """Runs attacks; complains at the end of the test about all of them at once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runner = Probe()
        yield runner
    faulthandler.cancel_dump_traceback_later()


native_or_not = ["native", "pillow"] if kernels is not None else ["pillow"]


@pytest.fixture(params=native_or_not)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs the test with each of the image backends."""
    from vision_io import get_image_backend, set_image_backend

    before = get_image_backend()
    set_image_backend(request.param)
    yield request.param
    set_image_backend(before)
