"""A Zeek log as JSON lines → events. The type of log is told by `_path`, or by its fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from socml.formats._columns import text_array
from socml.formats._json import as_object, flatten, loads_exactly, text_of
from socml.formats._reader import Block, Parsed, ReadOptions, Reject, Source, head_lines, no_events, without_rows
from socml.formats._zeek import log_type, zeek_columns, zeek_truth
from socml.formats._zeek_logs import LOGS

__all__ = ["ZeekJson"]


class ZeekJson:
    """Zeek logs written with `LogAscii::use_json=T`: one object a line, `ts` in seconds or ISO 8601."""

    name = "zeek-json"
    about = "Zeek logs as JSON lines, of any type: conn, dns, http, ssl, …"
    specification = "https://docs.zeek.org/en/master/log-formats.html#zeek-json-format-logs"
    examples = (
        '{"ts":1664462456.755299,"uid":"C5xhsO3uGtOfyrBlHh","id.orig_h":"172.16.1.11","id.orig_p":40042,'
        '"id.resp_h":"8.8.8.8","id.resp_p":53,"proto":"udp","conn_state":"SHR"}',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of objects with Zeek's fields; half sure of other objects in a file named as Zeek names its logs."""
        found = [as_object(line) for line in head_lines(head, 5)]
        objects = [o for o in found if o]
        if not objects or len(objects) < len(found) / 2:
            return 0.0
        first = objects[0]
        if "event_type" in first and "timestamp" in first:
            return 0.0
        if "ts" in first and ({"uid", "_path", "id.orig_h", "id", "fuid"} & set(first)):
            return 0.98
        named = file_name.split(".", maxsplit=1)[0].lower()
        if named in LOGS or named in _OTHER_LOGS:
            return 0.9 if "ts" in first else 0.6
        return 0.3 if "ts" in first else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events. One file may hold several types of log."""
        for block in source.blocks():
            yield from _parsed(block, source, options)


_MEMBER = "\x1f"  # between the members of a list that becomes a list again
_OTHER_LOGS = {"x509", "stats", "capture_loss", "dce_rpc", "loaded_scripts", "packet_filter", "dpd", "ntp", "pe"}


def _parsed(block: Block, source: Source, options: ReadOptions) -> Iterator[Parsed]:
    rejects: list[Reject] = []
    blank = 0
    logs: dict[str, list[tuple[int, bytes, dict[str, Any]]]] = {}
    for number, line in enumerate(block.lines(), block.first_line):
        if not line.strip():
            blank += 1
            continue
        try:
            found = flatten(loads_exactly(line))
        except ValueError as error:
            rejects.append(Reject(number, str(error), line))
            continue
        path = found.pop("_path", None) or log_type(set(found), source.path.name)
        logs.setdefault(str(path), []).append((number, line, found))
    yield Parsed(no_events(), [], rejects=rejects, skips={"blank line": blank} if blank else {})
    for path, rows in logs.items():
        yield _of_one_type(path, rows, options)


def _of_one_type(path: str, rows: list[tuple[int, bytes, dict[str, Any]]], options: ReadOptions) -> Parsed:
    names = list(dict.fromkeys(name for _, _, found in rows for name in found))
    fields = {
        name: pa.array(
            [_zeek_text(found.get(name), _MEMBER if name == "answers" else ",") for _, _, found in rows], pa.string()
        )
        for name in names
    }
    if not fields:
        fields = {"_empty": pa.nulls(len(rows), pa.string())}
    columns, bad = zeek_columns(path, fields, separator=_MEMBER, empty=_MEMBER)
    records = [line for _, line, _ in rows]
    columns["raw"] = text_array(records)
    columns["source_line"] = pa.array([number for number, _, _ in rows], pa.int64())
    parsed = Parsed(pa.table(columns), records, zeek_truth(fields, options.truth))
    return without_rows(parsed, bad) if bad else parsed


def _zeek_text(value: Any, separator: str) -> str | None:
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, list):
        return separator.join("" if v is None else text_of(v) or "" for v in value)
    return text_of(value)
