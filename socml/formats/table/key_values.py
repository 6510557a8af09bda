"""Lines of key=value of a tool that nobody knows (logfmt) → events, by what tools usually call things; the rest is kept.

`key=value`, `key="value with blanks"`, `key='…'`, `key={…}`; a backslash escapes a quote. What stands before the first key (a syslog
header, a time, a level) is read as text. Keys may have blanks around their `=`. `socml peek FILE --write-map` writes what
was taken for what as a map to correct.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._facts import TELLS
from socml.formats._fields import add_numbered
from socml.formats._guess import guessed_row
from socml.formats._inner import with_inner
from socml.formats._json import extra_of
from socml.formats._old_encodings import text_of_line
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import Skip, clocked, line_records
from socml.formats._stamps import ZONES, stamp_in
from socml.formats._syslog_header import split_header
from socml.formats._times import Clock
from socml.formats._values import severity_of

__all__ = ["KeyValues"]

_PAIR = re.compile(
    r"(?P<key>[A-Za-z_@][\w.@/-]{0,99}) ?=(?: (?![\w.@/-]{1,100}=))?(?:\"(?P<double>(?:[^\"\\]|\\.)*)\"|'(?P<single>[^']*)'|\{(?!\s*\")(?P<brace>[^{}\n]*)\}|(?P<bare>[^\s\"',;]*(?:,[^\s\"',;=]+(?=[\s\"',;]|$))*))[,;]?",
    re.DOTALL,
)
_FIRST = re.compile(r"(?:^|[\s|:,(\[>])(?P<pair>[A-Za-z_@][\w.@/-]{0,99}(?:\(\d{1,6}\))?(?:=| = \{))")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_WINDOWS_NAME = re.compile(
    r"[\w.-]{1,64}\\[\w.$-]{1,64}|(?:[A-Za-z]:|\\)\\[^\\].{0,4000}"
)  # an account with its domain, a path
_MEANT = {"n": "\n", "t": "\t", "r": "\r"}
# Pairs that a sign parts, so that their values may hold blanks; pairs of `Name: value`, as Cisco's Firepower writes them
_SEPARATED = {
    sign: re.compile(rf"(?:^|{re.escape(sign)}) ?(?P<key>[A-Za-z_@][\w.@/-]{{0,99}})(?:\(\d{{1,6}}\))? ?=")
    for sign in ("\t", "|", ";", "^")
} | {  # where blanks and commas part them, a name may be of several words with capitals
    ", ": re.compile(r"(?:^|, ) ?(?P<key>[A-Za-z_@][\w.@/-]{0,99}(?: [A-Z][\w.@/-]{0,40}){0,4})(?:\(\d{1,6}\))? ?=")
}
_BLANK_KEY = re.compile(r"(?<![\t|;^,]) [A-Za-z_@][\w.@/-]{0,99}=")
_CELL = re.compile(r" ?[\"']?(?:[A-Za-z_@][\w.@/-]{0,99} ?=(?!=)|[A-Z][\w/-]{0,40}(?: [\w/-]{1,30}){0,4}:(?: |$))")
_COLONS = re.compile(r"(?:^|[,;\]] ?)(?P<key>[A-Z][\w/-]{0,40}(?: [\w/-]{1,30}){0,4}): ")
_LEVEL_BEFORE = re.compile(r"(?:\d\d:\d\d:\d\d[.,]\d{1,9}: )?[\[(<]?(?P<level>[A-Za-z]{3,13})\b")
_WRITER = re.compile(r"(?P<host>[\w.-]{1,255}) (?P<program>[\w./-]{1,64})\[(?P<pid>\d{1,9})\]")
_LEAST_SEPARATED, _LEAST_COLONS = 3, 4
_LONGEST = 1 << 16  # characters that are looked at for pairs
_GUESS = 0.66


class KeyValues:
    """logfmt and other lines of key=value pairs."""

    name = "key-values"
    about = "lines of key=value of a tool that nobody knows (logfmt): columns by what tools usually call things"
    specification = "https://brandur.org/logfmt"
    examples = (
        't=2026-03-02T10:00:00Z lvl=warn msg="bad password" uname=bob remote_addr=192.0.2.4 method=POST path=/login status=401',
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """A guess: as sure as the share of lines that are mostly pairs; never over 0.66."""
        lines = [line for line in head_lines(head, 30) if not line.startswith((b"#", b"{", b"<?"))]
        if not lines or b"\0" in head[:4096]:
            return 0.0
        return _GUESS * sum(are_pairs(line.decode("utf-8", "replace")) for line in lines) / len(lines)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(line_records(source), key_values_event, source, options)


def pairs_of(text: str) -> tuple[str, dict[str, str]]:
    """Return what stands before the first pair of a line, and its pairs; of a key given twice the later is `key.2`.

    Examples
    --------
    >>> pairs_of('INFO a=1 msg="x \\\\"y\\\\" z" b=two,three a=4 bare')
    ('INFO', {'a': '1', 'msg': 'x "y" z', 'b': 'two,three', 'a.2': '4', 'text': 'bare'})
    """
    first = _FIRST.search(text, 0, _LONGEST)
    colons = list(_COLONS.finditer(text, 0, _LONGEST)) if text.count(": ") >= _LEAST_COLONS else []
    if len(colons) >= _LEAST_COLONS and text.count("=") < len(colons):
        return _cut(text, colons, ", ;")
    if first is None:
        return text, {}
    start = first.start("pair")
    pairs = text[start:_LONGEST]
    for sign, pattern in _SEPARATED.items():
        if pairs.count(sign) >= _LEAST_SEPARATED - 1:
            keys = list(pattern.finditer(pairs))
            if len(keys) >= _LEAST_SEPARATED and len(keys) > len(_BLANK_KEY.findall(pairs)):
                return text[:start].strip(" |:,(\t;"), _cut(text[start:], keys, sign)[1]
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    left: list[str] = []
    at = start
    for pair in _PAIR.finditer(text, start, _LONGEST):
        left.append(text[at : pair.start()])
        add_numbered(found, counts, pair["key"], _value(pair))
        at = pair.end()
    left.append(text[at:])
    rest = " ".join(" ".join(left).split())
    if rest.strip(" ,;|"):
        found["text"] = rest.strip(" ,;|")
    return text[:start].strip(" |:,("), found


def _cut(text: str, keys: list[re.Match[str]], sign: str) -> tuple[str, dict[str, str]]:
    """Return what stands before the first of these keys, and each key with what follows it up to the next."""
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    ends = [*(key.start() for key in keys[1:]), len(text)]
    for key, end in zip(keys, ends, strict=True):
        value = text[key.end() : end].strip(f"{sign} ")
        is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        add_numbered(found, counts, key["key"], value[1:-1] if is_quoted else value)
    return text[: keys[0].start()].strip(" |:,(\t"), found


def key_values_event(line: bytes, clock: Clock) -> dict[str, object]:
    """Return the event columns of one line. Raises ValueError, in words, if it holds no pair."""
    if line.startswith(b"#"):
        raise Skip("comment")
    text = text_of_line(line, clock)
    before, found = pairs_of(text)
    if not found:
        raise ValueError("no key=value in the line")
    row, _ = guessed_row(_with_joined_time(found), clock)
    _read_front(before, text, row, clock)
    if "text" in found and TELLS.search(found["text"]):
        _fill(row, found["text"])
    return with_inner(row, row.get("message"), clock)


def _with_joined_time(found: dict[str, str]) -> dict[str, str]:
    """Return the pairs with `date` and `time` as one, where a device writes them apart."""
    day, time = found.get("date"), found.get("time")
    if day is None or time is None or ":" not in time or "-" in time or "T" in time:
        return found
    zone = found.get("tz") or found.get("timezone") or ""
    rest = {name: value for name, value in found.items() if name not in ("date", "time")}
    zone = f" {zone}" if zone in ZONES else zone if zone[:1] in "+-" and len(zone) > 4 else ""
    return {"datetime": f"{day} {time}{zone}", **rest}


def _read_front(before: str, text: str, row: dict[str, object], clock: Clock) -> None:
    """Fill what the pairs leave empty from what stands before them, and from the line as a message."""
    if not before:
        return
    header = split_header(before + " ", len(before) + 1)
    try:
        stamp = stamp_in(before, clock)
    except ValueError:
        stamp = None
    if stamp and row.get("time") is None:
        row["time"] = stamp.time
    if header.stamp and header.host and row.get("host_name") is None:
        row["host_name"] = header.host
    if header.severity is not None and row.get("event_severity") is None:
        row["event_severity"] = header.severity
    rest = before[stamp.end :].strip() if stamp and not header.stamp else header.rest
    if stamp and not header.stamp and (written := _WRITER.fullmatch(rest)):
        row["host_name"] = row.get("host_name") or written["host"]
        row["process_name"], row["process_pid"] = written["program"], int(written["pid"])
        return
    if not rest:
        return
    row["extra"] = {**extra_of(row), "before": rest}
    if row.get("message") is None:
        row["message"] = rest
    if row.get("event_severity") is None and (level := _LEVEL_BEFORE.match(rest)):
        row["event_severity"] = severity_of(level["level"])
    _fill(row, text[text.find(rest) :])


def _fill(row: dict[str, object], message: str) -> None:
    """Fill what the pairs leave empty from a line as a message."""
    from socml.formats.host._syslog_messages import read_text

    columns, more = read_text(message)
    own_kind = ("class_uid", "event_category", "event_action") if row.get("class_uid") else ()
    for name, value in columns.items():
        if value is not None and row.get(name) in (None, "host") and name not in own_kind:
            row[name] = value
    row["extra"] = {**more, **extra_of(row)}


def _unescaped(found: re.Match[str]) -> str:
    """Return what a backslash and the character behind it mean; before a letter that means nothing, they stay."""
    return _MEANT.get(found[1]) or (found[0] if found[1].isalnum() else found[1])


def _value(pair: re.Match[str]) -> str:
    if (text := pair["double"]) is not None:
        return text if _WINDOWS_NAME.fullmatch(text) else _ESCAPE.sub(_unescaped, text)
    if pair["brace"] is not None:
        return pair["brace"].strip()
    return pair["single"] if pair["single"] is not None else pair["bare"]


def are_cells_pairs(text: str, delimiter: str) -> bool:
    """Return whether most cells of a delimited line are pairs: such lines are no table's.

    Examples
    --------
    >>> are_cells_pairs("time=1|src=192.0.2.1|act=drop", "|"), are_cells_pairs("time|src|a=b", "|")
    (True, False)
    """
    cells = text.split(delimiter)
    return len(cells) >= _LEAST_SEPARATED and 2 * sum(_CELL.match(cell) is not None for cell in cells) > len(cells)


def are_pairs(text: str) -> bool:
    """Return whether a text is mostly pairs.

    Examples
    --------
    >>> are_pairs("a=1 b=2 c=3"), are_pairs("user=bob logged in from the second floor, a=1 b=2")
    (True, False)
    """
    before, found = pairs_of(text)
    text_left = len(found.get("text", "")) + max(0, len(before) - 60)
    return len(found) - ("text" in found) >= 3 and text_left < 0.4 * len(text)
