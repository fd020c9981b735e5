"""The proof fails for each way in which a wheel is not enough by itself."""

import os
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import alone_checks as checks
import alone_env
import prove_alone
import pytest
import workspace
from alone_env import Environment
from workspace import ToolError


def linked_environment(folder: Path, *seen: Path) -> Environment:
    """A new environment that sees the running one's packages (pytest) and the given folders: no network is needed."""
    venv.create(folder, with_pip=False, symlinks=True)
    site = next((folder / "lib").glob("python*/site-packages"))
    site.joinpath("linked.pth").write_text("\n".join([*map(str, seen), sysconfig.get_path("purelib")]))
    return Environment(folder, folder / "constraints.txt", folder)


@pytest.fixture
def lens(repository, tmp_path):
    """A function that makes the package ``lens`` with some files, and an environment that sees it."""

    def make(files=None, **options):
        folder = repository.package("lens", files=files, **options)
        package = workspace.load(repository.root).packages["lens"]
        return package, linked_environment(tmp_path / "env", folder / "src")

    return make


def test_a_clean_import_passes(lens):
    package, environment = lens()
    assert checks.imports_without_warning(package, environment) == "version 0.1.0"
    assert "ms" in checks.import_budget(package, environment, after_torch=False, goal=1e5, limit=1e6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import warnings\nwarnings.warn('old', DeprecationWarning)\n__version__ = '0.1.0'", "DeprecationWarning: old"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("__version__ = '9.9.9'", "__version__ is 9.9.9, the tree's is 0.1.0"),
    ],
)
def test_an_import_that_warns_fails_or_lies(lens, text, message):
    package, environment = lens({"src/lens/__init__.py": text})
    with pytest.raises(ToolError, match=message):
        checks.imports_without_warning(package, environment)


def test_heavy_modules_and_slow_imports_are_found(lens, repository):
    package, environment = lens({"src/lens/__init__.py": "import matplotlib", "src/matplotlib.py": ""})
    with pytest.raises(ToolError, match="import lens loads matplotlib"):
        checks.import_budget(package, environment, after_torch=False, goal=1e5, limit=1e6)
    repository.write(package.source / "__init__.py", "import time\ntime.sleep(0.05)\n")
    with pytest.raises(ToolError, match="the limit is 40 ms"):
        checks.import_budget(package, environment, after_torch=False, goal=10, limit=40)
    assert "over the goal" in checks.import_budget(package, environment, after_torch=False, goal=10, limit=1e6)


def test_a_wheel_without_type_marker(tmp_path, lens):
    package, _ = lens()
    wheel = tmp_path / "lens-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("lens/__init__.py", "")
    with pytest.raises(ToolError, match=r"has no lens/py\.typed"):
        checks.is_typed(wheel, package)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("lens/py.typed", "")
    assert checks.is_typed(wheel, package)


def run_tests(package, environment, root, folder, selection="not slow and not extra_io"):
    return checks.run_tests(root, environment, checks.copy_tests(root, package, folder), selection)


def test_tests_run_outside_the_tree_with_the_roots_markers(lens, repository, tmp_path):
    text = """\
    from pathlib import Path
    import pytest
    def test_where(): assert "packages" not in Path(__file__).parts
    @pytest.mark.slow
    def test_slow(): assert False
    @pytest.mark.extra_io
    def test_extra(): pass
    def test_real_files(): pytest.skip("no real files\\nhere")
    """
    package, environment = lens({"tests/unit/test_lens.py": text})
    line, skipped = run_tests(package, environment, repository.root, tmp_path / "a")
    assert line == "1 passed, 1 skipped"
    assert skipped == {"no real files": 1}
    assert run_tests(package, environment, repository.root, tmp_path / "b", "extra_io")[0] == "1 passed, 0 skipped"


def test_the_reason_of_a_module_that_is_skipped_whole(lens, repository, tmp_path):
    files = {
        "tests/test_av.py": "import pytest\npytest.importorskip('no_such_av', reason='needs av')\ndef test(): pass\n",
        "tests/test_lens.py": "def test(): pass\n",
    }
    package, environment = lens(files)
    line, skipped = run_tests(package, environment, repository.root, tmp_path)
    assert line == "1 passed, 1 skipped"
    assert skipped == {"needs av": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def test(): assert 1 == 2", "assert 1 == 2"),
        ("import pytest\ndef test(): pytest.skip('never')", "all 1 tests were skipped: never"),
        ("import pytest\n@pytest.mark.slow\ndef test(): pass", "exit code 5"),
        ("import pytest\n@pytest.mark.no_such_marker\ndef test(): pass", "no_such_marker"),
        ("import lens_sibling\ndef test(): pass", "No module named 'lens_sibling'"),
    ],
)
def test_tests_that_fail_or_show_nothing(lens, repository, tmp_path, text, message):
    package, environment = lens({"tests/test_lens.py": text})
    with pytest.raises(ToolError, match=message):
        run_tests(package, environment, repository.root, tmp_path)


def test_extras_are_run_where_a_test_carries_their_marker(repository):
    repository.package("lens", extras='io = ["prism"]\nweb-ui = ["rich"]', files={"tests/test_io.py": "# nothing\n"})
    repository.package("prism")
    loaded = workspace.load(repository.root)
    assert prove_alone.marked_extras(loaded.packages["lens"]) == {}
    repository.write(loaded.packages["lens"].tests / "test_io.py", "import pytest\npytestmark = pytest.mark.extra_io\n")
    assert prove_alone.marked_extras(loaded.packages["lens"]) == {"io": "extra_io"}
    assert prove_alone.extra_markers(loaded) == ["extra_io", "extra_web_ui"]
    assert [p.name for p in prove_alone.wheels_needed(loaded, [loaded.packages["lens"]])] == ["lens", "prism"]


def test_pytest_knows_the_markers_of_all_extras():
    """A proof deselects them all by name, and pytest refuses names that it does not know."""
    settings = tomllib.loads((workspace.ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    known = {line.partition(":")[0] for line in settings["markers"]}
    assert set(prove_alone.extra_markers(workspace.load())) <= known


def test_the_environment_does_not_leak(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    environment = alone_env.clean_environment(VISION_SHARED="/files")
    assert "PYTHONPATH" not in environment
    assert "PIP_TARGET" not in environment
    assert environment["VISION_SHARED"] == "/files"
    assert environment["PATH"] == os.environ["PATH"]


def test_copies_of_the_environment_are_independent(tmp_path):
    source, copy = tmp_path / "source", tmp_path / "copy"
    venv.create(source, with_pip=False, symlinks=True)
    alone_env._copy(source, copy)
    environment = Environment(copy, tmp_path, tmp_path)
    out = workspace.run([environment.python, "-c", "import sys; print(sys.prefix)"], what="prefix")
    assert out.strip() == str(copy)


@pytest.mark.slow
def test_the_whole_program(repository, monkeypatch, capsys):
    """Builds wheels and installs them: a good package, one that requires its sibling, one with a broken entry point."""
    test = {"tests/test_it.py": "def test(): pass\n"}
    repository.package("good", files=test)
    repository.package("leaning", dependencies='"good"', files=test)
    repository.package("broken", files=test)
    repository.package("untested")
    pyproject = repository.root / "packages/broken/pyproject.toml"
    entry = '\n[project.entry-points."vision_contract.operators"]\nnms = "broken.ops:nms"\n'
    pyproject.write_text(pyproject.read_text() + entry)
    for file in repository.root.glob("packages/*/pyproject.toml"):
        file.write_text(file.read_text().replace('test = ["pytest>=8"]', "test = []"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(
        alone_env.EnvironmentFactory,
        "make",
        lambda self, name, with_torch: Environment(
            linked_environment(self.folder / name).path, self._constraints(), self.workspace.dist
        ),
    )
    assert prove_alone.main(["--all"], repository.root) == 1
    out, err = capsys.readouterr()
    table = {line.split()[0]: line for line in out.splitlines() if not line.startswith("[") and line.strip()}
    assert table["good"].endswith("proven")
    assert "FAILED: entry points" in table["broken"]
    assert "No module named 'broken.ops'" in err
    assert "FAILED: install alone" in table["leaning"]
    assert "FAILED: tests" in table["untested"]
    assert "untested has no tests" in err
    assert "brought its sibling good" in err
    assert prove_alone.main(["good"], repository.root) == 0
