"""Lists of videos with labels, from a text file or a folder per class."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["LabeledVideoPaths"]

_LINE = re.compile(r"^(?P<path>.*?)(?:\s*,\s*|\s+)(?P<label>-?\d+)\s*$")
_EXTENSIONS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")


class LabeledVideoPaths:
    """A sequence of ``(path, {"label": label})``.

    Args:
        paths_and_labels: Path and class of each video; ``-1`` or ``None`` where it is not known.
        path_prefix: Folder (or address) put before every path.

    Examples:
        >>> LabeledVideoPaths([("a.mp4", 3)], path_prefix="/videos")[0]
        ('/videos/a.mp4', {'label': 3})
    """

    def __init__(self, paths_and_labels: Sequence[tuple[str, int | None]], path_prefix: str = "") -> None:
        self._paths_and_labels = list(paths_and_labels)
        self.path_prefix = path_prefix

    @classmethod
    def from_path(cls, data_path: str | os.PathLike[str]) -> "LabeledVideoPaths":
        """Read a text file (:meth:`from_csv`) or a folder (:meth:`from_directory`).

        Raises:
            FileNotFoundError: When there is neither.
        """
        path = Path(data_path)
        if path.is_dir():
            return cls.from_directory(path)
        if path.is_file():
            return cls.from_csv(path)
        raise FileNotFoundError(
            f"{path}: expected a text file of paths and labels, or a folder with a folder per class"
        )

    @classmethod
    def from_csv(cls, file_path: str | os.PathLike[str]) -> "LabeledVideoPaths":
        """Read a text file with one ``path label`` or ``path,label`` per line.

        A line without a label (a test split) gets label -1. Paths may contain spaces.

        Raises:
            ValueError: When the file names no video.
        """
        found: list[tuple[str, int | None]] = []
        for line in Path(file_path).read_text(encoding="utf-8").splitlines():
            if not line.strip():
                continue
            match = _LINE.match(line)
            found.append((match["path"].strip(), int(match["label"])) if match else (line.strip(), -1))
        if not found:
            raise ValueError(f"{file_path}: expected one 'path label' per line, found no line")
        return cls(found)

    @classmethod
    def from_directory(cls, dir_path: str | os.PathLike[str]) -> "LabeledVideoPaths":
        """Read a folder with one folder of videos per class; classes are numbered in the order of their names.

        ::

            dir_path/archery/1.mp4      label 0
            dir_path/archery/more/2.avi label 0
            dir_path/bowling/3.mp4      label 1

        Raises:
            ValueError: When there is no folder, or no video in them.
        """
        root = Path(dir_path)
        classes = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
        found: list[tuple[str, int | None]] = [
            (str(path), label)
            for label, name in enumerate(classes)
            for path in sorted((root / name).rglob("*"))
            if path.suffix.lower() in _EXTENSIONS and path.is_file()
        ]
        if not found:
            raise ValueError(f"{root}: expected a folder per class with videos ({', '.join(_EXTENSIONS)}), found none")
        return cls(found)

    def __getitem__(self, index: int) -> tuple[str, dict[str, Any]]:
        path, label = self._paths_and_labels[index]
        return os.path.join(self.path_prefix, path), {"label": label}  # noqa: PTH118 -- a prefix may be an address

    def __len__(self) -> int:
        return len(self._paths_and_labels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} videos)"
