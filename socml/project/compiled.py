"""A function → the same, compiled by numba and kept on disk; also where nothing beside the code and at home may be written.

numba keeps what it compiled beside the module, or else in the user's cache folder (`NUMBA_CACHE_DIR` names another), and refuses
a function for which it finds neither: in a container with a read-only root, in a unit of systemd that protects both. There the
process has a folder of its own, with copies of what was compiled beside the modules when socml was installed.
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, TypeVar, cast

import numba
from numba import config

from socml.project.scratch import ScratchFolder

__all__ = ["njit"]

Function = TypeVar("Function", bound=Callable[..., object])

_settings = vars(config)  # of numba, which makes their names at run time
_own_folder: list[ScratchFolder] = []  # empty, unless numba found no place


def njit(
    *,
    cache: bool = False,
    nogil: bool = False,
    boundscheck: bool | None = None,
    inline: Literal["never", "always"] = "never",
) -> Callable[[Function], Function]:
    """Return `numba.njit` with these options, which finds a place for what it compiles also where numba finds none.

    Examples
    --------
    >>> @njit(nogil=True)
    ... def twice(x: int) -> int:
    ...     return 2 * x
    >>> twice(4)
    8
    """
    compiled = numba.njit(cache=cache, nogil=nogil, boundscheck=boundscheck, inline=inline)

    def decorate(function: Function) -> Function:
        try:
            kernel = compiled(function)
        except RuntimeError:  # nowhere to keep it
            with _own_place():
                kernel = compiled(function)
        if _own_folder and (place := kernel.stats.cache_path):
            _copy_compiled(Path(function.__code__.co_filename).parent / "__pycache__", Path(place))
        return cast("Function", kernel)

    return decorate


@contextmanager
def _own_place() -> Iterator[None]:
    """Keep what is compiled from now on in a folder of this process; where that is no help either, all stays as it was."""
    folder, before = ScratchFolder("compiled"), _settings["CACHE_DIR"]
    _settings["CACHE_DIR"] = folder.name
    try:
        yield
    except RuntimeError:
        _settings["CACHE_DIR"] = before
        raise
    _own_folder.append(folder)


@functools.cache
def _copy_compiled(source: Path, target: Path) -> None:
    """Copy an index of numba's and its code for every function of a folder of modules; once a process.

    What cannot be read, or is gone meanwhile, is compiled again.
    """
    for path in source.glob("*.nb[ic]"):
        with suppress(OSError):
            shutil.copy2(path, target)
