"""fail2ban's database (fail2ban.sqlite3) → events, one a ban.

Table `bans`: jail, address, time (seconds since 1970) and length of the ban in seconds (-1: for ever), how often it was
banned before, and the matched lines as JSON. The file is opened read-only and as it lies: a database that fail2ban is
writing to is read without its journal, so copy it first to be sure. Traps: schema 1 and 2 have no `bantime` and no
`bancount`; `bips` repeats the current bans and is skipped, as are the jails and the log positions; bans older than
`dbpurgeage` (a day, by default) are gone. `raw` holds a row as JSON.
"""

from __future__ import annotations

import sqlite3
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from typing import cast
from zlib import decompress

import orjson

from socml.formats._addresses import address
from socml.formats._multiline import Broken
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches
from socml.formats._times import epoch
from socml.project import FormatError, open_file

__all__ = ["Fail2banSqlite"]

_MAGIC = b"SQLite format 3\0"


class Fail2banSqlite:
    """The database in which fail2ban keeps its bans."""

    name = "fail2ban-sqlite"
    about = "fail2ban.sqlite3: one event a ban, with the lines that led to it"
    specification = "https://github.com/fail2ban/fail2ban/blob/master/fail2ban/server/database.py"
    one_a_line = False
    examples = (
        decompress(
            b64decode(
                "eNoLDvTJLElVSMsvyk0sUTBmYGJgZGRwUFBgYAAyIRgGGIGYBY1PCDAx6CUz8oIUM4YwANGIAI2ajOzioqKMTaYliUk5qUmJ"
                "ecUgzOQc5OoY4qoQ4ujk46oAEtHISszMUQhxjQhR8PMH4lAfHx2FzAKwiI5CSWZuan4aUJ2Cp1+Iq7trEJIioChIGrtMcn5p"
                "XgmGlEJKalpiaU6JgqGOQkpiSaKCV7C/nyYkbk4yANEoGMrAlJFdVJ6FidO5uDgjxdDSSM9Az0jPMjX4IwNTRLUSMHMnZ6QW"
                "K1lFx+oopQFTXWkRiGdSCwBhzUuw"
            )
        ),
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of an SQLite file with fail2ban's tables."""
        return 0.98 if head.startswith(_MAGIC) and b"timeofban" in head and b"bans" in head else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's bans."""
        with open_file(source.path) as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise FormatError(f"{source.name} is not an SQLite file as it lies there. If it is packed, unpack it.")
        uri = f"{source.path.resolve().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            database.text_factory = lambda data: data.decode("utf-8", "backslashreplace")
            yield from batches(_rows(database, source.name), _event)


def _rows(database: sqlite3.Connection, name: str) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        tables = {row[0] for row in database.execute("select name from sqlite_master where type = 'table'")}
        if "bans" not in tables:
            raise FormatError(f"{name} is an SQLite database without fail2ban's table `bans`.")
        cursor = database.execute("select * from bans order by rowid")
        names = [column[0] for column in cursor.description]
        for row in cursor:
            number += 1
            yield number, orjson.dumps(dict(zip(names, row, strict=True)), default=repr)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if not number:
            raise FormatError(f"{name} is damaged: {error}.") from None
        yield number + 1, Broken.of(b"-", f"the database is damaged after {number:,} bans: {error}")


def _event(record: bytes) -> dict[str, object]:
    if isinstance(record, Broken):
        raise ValueError(record.reason)
    found = orjson.loads(record)
    data = _data(found.get("data"))
    matches = data.pop("matches", None)
    who = str(found["ip"]) if found.get("ip") is not None else None
    row: dict[str, object] = {
        "time": epoch(found["timeofban"]) if found.get("timeofban") is not None else None,
        "class_uid": 7004,
        "event_category": "intrusion_detection",
        "event_action": "ban",
        "rule_name": found.get("jail"),
        "source_ip": address(who),
        "message": _lines(matches),
    }
    extra = {name: found.get(name) for name in ("bantime", "bancount")} | data
    if row["source_ip"] is None:
        extra["id"] = who
    row["extra"] = {name: None if value is None else str(value) for name, value in extra.items()}
    return row


def _data(text: object) -> dict[str, object]:
    """Return what fail2ban noted with a ban; a value that is no JSON object is kept as it is."""
    if text is None:
        return {}
    try:
        found = orjson.loads(cast("str", text))
    except (orjson.JSONDecodeError, TypeError):
        found = None
    return found if isinstance(found, dict) else {"data": text}


def _lines(matches: object) -> str | None:
    """Return the matched lines as text: each is one, or the parts of one."""
    if not isinstance(matches, list):
        return None if matches is None else str(matches)
    return "\n".join("".join(map(str, m)) if isinstance(m, list) else str(m) for m in matches) or None
