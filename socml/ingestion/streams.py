"""A path → the stream that its file belongs to, and where in the stream's rotation it stands.

`app.log`, `app.log.1`, `app.log.2.gz`, `app-20260101.log.zst` and `app.2026-01-01.log` of one folder are one stream.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from socml.project import Stream

__all__ = ["StreamName", "file_stem", "is_packed", "shown", "stream_name", "stream_place"]

_PACKED = re.compile(r"\.(?:gz|zst|zip|bz2|xz)$", re.IGNORECASE)
_NUMBER = re.compile(r"\.(\d{1,3})(?=$|\.[A-Za-z]{2,8}$)")  # app.log.1, app.1.log
_TIME = r"(?:[T._-]?\d{2}[:._-]?\d{2}(?:[:._-]?\d{2})?)"
_DATE = re.compile(rf"[._-](\d{{4}}-?\d{{2}}-?\d{{2}}(?:{_TIME}|[T._-]\d{{1,2}})?)(?=$|[._-])")
_CURRENT = (2, 0, "")


@dataclass(frozen=True)
class StreamName:
    """A file name without rotation and compression. `age` orders a stream's files, the oldest first."""

    name: str
    age: tuple[int, int, str]


@cache
def stream_name(file_name: str) -> StreamName:
    """Return the stream's name of a file.

    Examples
    --------
    >>> {stream_name(n).name for n in ("app.log", "app.log.1", "app.log.2.gz", "app-20260101.log.zst", "app.1.log")}
    {'app.log'}
    >>> names = ["app.log", "app.log.1", "app.log.10.gz"]
    >>> sorted(names, key=lambda name: stream_name(name).age)
    ['app.log.10.gz', 'app.log.1', 'app.log']
    >>> stream_name("conn.2026-01-02.log").age > stream_name("conn.2026-01-01.log.gz").age
    True
    """
    bare = file_stem(file_name)
    dated = _DATE.search(bare)
    if dated:
        rest = bare[: dated.start()] + bare[dated.end() :]
        numbered = _NUMBER.search(rest)
        rest = rest[: numbered.start()] + rest[numbered.end() :] if numbered else rest
        return StreamName(rest or bare, (0, -int(numbered[1]) if numbered else 0, dated[1]))
    numbered = _NUMBER.search(bare)
    if numbered:
        return StreamName(bare[: numbered.start()] + bare[numbered.end() :] or bare, (1, -int(numbered[1]), ""))
    return StreamName(bare, _CURRENT)


def file_stem(file_name: str) -> str:
    """Return a file's name without the ending of a packed file."""
    return _PACKED.sub("", file_name) or file_name


def is_packed(file_name: str) -> bool:
    """Return whether a file's name says that it is packed."""
    return _PACKED.search(file_name) is not None


def stream_place(path: Path, folder: str, rule: Stream) -> str:
    """Return what stands for the folder in a stream's identity: the folder as shown, or what the recipe says.

    Examples
    --------
    >>> stream_place(Path("/logs/web1/access.log"), "/logs/web1", Stream(folder_levels=1))
    'web1'
    >>> stream_place(Path("/logs/web1/access.log"), "/logs/web1", Stream(pattern="/(?P<host>web[0-9]+)/"))
    'web1'
    """
    if rule.folder_levels is not None:
        return "/".join(path.parent.parts[-rule.folder_levels :]) if rule.folder_levels else ""
    if rule.pattern:
        found = re.search(rule.pattern, path.as_posix())
        if found:
            return "/".join(group or "" for group in found.groups())
    return folder


def shown(path: Path, root: Path) -> str:
    """Return a path as it is shown and stored: from the project's root if it lies there, with odd bytes escaped.

    Examples
    --------
    >>> shown(Path("/p/raw/a.log"), Path("/p")), shown(Path(os.fsdecode(b"/logs/caf\\xe9")), Path("/p"))
    ('raw/a.log', '/logs/caf\\\\xe9')
    """
    inside = path.relative_to(root) if path.is_relative_to(root) else path
    return os.fsencode(inside).decode("utf-8", "backslashreplace")
