"""A Zeek log in its own tab-separated form → events. Any type of log, with or without labels.

What it is blind to: values stay as Zeek writes them, so `\\x09` in a field is four characters, as in `raw`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from socml.errors import FormatError
from socml.formats._columns import split_columns, split_data, text_array
from socml.formats._reader import Block, Parsed, ReadOptions, Reject, Source, head_lines, no_events, without_rows
from socml.formats._zeek import log_type, masked_times, zeek_columns, zeek_truth

__all__ = ["ZeekTsv"]

# conn.log as Zeek has written it since 2.2, for files that were cut above their header.
_CONN = (
    "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state local_orig "
    "local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents"
).split()
_HEADERLESS = {21: _CONN, 22: [*_CONN, "ip_proto"], 23: [*_CONN, "label", "detailedlabel"]}
_WORTH_IT = 4096  # bytes that are worth to be cut into columns all at once
_JOINED = b"   "  # IoT-23 joins its last three columns with three blanks


@dataclass(frozen=True)
class _Header:
    names: tuple[str, ...] = ()
    path: str = ""
    separator: bytes = b"\t"
    set_separator: str = ","
    empty: str = "(empty)"
    unset: str = "-"
    joined: int = 0  # how many columns are joined to the one before by three blanks

    def after(self, line: bytes) -> _Header:
        """Return the header with what one line that starts with # says."""
        key, _, rest = line.partition(self.separator)
        if line.startswith(b"#separator"):
            written = line.removeprefix(b"#separator").strip(b" ").removeprefix(b"\t").decode("ascii", "replace")
            return replace(self, separator=_unescaped(written))
        text = rest.decode("utf-8", "replace")
        said = {b"#set_separator": {"set_separator": text or ","}, b"#empty_field": {"empty": text}}
        said |= {b"#unset_field": {"unset": text}, b"#path": {"path": text.strip().lower()}}
        if key == b"#fields":
            names = text.split(self.separator.decode("latin-1"))
            last = [name.strip() for name in names[-1].split(_JOINED.decode()) if name]
            return replace(self, names=(*names[:-1], *last), joined=len(last) - 1)
        return replace(self, **said.get(key, {}))  # type: ignore[arg-type]


class ZeekTsv:
    """Zeek logs as Zeek writes them by default: `#fields`, then one record a line."""

    name = "zeek-tsv"
    about = "Zeek logs, tab-separated, of any type: conn, dns, http, ssl, ssh, notice, weird, …"
    specification = "https://docs.zeek.org/en/master/log-formats.html"
    examples = (
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto",
        "1655071198.444458\tCHLXQF2OBY4onAR0Ug\t147.32.81.167\t62771\t40.74.108.123\t443\ttcp",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure with a Zeek header, fairly sure of a conn.log that lost it."""
        lines = head_lines(head)
        if any(line.startswith((b"#separator", b"#fields\t")) for line in lines):
            return 1.0
        return 0.9 if lines and _looks_like_conn(lines[0]) else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events; the header may change on the way, as in logs that were joined."""
        header = _Header()
        warnings: list[str] = []
        for block in source.blocks():
            skips: dict[str, int] = {}
            numbered: list[tuple[int, bytes]] = []
            lines, number = block.lines(), block.first_line
            while number - block.first_line < len(lines):
                line = lines[number - block.first_line]
                if line.startswith(b"#"):
                    changed = header.after(line)
                    if numbered and changed != header:
                        yield _parsed(header, numbered, options)
                        numbered = []
                    header = changed
                    skips["header"] = skips.get("header", 0) + 1
                elif not line:
                    skips["blank line"] = skips.get("blank line", 0) + 1
                else:
                    if not header.names:
                        header, warning = _assumed_header(header, line, source, number)
                        warnings.append(warning)
                    if not header.path:
                        header = replace(header, path=log_type(set(header.names), source.name))
                    if not numbered and (plain := _plain(header, block, lines, number)):
                        yield _events(header, plain.records, plain.arrays, plain.number, options)
                        number += len(plain.records)
                        continue
                    numbered.append((number, line))
                number += 1
            parsed = _parsed(header, numbered, options)
            parsed.skips = skips
            parsed.warnings += warnings
            warnings = []
            yield parsed


@dataclass(frozen=True)
class _Plain:
    """Records of a block that follow each other and all have the header's number of values."""

    number: int
    records: list[bytes]
    arrays: list[pa.Array]


def _plain(header: _Header, block: Block, lines: list[bytes], number: int) -> _Plain | None:
    """Return the records from a line up to the next header or the block's end, if they can be cut all at once."""
    data = block.data
    before = number - block.first_line
    if header.joined or len(header.separator) != 1 or len(header.names) < 2 or b"\r" in data or b"\0" in data:
        return None
    start = sum(len(line) + 1 for line in lines[:before]) if before < 100 else -1
    if start < 0:
        return None
    end = data.find(b"\n#", start) + 1 or data.rfind(b"\n") + 1
    body = data[start:end]
    if len(body) < _WORTH_IT or b"\n\n" in body:
        return None
    signs = np.frombuffer(body, np.uint8)
    ends = np.flatnonzero(signs == ord("\n"))
    is_separator = (signs == header.separator[0]).view(np.uint8)
    counts = np.add.reduceat(is_separator, np.concatenate(([0], ends[:-1] + 1)), dtype=np.int32)
    if (counts != len(header.names) - 1).any():
        return None
    arrays = split_data(body, header.names, header.separator, [header.unset])
    if any(len(array) != len(ends) for array in arrays):
        return None
    return _Plain(number, lines[before : before + len(ends)], arrays)


def _assumed_header(header: _Header, line: bytes, source: Source, number: int) -> tuple[_Header, str]:
    if not _looks_like_conn(line):
        found = line.count(b"\t") + 1
        raise FormatError(
            f"{source.name}:{number}: this is not a Zeek log: there is no #fields line, and the first record has "
            f"{found} tab-separated values where a conn.log has 21. If it is another format, name it with --format."
        )
    names = _HEADERLESS[line.count(b"\t") + 1]
    warning = f"There is no #fields line; read as a conn.log with the usual {len(names)} columns."
    return replace(header, names=tuple(names), path="conn"), warning


def _looks_like_conn(line: bytes) -> bool:
    cells = line.split(b"\t")
    return len(cells) in _HEADERLESS and _is_number(cells[0]) and cells[3].isdigit() and cells[5].isdigit()


def _is_number(cell: bytes) -> bool:
    return cell.replace(b".", b"", 1).isdigit()


def _parsed(header: _Header, numbered: list[tuple[int, bytes]], options: ReadOptions) -> Parsed:
    if not numbered:
        return Parsed(no_events(), [])
    width = len(header.names)
    separators = width - 1 - header.joined
    rejects = []
    kept: list[tuple[int, bytes]] = []
    for number, line in numbered:
        found = line.count(header.separator)
        if found != separators:
            rejects.append(Reject(number, f"{found + 1} values for {separators + 1} fields", line))
        elif header.joined and len(line.rsplit(_JOINED, header.joined)) != header.joined + 1:
            rejects.append(Reject(number, f"the last value is not {header.joined + 1} joined by three blanks", line))
        else:
            kept.append((number, line))
    if not kept:
        return Parsed(no_events(), [], rejects=rejects)
    cells = [_separated(line, header) for _, line in kept] if header.joined else [line for _, line in kept]
    arrays = split_columns(cells, header.names, header.separator, [header.unset])
    numbers = np.fromiter((number for number, _ in kept), np.int64, len(kept))
    parsed = _events(header, [line for _, line in kept], arrays, numbers, options)
    parsed.rejects = sorted([*rejects, *parsed.rejects], key=lambda reject: reject.line)
    return parsed


def _events(
    header: _Header, records: list[bytes], arrays: list[pa.Array], numbers: int | np.ndarray, options: ReadOptions
) -> Parsed:
    """Return records as events; `numbers` are their lines, or the first one's if they follow each other."""
    fields = dict(zip(header.names, arrays, strict=True))
    columns, bad = zeek_columns(header.path, fields, separator=header.set_separator, empty=header.empty)
    columns["raw"] = text_array(records)
    lines = numbers if isinstance(numbers, np.ndarray) else np.arange(numbers, numbers + len(records))
    columns["source_line"] = pa.array(lines, pa.int64())
    parsed = Parsed(pa.table(columns), records, zeek_truth(fields, options.truth))
    if masked := masked_times(fields):
        parsed.warnings.append(f"{masked:,} times are blanked out with X and were read as missing.")
    return without_rows(parsed, bad) if bad else parsed


def _separated(line: bytes, header: _Header) -> bytes:
    return header.separator.join(part.strip(b" ") for part in line.rsplit(_JOINED, header.joined))


def _unescaped(written: str) -> bytes:
    if written.startswith("\\x"):
        try:
            return bytes([int(written[2:4], 16)])
        except ValueError:
            return b"\t"
    return written.encode() or b"\t"
