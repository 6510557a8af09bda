"""Blocks of EVE lines → batches of events, a kind of event at a time. Lines that are not plain go the careful way.

What is plain is said in `_json_shapes`; here it is only told which kinds of value a field may have. On a plain line both
ways say the same: `eve_event` is the oracle of this one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from socml.formats._columns import constant, extra_map
from socml.formats._reader import Block, Parsed
from socml.formats._records import batches
from socml.formats._select_lines import Records, iso_micros, lines_of
from socml.formats.network._eve import BLOCKED, HASHES, LARGEST, NUMBERS, OF_FLOW, SEVERITIES, TEXTS, type_columns
from socml.formats.network._json_cuts import LIST, NONE, OTHER, TEXT, WHOLE
from socml.formats.network._json_shapes import JsonLines, plain_lines
from socml.project import EVENT, TIME
from socml.project import TEXTS as LIST_OF_TEXTS

__all__ = ["parse_block"]

_LOWER = {"proto": "network_transport", "app_proto": "network_protocol"}
_DNS = {"dns.rrname": "dns_question_name", "dns.rrtype": "dns_question_type", "dns.rcode": "dns_response_code"}
_QUESTION = {"rrname": "dns_question_name", "rrtype": "dns_question_type"}
_TECHNIQUE = "alert.metadata.mitre_technique_id"
_TIMES = ("timestamp", "flow.start", "flow.end")


def _allowed(*kinds: int) -> NDArray[np.bool_]:
    """Return, for each kind of value, whether it is one of these or none."""
    return np.isin(np.arange(OTHER + 1), (NONE, *kinds))


_ALLOWED = {  # what a value may be, in a plain line; any other field may be anything
    **dict.fromkeys(["event_type", *_TIMES, *TEXTS, *_LOWER, *_DNS, "dns.type", "dns.rdata"], _allowed(TEXT)),
    **dict.fromkeys([f"fileinfo.{name}" for name in HASHES], _allowed(TEXT)),
    **dict.fromkeys([*NUMBERS, *OF_FLOW, "alert.severity"], _allowed(WHOLE)),
    **dict.fromkeys(["alert.signature_id", "krb5.error_code"], _allowed(TEXT, WHOLE)),
    **dict.fromkeys(["dns.query", "dns.queries", "dns.answers"], _allowed(LIST)),
    _TECHNIQUE: _allowed(TEXT, LIST),
}


def parse_block(block: Block, read: Callable[[bytes], dict[str, object]]) -> Iterator[Parsed]:
    """Yield the events of a block; lines that are not plain are read by `read`."""
    lines = lines_of(block)
    odd = np.ones(len(lines.text), bool)
    for found in plain_lines(lines, "event_type"):
        if found.kind in (None, "stats"):
            continue
        plain, columns = _columns(found, found.kind)
        if not len(plain.rows):
            continue
        odd[plain.rows] = False
        texts = lines.texts(plain.rows)
        columns |= {"raw": texts, "source_line": pa.array(plain.rows + lines.first_line)}
        yield Parsed(pa.table(columns), Records(texts))
    rows = np.flatnonzero(odd).tolist()
    if rows:
        yield from batches(lines.numbered(rows), read)


def _columns(found: JsonLines, kind: str) -> tuple[JsonLines, dict[str, pa.Array]]:
    """Return the lines whose values fit, and their columns."""
    keep = np.ones(len(found.rows), bool)
    for name in _ALLOWED.keys() & found.kinds.keys():
        keep &= _ALLOWED[name][found.kinds[name]]
    found = found.only(keep & ~_filled_twice(found))
    event = _Event(found, kind)
    event.read()
    if not event.bad.any():
        return found, event.columns
    good = pa.array(~event.bad)
    return found.only(~event.bad), {name: column.filter(good) for name, column in event.columns.items()}


def _filled_twice(found: JsonLines) -> NDArray[np.bool_]:
    """Return the lines in which two fields are the same column."""
    twice = np.zeros(len(found.rows), bool)
    filled: dict[str, NDArray[np.bool_]] = {}
    for name, column in TEXTS.items():
        if name in found.kinds:
            present = found.kinds[name] != NONE
            twice |= present & filled.get(column, False)
            filled[column] = present | filled.get(column, False)
    return twice


class _Event:
    """The columns of events of one type; `bad` says which lines do not fit after all."""

    def __init__(self, found: JsonLines, kind: str) -> None:
        self._found, self._kind = found, kind
        self._left = dict(found.columns)  # what is left for `extra`
        self.bad = np.zeros(len(found.rows), bool)
        self.columns: dict[str, pa.Array] = {}

    def read(self) -> None:
        """Fill the columns, as `eve_event` does."""
        rows = len(self._found.rows)
        for column, value in zip(
            ("class_uid", "event_category", "event_action"), type_columns(self._kind), strict=True
        ):
            self.columns[column] = constant(value, rows, EVENT[column].type)
        self._take("event_type")
        times = self._times()
        for field, column in TEXTS.items():
            if (texts := self._take(field)) is not None:
                known = self.columns.get(column)
                self.columns[column] = texts if known is None else pc.coalesce(known, texts)
        for field, column in {**NUMBERS, **(OF_FLOW if self._kind == "flow" else {})}.items():
            self._number(field, column)
        for field, column in _LOWER.items():
            if (texts := self._take(field)) is not None:
                self.columns[column] = _lower(texts)
        self._list(_TECHNIQUE, "threat_technique_id", _techniques)
        last: dict[str, Callable[[pa.Array], None]] = {
            "flow": self._flow,
            "alert": self._alert,
            "dns": self._dns,
            "http": self._http,
            "krb5": self._krb5,
            "drop": self._drop,
        }
        if self._kind in last:
            last[self._kind](times)
        hashes = [(name, self._look(f"fileinfo.{name}")) for name in HASHES]
        named = [pc.binary_join_element_wise(f"{name}:", text, "") for name, text in hashes if text is not None]
        if named:
            self.columns["file_hash"] = pc.coalesce(*named)
        self.columns["extra"] = extra_map(self._left, rows)

    def _look(self, field: str) -> pa.Array | None:
        return self._found.columns.get(field)

    def _take(self, field: str) -> pa.Array | None:
        """Return a field, which then is not in `extra`."""
        self._left.pop(field, None)
        return self._look(field)

    def _times(self) -> dict[str, pa.Array]:
        """Return the times as microseconds since 1970, null where there is none; `time` is when it was logged."""
        texts = {name: found for name in _TIMES if (found := self._look(name)) is not None}
        if self._kind != "flow":
            texts = {name: found for name, found in texts.items() if name == "timestamp"}
        times = {name: pa.nulls(len(self._found.rows), pa.int64()) for name in _TIMES}
        if texts:
            micros = iso_micros(pa.concat_arrays(list(texts.values())))
            for at, (name, found) in enumerate(texts.items()):
                times[name] = micros[at * len(found) : (at + 1) * len(found)]
                self.bad |= np.asarray(pc.and_(times[name].is_null(), found.is_valid()))
        self._take("timestamp")
        self.columns["time"] = times["timestamp"].cast(TIME)
        return times

    def _number(self, field: str, column: str) -> None:
        texts = self._take(field)
        if texts is None:
            return
        try:
            numbers = texts.cast(pa.int64())
        except pa.ArrowInvalid:
            numbers = pc.if_else(pc.match_substring_regex(texts, "^[0-9]{1,18}$"), texts, None).cast(pa.int64())
        largest = pa.scalar(LARGEST.get(column, 2**63 - 1), pa.int64())
        fits = pc.and_(pc.less_equal(numbers, largest), pc.greater_equal(numbers, 0))
        self.bad |= np.asarray(pc.and_(texts.is_valid(), pc.invert(fits.fill_null(False))))
        self.columns[column] = pc.if_else(fits, numbers, None).cast(EVENT[column].type)

    def _list(self, field: str, column: str, listed: Callable[[object], list[str] | None]) -> None:
        """Fill a column of lists from a field that stays in `extra` as well."""
        texts = self._look(field)
        if texts is not None:
            as_json = _loaded(texts, self._found.kinds[field])
            self.columns[column] = pa.array([listed(value) for value in as_json], LIST_OF_TEXTS)

    def _flow(self, times: dict[str, pa.Array]) -> None:
        """The time of a flow is its start; when it was logged stands in `extra`."""
        start, end = times["flow.start"], times["flow.end"]
        has_start = start.is_valid()
        self.columns["duration_s"] = pc.divide(pc.subtract(end, start).cast(pa.float64()), 1e6)
        self.columns["time"] = pc.coalesce(start, times["timestamp"]).cast(TIME)
        self._take("flow.start")
        if "timestamp" in self._found.columns:  # in the place of the text that it was
            logged = pc.if_else(has_start, _iso(times["timestamp"]), None)
            self._left = {
                name: logged if name == "timestamp" else self._left[name]
                for name in self._found.columns
                if name == "timestamp" or name in self._left
            }
        self._outcome("destination_packets", lambda packets: pc.greater(packets, 0))

    def _alert(self, times: dict[str, pa.Array]) -> None:
        if (texts := self._take("alert.signature_id")) is not None:
            self.columns["rule_id"] = texts
        if "rule_name" in self.columns:
            self.columns["message"] = self.columns["rule_name"]
        if (texts := self._look("alert.severity")) is not None:
            severities = [None if text is None else SEVERITIES.get(int(text)) for text in texts.to_pylist()]
            self.columns["event_severity"] = pa.array(severities, pa.int32())
        if (texts := self._look("alert.action")) is not None:
            self.columns["event_outcome"] = pc.if_else(
                pc.equal(texts, BLOCKED), "failure", pa.scalar(None, pa.string())
            )
        query = self._asked("dns.query")
        self._names_of_dns()
        for column, texts in query.items():  # a record's own name comes first
            self.columns[column] = pc.coalesce(self.columns[column], texts) if column in self.columns else texts

    def _dns(self, times: dict[str, pa.Array]) -> None:
        if (succeeded := self._look("dns.type")) is not None:
            answered = pc.is_in(succeeded, pa.array(["answer", "response"]))
            self.columns["event_action"] = pc.if_else(answered, "dns_answer", self.columns["event_action"])
        self.columns["network_protocol"] = constant("dns", len(self._found.rows), pa.string())
        self._names_of_dns()
        for column, texts in self._asked("dns.queries").items():
            self.columns[column] = pc.coalesce(texts, self.columns[column]) if column in self.columns else texts
        if "dns_response_code" in self.columns:
            codes = self.columns["dns_response_code"]
            succeeded = pc.if_else(pc.equal(codes, ""), None, pc.equal(codes, "NOERROR"))
            self.columns["event_outcome"] = pc.if_else(succeeded, "success", "failure")
        self._list("dns.answers", "dns_answers", _answers)
        if (texts := self._look("dns.rdata")) is not None:
            lists = self.columns.get("dns_answers")
            alone = texts.is_valid() if lists is None else pc.and_(texts.is_valid(), lists.is_null())
            self.bad |= np.asarray(pc.and_(texts.is_valid(), pc.invert(alone)))
            known = pa.nulls(len(texts), LIST_OF_TEXTS) if lists is None else lists
            singly = [None if text is None else [text] for text in texts.to_pylist()]
            self.columns["dns_answers"] = pc.coalesce(known, pa.array(singly, LIST_OF_TEXTS))
            self._take("dns.rdata")

    def _drop(self, times: dict[str, pa.Array]) -> None:
        self.columns["event_outcome"] = constant("failure", len(self._found.rows), pa.string())

    def _http(self, times: dict[str, pa.Array]) -> None:
        self._outcome("http_response_status_code", lambda status: pc.less(status, 400))

    def _krb5(self, times: dict[str, pa.Array]) -> None:
        codes = self._look("krb5.error_code")
        rows, kinds = len(self._found.rows), self._found.kinds
        failed = [False] * rows if codes is None else [bool(v) for v in _loaded(codes, kinds["krb5.error_code"])]
        self.columns["event_outcome"] = pc.if_else(pa.array(failed, pa.bool_()), "failure", "success")

    def _names_of_dns(self) -> None:
        for field, column in _DNS.items():
            if (texts := self._take(field)) is not None:
                self.columns[column] = texts

    def _asked(self, field: str) -> dict[str, pa.Array]:
        """Return the columns of the question, where it is written as a list."""
        texts = self._look(field)
        if texts is None:
            return {}
        first = [
            value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else {}
            for value in _loaded(texts, self._found.kinds[field])
        ]
        columns = {
            c: [v if isinstance(v := query.get(f), str) else None for query in first] for f, c in _QUESTION.items()
        }
        return {column: pa.array(values, pa.string()) for column, values in columns.items()}

    def _outcome(self, column: str, is_good: Callable[[pa.Array], pa.Array]) -> None:
        if column in self.columns:
            self.columns["event_outcome"] = pc.if_else(is_good(self.columns[column]), "success", "failure")


def _loaded(texts: pa.Array, kinds: NDArray[np.uint8]) -> list[object]:
    """Return values as Python's, None where there is none; texts are without quotes."""
    pairs = zip(texts.to_pylist(), kinds.tolist(), strict=True)
    return [None if text is None else text if kind == TEXT else json.loads(text) for text, kind in pairs]


def _lower(texts: pa.Array) -> pa.Array:
    coded = texts.dictionary_encode()
    return pa.array([text.lower() for text in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def _iso(micros: pa.Array) -> pa.Array:
    """Return times as Python's isoformat writes them."""
    texts = pc.replace_substring(micros.cast(pa.timestamp("us")).cast(pa.string()), " ", "T")
    if pc.any(pc.ends_with(texts, ".000000")).as_py():
        texts = pc.replace_substring_regex(texts, r"\.000000$", "")
    return pc.binary_join_element_wise(texts, "+00:00", "")


def _techniques(found: object) -> list[str] | None:
    return [str(t) for t in (found if isinstance(found, list) else [found])] if found else None


def _answers(found: object) -> list[str] | None:
    return (
        None
        if found is None
        else [
            a["rdata"] for a in cast("list[object]", found) if isinstance(a, dict) and isinstance(a.get("rdata"), str)
        ]
    )
