"""A release is refused before anything is written, or done whole; nothing is pushed."""

import shutil
from pathlib import Path

import pytest
import release
from api_diff import ApiDiff
from workspace import ToolError

TEMPLATE = Path(__file__).resolve().parents[1] / "release" / "changelog.md.jinja"
OPS = "__all__ = ['f']\ndef f(a): ...\n"


@pytest.fixture
def lens(repository, tool):
    """A package with one public function and one fragment, committed, and the program to release it."""
    folder = repository.package("lens", files={"src/lens/ops.py": OPS, "changes/f.added.md": "The function `f`.\n"})
    target = repository.root / "tools" / "release" / TEMPLATE.name
    target.parent.mkdir(parents=True)
    shutil.copy(TEMPLATE, target)
    assert tool("check_api", "--update", root=repository.root).returncode == 0
    repository.commit()

    def run(*arguments):
        return tool("release", "lens", "--date", "2026-01-02", *arguments, root=repository.root)

    return repository, folder, run


def change(repository, folder, tool, text, fragment="g.added.md"):
    repository.write(folder / "src/lens/ops.py", text)
    repository.write(folder / "changes" / fragment, "Something else.\n")
    assert tool("check_api", "--update", root=repository.root).returncode == 0
    repository.commit()


def test_the_first_release_takes_the_version_of_the_tree(lens):
    repository, folder, run = lens
    refused = run("minor")
    assert refused.returncode == 2
    assert "no release yet" in refused.stderr
    done = run("first")
    assert done.returncode == 0, done.stderr
    assert repository.git("tag").split() == ["lens-v0.1.0"]
    assert repository.git("status", "--porcelain") == ""
    assert (folder / "CHANGELOG.md").read_text().split("start -->\n")[1].strip() == (
        "## 0.1.0 (2026-01-02)\n\n### Added\n\n- The function `f`."
    )
    assert not (folder / "changes/f.added.md").exists()


def test_a_dry_run_writes_nothing(lens):
    repository, _, run = lens
    done = run("first", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "The function `f`." in done.stdout
    assert repository.git("tag") == ""
    assert repository.git("status", "--porcelain") == ""


def test_an_addition_may_be_a_patch_before_one_point_zero(lens, tool):
    repository, folder, run = lens
    assert run("first").returncode == 0
    change(repository, folder, tool, "__all__ = ['f', 'g']\ndef f(a): ...\ndef g(): ...\n")
    done = run("patch")
    assert done.returncode == 0, done.stderr
    assert "+ adds lens.ops.g()" in done.stdout
    assert '__version__ = "0.1.1"' in (folder / "src/lens/__about__.py").read_text()
    assert repository.git("tag").split() == ["lens-v0.1.0", "lens-v0.1.1"]
    assert repository.git("log", "-1", "--format=%s").strip() == "Release lens 0.1.1"
    text = (folder / "CHANGELOG.md").read_text()
    assert text.index("## 0.1.1") < text.index("## 0.1.0")


def test_a_break_cannot_be_a_patch(lens, tool):
    repository, folder, run = lens
    assert run("first").returncode == 0
    change(repository, folder, tool, "__all__ = ['f']\ndef f(a, b): ...\n", "f.breaking.md")
    refused = run("patch")
    assert refused.returncode == 2
    assert "at least minor is needed" in refused.stderr
    assert "new required parameter b" in refused.stderr
    assert repository.git("tag").split() == ["lens-v0.1.0"]
    assert run("minor").returncode == 0


def test_a_dirty_tree_is_refused(lens):
    repository, folder, run = lens
    repository.write(folder / "src/lens/more.py", "__all__ = []\n")
    refused = run("first")
    assert refused.returncode == 2
    assert "uncommitted" in refused.stderr


def test_a_surface_that_was_not_recorded_is_refused(lens):
    repository, folder, run = lens
    repository.write(folder / "src/lens/ops.py", "__all__ = ['f', 'g']\ndef f(a): ...\ndef g(): ...\n")
    repository.commit()
    refused = run("first")
    assert refused.returncode == 2
    assert "recorded public names" in refused.stderr


def test_a_release_that_says_nothing_is_refused(lens):
    _, _, run = lens
    assert run("first").returncode == 0
    refused = run("patch")
    assert refused.returncode == 2
    assert "no fragment" in refused.stderr


def test_a_version_that_was_set_by_hand_is_refused(lens):
    repository, folder, run = lens
    assert run("first").returncode == 0
    repository.write(folder / "src/lens/__about__.py", '__version__ = "0.9.0"\n')
    repository.write(folder / "changes/f.fixed.md", "A fix.\n")
    repository.commit()
    refused = run("patch")
    assert refused.returncode == 2
    assert "versions are set here only" in refused.stderr


@pytest.mark.parametrize(
    ("version", "diff", "needed"),
    [
        ("0.4.2", ApiDiff(breaks=["x"]), "minor"),
        ("0.4.2", ApiDiff(additions=["x"]), "patch"),
        ("0.4.2", ApiDiff(), "patch"),
        ("1.4.2", ApiDiff(breaks=["x"], additions=["y"]), "major"),
        ("1.4.2", ApiDiff(additions=["x"]), "minor"),
        ("1.4.2", ApiDiff(changes=["x"]), "patch"),
    ],
)
def test_what_a_difference_needs(version, diff, needed):
    assert release.needed_bump(version, diff) == needed
    for bump in ("patch", "minor", "major"):
        if ("patch", "minor", "major").index(bump) < ("patch", "minor", "major").index(needed):
            with pytest.raises(ToolError, match=f"at least {needed}"):
                release.refuse_small_bump(version, bump, diff)
        else:
            release.refuse_small_bump(version, bump, diff)


@pytest.mark.parametrize(("bump", "expected"), [("patch", "1.2.4"), ("minor", "1.3.0"), ("major", "2.0.0")])
def test_versions(bump, expected):
    assert release.next_version("1.2.3", bump) == expected
