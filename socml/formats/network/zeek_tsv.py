"""A Zeek log in its own tab-separated form → events. Any type of log, with or without labels.

What it is blind to: values stay as Zeek writes them, so `\\x09` in a field is four characters, as in `raw`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from socml.formats._columns import split_columns, text_array
from socml.formats._old_encodings import note_of, old_encoding
from socml.formats._reader import Parsed, ReadOptions, Reject, Source, head_lines, no_events
from socml.formats.network._zeek import event_columns, log_events, log_type, masked_times, zeek_columns
from socml.formats.network._zeek_cells import CellFields
from socml.project import FormatError

__all__ = ["ZeekTsv"]

# conn.log as Zeek has written it since 2.2, for files that were cut above their header.
_CONN = (
    "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state local_orig "
    "local_resp missed_bytes history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes tunnel_parents"
).split()
_HEADERLESS = {21: _CONN, 22: [*_CONN, "ip_proto"], 23: [*_CONN, "label", "detailedlabel"]}
_NOT_PLAIN = b"\n" + bytes(range(128, 256))  # separators that may be a line end, or part of a character
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
        settings = {b"#set_separator": {"set_separator": text or ","}, b"#empty_field": {"empty": text}}
        settings |= {b"#unset_field": {"unset": text}, b"#path": {"path": text.strip().lower()}}
        if key == b"#fields":
            names = text.split(self.separator.decode("latin-1"))
            last = [name.strip() for name in names[-1].split(_JOINED.decode()) if name]
            return replace(self, names=(*names[:-1], *last), joined=len(last) - 1)
        return replace(self, **settings.get(key, {}))  # type: ignore[arg-type]


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
            skips = {"header": 0, "blank line": 0}
            numbered: list[tuple[int, bytes]] = []
            data, at, number = block.data, 0, block.first_line
            plain_end = data.rfind(b"\n") + 1 if _is_plain(data) else 0
            is_first = True  # after a header
            while at < len(data):
                end = data.find(b"\n", at)
                end = len(data) if end < 0 else end
                line = data[at:end].strip(b"\r\0")
                if line.startswith(b"#"):
                    changed = header.after(line)
                    if numbered and changed != header:
                        yield _parsed(header, numbered, options)
                        numbered = []
                    header, is_first = changed, True
                    skips["header"] += 1
                elif not line:
                    skips["blank line"] += 1
                else:
                    header = _completed(header, line, source, number, warnings)
                    cells = _cells(header, data, at, plain_end, options) if is_first else None
                    is_first = False
                    if cells is not None:
                        yield _parsed(header, numbered, options)
                        yield _of_cells(header, cells, number, options)
                        numbered = [(number + line, odd) for line, odd in cells.odd]
                        skips["blank line"] += cells.blank
                        at, number = cells.stop, number + cells.total
                        continue
                    numbered.append((number, line))
                at, number = end + 1, number + 1
            parsed = _parsed(header, numbered, options)
            parsed.skips = {reason: count for reason, count in skips.items() if count}
            parsed.warnings += warnings
            warnings = []
            yield parsed


def _is_plain(block: bytes) -> bool:
    """Return whether a block is text in which lines and values end where they seem to."""
    if b"\r" in block or b"\0" in block:
        return False
    if block.isascii():
        return True
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _cells(header: _Header, data: bytes, at: int, end: int, options: ReadOptions) -> CellFields | None:
    """Return the cells of the records from `at` to the next header or `end`, if they can be cut all at once."""
    separator, enough = header.separator, at + options.select_from
    if header.joined or len(header.names) < 2 or len(separator) != 1 or separator in _NOT_PLAIN:
        return None
    if enough > end or data.find(b"\n#", at, enough) >= 0:
        return None
    return CellFields(data, at, header.names, separator.decode("ascii"), unset=header.unset, empty=header.empty)


def _of_cells(header: _Header, cells: CellFields, number: int, options: ReadOptions) -> Parsed:
    if not cells.rows:
        return Parsed(no_events(), [])
    columns, bad = event_columns(header.path, cells, header.set_separator)
    columns["raw"] = cells.raw()
    columns["source_line"] = pa.array(cells.lines + number)
    return _events(columns, bad, cells.records(), cells, options)


def _completed(header: _Header, line: bytes, source: Source, number: int, warnings: list[str]) -> _Header:
    """Return the header with what it does not say itself, told from the first record and from the file's name."""
    if not header.names:
        header, warning = _assumed_header(header, line, source, number)
        warnings.append(warning)
    return header if header.path else replace(header, path=log_type(set(header.names), source.name))


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
    encodings = [old_encoding(line) for _, line in kept]
    lines = [line.decode(old).encode() if old else line for (_, line), old in zip(kept, encodings, strict=True)]
    cells = [_separated(line, header) for line in lines] if header.joined else lines
    arrays = split_columns(cells, header.names, header.separator, [header.unset])
    fields = dict(zip(header.names, arrays, strict=True))
    columns, bad = zeek_columns(header.path, fields, separator=header.set_separator, empty=header.empty)
    records = [line for _, line in kept]
    columns["raw"] = text_array(records)
    columns["source_line"] = pa.array([number for number, _ in kept], pa.int64())
    parsed = _events(columns, bad, records, fields, options)
    parsed.warnings += [note_of(old) for old in dict.fromkeys(filter(None, encodings))]
    parsed.rejects = sorted([*rejects, *parsed.rejects], key=lambda reject: reject.line)
    return parsed


def _events(
    columns: dict[str, pa.Array],
    bad: dict[int, str],
    records: Sequence[bytes],
    fields: Mapping[str, pa.Array],
    options: ReadOptions,
) -> Parsed:
    parsed = log_events(columns, bad, records, fields, options)
    if "time" in columns and columns["time"].null_count and (masked := masked_times(fields)):
        parsed.warnings.append(f"{masked:,} times are blanked out with X and were read as missing.")
    return parsed


def _separated(line: bytes, header: _Header) -> bytes:
    return header.separator.join(part.strip(b" ") for part in line.rsplit(_JOINED, header.joined))


def _unescaped(written: str) -> bytes:
    if written.startswith("\\x"):
        try:
            return bytes([int(written[2:4], 16)])
        except ValueError:
            return b"\t"
    return written.encode() or b"\t"
