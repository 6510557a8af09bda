"""Lines of text → Arrow columns, whole blocks at a time; what does not convert is named row by row."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from socml.formats._iso import from_iso
from socml.project import EXTRA, TIME

LATEST_S = 4_102_444_800  # 2100-01-01: a later time is two numbers run together, not a time
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def text_array(lines: Sequence[bytes]) -> pa.Array:
    """Return `lines` as text; bytes that are not UTF-8 are written out as \\xNN.

    Examples
    --------
    >>> text_array([b"caf\\xc3\\xa9", b"caf\\xe9"]).to_pylist()
    ['café', 'caf\\\\xe9']
    """
    try:
        return pa.array(lines, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([line.decode("utf-8", "backslashreplace") for line in lines], pa.string())


def split_columns(
    lines: Sequence[bytes], names: Sequence[str], delimiter: bytes, missing: Sequence[str]
) -> list[pa.Array]:
    """Return one text column a name. Every line must hold exactly that many values; quotes mean nothing.

    Parameters
    ----------
    missing : values that become null

    Examples
    --------
    >>> [c.to_pylist() for c in split_columns([b"a\\t-", b"b\\t1"], ["x", "y"], b"\\t", ["-"])]
    [['a', 'b'], [None, '1']]
    """
    data = b"\n".join(lines) + b"\n"
    slow = len(delimiter) != 1 or not delimiter.isascii() or delimiter in b"\r\n\0" or b"\r" in data
    if slow or (len(names) == 1 and not all(lines)):
        return _split_slowly(lines, len(names), delimiter, missing)
    keys = [str(i) for i in range(len(names))]
    table = pacsv.read_csv(
        io.BytesIO(data),
        read_options=pacsv.ReadOptions(use_threads=False, column_names=keys, block_size=len(data) + 1),
        parse_options=pacsv.ParseOptions(
            delimiter=delimiter.decode(), quote_char=False, escape_char=False, newlines_in_values=False
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(keys, pa.binary()), null_values=list(missing), strings_can_be_null=True
        ),
    )
    return [_utf8(column.combine_chunks()) for column in table.columns]


def extra_map(columns: Mapping[str, pa.Array], rows: int) -> pa.Array:
    """Return one map a row, from a column's name to its value; nulls are left out.

    Examples
    --------
    >>> extra_map({"uid": pa.array(["C1", None]), "peer": pa.array(["bro", "bro"])}, 2).to_pylist()
    [[('uid', 'C1'), ('peer', 'bro')], [('peer', 'bro')]]
    """
    names = list(columns)
    if not names or not rows:
        return pa.array([[]] * rows, EXTRA)
    flat = pa.concat_arrays([columns[name].cast(pa.string()) for name in names])
    present = np.asarray(flat.is_valid()).reshape(len(names), rows)
    row, name = np.nonzero(present.T)
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(np.bincount(row, minlength=rows), out=offsets[1:])
    keys, values = pa.array(names, pa.string()).take(pa.array(name)), flat.take(pa.array(name * rows + row))
    return pa.MapArray.from_arrays(pa.array(offsets), keys, values)


def numbers(values: pa.Array, to: pa.DataType) -> tuple[pa.Array, list[int]]:
    """Return text as numbers of type `to`, and the rows that are none (null in the result).

    Examples
    --------
    >>> column, bad = numbers(pa.array(["1", None, "x"]), pa.int64())
    >>> column.to_pylist(), bad
    ([1, None, None], [2])
    """
    try:
        cast = values.cast(to)
    except pa.ArrowInvalid:
        return _numbers_one_by_one(values, to)
    if pa.types.is_floating(to):
        finite = pc.is_finite(cast).fill_null(True)
        if not pc.all(finite).as_py():
            return _numbers_one_by_one(values, to)
    return cast, []


def epoch_times(values: pa.Array) -> tuple[pa.Array, list[int]]:
    """Return text in seconds since 1970 as times, to the microsecond, and the rows that are none.

    Examples
    --------
    >>> epoch_times(pa.array(["1655071198.444458", "XXXXXXXXXX.XXXXXX"]))[0].cast("int64").to_pylist()
    [1655071198444458, None]
    """
    seconds, bad = numbers(values, pa.float64())
    inside = pc.and_(pc.greater_equal(seconds, 0.0), pc.less(seconds, float(LATEST_S))).fill_null(True)
    if not pc.all(inside).as_py():
        bad = sorted({*bad, *np.flatnonzero(~np.asarray(inside)).tolist()})
        seconds = pc.if_else(inside, seconds, None)
    micros = pc.round(pc.multiply(seconds, 1e6)).cast(pa.int64())
    return micros.view(TIME), bad


def iso_times(values: pa.Array) -> tuple[pa.Array, list[int]]:
    """Return ISO 8601 text as times, and the rows that are none; a time without a zone is UTC.

    Examples
    --------
    >>> iso_times(pa.array(["2018-03-24T17:15:20.600725Z", "soon"]))[1]
    [1]
    """
    from datetime import UTC, datetime

    micros: list[int | None] = []
    bad: list[int] = []
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for row, text in enumerate(values.to_pylist()):
        try:
            when = None if text is None else from_iso(text)
        except ValueError:
            bad.append(row)
            when = None
        if when is None:
            micros.append(None)
            continue
        passed = (when if when.tzinfo else when.replace(tzinfo=UTC)) - epoch
        micros.append((passed.days * 86400 + passed.seconds) * 1_000_000 + passed.microseconds)
    return pa.array(micros, pa.int64()).view(TIME), bad


def constant(value: object, rows: int, to: pa.DataType) -> pa.Array:
    """Return a column that holds `value` in every row."""
    return pa.repeat(pa.scalar(value, to), rows)


def _split_slowly(lines: Sequence[bytes], width: int, delimiter: bytes, missing: Sequence[str]) -> list[pa.Array]:
    unset = {m.encode() for m in missing}
    flat = [None if cell in unset else cell for line in lines for cell in line.split(delimiter)]
    return [_utf8(pa.array(flat[i::width], pa.binary())) for i in range(width)]


def _utf8(column: pa.Array) -> pa.Array:
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        decoded = [None if v is None else v.decode("utf-8", "backslashreplace") for v in column.to_pylist()]
        return pa.array(decoded, pa.string())


def _numbers_one_by_one(values: pa.Array, to: pa.DataType) -> tuple[pa.Array, list[int]]:
    floating = pa.types.is_floating(to)
    pattern = _DECIMAL if floating else _INTEGER
    top = 0 if floating else 2 ** (to.bit_width - 1)
    found: list[float | int | None] = []
    bad: list[int] = []
    for row, text in enumerate(values.to_pylist()):
        number: float | int | None = None
        if text is not None:
            if pattern.fullmatch(text):
                number = float(text) if floating else int(text)
            if number is None or (not floating and not -top <= number < top) or number in (np.inf, -np.inf):
                bad.append(row)
                number = None
        found.append(number)
    return pa.array(found, to), bad
