"""What a timing must carry to be read later: processor, cores, system, Python and the versions of what was timed."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
import sys
from pathlib import Path

__all__ = ["describe_machine"]

# Only what was imported is reported: the versions of the libraries that took part.
_LIBRARIES = {
    "accel_mobile": "accel-mobile",
    "av": "av",
    "cv2": "opencv-python-headless",
    "decord": "decord",
    "numpy": "numpy",
    "openvino": "openvino",
    "onnxruntime": "onnxruntime",
    "PIL": "pillow",
    "pytorchvideo": "pytorchvideo",
    "simplejpeg": "simplejpeg",
    "torch": "torch",
    "torchcodec": "torchcodec",
    "torchvision": "torchvision",
    "video": "video",
    "vision_contract": "vision-contract",
    "vision_core": "vision-core",
    "vision_io": "vision-io",
    "vision_models": "vision-models",
}


def describe_machine() -> dict[str, object]:
    """Facts about this machine and this process, for the head of a result file.

    Returns:
        Processor name, usable cores, load, kernel, Python, date (UTC, to the minute), and the versions of the
        libraries that are loaded.

    Example:
        >>> describe_machine()["cores"] >= 1
        True
    """
    return {
        "processor": _processor_name(),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%MZ"),
        "isa_forced": os.environ.get("VISION_ISA"),
        "versions": _loaded_versions(),
    }


def _processor_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or "unknown"


def _loaded_versions() -> dict[str, str]:
    versions = {}
    for module, distribution in _LIBRARIES.items():
        if module in sys.modules:
            try:
                versions[distribution] = importlib.metadata.version(distribution)
            except importlib.metadata.PackageNotFoundError:
                versions[distribution] = str(getattr(sys.modules[module], "__version__", "unknown"))
    return versions
