"""One night of a dataset at a time. The lock is the kernel's: it ends with its process, however that ends.

The file says who holds it, until that night is done: what it says and nobody holds is a night that was not finished.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from socml.project import SocmlError, TryLater, private_file, private_folder

_NAME = "lock"
_TRIES, _PAUSE_S = 5, 0.1  # `unfinished_night` holds the lock for a moment


@contextmanager
def night_lock(folder: Path, dataset: str) -> Iterator[None]:
    """Hold the lock of a dataset's nights for one of them. What a killed one left in the file is written over.

    Raises
    ------
    TryLater
        As `no_night` does.
    """
    with no_night(folder, dataset) as file:
        begun = {"process": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
        _write(file, json.dumps(begun))
        try:
            yield
        except SocmlError as error:
            with suppress(OSError):  # the disk is full
                _write(file, json.dumps({**begun, "why": str(error)}))
            raise
        _write(file, "")


@contextmanager
def no_night(folder: Path, dataset: str) -> Iterator[IO[str]]:
    """Let no night of a dataset begin meanwhile; yield the file of the lock.

    Raises
    ------
    TryLater
        If a night of the dataset is running; names its process.
    """
    with private_file(private_folder(folder) / _NAME).open("r+") as file:
        if not _locked(file, fcntl.LOCK_EX):
            raise TryLater(f"Another night of {dataset!r} is running{_holder(file.read())}. Try again when it is done.")
        yield file


def unfinished_night(folder: Path) -> str:
    """Return that a night was begun and not finished, and why, in words; empty if all is well or one is running."""
    try:
        file = (folder / _NAME).open("r+")
    except FileNotFoundError:
        return ""
    with file:
        if not _locked(file, fcntl.LOCK_SH):
            return ""
        text = file.read()
    if not text:
        return ""
    return f"a night{_holder(text)} was not finished{_reason(text)} Run it again: it goes on from there"


def _locked(file: IO[str], how: int) -> bool:
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        else:
            return True
    return False


def _write(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


def _holder(text: str) -> str:
    try:
        content = json.loads(text)
        return f" (process {int(content['process'])}, since {content['since']})"
    except (ValueError, KeyError, TypeError):
        return ""


def _reason(text: str) -> str:
    try:
        why = json.loads(text).get("why")
    except (ValueError, AttributeError):
        why = ""
    return f": {why}" if why else ": it was killed, or the machine stopped."
