"""Fields of a Zeek log, as text columns or in another form → event columns, for every type of log."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from socml.formats._columns import constant, epoch_times, extra_map, iso_times, numbers
from socml.formats._reader import Parsed, ReadOptions, judge, without_rows
from socml.formats.network._zeek_logs import ALSO, EVERY_LOG, LOGS, SIGNATURES, Log
from socml.project import EVENT, TEXTS, Truth

# Published labels of the Stratosphere and IoT-23 files; "Background" says neither.
LABELS = Truth(malicious=["malicious"], benign=["benign"])
TRUTH_FIELDS = ("label", "detailedlabel", "detailed-label")
LARGEST_PORT = 65535

_MASKED = r"^X+\.X+$"  # how Zeek's own test baselines blank out a time
_HASHES = ("sha256", "sha1", "md5")


class Fields(Protocol):
    """The fields of some records of one log, by Zeek's names."""

    rows: int

    def __iter__(self) -> Iterator[str]: ...
    def __contains__(self, name: object) -> bool: ...

    def text(self, name: str) -> pa.Array:
        """Return a field as text: null where it is unset, "" where it is an empty set or string."""
        ...

    def left_over(self, names: Sequence[str]) -> pa.Array:
        """Return one map a row, from a field's name to its text; those that are unset are left out."""
        ...


class TextFields(dict[str, pa.Array]):
    """Text columns by name, of which one at least; `empty` is how an empty set or string is written."""

    def __init__(self, columns: Mapping[str, pa.Array], empty: str) -> None:
        super().__init__({name: emptied(values, empty) for name, values in columns.items()})
        self.rows = len(next(iter(self.values())))

    def text(self, name: str) -> pa.Array:
        """Return a field."""
        return self[name]

    def left_over(self, names: Sequence[str]) -> pa.Array:
        """Return one map a row."""
        return extra_map({name: self[name] for name in names}, self.rows)


def log_type(names: set[str], file_name: str) -> str:
    """Return the type of a log that does not say it, by its fields, else by its file's name.

    Examples
    --------
    >>> log_type({"ts", "conn_state"}, "x.log"), log_type({"ts"}, "stats.log.gz"), log_type({"ts"}, "bro-smb_files_20260302.json")
    ('conn', 'stats', 'smb_files')
    """
    for path, signature in SIGNATURES:
        if signature <= names:
            return path
    first = file_name.split(".", maxsplit=1)[0].lower()
    words = re.split(r"[^a-z]+", file_name.lower())
    found = [path for path in LOGS if _within(path.split("_"), words)]
    named = [
        path for path in found if not any(path != other and path in other for other in found)
    ]  # files in smb_files
    return named[0] if first not in LOGS and len(named) == 1 else first


def _within(some: Sequence[str], words: Sequence[str]) -> bool:
    """Return whether words follow one another in others."""
    return any(list(words[at : at + len(some)]) == list(some) for at in range(len(words) - len(some) + 1))


def zeek_columns(
    path: str, fields: Mapping[str, pa.Array], *, separator: str = ",", empty: str = "(empty)"
) -> tuple[dict[str, pa.Array], dict[int, str]]:
    """Return the event columns of a block, and the rows that do not fit with the reason.

    Parameters
    ----------
    path : Zeek's name of the log: conn, dns, …
    fields : text columns by Zeek's field name; null is unset
    separator : between the members of a set or vector
    empty : how an empty set or string is written; it is not missing
    """
    return event_columns(path, TextFields(fields, empty), separator)


def event_columns(path: str, fields: Fields, separator: str) -> tuple[dict[str, pa.Array], dict[int, str]]:
    """Like `zeek_columns`, of fields in whatever form they are."""
    log = LOGS.get(path) or _other_log(path, fields)
    columns: dict[str, pa.Array] = {}
    bad: dict[int, str] = {}
    used = set()
    for name, column in {**EVERY_LOG, **log.columns}.items():
        if name in fields and column not in columns:
            columns[column] = _typed(fields.text(name), name, column, separator, bad)
            used.add(name)
    for name, column in ALSO.get(path, {}).items():
        if name in fields:
            first = pc.replace_substring_regex(fields.text(name), pattern=",.*", replacement="")
            values = _typed(first, name, column, separator, bad)
            columns[column] = pc.coalesce(columns[column], values) if column in columns else values
    hashes = [pc.binary_join_element_wise(h, fields.text(h), ":") for h in _HASHES if h in fields]
    if hashes:
        columns["file_hash"] = pc.coalesce(*hashes)
    columns |= _constants(log, columns, fields.rows)
    if log.outcome in fields:
        coded = fields.text(log.outcome).dictionary_encode()
        columns["event_outcome"] = _outcome(coded.dictionary, log).take(coded.indices)
    columns["extra"] = fields.left_over([name for name in fields if name not in used and name not in TRUTH_FIELDS])
    return columns, bad


def masked_times(fields: Mapping[str, pa.Array]) -> int:
    """Return how many records have their time blanked out with X; their time is null."""
    return pc.sum(pc.match_substring_regex(fields["ts"], _MASKED)).as_py() or 0 if "ts" in fields else 0


def log_events(
    columns: dict[str, pa.Array],
    bad: dict[int, str],
    records: Sequence[bytes],
    fields: Mapping[str, pa.Array],
    options: ReadOptions,
) -> Parsed:
    """Return the events of one type of log, but for the rows that are bad."""
    parsed = Parsed(pa.table(columns), records, zeek_truth(fields, options.truth))
    return without_rows(parsed, bad) if bad else parsed


def zeek_truth(fields: Mapping[str, pa.Array], declared: Truth | None) -> pa.Table | None:
    """Return the ground truth in a labelled log, None if it has no label column."""
    rules = declared if declared and declared.column else LABELS
    column = rules.column or "label"
    if column not in fields:
        return None
    labels = fields[column]
    named = [fields[f] for f in (rules.family_column, *TRUTH_FIELDS[1:]) if f in fields]

    def is_malicious(label: str | None) -> bool | None:
        if rules is LABELS:
            label = label.strip().lower() if label else None
        return judge(label, rules)

    def name(family: str | None) -> str | None:
        return None if family in (None, "", "-", "(empty)") else family.strip()

    # What a record is does not depend on its neighbours: the first of the fields that it fills itself.
    families = _of_each(pc.coalesce(*named), name, pa.string()) if named else pa.nulls(len(labels), pa.string())
    families = pc.if_else(pc.is_valid(labels), families, None)
    return pa.table(
        {
            "malicious": _of_each(labels, is_malicious, pa.bool_()),
            "family": families,
            "technique": _of_each(families, lambda family: (rules.techniques or {}).get(family or ""), pa.string()),
        }
    )


def emptied(values: pa.Array, empty: str) -> pa.Array:
    """Return texts, with "" for those that are `empty`."""
    is_empty = pc.equal(values, empty)
    return pc.if_else(is_empty, "", values) if pc.any(is_empty).as_py() else values


def _of_each(values: pa.Array, convert: Callable[[str | None], object], to: pa.DataType) -> pa.Array:
    """Return what is told of each value, null too; of the same ones once."""
    coded = values.dictionary_encode("encode")
    return pa.array([convert(value) for value in coded.dictionary.to_pylist()], to).take(coded.indices)


def _other_log(path: str, fields: Fields) -> Log:
    return Log(None, "network", path) if "id.orig_h" in fields else Log(None, None, path)


def _typed(values: pa.Array, name: str, column: str, separator: str, bad: dict[int, str]) -> pa.Array:
    to = EVENT[column].type
    if column == "time":
        values = pc.if_else(pc.match_substring_regex(values, _MASKED), pa.scalar(None, pa.string()), values)
        typed, wrong = epoch_times(values)
        dated = [row for row in wrong if "T" in values[row].as_py()]
        if dated:  # each by its own form, whatever stands around it
            written, unread = iso_times(values.take(pa.array(dated)))
            mask = np.zeros(len(values), bool)
            mask[dated] = True
            typed = pc.replace_with_mask(typed, pa.array(mask), written)
            wrong = sorted({*wrong}.difference(dated) | {dated[at] for at in unread})
        kind = "a time in seconds since 1970"
    elif to == TEXTS:
        members = pc.split_pattern(values, separator)
        if not pc.any(pc.equal(values, "")).as_py():
            return members
        return pa.array([[] if m == [""] else m for m in members.to_pylist()], TEXTS)
    elif pa.types.is_string(to):
        return pc.utf8_lower(values) if column in ("network_transport", "network_protocol") else values
    else:
        typed, wrong = numbers(values, to)
        kind = "a number"
    if column.endswith("_port"):
        outside = ~np.asarray(pc.less_equal(typed, LARGEST_PORT).fill_null(True))
        wrong = sorted({*wrong, *np.flatnonzero(outside).tolist()})
        kind = "a port"
    for row in wrong:
        bad.setdefault(row, f"{name} is {_shown(values[row].as_py())}, not {kind}")
    return typed


def _shown(value: str) -> str:
    return repr(value if len(value) <= 60 else value[:57] + "…")


def _constants(log: Log, columns: Mapping[str, pa.Array], rows: int) -> dict[str, pa.Array]:
    fixed: dict[str, object] = {
        "class_uid": log.class_uid,
        "event_category": log.category,
        "event_action": log.action,
        "network_protocol": log.protocol,
    }
    return {
        name: constant(value, rows, EVENT[name].type)
        for name, value in fixed.items()
        if value is not None and name not in columns
    }


def _outcome(values: pa.Array, log: Log) -> pa.Array:
    won = pc.is_in(values, value_set=pa.array(sorted(log.success), pa.string()))
    lost = (
        pc.invert(won)
        if log.failure is None
        else pc.is_in(values, value_set=pa.array(sorted(log.failure), pa.string()))
    )
    outcome = pc.if_else(won, "success", pc.if_else(lost, "failure", "unknown"))
    return pc.if_else(values.is_valid(), outcome, pa.scalar(None, pa.string()))
