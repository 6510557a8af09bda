"""A table or a value ↔ a file of the workspace: written in one step, and read only if it is what was written.

A reader's error names the file and the command that makes it anew.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import secrets
import stat
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from socml.project.checksums import parquet_is_intact, parquet_writer
from socml.project.errors import ConfigurationError, DataError
from socml.project.faults import reading
from socml.project.private import private_file, private_folder

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from socml.project.records import TableMetadata

_TEMPORARY = re.compile(r"[.~].+\.[0-9]+\.[0-9a-f]{8}")
_ENDS = 1 << 16  # bytes
_JUST_MADE_S = 1  # a file that was made and is not locked yet
_NAMES: list[weakref.ref[pa.Array]] = []  # of rows, as they are held now


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes `path`'s place at once, on error it is gone.

    What a killed process leaves of it is for `clear_abandoned`: while it is written it is locked. Where `path` is a link,
    what it leads to is replaced.

    Raises
    ------
    ConfigurationError
        If there is something else than a file: a device, a pipe, a folder.
    """
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    if path.exists() and not path.is_file():
        raise ConfigurationError(f"{path} is a {'folder' if path.is_dir() else 'device or a pipe'}. Name a file.")
    private_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with private_file(temporary).open("rb") as file:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
            yield temporary
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def open_file(path: Path) -> BinaryIO:
    """Open a file that somebody else owns. A pipe or a device that took its place since it was looked at keeps nobody waiting.

    Raises
    ------
    OSError
        If it cannot be opened, or is no regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "It is no regular file any more", str(path))
    return os.fdopen(descriptor, "rb")


@contextmanager
def as_it_is(path: Path) -> Iterator[Path]:
    """Yield a path to what a file holds now, for who reads it more than once: another file may take its place meanwhile.

    It is another name of the file, gone at the end, and none that Spark takes for hidden; what a killed process leaves of it
    is for `clear_abandoned`. On a disk without such names it is `path`.
    """
    held = path.with_name(f"~{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        os.link(path, held)
    except OSError:
        yield path
        return
    try:
        with held.open("rb") as file:
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_SH)
            yield held
    finally:
        held.unlink(missing_ok=True)


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait for whoever holds the lock of a file, and hold it; it ends with its process."""
    private_folder(path.parent)
    with private_file(path).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def refuse_other(path: Path, mark: bytes, what: str) -> None:
    """Refuse to replace what a user's path names and socml did not write.

    Parameters
    ----------
    mark : what stands in each file of this kind, in its first or last 64 KB

    Raises
    ------
    ConfigurationError
        If a file is there that holds something, and not the mark.
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        ends = file.read(_ENDS)
        file.seek(max(0, path.stat().st_size - _ENDS))
        ends += file.read(_ENDS)
    if ends.strip() and mark not in ends:
        raise ConfigurationError(f"{path} is there, and holds no {what} of socml. Name another file, or remove it.")


def clear_abandoned(folder: Path) -> int:
    """Remove the temporary files of `replacing` that killed processes left below a folder, and return how many."""
    gone = 0
    for where, _, names in os.walk(folder):
        for path in (Path(where, name) for name in names if _TEMPORARY.fullmatch(name)):
            with suppress(OSError), path.open("rb") as file:  # OSError: it is written, or took its place meanwhile
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - path.stat().st_mtime > _JUST_MADE_S:
                    path.unlink()
                    gone += 1
    return gone


def write_table(path: Path, table: pa.Table, metadata: TableMetadata | None = None) -> Path:
    """Write an Arrow table as Parquet with its checksum, in one step, with `metadata` under the key `socml`."""
    if metadata is not None:
        table = table.replace_schema_metadata(
            {**(table.schema.metadata or {}), b"socml": json.dumps(metadata).encode()}
        )
    with (
        replacing(path) as temporary,
        parquet_writer(temporary, table.schema, compression="zstd", compression_level=1) as writer,
    ):
        writer.write_table(table)
    return path


def open_table(path: Path) -> pq.ParquetFile:
    """Return a Parquet file of the workspace, opened, once it was seen to be what was written.

    What is read of it in blocks is not kept: read ahead (`pre_buffer`), the whole file stays in memory until the last.

    Raises
    ------
    DataError
        If it is lost, cut short or altered; says which command makes it anew.
    """
    import pyarrow.parquet as pq

    with reading(path, remedy=remedy(path)):
        if not parquet_is_intact(path):
            raise DataError(f"{path} is damaged: it is not what was written. {remedy(path)}")
        return pq.ParquetFile(path, pre_buffer=False)


def read_table(path: Path, **options: object) -> pa.Table:
    """Return a Parquet file of the workspace as an Arrow table; `options` are those of `pyarrow.parquet.read_table`.

    Raises
    ------
    DataError
        As `open_table` does.
    """
    import pyarrow.parquet as pq

    with open_table(path) as file, reading(path, remedy=remedy(path)):
        if set(options) <= {"columns"}:
            return file.read(**options)  # a fifth of what a dataset of one file takes
        return pq.read_table(path, pre_buffer=False, **options)


def held_once(names: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return names of rows in one piece: those that the process holds already, where they are the same in the same order.

    A run's scores, its features and its leaves name the same rows, and a million names take 37 MB.

    Examples
    --------
    >>> import pyarrow as pa
    >>> first = held_once(pa.array(["r1", "r2"]))
    >>> held_once(pa.chunked_array([["r1"], ["r2"]])) is first, held_once(pa.array(["r2", "r1"])) is first
    (True, False)
    """
    import pyarrow as pa

    names = names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names
    _NAMES[:] = [known for known in _NAMES if known() is not None]
    for known in _NAMES:
        held = known()
        if held is not None and held.type == names.type and held.equals(names):
            return held
    if isinstance(names, pa.Array):  # names of more than 2 GB stay in pieces
        _NAMES.append(weakref.ref(names))
    return names


def read_metadata(path: Path) -> TableMetadata:
    """Return what `write_table` put under the key `socml`; empty if there is nothing.

    Raises
    ------
    DataError
        As `open_table` does.
    """
    with reading(path, remedy=remedy(path)), open_table(path) as file:
        metadata = file.schema_arrow.metadata or {}
        content: TableMetadata = json.loads(metadata.get(b"socml", b"{}"))
        return content


def read_json(path: Path) -> Any:
    """Return what a JSON file of the workspace says.

    Raises
    ------
    DataError
        If it is lost or damaged.
    """
    with reading(path, remedy=remedy(path)):
        return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, value: object) -> Path:
    """Write `value` as JSON, in one step."""
    with replacing(path) as temporary:
        text = json.dumps(value, indent=1, default=str, ensure_ascii=False) + "\n"
        # a name that is no UTF-8 is written as JSON writes what it has no letter for
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path


def remedy(path: Path) -> str:
    """Return the sentence that says how a file of the workspace is made anew, by the folder it lies in."""
    room, inner = path.parent.parent.name, path.parent.name
    if room == "features":
        feature_set = path.name.split(".")[0]
        return f"Build it again: socml features {feature_set} {inner}"
    if room == "scores":
        return f"Make it anew: socml score {_scored_by(path.parent)}"
    if room == "events":
        return "Restore it from a backup, or remove it and ingest the files it came from again. See: socml doctor"
    if room == "validations":
        return "Judge the model again: socml validate MODEL DATASET"
    return "Remove it, and give the same command again; see: socml doctor"


def _scored_by(folder: Path) -> str:
    """Return the arguments of `socml score` that made a run; in capitals where its run.json does not say them."""
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        model, version = str(run["model_version"]).rsplit("/", 1)
        if run.get("online"):
            return f"{model} {run['dataset']} --online"
        return f"{model} {run['dataset']} --version {version}"
    except (OSError, ValueError, KeyError, TypeError):
        return f"MODEL DATASET (or remove {folder})"
