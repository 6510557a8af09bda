"""Windows events → one JSON object a line, with flat fields as collectors write them.

References
----------
https://learn.microsoft.com/windows/win32/wes/windows-event-log
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from socml.simulator.traffic import Columns

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def lines(table: Columns) -> list[str]:
    """Return one line an event, in the table's order."""
    rows = zip(table["time_us"].tolist(), table["host"].tolist(), table["text"].tolist(), strict=True)
    return [f'{{"TimeCreated":"{_stamp(time_us)}","Hostname":"{host}",{text}' for time_us, host, text in rows]


def _stamp(time_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=time_us)).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
