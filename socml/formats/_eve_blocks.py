"""Blocks of EVE lines → batches of events, column by column. Lines that are not plain go the careful way, one by one.

On a plain line both ways say the same: `eve_event` is the oracle of this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats import _eve_rules as rules
from socml.formats._eve import HASHES, NUMBERS, OF_FLOW, SEVERITIES, TEXTS, type_columns
from socml.formats._reader import Block, Parsed, no_events
from socml.formats._records import batches
from socml.formats._span_records import SpanRecords
from socml.kernels.json_columns import MISSING, NEVER, Dealt, deal, room_to_deal, types
from socml.kernels.json_lines import Fields, fields_for, scan
from socml.kernels.json_names import Names
from socml.kernels.json_texts import copies, texts
from socml.kernels.json_values import STRING
from socml.tables import EVENT, TIME
from socml.tables import TEXTS as LIST_OF_TEXTS

__all__ = ["EveBlocks"]

_FLOW, _ALERT, _DNS, _KRB5 = (rules.CLASSES[name] for name in ("flow", "alert", "dns", "krb5"))
_MOVED = ("start", "timestamp")  # of a flow: its own time is its start, and the other stands in `extra`
_QUOTE = 34
_QUESTION = {"rrname": "dns_question_name", "rrtype": "dns_question_type"}


class EveBlocks:
    """Reads the blocks of one file; what names it met in one it knows in the next."""

    def __init__(self) -> None:
        self._names = rules.new_names()
        self._types = Names([])
        self._rules = rules.rules_for(self._names)
        self._room = 0  # bytes of a block that there is room for

    def parse(self, block: Block, read: Callable[[bytes], dict[str, Any]]) -> Iterator[Parsed]:
        """Yield the events of a block; lines that are not plain are read by `read`."""
        text = block.data if block.data.endswith(b"\n") else block.data + b"\n"
        data, at, line = np.frombuffer(text, np.uint8), 0, block.first_line
        if len(data) > self._room:
            self._room = len(data) * 5 // 4
            self._fields = fields_for(self._room)
            self._dealt = room_to_deal(self._room, texts=len(rules.TEXT_SLOTS), numbers=len(rules.NUMBER_SLOTS))
        while at < len(data):
            fields, at = scan(data, at, self._names, self._fields)
            plain = self._plain(text, data, fields, line)
            if plain.count:
                yield plain
            odd = np.flatnonzero(~fields.plain)
            if len(odd):
                spans = zip(odd.tolist(), fields.begins[odd].tolist(), fields.stops[odd].tolist(), strict=True)
                yield from batches(((line + i, text[b:e].strip(b"\r\0")) for i, b, e in spans), read)
            line += len(fields.plain)

    def _plain(self, text: bytes, data: NDArray[np.uint8], fields: Fields, first_line: int) -> Parsed:
        """Return the events of the plain lines. A line that is not, after all, is marked."""
        kinds = types(data, fields, self._names.number("event_type"), self._types)
        classes = np.array([rules.class_of(name) for name in self._types.texts()])[kinds]
        first, second = (rules.NUMBER_SLOTS.index(name) for name in _MOVED)
        dealt = deal(
            data,
            fields,
            classes,
            self._rules,
            self._dealt,
            moved=(first, second, self._names.number("timestamp")),
        )
        rows = np.flatnonzero(fields.plain & (classes != NEVER))
        skipped = int((fields.plain & (classes == NEVER)).sum())
        skips = {"stats record": skipped} if skipped else {}
        if not len(rows):
            return Parsed(no_events(), [], skips=skips)
        found = _Columns(text, data, fields, dealt, rows, classes, kinds)
        columns = {
            "raw": found.raw(),
            "source_line": pa.array(rows + first_line),
            **found.all(self._types.texts()),
            "extra": found.left_over(self._names.texts()),
        }
        return Parsed(pa.table(columns), found.records(), skips=skips)


class _Columns:
    """The rows of some plain lines, as columns."""

    def __init__(
        self,
        text: bytes,
        data: NDArray[np.uint8],
        fields: Fields,
        dealt: Dealt,
        rows: NDArray[np.intp],
        classes: NDArray[np.integer[Any]],
        kinds: NDArray[np.integer[Any]],
    ) -> None:
        self._bytes, self._data, self._fields, self._dealt, self._rows = text, data, fields, dealt, rows
        self._everything = len(rows) == len(fields.plain)
        self._classes, self._kinds = self.of(classes), self.of(kinds)
        self._strings = np.full(len(rows), STRING, np.uint8)

    def of(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the values of the rows that are events."""
        return values if self._everything else values[self._rows]

    def records(self) -> SpanRecords:
        """Return the bytes of each row."""
        return SpanRecords(self._bytes, self.of(self._fields.begins).copy(), self.of(self._fields.stops).copy())

    def raw(self) -> pa.Array:
        """Return the text of each row."""
        where, values = copies(self._data, self.of(self._fields.begins), self.of(self._fields.stops))
        return pa.StringArray.from_buffers(len(self._rows), pa.py_buffer(where), pa.py_buffer(values))

    def all(self, type_names: list[str]) -> dict[str, pa.Array]:
        """Return the columns that any row fills, but for `extra`."""
        start, end = self._number("start"), self._number("end")
        is_flow = start != MISSING
        time = np.where(is_flow, start, self._number("timestamp"))
        lasting = is_flow & (end != MISSING)
        columns: dict[str, pa.Array | None] = {
            "time": pa.array(time, mask=time == MISSING).view(TIME),
            "duration_s": pa.array(np.where(lasting, end - start, 0) / 1e6, mask=~lasting) if is_flow.any() else None,
            **{name: self._text(name) for name in dict.fromkeys(TEXTS.values())},
            **{name: self._whole(name) for name in (*NUMBERS.values(), *OF_FLOW.values())},
            **{name: self._lower(name) for name in ("network_transport", "network_protocol")},
            **self._of_type(type_names),
            **{name: self._text(name) for name in (*_QUESTION.values(), "dns_response_code", "rule_id")},
            "threat_technique_id": self._lists(rules.TECHNIQUE, _techniques),
            "file_hash": self._hash(),
        }
        if (self._classes == _ALERT).any():
            self._alerts(columns)
        if (self._classes == _DNS).any():
            self._dns(columns)
        columns |= self._asked(columns)
        columns["event_outcome"] = self._outcomes(columns["dns_response_code"], type_names)
        return {name: column for name, column in columns.items() if column is not None}

    def left_over(self, names: list[str]) -> pa.Array:
        """Return what has no column."""
        dealt, count = self._dealt, int(self._dealt.offsets[-1])
        offsets = dealt.offsets.copy() if self._everything else np.append(np.int32(0), dealt.offsets[1:][self._rows])
        where, values = texts(
            self._data,
            dealt.kinds[:count],
            dealt.value_starts[:count],
            dealt.value_ends[:count],
            dealt.numbers[rules.NUMBER_SLOTS.index("timestamp")],
        )
        keys = pa.array(names, pa.string()).take(pa.array(dealt.names[:count]))
        found = pa.StringArray.from_buffers(count, pa.py_buffer(where), pa.py_buffer(values))
        return pa.MapArray.from_arrays(pa.array(offsets, pa.int32()), keys, found)

    def _number(self, slot: str) -> NDArray[np.int64]:
        return self.of(self._dealt.numbers[rules.NUMBER_SLOTS.index(slot)])

    def _whole(self, slot: str) -> pa.Array | None:
        values = self._number(slot)
        absent = values == MISSING
        return None if absent.all() else pa.array(np.where(absent, 0, values), mask=absent).cast(EVENT[slot].type)

    def _span(self, slot: str) -> tuple[NDArray[np.int32], NDArray[np.int32]] | None:
        at = rules.TEXT_SLOTS.index(slot)
        if not self._dealt.filled[at]:
            return None
        return self.of(self._dealt.starts[at]), self.of(self._dealt.ends[at])

    def _text(self, slot: str) -> pa.Array | None:
        span = self._span(slot)
        if span is None:
            return None
        where, values = texts(self._data, self._strings, *span, self._dealt.numbers[0])
        present = np.packbits(span[0] >= 0, bitorder="little")
        buffers = (pa.py_buffer(where), pa.py_buffer(values), pa.py_buffer(present))
        return pa.StringArray.from_buffers(len(self._rows), *buffers)

    def _lower(self, slot: str) -> pa.Array | None:
        column = self._text(slot)
        if column is None:
            return None
        coded = column.dictionary_encode()
        few = pa.array([text.lower() for text in coded.dictionary.to_pylist()], pa.string())
        return few.take(coded.indices)

    def _of_type(self, names: list[str]) -> dict[str, pa.Array]:
        of_types = [type_columns(name) for name in names]
        kinds = pa.array(self._kinds)
        return {
            column: pa.array([of_type[i] for of_type in of_types], EVENT[column].type).take(kinds)
            for i, column in enumerate(("class_uid", "event_category", "event_action"))
        }

    def _values(self, slot: str) -> tuple[list[int], list[Any]]:
        """Return the rows that have this field, and its values."""
        span = self._span(slot)
        if span is None:
            return [], []
        rows = np.flatnonzero(span[0] >= 0)
        starts, ends = span[0][rows], span[1][rows]
        quoted = self._data[starts - 1] == _QUOTE
        spans = zip((starts - quoted).tolist(), (ends + quoted).tolist(), strict=True)
        return rows.tolist(), orjson.loads(b"[" + b",".join([self._bytes[start:end] for start, end in spans]) + b"]")

    def _lists(self, slot: str, listed: Callable[[Any], list[str] | None]) -> pa.Array | None:
        rows, values = self._values(slot)
        if not rows:
            return None
        column: list[list[str] | None] = [None] * len(self._rows)
        for row, value in zip(rows, values, strict=True):
            column[row] = listed(value)
        return pa.array(column, LIST_OF_TEXTS)

    def _hash(self) -> pa.Array | None:
        columns = [(name, self._text(name)) for name in HASHES]
        named = [pc.binary_join_element_wise(f"{name}:", text, "") for name, text in columns if text is not None]
        return pc.coalesce(*named) if named else None

    def _alerts(self, columns: dict[str, pa.Array | None]) -> None:
        of_alert = pa.array(self._classes == _ALERT)
        if columns["rule_name"] is not None:
            columns["message"] = pc.if_else(of_alert, columns["rule_name"], None)
        severity = self._number("severity")
        known = np.isin(severity, list(SEVERITIES))
        worse = np.array([SEVERITIES.get(i, 0) for i in range(max(SEVERITIES) + 1)], np.int32)
        columns["event_severity"] = pa.array(worse[np.where(known, severity, 0)], mask=~known)

    def _dns(self, columns: dict[str, pa.Array | None]) -> None:
        is_dns = pa.array(self._classes == _DNS)
        said = self._text("dns.type")
        if said is not None:
            answered = pc.is_in(said, pa.array(["answer", "response"]))
            columns["event_action"] = pc.if_else(answered, "dns_answer", columns["event_action"])
        columns["network_protocol"] = pc.if_else(is_dns, "dns", columns["network_protocol"])
        columns["dns_answers"] = self._lists(rules.ANSWERS, _answers)

    def _asked(self, columns: dict[str, pa.Array | None]) -> dict[str, pa.Array]:
        """Return the columns of the question, where it is written as a list: before the name of a DNS record's own."""
        asked_at = zip(*self._values(rules.ASKED), strict=True)
        found = {row: asked[0] for row, asked in asked_at if asked and isinstance(asked[0], dict)}
        changed: dict[str, pa.Array] = {}
        for field, name in _QUESTION.items() if found else ():
            before = columns[name]
            values = [None] * len(self._rows) if before is None else before.to_pylist()
            for row, asked in found.items():
                if isinstance(asked.get(field), str) and (values[row] is None or self._classes[row] == _DNS):
                    values[row] = asked[field]
            changed[name] = pa.array(values, pa.string())
        return changed

    def _outcomes(self, codes: pa.Array | None, type_names: list[str]) -> pa.Array:
        """Return success or failure: by the packets of a flow, the status of HTTP, the code of DNS and of Kerberos."""
        good = np.full(len(self._rows), -1, np.int8)
        packets, status = self._number("destination_packets"), self._number("http_response_status_code")
        flows = (self._classes == _FLOW) & (packets != MISSING)
        good[flows] = packets[flows] > 0
        if "http" in type_names:
            web = (self._kinds == type_names.index("http")) & (status != MISSING)
            good[web] = status[web] < 400
        if codes is not None:
            said = (self._classes == _DNS) & np.asarray(pc.not_equal(codes, "").fill_null(False))
            good[said] = np.asarray(pc.equal(codes, "NOERROR").fill_null(False))[said]
        good[self._classes == _KRB5] = 1
        for row, error in zip(*self._values(rules.CODE), strict=True):
            good[row] = 0 if error else 1
        return pa.array(["failure", "success"]).take(pa.array(good, mask=good < 0))


def _techniques(found: Any) -> list[str] | None:
    return [str(t) for t in (found if isinstance(found, list) else [found])] if found else None


def _answers(found: Any) -> list[str]:
    if isinstance(found, str):
        return [found]
    return [a["rdata"] for a in found if isinstance(a, dict) and isinstance(a.get("rdata"), str)]
