"""One night of a dataset at a time. The lock is the kernel's: it ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from socml.project import TryLater, private_file, private_folder

__all__ = ["night_lock"]


@contextmanager
def night_lock(folder: Path, dataset: str) -> Iterator[None]:
    """Hold the lock of a dataset's nights. What a killed one left in the file is written over.

    Raises
    ------
    TryLater
        If another night of the dataset is running; names its process.
    """
    with private_file(private_folder(folder) / "lock").open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TryLater(
                f"Another night of {dataset!r} is running{_holder(file.read())}. Try again when it is done."
            ) from None
        file.seek(0)
        file.truncate()
        since = datetime.now(UTC).isoformat(timespec="seconds")
        file.write(json.dumps({"process": os.getpid(), "since": since}))
        file.flush()
        yield


def _holder(text: str) -> str:
    try:
        content = json.loads(text)
        return f" (process {int(content['process'])}, since {content['since']})"
    except (ValueError, KeyError, TypeError):
        return ""
