"""Paths, folders and patterns → the files that they mean, and what among it is no file that can be read."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from socml.project import ConfigurationError, DataError

__all__ = ["Found", "find_files"]

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


_FOREIGN = "is or lies behind a link that somebody else made to what is not theirs; name it itself to read it"
_WILD = "*?["


@dataclass
class Found:
    """`files` with whether each was named itself; `odd`: what is passed over, and why; `linked`: folders not looked into."""

    files: dict[Path, bool] = field(default_factory=dict)
    odd: dict[Path, str] = field(default_factory=dict)
    linked: list[Path] = field(default_factory=list)
    folders: set[Path] = field(default_factory=set)  # where those lead that were looked into

    def warnings(self, shown: Callable[[Path], str]) -> list[str]:
        """Return what a person should know of the folders that were not looked into, paths as `shown` writes them."""
        real = {path: _real(path) for path in self.linked}
        linked = [path for path, to in real.items() if self.folders.isdisjoint((to, *to.parents))]
        if not linked:
            return []
        others = len(linked) - 1
        more = f", and so {'does' if others == 1 else 'do'} {others:,} more" if others else ""
        first = shown(linked[0])
        return [f"Not looked into: {first} leads to a folder elsewhere{more}. Name such a folder itself to read it."]


def find_files(paths: Sequence[str | Path], *, base: Path) -> Found:
    """Return the files that `paths` mean.

    A folder means all files in it, at any depth; a pattern what it matches. Hidden files are left out, and so are links
    to files that are found themselves. Nothing but a regular file is ever opened; a link that was not named itself is
    followed if root, this user or the owner of the file made it: who can write into a folder of logs does not choose what is read.

    Parameters
    ----------
    base : what relative paths are relative to

    Raises
    ------
    DataError
        If not one of the paths means anything.
    ConfigurationError
        If one is empty: a variable that was not set, and not this folder.
    """
    if "" in paths:
        raise ConfigurationError("A path is empty; write . for this folder.")
    found = Found()
    for given in paths:
        path = base / Path(given).expanduser()
        before = len(found.files) + len(found.odd)
        if _is_pattern(path):
            anchor = Path(path.anchor)
            for match in sorted(anchor.glob(str(path.relative_to(anchor)))):
                if not match.name.startswith("."):
                    if _leads_elsewhere(match, path):
                        found.odd[match] = _FOREIGN
                    else:
                        _add(found, match, named=False)
        else:
            _add(found, path, named=True)
        if len(found.files) + len(found.odd) == before and path not in found.files and path not in found.odd:
            found.odd[path] = "holds no files" if path.is_dir() else "does not exist"
    if not found.files and found.odd:
        path, why = next(iter(found.odd.items()))
        raise DataError(f"{os.fsencode(path).decode('utf-8', 'backslashreplace')} {why}.")
    return found


def _is_pattern(path: Path) -> bool:
    return any(c in str(path) for c in _WILD) and not os.path.lexists(path)


def _add(found: Found, path: Path, *, named: bool) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        found.odd[path] = "is a link to nothing" if path.is_symlink() else "does not exist"
        return
    except OSError as error:
        found.odd[path] = f"cannot be read: {error.strerror}"
        return
    if stat.S_ISREG(mode):
        found.files[path] = named or found.files.get(path, False)
    elif stat.S_ISDIR(mode):
        for inside in _inside(path, found):
            found.files.setdefault(inside, False)
    else:
        found.odd[path] = _no_file(mode)


def _inside(folder: Path, found: Found) -> list[Path]:
    """Return the regular files below a folder, sorted. Links to folders are not followed."""
    links: list[Path] = []
    files: set[Path] = set()
    found.folders.add(_real(folder))

    def unreadable(error: OSError) -> None:
        found.odd[Path(error.filename)] = f"cannot be read: {error.strerror}"

    for place, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = _real(Path(place))
        above = {here, *here.parents}
        links_here = {path: _real(path) for name in folders if (path := Path(place, name)).is_symlink()}
        loops = [path for path, real in links_here.items() if real in above]
        found.odd |= dict.fromkeys(loops, "is a link to a folder above it: a loop")
        found.linked += [path for path, real in links_here.items() if real not in above]
        for name in (name for name in names if not name.startswith(".")):
            path = Path(place, name)
            try:
                mode = path.lstat().st_mode
            except OSError as error:  # it went away since the folder was listed
                found.odd[path] = f"cannot be read: {error.strerror}"
                continue
            if stat.S_ISLNK(mode):
                links.append(path)
            elif stat.S_ISREG(mode):
                files.add(path)
            else:
                found.odd[path] = _no_file(mode)
    return sorted(files | _linked(links, files, found))


def _linked(links: list[Path], files: set[Path], found: Found) -> set[Path]:
    """Return the links to files that are not found otherwise."""
    targets = {_real(path) for path in files} if links else set()
    more: set[Path] = set()
    for link in links:
        target = _real(link)
        try:
            mode = link.stat().st_mode
        except OSError as error:
            is_gone = isinstance(error, FileNotFoundError)
            found.odd[link] = "is a link to nothing" if is_gone else f"cannot be read: {error.strerror}"
            continue
        if not stat.S_ISREG(mode):
            found.odd[link] = _no_file(mode)
        elif target in targets:
            continue
        elif _is_foreign(link):
            found.odd[link] = _FOREIGN
        else:
            more.add(link)
            targets.add(target)
    return more


def _leads_elsewhere(match: Path, pattern: Path) -> bool:
    """Say whether what a pattern matches is, or lies behind, a link that somebody else made: of it the pattern names nothing."""
    named = next(at for at, part in enumerate(pattern.parts) if any(c in part for c in _WILD))
    return any(_is_foreign(Path(*match.parts[:end])) for end in range(named + 1, len(match.parts) + 1))


def _is_foreign(path: Path) -> bool:
    """Say whether a path is a link that neither root, nor this user, nor the owner of what it leads to made."""
    if not hasattr(os, "geteuid"):
        return False
    try:
        while path.is_symlink():
            if path.lstat().st_uid not in {0, os.geteuid(), path.stat().st_uid}:
                return True
            path = path.parent / path.readlink()
    except OSError:  # it leads nowhere, or in a circle
        return False
    return False


def _real(path: Path) -> Path:
    """Return where a path leads, also for links that lead in a circle, of which `Path.resolve` makes an error."""
    return Path(os.path.realpath(path))


def _no_file(mode: int) -> str:
    return f"is {_KINDS.get(stat.S_IFMT(mode), 'something else')}, not a file"
