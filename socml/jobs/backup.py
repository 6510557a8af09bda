"""What is precious of a project ↔ one file: recipes, labels, models, what nights know, alerts, the audit.

Precious is all that cannot be made again from logs. What is left out (events, tables, scores) a night makes anew from the
log files; where these do not stay, `with_events` takes the events too. Every file's hash is in the archive, and nothing is
put in place before all of them are right. Components of the project's own are code: they are in the archive, and are put
in place only where `with_code` says that it may run.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import shutil
import sqlite3
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from socml.ingestion import no_ingest
from socml.jobs.night_lock import no_night
from socml.project import (
    FOLDERS,
    MARKER,
    ConfigurationError,
    DataError,
    Project,
    ScratchFolder,
    TryLater,
    as_socml_error,
    audit,
    one_at_a_time,
    open_file,
    private_file,
    private_folder,
    replacing,
)

INDEX = "backup.json"
EVENTS = ("events", "truth", "quarantine")
MADE_AGAIN = (*EVENTS, "features", "daily", "scores", "staging", "raw", "metrics", "validations")
SETTINGS = (MARKER, "context.csv", "respond.toml")
RECIPES = ("datasets", "features", "models", "experiments")
CODE, MAP = ".py", ".toml"  # what the folders of components of one's own hold
DEEPEST = 50  # folders of a name; what is deeper is nothing of ours, and hard to remove
_SQLITE = (".sqlite", ".db")
_BESIDE_SQLITE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Backup:
    """What an archive holds: its files, and their bytes in all. `left_out` says what is not in it, or not in its place."""

    path: Path
    files: int
    bytes: int
    made: str
    left_out: str = ""


def make_backup(path: Path, *, project: Project, with_events: bool = False) -> Backup:
    """Write all that is precious into one file, for its owner alone.

    Raises
    ------
    ConfigurationError
        If another file is there; an earlier backup gives way.
    TryLater
        If a night is running, or with `with_events` an ingest.
    """
    if path.is_file() and not _is_backup(path):
        raise ConfigurationError(f"{path} is there, and is no backup of socml. Name another file, or remove it.")
    made = datetime.now(UTC).isoformat(timespec="seconds")
    index: dict[str, str] = {}
    size = 0
    with ExitStack() as stack:
        _hold(stack, project, with_events)
        scratch = Path(stack.enter_context(ScratchFolder("backup")))
        with replacing(path) as temporary, tarfile.open(temporary, "w:gz", compresslevel=3) as archive:
            for name, file in _precious(project, with_events):
                whole = _copy_of_store(file, scratch / "store") if file.suffix in _SQLITE else file
                index[name], written = _added(archive, name, whole)
                size += written
            about = {"socml": version("socml"), "made": made, "files": index}
            _add(archive, INDEX, json.dumps(about, indent=1).encode())
    audit(project, "backup", file=str(path), files=len(index))
    away = "labels are in a database of their own: back it up by its own means" if project.labels_url else ""
    return Backup(path, len(index), size, made, away)


def _hold(stack: ExitStack, project: Project, with_events: bool) -> None:
    """Let no night begin until the stack is left, and no ingest either if events are read or written."""
    for folder in sorted((project.workspace / "nights").glob("*/")):
        stack.enter_context(no_night(folder, folder.name))
    for folder in sorted((project.workspace / "events").glob("*/")) if with_events else ():
        stack.enter_context(no_ingest(project, folder.name))


def _put(file: Path, target: Path) -> int:
    """Move a file to its place, and return its size. What SQLite had beside the one that was there goes with that."""
    size = file.stat().st_size
    private_folder(target.parent)
    for beside in _BESIDE_SQLITE if target.suffix in _SQLITE else ():
        target.with_name(target.name + beside).unlink(missing_ok=True)
    _move(file, target)
    return size


def _move(file: Path, target: Path) -> None:
    """Move a file, also to another disk: there it is whole before it takes its place."""
    try:
        file.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with replacing(target) as temporary:
            shutil.copyfile(file, temporary)
        file.unlink()


def restore_backup(path: Path, *, project: Project, replace: bool = False, with_code: bool = False) -> Backup:
    """Put what an archive holds in its place. What is there and gives way is kept in `.before-restore-…`.

    Killed halfway, the same call does the rest; `socml doctor` says so until then.

    Parameters
    ----------
    replace : whether files that are there may give way
    with_code : whether the project's own components are put in place too; socml runs them

    Raises
    ------
    DataError
        If the archive is damaged or none of ours; nothing was changed then.
    ConfigurationError
        If files are there, and `replace` is not given.
    TryLater
        If a night or an ingest is running, or the disk has no room for the archive; nothing was changed then.
    """
    with ExitStack() as stack:
        _hold(stack, project, with_events=True)
        stack.enter_context(one_at_a_time(project.folder("restore") / "lock"))
        for killed in project.root.glob(".restore-*"):
            shutil.rmtree(killed, ignore_errors=True)
        scratch = private_folder(project.root / f".restore-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        stack.callback(shutil.rmtree, scratch, ignore_errors=True)
        about = _unpacked(path, scratch)
        files = dict(about["files"])
        targets = {name: _place(name, project) for name in files}
        code = [] if with_code else [name for name in files if name.startswith("project/") and name.endswith(CODE)]
        left_out = [name for name in code if not _is_there(targets.pop(name), files[name])]
        there = sorted(
            name for name, target in targets.items() if target.exists() and not _is_there(target, files[name])
        )
        if there and not replace:
            raise ConfigurationError(
                f"{len(there):,} files are there and are others, {there[0]!r} first. Restore into an empty folder, or let "
                "them give way: socml restore FILE --replace"
            )
        aside = project.root / scratch.name.replace("restore", "before-restore")
        for name in there:
            _set_aside(targets[name], aside / name)
        size = sum(_put(scratch / name, target) for name, target in targets.items())
    audit(project, "restore", file=str(path), files=len(targets), made=about["made"])
    away = f"{len(left_out):,} files of code, {left_out[0]!r} first: socml restore FILE --code" if left_out else ""
    return Backup(path, len(targets), size, str(about["made"]), away)


def _is_there(path: Path, digest: str) -> bool:
    return path.is_file() and _hash(path) == digest


def _set_aside(file: Path, aside: Path) -> None:
    """Move a file away, and with a store what SQLite has beside it: its last records may be there alone."""
    private_folder(aside.parent)
    for end in ("", *_BESIDE_SQLITE) if file.suffix in _SQLITE else ("",):
        one = file.with_name(file.name + end)
        if one.exists():
            _move(one, aside.with_name(aside.name + end))


def _is_backup(path: Path) -> bool:
    try:
        with tarfile.open(path, "r:gz") as archive:
            first = archive.next()
    except (tarfile.TarError, EOFError, OSError, zlib.error):
        return path.stat().st_size == 0
    return first is not None and PurePosixPath(first.name).parts[:1] in {("project",), ("workspace",)}


def _precious(project: Project, with_events: bool) -> Iterator[tuple[str, Path]]:
    """Yield the name in the archive and the path of each file that is precious, in order."""
    for name in SETTINGS:
        if (project.root / name).is_file():
            yield f"project/{name}", project.root / name
    for folder in RECIPES:
        for path in sorted((project.root / folder).glob("*")):
            if path.is_file() and not path.is_symlink():
                yield f"project/{folder}/{path.name}", path
    for path in sorted(path for kind in FOLDERS for path in (project.root / kind).rglob("*")):
        name = f"project/{path.relative_to(project.root).as_posix()}"
        if path.is_file() and not path.is_symlink() and _is_component(PurePosixPath(name).parts[1:]):
            yield name, path
    left_out = set(MADE_AGAIN) - (set(EVENTS) if with_events else set())
    for path in sorted(project.workspace.rglob("*")):
        inner = path.relative_to(project.workspace)
        hidden = any(part.startswith(".") for part in inner.parts)
        if (
            path.is_file()
            and not path.is_symlink()
            and not (inner.parts[0] in left_out or hidden or _is_held(path.name))
        ):
            yield f"workspace/{inner.as_posix()}", path


def _copy_of_store(path: Path, copy: Path) -> Path:
    """Return a copy of an SQLite file as it is between two writes."""
    copy.unlink(missing_ok=True)
    try:
        with (
            closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(private_file(copy))) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise DataError(f"{path} cannot be backed up: {error}. See: socml doctor") from None
    return copy


def _unpacked(path: Path, folder: Path) -> dict[str, dict[str, str]]:
    """Unpack an archive into a folder and return its index, once every file was seen to be what was written."""
    try:
        with open_file(path) as packed, tarfile.open(fileobj=packed, mode="r:gz") as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                if not member.isreg() or member.issparse() or not _is_inside(name):
                    raise DataError(f"{path} is no backup of socml: it holds {member.name!r}.")
                content = archive.extractfile(member)
                target = folder / name
                private_folder(target.parent)
                with private_file(target).open("wb") as file:
                    shutil.copyfileobj(content, file)  # type: ignore[arg-type]
        about: dict[str, dict[str, str]] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        for file_name, digest in about["files"].items():
            name = PurePosixPath(file_name)
            if not _is_ours(name):
                raise DataError(f"{path} is no backup of socml: it holds {file_name!r}.")
            if _hash(folder / name) != digest:
                raise DataError(f"{path} is damaged: {file_name!r} is not what was written. Take another backup.")
    except FileNotFoundError as error:
        raise DataError(f"{path} is no whole backup of socml: {error.filename} is missing.") from None
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        known = as_socml_error(error) if isinstance(error, OSError) else None
        if isinstance(known, TryLater):  # the disk is full
            raise known from None
        raise DataError(f"{path} is no backup of socml, or is damaged: {error}.") from None
    return about


def _is_inside(name: PurePosixPath) -> bool:
    return 0 < len(name.parts) <= DEEPEST and not name.is_absolute() and ".." not in name.parts


def _is_ours(name: PurePosixPath) -> bool:
    """Say whether a backup may hold a file of this name: nothing hidden, no lock, nothing that SQLite keeps beside a store."""
    room, *inside = name.parts
    if not _is_inside(name) or not inside or any(part.startswith(".") for part in inside):
        return False
    if room == "project":
        is_recipe = len(inside) == 2 and inside[0] in RECIPES
        return is_recipe or inside in ([one] for one in SETTINGS) or _is_component(inside)
    return room == "workspace" and not _is_held(inside[-1])


def _is_held(name: str) -> bool:
    """Say whether a file of this name is a lock, or what SQLite keeps beside a store: of those who work there now."""
    return name == "lock" or name.endswith((".lock", *_BESIDE_SQLITE))


def _is_component(parts: Sequence[str]) -> bool:
    """Say whether a path below a project is a component of its own: code, or the map of a format."""
    hidden = any(part.startswith(".") for part in parts)
    return len(parts) in (2, 3) and parts[0] in FOLDERS and not hidden and parts[-1].endswith((CODE, MAP))


def _place(name: str, project: Project) -> Path:
    room, *parts = PurePosixPath(name).parts
    return (project.root if room == "project" else project.workspace).joinpath(*parts)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


class _Hashed:
    """A file that is read once; its hash is of what was read, whatever is written to the file meanwhile."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.hash = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        data = self._file.read(size)
        self.hash.update(data)
        return data


def _added(archive: tarfile.TarFile, name: str, path: Path) -> tuple[str, int]:
    """Add a file as it is now, and return its hash and size in the archive."""
    with path.open("rb") as file:
        member, content = _plain(archive.gettarinfo(arcname=name, fileobj=file)), _Hashed(file)
        archive.addfile(member, content)
    return content.hash.hexdigest(), member.size


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = _plain(tarfile.TarInfo(name))
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
