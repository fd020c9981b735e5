"""What the tools know of the repository, and how they end."""

import pytest
import workspace
from workspace import ToolError


def test_this_repository():
    packages = workspace.load().packages
    assert next(iter(packages)) == workspace.CONTRACT
    assert {name for name, package in packages.items() if package.native} == {
        "accel-mobile",
        "vision-core",
        "vision-io",
    }
    assert all(package.version.count(".") == 2 for package in packages.values())


def test_needed_follows_extras_across_siblings(repository):
    repository.package("vision-contract")
    repository.package("vision-io", dependencies='"vision-contract>=1"', extras='video = ["av"]')
    repository.package("video", dependencies='"vision-contract>=1"', extras='io = ["vision-io[video]>=0.1"]')
    loaded = workspace.load(repository.root)
    video = loaded.packages["video"]
    assert {package.name for package in loaded.needed(video)} == {"video", "vision-contract"}
    assert {package.name for package in loaded.needed(video, ["io"])} == {"video", "vision-contract", "vision-io"}


def test_selection_and_its_error(repository):
    repository.package("lens")
    loaded = workspace.load(repository.root)
    assert [package.name for package in loaded.select([])] == ["lens"]
    with pytest.raises(ToolError, match="no package glass here; there are lens"):
        loaded.select(["glass"])


def test_folder_and_distribution_must_agree(repository):
    folder = repository.package("lens")
    folder.rename(folder.with_name("glass"))
    with pytest.raises(ToolError, match="one name"):
        workspace.load(repository.root)


def test_a_version_that_cannot_be_read_is_an_error(repository):
    folder = repository.package("lens", files={"src/lens/__about__.py": "version = 1\n"})
    with pytest.raises(ToolError, match="__version__"):
        _ = workspace.load(repository.root).packages["lens"].version
    assert folder.exists()


def test_a_failed_program_shows_its_last_lines():
    with pytest.raises(ToolError, match=r"the step failed \(exit code 3\)(.|\n)*the reason"):
        workspace.run(["bash", "-c", "echo the reason >&2; exit 3"], what="the step")
    with pytest.raises(ToolError, match="no-such-program is not installed"):
        workspace.run(["no-such-program"], what="the step")
    with pytest.raises(ToolError, match="not done after"):
        workspace.run(["sleep", "5"], what="the step", timeout=0.1)
    assert workspace.run(["echo", "fine"], what="the step") == "fine\n"


def test_real_files_are_found_through_the_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("VISION_SHARED", str(tmp_path))
    assert workspace.shared() == tmp_path
    monkeypatch.setenv("VISION_SHARED", str(tmp_path / "absent"))
    assert workspace.shared() is None
    monkeypatch.delenv("VISION_SHARED")
    (tmp_path / "shared").mkdir()
    assert workspace.shared(tmp_path / "repository") == tmp_path / "shared"
