"""Messages → files of whole lines in the workspace, of bounded size, which are ingested and then removed.

A message is on disk before it counts as received; what a killed process left is ingested by the next one.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

from socml.project import TryLater, private_folder

__all__ = ["Spool"]

FILE_BYTES = 16 << 20
_ENDING = ".log"
_OPEN = ".part"


class Spool:
    """The files of one listener. `write` and `finished` may be called from different threads.

    A file that is written to ends in `.part`, and in `.log` when it is full or handed over.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        private_folder(folder)
        self._lock = threading.Lock()
        self._file: int | None = None
        self._path = folder
        self._size = self._number = 0
        self._guard = -1

    def __enter__(self) -> Spool:
        """Keep other listeners from the folder. Raises TryLater if one has it."""
        self._guard = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._guard)
            raise TryLater(f"Another listener writes to {self.folder}. Stop it first.") from None
        self._take_over()
        return self

    def __exit__(self, *how: object) -> None:
        """Let others have it."""
        with self._lock:
            self._end()
        os.close(self._guard)

    def write(self, lines: list[bytes]) -> None:
        """Append whole lines, in one go, so that neither a killed process nor a full disk leaves half of one."""
        data = b"".join(line + b"\n" for line in lines)
        with self._lock:
            if self._file is None:
                self._begin()
            try:
                written = 0
                while written < len(data):
                    written += os.write(self._file or 0, data[written:])
            except OSError:
                os.ftruncate(self._file or 0, self._size)  # what is written next would go on in that line
                raise
            self._size += len(data)
            if self._size >= FILE_BYTES:
                self._end()

    def finished(self) -> list[Path]:
        """End the file that is written to, and return all that are to be ingested, the oldest first."""
        with self._lock:
            self._end()
        return sorted(self.folder.glob(f"*{_ENDING}"))

    def _take_over(self) -> None:
        for left in sorted(self.folder.glob(f"*{_OPEN}")):  # of a process that was killed
            left.rename(left.with_suffix(_ENDING))
        numbers = (int(p.stem) for p in self.folder.glob(f"*{_ENDING}") if p.stem.isdigit())
        self._number = max([*numbers, int(os.pread(self._guard, 20, 0) or 0)])  # a name is never used twice

    def _begin(self) -> None:
        self._number += 1
        os.pwrite(self._guard, b"%020d" % self._number, 0)
        self._path = self.folder / f"{self._number:010}{_OPEN}"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = 0

    def _end(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._path.rename(self._path.with_suffix(_ENDING))
            self._file = None
