import pytest

from video.data import LabeledVideoPaths


def test_from_csv_with_spaces_commas_and_no_labels(tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("a.mp4 3\nwith space.mp4 4\nb.mp4,5\nc.mp4, -1\n\nunlabelled.mp4\n")
    paths = LabeledVideoPaths.from_path(file)
    assert [paths[i] for i in range(len(paths))] == [
        ("a.mp4", {"label": 3}),
        ("with space.mp4", {"label": 4}),
        ("b.mp4", {"label": 5}),
        ("c.mp4", {"label": -1}),
        ("unlabelled.mp4", {"label": -1}),
    ]
    paths.path_prefix = "/videos"
    assert paths[0][0] == "/videos/a.mp4"
    assert repr(paths) == "LabeledVideoPaths(5 videos)"


def test_from_directory_numbers_classes_by_name(tmp_path):
    for name in ("bowling/2.mp4", "archery/b.AVI", "archery/a.mp4", "archery/more/c.mkv", "archery/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    paths = LabeledVideoPaths.from_path(tmp_path)
    found = [(path.removeprefix(f"{tmp_path}/"), info["label"]) for path, info in (paths[i] for i in range(len(paths)))]
    assert found == [("archery/a.mp4", 0), ("archery/b.AVI", 0), ("archery/more/c.mkv", 0), ("bowling/2.mp4", 1)]


def test_nothing_to_read_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a text file"):
        LabeledVideoPaths.from_path(tmp_path / "missing")
    with pytest.raises(ValueError, match="folder per class"):
        LabeledVideoPaths.from_path(tmp_path)
    (tmp_path / "empty.csv").touch()
    with pytest.raises(ValueError, match="one 'path label' per line"):
        LabeledVideoPaths.from_csv(tmp_path / "empty.csv")
