"""Lines and their truth → files as a sensor leaves them (one a day, some compressed), and which events are attacks."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from socml.project import TRUTH_BESIDE, check_table, private_file
from socml.simulator.traffic import BENIGN, Columns, Family
from socml.simulator.window import DAY, SECOND, Window
from socml.simulator.writers import eve, zeek

_COMPRESSED = ("conn", "dns")  # the first day's, as after a night's log rotation
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # in any locale
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS = rf"({'|'.join(zeek.LOGS)})\.\d{{4}}-\d\d-\d\d\.log(\.gz)?"


@dataclass(frozen=True)
class LogFile:
    """One file to be written: its name, the records' lines, and each record's family (-1 is benign)."""

    name: str
    lines: list[str]
    truth: NDArray[np.int64]
    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attack:
    """A malicious record: its file, its line from 1, its family."""

    file: str
    line: int
    family: Family


def log_files(tables: dict[str, Columns], window: Window, rng: np.random.Generator) -> Iterator[LogFile]:
    """Yield every file of the simulation, in the order of their names."""
    yield LogFile("auth.log", _auth_lines(tables["auth"]), tables["auth"]["truth"])
    for log in zeek.LOGS:
        yield from _by_day(log, tables[log], window, rng)
    yield LogFile("eve.json", eve.lines(tables["alert"]), tables["alert"]["truth"])
    yield LogFile("windows.json", _windows_lines(tables["windows"]), tables["windows"]["truth"])


def is_log_name(name: str) -> bool:
    """Say whether a simulation may write a file of this name.

    Examples
    --------
    >>> is_log_name("auth.log"), is_log_name("conn.2026-03-02.log.gz"), is_log_name("conn.log")
    (True, True, False)
    """
    return name in {"auth.log", "eve.json", "windows.json"} or re.fullmatch(_DAYS, name) is not None


def write(folder: Path, file: LogFile, window: Window) -> Path:
    """Write one file, dated to the window's end (that gives a log without years its year), and return its path."""
    path = folder / file.name
    text = "".join(f"{line}\n" for line in (*file.head, *file.lines, *file.tail)).encode()
    private_file(path).write_bytes(gzip.compress(text, 6, mtime=0) if path.suffix == ".gz" else text)
    os.utime(path, (window.end_us // SECOND, window.end_us // SECOND))
    return path


def attacks_in(file: LogFile, families: list[Family]) -> list[Attack]:
    """Return where each malicious record of a file is, and its family."""
    first = len(file.head) + 1
    at = np.flatnonzero(file.truth != BENIGN).tolist()
    return [Attack(file.name, first + i, families[file.truth[i]]) for i in at]


def write_truth(path: Path, attacks: list[Attack]) -> None:
    """Write the malicious records as the TRUTH_BESIDE table of `socml.project.tables`; what it does not list is benign."""
    table = pa.table(
        {
            "source_file": pa.array([attack.file for attack in attacks], pa.string()),
            "source_line": pa.array([attack.line for attack in attacks], pa.int64()),
            "malicious": pa.array([True] * len(attacks), pa.bool_()),
            "family": pa.array([attack.family.name for attack in attacks], pa.string()),
            "technique": pa.array([attack.family.technique for attack in attacks], pa.string()),
        }
    )
    pq.write_table(check_table(table, TRUTH_BESIDE, what="truth"), private_file(path))


def _by_day(log: str, table: Columns, window: Window, rng: np.random.Generator) -> Iterator[LogFile]:
    lines = zeek.lines(log, table, rng)
    edges = np.searchsorted(table["written_us"], window.start_us + np.arange(window.days + 1) * DAY)
    for day in range(window.days):
        begin, end = int(edges[day]), int(edges[day + 1])
        midnight = datetime.fromtimestamp((window.start_us + day * DAY) // SECOND, UTC)
        closed = datetime.fromtimestamp((window.start_us + (day + 1) * DAY) // SECOND, UTC)
        ending = ".log.gz" if day == 0 and log in _COMPRESSED and window.days > 1 else ".log"
        yield LogFile(
            f"{log}.{midnight:%Y-%m-%d}{ending}",
            lines[begin:end],
            table["truth"][begin:end],
            tuple(zeek.header(log, f"{midnight:%Y-%m-%d-%H-%M-%S}")),
            (f"#close\t{closed:%Y-%m-%d-%H-%M-%S}",),
        )


def _auth_lines(table: Columns) -> list[str]:
    """Return auth.log as a central syslog server keeps it, without year and zone (RFC 3164, 4.1.2), in the order of arrival."""
    return [
        f"{_MONTHS[moment.month - 1]} {moment.day:2d} {moment:%H:%M:%S} {host} {text}"
        for moment, host, text in _messages(table)
    ]


def _windows_lines(table: Columns) -> list[str]:
    """Return Windows events as collectors write them: one JSON object a line, with flat fields.

    References
    ----------
    https://learn.microsoft.com/windows/win32/wes/windows-event-log
    """
    return [
        f'{{"TimeCreated":"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z","Hostname":"{host}",{text}'
        for moment, host, text in _messages(table)
    ]


def _messages(table: Columns) -> Iterator[tuple[datetime, str, str]]:
    """Yield the time, host and text of each row."""
    rows = zip(table["time_us"].tolist(), table["host"].tolist(), table["text"].tolist(), strict=True)
    for time_us, host, text in rows:
        yield _EPOCH + timedelta(microseconds=time_us), host, text
