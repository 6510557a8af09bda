"""A function → the same, compiled by numba and kept on disk; also where nothing beside the code and at home may be written.

numba keeps what it compiled beside the module, or else in the user's cache folder (`NUMBA_CACHE_DIR` names another), and refuses
a function for which it finds neither: in a container with a read-only root, in a unit of systemd that protects both. There the
process has a folder of its own, with copies of what was compiled beside the modules when socml was installed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba import config

from socml.project.scratch import ScratchFolder

__all__ = ["njit"]

Function = TypeVar("Function", bound=Callable[..., Any])

_own_folder: list[ScratchFolder] = []  # empty, unless numba found no place


def njit(**options: Any) -> Callable[[Function], Function]:
    """Return `numba.njit` with these options, which finds a place for what it compiles also where numba finds none.

    Examples
    --------
    >>> @njit(nogil=True)
    ... def twice(x: int) -> int:
    ...     return 2 * x
    >>> twice(4)
    8
    """

    def decorate(function: Function) -> Function:
        try:
            kernel = numba.njit(**options)(function)
        except RuntimeError:  # nowhere to keep it
            kernel = _in_own_folder(function, options)
        if _own_folder and kernel.stats.cache_path is not None:
            _copy_compiled(Path(function.__code__.co_filename).parent / "__pycache__", Path(kernel.stats.cache_path))
        return kernel  # type: ignore[no-any-return]

    return decorate


def _in_own_folder(function: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Return the kernel, kept in a folder of this process; where that is no help either, all stays as it was."""
    folder, before = ScratchFolder("compiled"), config.CACHE_DIR  # type: ignore[attr-defined]
    config.CACHE_DIR = folder.name  # type: ignore[attr-defined]
    try:
        kernel = numba.njit(**options)(function)
    except RuntimeError:
        config.CACHE_DIR = before  # type: ignore[attr-defined]
        raise
    _own_folder.append(folder)
    return kernel


@cache
def _copy_compiled(source: Path, target: Path) -> None:
    """Copy an index of numba's and its code for every function of a folder of modules; once a process.

    What cannot be read, or is gone meanwhile, is compiled again.
    """
    for path in source.glob("*.nb[ic]"):
        with suppress(OSError):
            shutil.copy2(path, target)
