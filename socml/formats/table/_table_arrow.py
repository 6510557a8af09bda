"""Columns of a Parquet file, of any Arrow type → values that an event table holds, texts, and rows as Python's own.

Python's times go to the microsecond and from the year 1 to 9999; Arrow's go further both ways. What is finer is cut, what
is outside is null in a column, and a count of its unit in the record.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from socml.project import TIME

__all__ = ["as_text", "json_value", "rows_of", "storable"]

_A_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_NO_DAY = "<value out of range"  # as Arrow writes a day that no calendar has
_FIRST_S, _LAST_S = -62_135_596_800, 253_402_300_799  # of the years 1 and 9999


def rows_of(table: pa.Table) -> list[dict[str, object]]:
    """Return the rows of a table."""
    table = _changed(table, _in_microseconds)
    rows: list[dict[str, object]]
    try:
        rows = table.to_pylist()
    except UnicodeDecodeError:  # of a text that is none
        names = table.column_names
        columns = [[_value(one) for one in column] for column in table.columns]
        rows = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    except (OverflowError, ValueError):  # of a time that no calendar has, or of a zone that is none
        rows = _changed(table, _as_counts).to_pylist()
    return rows


def _value(one: pa.Scalar) -> object:
    """Return a value as Python's own; bytes of a text that are not UTF-8 as \\xNN, a time that no calendar has as its count."""
    with suppress(ValueError, OverflowError):  # that bytes are not UTF-8 is a ValueError too
        return one.as_py()
    kind = one.type
    if pa.types.is_struct(kind):
        return {name: _value(inside) for name, inside in one.items()}
    if pa.types.is_map(kind):
        return [(_value(pair["key"]), _value(pair["value"])) for pair in one.values]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return [_value(inside) for inside in one.values]
    if pa.types.is_string(kind):
        return bytes(one.as_buffer()).decode("utf-8", "backslashreplace")
    return _value(one.value) if pa.types.is_dictionary(kind) else one.value


def json_value(value: object) -> object:
    """Return a value of a row as JSON has it: maps as objects, bytes as text; nulls of objects are left out.

    What a map gives twice is a list, and a whole number beyond 64 bits a text.

    Examples
    --------
    >>> json_value({"ip": None, "tags": [("a", 1), ("b", b"x")], "ports": [1, None]})
    {'tags': {'a': 1, 'b': 'x'}, 'ports': [1, None]}
    """
    if isinstance(value, dict):
        return {str(name): json_value(inside) for name, inside in value.items() if inside is not None}
    if isinstance(value, list):
        return _object_of(value) if value and isinstance(value[0], tuple) else [json_value(one) for one in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value


def _number(value: Decimal) -> int | float | str:
    if value != value.to_integral_value():
        return float(value)
    return int(value) if -(1 << 63) <= value < 1 << 64 else f"{value:.0f}"


def _object_of(pairs: list[tuple[object, object]]) -> dict[str, object]:
    found: dict[str, list[object]] = {}
    for name, value in pairs:
        if value is not None:
            found.setdefault(str(json_value(name)), []).append(json_value(value))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def storable(values: pa.Array) -> pa.Array:
    """Return a column as numbers, times or texts. A duration is in seconds, what is not finite is null.

    Examples
    --------
    >>> storable(pa.array([1_500_000], pa.duration("us"))).to_pylist(), storable(pa.array([10**15], pa.timestamp("s"))).to_pylist()
    ([1.5], [None])
    >>> storable(pa.array([{"port": 443}, None])).to_pylist()
    ['{"port":443}', None]
    """
    kind = values.type
    if pa.types.is_dictionary(kind):
        return storable(values.dictionary_decode())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = values.cast(pa.float64())
        return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return values.cast(pa.string() if pa.types.is_uint64(kind) else pa.int64())
    if pa.types.is_duration(kind):
        return pc.divide(values.cast(pa.int64()).cast(pa.float64(), safe=False), float(_A_SECOND[kind.unit]))
    if pa.types.is_timestamp(kind):
        return _inside(values).cast(pa.timestamp("us", kind.tz), safe=False).view(TIME)
    return as_text(values)


def as_text(values: pa.Array) -> pa.Array:
    """Return a column as text: lists and objects as JSON, bytes as UTF-8, those that are not as \\xNN.

    Examples
    --------
    >>> as_text(pa.array([[1, 2], None])).to_pylist(), as_text(pa.array([b"a\\xff"])).to_pylist()
    (['[1,2]', None], ['a\\\\xff'])
    """
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_timestamp(values.type):
        values = _inside(values)
    try:
        texts = values.cast(pa.string())
        texts.validate(full=True)
        odd = pc.starts_with(texts, _NO_DAY) if pa.types.is_date(values.type) else pa.scalar(False)
        return pc.if_else(odd, pa.scalar(None, pa.string()), texts)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return pa.array([_text(row["v"]) for row in rows_of(pa.table({"v": values}))], pa.string())


def _inside(values: pa.Array) -> pa.Array:
    """Return times with those as null that no calendar of ours has."""
    a_second = _A_SECOND[values.type.unit]
    counts = values.cast(pa.int64())
    low, high = (max(min(limit * a_second, 2**63 - 1), -(2**63)) for limit in (_FIRST_S, _LAST_S))
    inside = pc.and_(pc.greater_equal(counts, low), pc.less_equal(counts, high))
    return pc.if_else(inside, values, pa.scalar(None, values.type))


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode()


def _plain(value: object) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _changed(table: pa.Table, change: Callable[[pa.DataType], pa.DataType]) -> pa.Table:
    """Return a table with the types that `change` gives for each, within lists and objects too."""
    fields = [field.with_type(_within(field.type, change)) for field in table.schema]
    if all(field.type == old.type for field, old in zip(fields, table.schema, strict=True)):
        return table
    columns = [
        column if column.type == field.type else _cast(column, field.type)
        for field, column in zip(fields, table.columns, strict=True)
    ]
    return pa.table(columns, names=table.column_names)


def _cast(column: pa.ChunkedArray, to: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    return column.cast(to, safe=False)


def _within(kind: pa.DataType, change: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
    if pa.types.is_map(kind):
        return pa.map_(kind.key_type, _within(kind.item_type, change))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        make = pa.large_list if pa.types.is_large_list(kind) else pa.list_
        return make(kind.value_field.with_type(_within(kind.value_type, change)))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_within(field.type, change)) for field in kind])
    return change(kind)


def _in_microseconds(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if pa.types.is_time64(kind):
        return pa.time64("us")
    return pa.duration("us") if pa.types.is_duration(kind) and kind.unit == "ns" else kind


def _as_counts(kind: pa.DataType) -> pa.DataType:
    """Return whole numbers for times. A day is 32 bits in Arrow."""
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        return pa.int32()
    return pa.int64() if pa.types.is_temporal(kind) else kind
