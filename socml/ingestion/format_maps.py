"""Maps of formats in TOML → readers by name; and a file that nobody knows → a map to correct."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from socml.formats import Clock, FormatMap, fields_of_columns, first_fields, load_map
from socml.ingestion.sources import FileSource
from socml.project import DataError, Project, find_project, project_root

__all__ = ["map_of", "map_paths", "suggested_map", "taken_fields", "write_map"]

_PACKAGE = Path(__file__).parents[1] / "formats"
_SAMPLE = 200  # records that a suggestion is made from
_TELLING = 4  # fields that tell the format
_UNSAID = ("class_uid", "event_category")


def map_paths() -> dict[str, Path]:
    """Return the maps by name: those of the package, and those of the project's `formats/`, which go first."""
    root = project_root()
    if root is None:
        return _of_package()
    folder = root / "formats"
    try:
        return _with_those_of(folder, folder.stat().st_mtime_ns)
    except OSError:
        return _of_package()


@cache
def _of_package() -> dict[str, Path]:
    return {path.stem: path for path in sorted(_PACKAGE.glob("[a-z]*/*.toml"))}


@lru_cache(maxsize=8)
def _with_those_of(folder: Path, changed: int) -> dict[str, Path]:
    """Return all maps; the folder is listed again when it changed, since telling a format asks for each reader."""
    return {**_of_package(), **{path.stem: path for path in sorted(folder.glob("*.toml"))}}


def map_of(path: Path) -> FormatMap:
    """Return the map in a file. Raises RecipeError, naming what in it is wrong."""
    return _loaded(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _loaded(path: Path, changed: int) -> FormatMap:
    return load_map(path)


def taken_fields(source: FileSource) -> dict[str, list[str]]:
    """Return which fields of a file's first records fill which event columns, by what tools usually call things."""
    _, records = first_fields(source.head(), _SAMPLE)
    return fields_of_columns(records, Clock(None, None, source.modified))


def suggested_map(path: str | Path) -> str:
    """Return a map in TOML for the records of a file of JSON, key=value or CSV, by what tools usually call things.

    Raises
    ------
    DataError
        If its records have no fields with names, or none that is known.
    """
    source = FileSource(Path(path), str(path))
    kind, records = first_fields(source.head(), _SAMPLE)
    columns = fields_of_columns(records, Clock(None, None, source.modified)) if records else {}
    if not columns:
        raise DataError(
            f"{path}: no field of its first records is known by name, so there is no map to write. "
            "A map is for JSON, key=value and CSV; see docs/a-file-nobody-knows.md to write one by hand."
        )
    return _toml(Path(path).name, kind, records, columns)


def write_map(path: str | Path, project: Project | None = None) -> Path:
    """Write the map that is suggested for a file to the project's `formats/`; return where it is.

    Raises
    ------
    DataError
        If a map of that name is there already.
    """
    text = suggested_map(path)
    folder = (project or find_project()).root / "formats"
    name = "-".join(part for part in "".join(c.lower() if c.isalnum() else " " for c in Path(path).stem).split())
    target = folder / f"{name or 'own'}.toml"
    if target.exists():
        raise DataError(f"{target} is there already. Edit it, or move it away.")
    folder.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return target


def _toml(file: str, kind: str, records: list[dict[str, object]], columns: Mapping[str, list[str]]) -> str:
    seen = Counter(name for record in records for name in record)
    everywhere = [name for name, count in seen.items() if count == len(records)]
    used = {name for names in columns.values() for name in names}
    telling = sorted(everywhere, key=lambda name: name not in used)[:_TELLING] or [seen.most_common(1)[0][0]]
    lines = [
        f"# Made from {json.dumps(file)} by `socml peek --write-map`: a guess. Correct it; `socml peek` shows what it gives.",
        'about = "TO DO: what tool writes this"',
        'specification = ""',
        f'kind = "{kind}"',
        f"has = {_texts(telling)}  # fields that tell this format from others",
        "",
        "[columns]  # event column = field, or several, of which the first that fits is taken",
    ]
    for column, names in columns.items():
        if column not in _UNSAID:
            lines.append(f"{column} = {_texts(names) if len(names) > 1 else _text(names[0])}")
    left = [name for name in seen if name not in used]
    if left:
        lines += ["", "# Kept in `extra`, unless you give them a column:"]
        lines += [f"# {_text(name)}  # as in {_text(str(_example(records, name))[:60])}" for name in left[:50]]
    lines += ["", "# [words.event_outcome]  # what the tool says = success or failure", '# "GRANTED" = "success"']
    lines += ["", "# [fixed]  # the same in every event", '# event_category = "authentication"', ""]
    return "\n".join(lines)


def _example(records: list[dict[str, object]], name: str) -> object:
    return next((record[name] for record in records if record.get(name) not in (None, "")), "")


def _text(text: str) -> str:
    return json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=True).replace("\x7f", "\\u007f")


def _texts(texts: list[str]) -> str:
    return "[" + ", ".join(map(_text, texts)) + "]"
