"""A purpose → a folder in the temporary folder, for its owner alone. What dead processes of this user left there goes.

While a folder is used, the kernel holds a lock on it, that ends with the last process that has it, however that ends. So
nothing is removed by its age or a number of a process, which another machine or container counts for itself.
Blind to folders of socml before 0.3, `socml-…`, that nothing locks, and to a temporary folder on a file system without locks.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
import weakref
from contextlib import suppress
from functools import cache

_NAME = re.compile(r"socml\.[a-z]+\.[a-z0-9_]{8}")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class ScratchFolder(tempfile.TemporaryDirectory[str]):
    """A temporary folder that goes with its object or its `with`, and after a kill with the next one that its user makes.

    Parameters
    ----------
    purpose : a word of small letters, part of its name
    """

    def __init__(self, purpose: str) -> None:
        clear_dead(tempfile.gettempdir())
        while True:
            super().__init__(prefix=f"socml.{purpose}.")
            lock = _locked(self.name)
            if lock is not None:
                break
            self.cleanup()  # another process took it for a dead one's, before it was locked
        weakref.finalize(self, os.close, lock)


def _locked(folder: str) -> int | None:
    """Return a descriptor that holds the lock of a folder that was just made; None if it is gone meanwhile."""
    try:
        lock = os.open(folder, _FOLDER)
    except FileNotFoundError:
        return None
    with suppress(OSError):  # a file system without locks: nobody else can lock it either
        fcntl.flock(lock, fcntl.LOCK_SH)
    if os.path.isdir(folder):  # no other takes its name: it is by lot
        return lock
    os.close(lock)
    return None


@cache
def clear_dead(temporary: str) -> int:
    """Remove from a temporary folder what this user's dead processes left, and return how many folders; once a process."""
    gone = 0
    with suppress(OSError):  # it may not be listed
        shared = os.open(temporary, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            gone = sum(_removed(name, shared) for name in os.listdir(shared) if _NAME.fullmatch(name))
        finally:
            os.close(shared)
    return gone


def _removed(name: str, shared: int) -> bool:
    try:
        folder = os.open(name, _FOLDER, dir_fd=shared)
    except OSError:  # a link, a file, another user's, or gone
        return False
    try:
        if os.fstat(folder).st_uid != os.geteuid():
            return False
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(name, ignore_errors=True, dir_fd=shared)
    except OSError:  # it is used
        return False
    finally:
        os.close(folder)
    return True
