"""Paths, folders and patterns → the files that they mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from socml.errors import DataError

__all__ = ["find_files"]


def find_files(paths: Sequence[str | Path], *, base: Path) -> list[tuple[Path, bool]]:
    """Return the files that `paths` mean, each with whether it was named itself.

    A folder means all files in it, at any depth; a pattern what it matches. Hidden files are left out.

    Parameters
    ----------
    base : what relative paths are relative to

    Raises
    ------
    DataError
        If a path means no file.
    """
    found: dict[Path, bool] = {}
    for given in paths:
        path = base / Path(given).expanduser()
        if path.is_file():
            found[path] = True
            continue
        inside = _inside(path)
        if not inside:
            what = "holds no files" if path.is_dir() else "does not exist"
            raise DataError(f"{given} {what}.")
        for file in inside:
            found.setdefault(file, False)
    return list(found.items())


def _inside(path: Path) -> list[Path]:
    if path.is_dir():
        matches = sorted(path.rglob("*"))
    elif any(c in str(path) for c in "*?["):
        anchor = Path(path.anchor)
        matches = sorted(anchor.glob(str(path.relative_to(anchor))))
        matches = [m for match in matches for m in ([match] if match.is_file() else _inside(match))]
        return [m for m in matches if not m.name.startswith(".")]
    else:
        return []
    return [m for m in matches if m.is_file() and not any(p.startswith(".") for p in m.relative_to(path).parts)]
