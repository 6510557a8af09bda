"""A path → a folder or a file that only its owner can read, whatever the umask says.

Labels, logs and what is made of them are nobody else's business; who wants to share them says so with `chmod`
afterwards, and what exists keeps the rights it has.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600


def private_folder(path: Path) -> Path:
    """Make a folder, and those above it that are not there, and return it."""
    absent = []
    folder = path
    while not folder.is_dir():
        absent.append(folder)
        folder = folder.parent
    for folder in reversed(absent):
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    return path


def private_file(path: Path) -> Path:
    """Make an empty file if there is none, and return its path; whoever opens it next keeps its rights."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
    return path


def make_private(folder: Path) -> None:
    """Take everybody else's rights from a folder and all that is in it: what a library wrote without asking."""
    folder.chmod(FOLDER_MODE)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
