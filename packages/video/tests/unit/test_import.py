import subprocess
import sys


def _run(code):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_importing_the_package_alone_imports_nothing_heavy():
    heavy = ["torch", "numpy", "av", "vision_io", "vision_core", "video.models"]
    assert _run(f"import sys, video; print([m for m in {heavy} if m in sys.modules])").strip() == "[]"


def test_the_parts_import_on_first_use_and_no_sibling_with_them():
    siblings = ["av", "vision_io", "vision_core", "vision_models", "accel_mobile"]
    code = (
        "import sys, video; video.models, video.data, video.transforms, video.layers, video.losses; "
        f"print([m for m in {siblings} if m in sys.modules], 'data' in dir(video))"
    )
    assert _run(code).strip() == "[] True"
