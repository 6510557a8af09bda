"""What the system, Arrow, DuckDB, SQLite and MLflow raise → the error of `socml.project.errors` that it means, in one sentence.

A library's error names neither the exit code nor what to do. It is told here, once, for the whole command line and
for every file and store that the workspace reads; no library is imported for that.
"""

from __future__ import annotations

import errno
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from socml.project.errors import ConfigurationError, DataError, ModelError, SocmlError, TryLater

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EBUSY, errno.ETXTBSY}
_FORBIDDEN = "{} may not be read or written by this user. Change who may, or set SOCML_WORKSPACE."
_UNUSABLE = {
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: "{} lies on a disk that is read only. Let it be written, or set SOCML_WORKSPACE.",
    errno.ENAMETOOLONG: "{} is too long a name for this disk. Choose a shorter one.",
    errno.ENOTDIR: "{} is not a folder, or lies in what is none. Move it away, or name another.",
    errno.EISDIR: "{} is a folder, not a file. Name another.",
    errno.EEXIST: "{} is there already. Move it away, or name another.",
    errno.ELOOP: "{} is a link that leads to itself. Name another.",
}
_SIGNS_IN = re.compile(r"(?<=://)(?:[^\s/:@]*:(?!\d+[/?#])\S*|[^\s/]+)@")  # a password may hold a slash; a port is none
_ERRNO = re.compile(r"\[?[Ee]rrno:? (\d+)")
_EXTRA_OF = {
    "altair": "app",
    "authlib": "oidc",
    "krcf": "online",
    "matplotlib": "notebook",
    "mlflow": "mlflow",
    "psycopg": "postgresql",
    "pyspark": "spark",
    "river": "online",
    "starlette": "app",
    "streamlit": "app",
}
_DAMAGED = (ValueError, KeyError, TypeError, EOFError, OverflowError, MemoryError, RecursionError)

FULL = "The disk is full{at}. Make room, then give the same command again: what was finished is kept."

_UNREADABLE = "A stored table cannot be read: {}. Find the file with: socml doctor"
_OF_LIBRARIES: tuple[tuple[str, str, type[SocmlError], str], ...] = (
    ("duckdb", "OutOfMemoryException", TryLater, "Out of memory or disk ({}): raise memory_limit or make room."),
    ("duckdb", "Error", DataError, _UNREADABLE),
    ("pyarrow", "ArrowException", DataError, _UNREADABLE),
    ("sqlalchemy.exc", "OperationalError", TryLater, "A database is busy or away: {}."),
    ("sqlalchemy.exc", "ProgrammingError", DataError, "A database does not hold what it should: {}."),
    ("mlflow.exceptions", "MlflowException", ModelError, "The model registry does not answer: {}."),
)

_OF_SQLITE: tuple[tuple[set[int], type[SocmlError], str], ...] = (
    ({sqlite3.SQLITE_FULL}, TryLater, FULL.format(at=": {store} cannot be written")),
    (
        {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED},
        TryLater,
        "{store} is busy or away: {found}. Try again when the other program is done.",
    ),
    ({sqlite3.SQLITE_CANTOPEN}, TryLater, "{store} cannot be opened ({found}): is its folder there, and is it a file?"),
    (
        {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM},
        TryLater,
        "{store} cannot be read or written ({found}): is the disk full or failing? See: socml doctor",
    ),
    (
        {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH},
        ConfigurationError,
        "{store} may not be written ({found}): check the folder and who may write there.",
    ),
    (
        {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT},
        DataError,
        "{store} is damaged ({found}). {remedy}",
    ),
)


def as_socml_error(error: BaseException) -> SocmlError | None:
    """Return the error of socml that a library's or the system's error means; None for what is a bug.

    Examples
    --------
    >>> full = as_socml_error(OSError(errno.ENOSPC, "No space left on device", "/data/scores"))
    >>> print(full, full.exit_code)
    The disk is full at /data/scores. Make room, then give the same command again: what was finished is kept. 75
    >>> as_socml_error(IndexError()) is None
    True
    """
    if isinstance(error, SocmlError):
        return error
    if isinstance(error, RecursionError):
        return DataError("The input is nested too deeply to be read. Flatten it, or leave that record out.")
    if isinstance(error, MemoryError):
        return TryLater("There is not enough memory. Close other programs or lower memory_limit in socml.toml.")
    if isinstance(error, OSError):
        return _of_system(error)
    inner = next((one for one in _chain(error) if isinstance(one, (UnicodeEncodeError, sqlite3.Error))), None)
    if isinstance(inner, UnicodeEncodeError):
        return _of_letters(inner)
    return (
        store_error(inner, store="A SQLite store", remedy="Find out which: socml doctor")
        if inner
        else _of_library(error)
    )


def store_error(error: BaseException, *, store: str, remedy: str) -> SocmlError | None:
    """Return what an error of a database means; None where it says nothing about the database (a constraint).

    Parameters
    ----------
    store : what the database is to the user, the sentence's first words, such as "The label store"
    remedy : a sentence that says what to do where the database is damaged
    """
    found = next((one for one in _chain(error) if isinstance(one, sqlite3.Error)), None)
    code = (getattr(found, "sqlite_errorcode", None) or 0) & 0xFF
    for codes, kind, text in _OF_SQLITE:
        if code in codes:
            return kind(text.format(store=store, found=found, remedy=remedy))
    return None


@contextmanager
def reading(path: Path, *, remedy: str) -> Iterator[None]:
    """Let whatever a lost, damaged or forbidden file makes its reader raise be one error that says what to do.

    Raises
    ------
    DataError
        If the file is not there or not what it should be.
    ConfigurationError, TryLater
        If the system does not let it be read.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"{path} is not there. {remedy}") from error
    except OSError as error:
        if _number(error) in {*_FULL, *_EXHAUSTED, *_UNUSABLE}:
            raise _of_system(error) from error
        raise DataError(f"{path} is damaged: {first_line(error)}. {remedy}") from error
    except Exception as error:
        if not isinstance(error, (*_DAMAGED, _class("pyarrow", "ArrowException"))):
            raise
        raise DataError(f"{path} is damaged: {first_line(error)}. {remedy}") from error


def first_line(error: BaseException) -> str:
    """Return an error's text in one short line without a full stop and without a password; its kind where it has no text.

    Examples
    --------
    >>> first_line(ValueError("Could not open.\\nDetail: 3")), first_line(EOFError())
    ('Could not open', 'EOFError')
    """
    lines = without_password(str(error)).strip().splitlines()
    return lines[0].strip()[:200].rstrip(". ") if lines else type(error).__name__


def without_password(text: str) -> str:
    """Return a text without who signs in at the addresses in it, and with what.

    Examples
    --------
    >>> without_password("Invalid url: https://ana:s3/cret@mlflow.example/api")
    'Invalid url: https://…@mlflow.example/api'
    >>> without_password("https://mlflow.example:5000/runs/ana@work")
    'https://mlflow.example:5000/runs/ana@work'
    """
    return _SIGNS_IN.sub("…@", text)


def _of_system(error: OSError) -> SocmlError:
    path = str(error.filename) if isinstance(error.filename, str | Path) else ""
    number = _number(error)
    if number in _FULL:
        return TryLater(FULL.format(at=f" at {path}" if path else ""))
    if number in _EXHAUSTED:
        return TryLater(f"The system is busy ({first_line(error)}). Give the same command again later.")
    if number in _UNUSABLE:
        return ConfigurationError(_UNUSABLE[number].format(_shortened(path) or "A file"))
    if number == errno.ENOENT:
        return DataError(f"There is no {path or 'such file'}. Check the name, or give the command that makes it first.")
    where = f"{path}: " if path else ""
    return DataError(f"{where}{first_line(error)}. Find the damaged file with: socml doctor")


def _number(error: OSError) -> int:
    """Return the system's number of an error, also where a library says it only in its text; 0 where nobody does."""
    found = _ERRNO.search(str(error))
    return error.errno or (int(found[1]) if found else 0)


def _of_letters(error: UnicodeEncodeError) -> SocmlError | None:
    """Python hands on a byte of an argument that is not UTF-8 as a surrogate, which no file and no database takes."""
    if not "\ud800" <= error.object[error.start] <= "\udfff":
        return None
    given = error.object[:80].encode("utf-8", "backslashreplace").decode()
    return ConfigurationError(f"'{given}' holds bytes that are no letters. Write it in UTF-8.")


def _of_library(error: BaseException) -> SocmlError | None:
    if isinstance(error, ModuleNotFoundError) and (extra := _EXTRA_OF.get((error.name or "").partition(".")[0])):
        return ConfigurationError(
            f"{error.name} is not installed here. Install what belongs to it: pip install 'socml[{extra}]'"
        )
    if isinstance(error, _class("duckdb", "IOException")) and "No space left" in str(error):
        return TryLater(FULL.format(at=""))
    busy = {"TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "INTERNAL_ERROR"}
    if isinstance(error, _class("mlflow.exceptions", "MlflowException")) and error.__dict__.get("error_code") in busy:
        return TryLater(f"The model registry is busy or away: {first_line(error)}. Try again later.")
    for module, name, kind, text in _OF_LIBRARIES:
        if isinstance(error, _class(module, name)):
            return kind(text.format(first_line(error)))
    return None


def _class(module: str, name: str) -> type[BaseException]:
    """Return a library's class of errors, or one that nothing is raised of while the library is not loaded."""
    return getattr(sys.modules.get(module), name, _NeverRaised)


class _NeverRaised(Exception):
    pass


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = getattr(one, "orig", None) or one.__cause__ or one.__context__


def _shortened(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:40]}…{name[-15:]}"
