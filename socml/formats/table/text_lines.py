"""Free text whose lines tell their time → events: time, level, component, and what the message tells.

For logs without a reader of their own: Hadoop, Zookeeper, Apache's error log, Windows CBS, most applications. The time may
be in any usual spelling (`_stamps.py`), at the line's start or within its first 120 characters. Messages of daemons that
are declared in `_messages/` are taken apart by their pattern, the others by `_facts.py`; a message that is itself a
record (JSON, CEF) is read by its reader. A line without a time goes on with the record above it. Lines that start with #
are comments. Blind to other languages than English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import cast

from socml.formats._addresses import address
from socml.formats._continued import continued
from socml.formats._inner import header_event, with_inner
from socml.formats._pairs import are_pairs, uncoloured
from socml.formats._reader import Assumption, Parsed, ReadOptions, Source, head_lines
from socml.formats._record_kinds import is_record
from socml.formats._records import Skip, batches, line_records
from socml.formats._stamps import Stamp, settle_day_order, stamp_in
from socml.formats._times import Clock, clock_of
from socml.formats._users import OF_PASSWORD
from socml.formats._values import LEVELS
from socml.formats.host._own_time import own_time
from socml.formats.host._syslog_headers import header
from socml.formats.host._syslog_lines import device_event
from socml.formats.host._syslog_messages import is_declared, read_text
from socml.formats.table._table_titles import is_line_of_names, is_table_of_texts
from socml.formats.table._text_levels import LEVEL_WORDS, REDIS, SIGNS, behind, level_of
from socml.formats.table.any_json import are_among_text

__all__ = ["TextLines"]

_KLOG = re.compile(r" {1,12}(?P<pid>\d{1,9}) (?P<name>[\w.-]{1,80}:\d{1,6})\] ?")
# A record that tells no date, and begins with its level (Python, uvicorn, .NET) or with a time of day (tcpdump, Falco)
_YEARLESS = re.compile(r"(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) (?P<clock>\d\d:\d\d:\d\d)(?P<fraction>\.\d{1,6})?")
_CLOCK_ONLY = r"\[?(?P<clock>\d\d:\d\d:\d\d(?:[.,]\d{1,9})?| {0,8}\d{1,8}\.\d{6}(?=\]))\]?:? "
_PAIR_FIRST = re.compile(r"\"?[A-Za-z_@][\w.@/-]{0,99}\"?=")  # of logfmt
_BEGINS = re.compile(
    rf"(?:{_CLOCK_ONLY})?"
    r"(?:[\[(<](?=\w{1,12}[\])>])|(?=\w{1,12}:)|(?=[A-Z]{3,12} )|(?<=: )(?=[A-Z][a-z]{2,12} ))(?P<level>(?i:trace|trce|debug|dbug|verbose|"
    r"info|information|notice|warn|warning|error|err|fail|severe|crit|critical|alert|fatal|emerg|panic))\b[\])>]?:?"
)
# Before the time of a line of `who`
_SESSION = re.compile(
    r"(?P<user>[\w.@\\-]{1,64}) {1,40}(?:[-+?] {1,8})?(?P<terminal>pts/\d{1,5}|tty\w{1,8}|:\d[\d.]{0,4}|console) {1,40}"
)
_OF_LOGGING = re.compile(
    r"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):[A-Za-z_][\w.-]{0,100}:"
)  # as Python writes it by default
_LOGGER = re.compile(r"[\w.-]{1,100}:")
_WRITER = re.compile(r"(?P<host>[\w.-]{1,255}) (?P<program>[\w./-]{1,64})\[(?P<pid>\d{1,9})\]: ")
_WRITER_BARE = re.compile(
    r" (?P<host>[\w.-]{1,255}) (?P<program>[\w./-]{1,64})\[(?P<pid>\d{1,9})\] "
)  # of ProFTPD's own log
_CLOCK_BEGINS = re.compile(_CLOCK_ONLY)
_DOTNET = {"trce": "trace", "dbug": "debug", "fail": "error"}
# A level that is filled up to one width at the left, before the time, as AnyDesk writes it
_INDENTED = re.compile(
    rb"[ \t]{1,8}(?i:trace|debug|info|notice|warning|warn|error|fatal|critical) {1,8}\d{4}-\d\d-\d\d[ T]"
)
_FIELDS = frozenset("user username account login client ip src host".split())  # which a colon parts from their values
_COMPONENT = re.compile(
    r"[\s\-|]*(?:\[(?P<inside>[^\s\]]{1,120}) {0,40}\]|(?P<name>[A-Za-z_][\w.$/-]{1,120})):?(?: - | ?(?<=[:\]]) )"
)
_CODE = re.compile(r"[A-Z][A-Z-]{2,20}\d{4,6}[A-Z]?")  # of a message, which Java's servers number
_PID = re.compile(r"[^\w]{0,4}\[?pid[ =:](?P<pid>\d{1,10})\b| ?\[(?P<bare>\d{1,7})\] ")
# A host that stands before the time: a name with a domain, or with a number behind it
_HOST_BEFORE = re.compile(
    r"(?!(?i:thread|worker|pool|exec|main|task|job|core|cpu|proc|com\.|org\.|net\.|io\.|java))"
    r"(?P<host>[A-Za-z](?:[A-Za-z-]{0,40}\d{1,4}|[\w-]{0,62}(?:\.[\w-]{1,62}){1,6}(?<!\.log|.\.py|\.txt|.\.go|..\.c)))"
)
_PROGRAM_BEHIND = re.compile(r" (?P<program>[A-Za-z][\w./-]{0,63})(?:\[(?P<pid>\d{1,9})\])?: ")
_THREAD_BEFORE = re.compile(rf"(?:{LEVEL_WORDS.upper()}) {{1,4}}\[(?P<thread>[^\]\n]{{1,100}})\] {{1,4}}")
_PID_BEFORE = re.compile(r"\[(?P<pid>\d{2,7})\] ")
_PID_AFTER = re.compile(r" *(?P<pid>\d{1,7}) --- ")  # of Spring
_SERVICE = re.compile(r"(?P<name>[\w.-]{1,64}-\d{1,4}) {1,40}\| ")
_RUBY = re.compile(r"[DIWEFA], \[?")  # the level's letter, which is written behind the time as well
# A day of the week before a date in words of another language: `Di, 17. März 2026`
_DAY_NAME, _DAY_IN_WORDS = re.compile(r"[^\W\d_][\w-]{1,16}\.?,? {1,2}"), re.compile(r"\d{1,2}\.? (?:de )?[^\W\d_]{3}")
_RULE = re.compile(rb"\*{5,} [^\n]{1,200} \*{5,}|[*=#-]{10,}")  # a line of a banner above the records
_NAMES = "<Date> "  # of columns, as FileZilla's server begins its log
_GAP = " \t-|,:"
_OF_SOMEBODY = re.compile(r"\d\.\d{1,3}\.|[=@]|::|user|client")  # in front of a level: stays with the message
_SURE_OF_TOLD, _LEAST_TOLD = 0.5, 0.6  # of lines that tell no time; the share of them that a daemon wrote
_HEAD_LINES = 400  # that may show whether days come before months


class TextLines:
    """Text logs that no other format takes, by the time in their lines."""

    name = "text-lines"
    may_span_lines = True  # a line without a time goes on with the record above it
    about = (
        "free text with a time in its lines: Hadoop, Zookeeper, Apache and nginx errors, vsftpd, CBS, most applications"
    )
    specification = "https://www.iso.org/iso-8601-date-and-time-format.html"
    examples = (
        "2026-07-29 17:41:44,747 - INFO  [main:QuorumPeer@913] - Received connection request /192.0.2.11:45307",
        "081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 for block blk_388 terminating",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """A last resort, by the share of lines with a time; surer where a level follows it."""
        written = head_lines(head, 60, stripped=b"\r\0")
        lines = [
            line
            for line in written
            if (not line.startswith((b" ", b"\t")) or _INDENTED.match(line)) and not is_comment(line)
        ]
        lines = lines[_above(lines) :]
        if lines and lines[0].startswith(_NAMES.encode()):
            lines = lines[1:]
        if are_among_text(lines) or _are_headed(written):
            return 0.55
        if not lines or re.match(rb"\s*(?:\{|\[\s*\{\"|<(?!\d))", lines[0]) or b"\0" in head[:4096]:
            return 0.0
        texts = [uncoloured(line.decode("utf-8", "replace")) for line in lines]
        if is_table_of_texts(texts) or all(_PAIR_FIRST.match(text) and are_pairs(text) for text in texts):
            return 0.5
        if _by_level(texts):
            return 0.55
        return _share_of_times(texts)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        clock = clock_of(source, options)
        first = next(source.blocks(), None)
        heads = first.lines()[:_HEAD_LINES] if first else []
        settle_day_order((line.decode("utf-8", "replace") for line in heads), clock)
        are_headed = _are_headed(heads)
        reader = _Lines(clock, frozenset(heads[: _above(heads)]), are_headed=are_headed)
        texts = [uncoloured(line.decode("utf-8", "replace")) for line in heads if line.strip()]
        begins = _is_begun if _by_level(texts) else _is_whole if are_headed or _told_alone(texts) else _is_start
        records = continued(line_records(source), begins, is_comment=is_comment)
        return batches(records, reader.event, warnings=clock.warnings, is_certain=lambda: clock.is_certain)


def _share_of_times(texts: Sequence[str]) -> float:
    """Return how sure lines are of being free text, by the share of them that tell a time."""
    found = [(text, stamp) for text in texts if (stamp := _stamp(text, _LOOK))]
    levels = sum(level_of(text, stamp) is not None for text, stamp in found)
    if len(found) >= 0.6 * len(texts):
        return 0.78 if levels >= 0.8 * len(found) else 0.55 if all(s.start == 0 for _, s in found) else 0.52
    begins = _stamp(texts[0], _LOOK)  # records of several lines, as traces are: their first lines are alike
    sign = texts[0][0] if not texts[0][0].isalnum() else ""
    word = f"{texts[0].partition(' ')[0]} "
    if (
        begins
        and len(found) > 1
        and all(s.start == begins.start or (sign and text[0] == sign) or text.startswith(word) for text, s in found)
    ):
        return 0.52
    return max(0.5 * len(found) / len(texts), 0.0 if found else _SURE_OF_TOLD * _told_alone(texts))


def _above(lines: Sequence[bytes]) -> int:
    """Return how many lines a banner, or the rest of one, takes before the first record: up to its last line of stars or a rule."""
    begins = next((at for at, line in enumerate(lines) if _is_start(line) and not is_comment(line)), 0)
    return max((at + 1 for at in range(begins) if _RULE.fullmatch(lines[at].strip())), default=0)


def _are_headed(lines: Sequence[bytes]) -> bool:
    """Return whether records begin with a line that tells no time, and tell it in the next, which is indented.

    Examples
    --------
    >>> _are_headed([b"login:", b"  2026-03-02 10:00:00 bob", b"logout:", b"  2026-03-02 10:00:01 bob"])
    True
    """
    pairs = [(line, after) for line, after in pairwise(lines) if line.strip() and not line[:1].isspace()]
    indented = [_stamp(after.decode("utf-8", "replace"), _LOOK) for _, after in pairs if after[:1].isspace()]
    return (
        len(pairs) > 1
        and len(indented) == len(pairs)
        and all(indented)
        and not any(_is_start(line) for line, _ in pairs)
    )


def _stamp(text: str, clock: Clock) -> Stamp | None:
    try:
        return stamp_in(text, clock)
    except ValueError:
        return None


_LOOK = Clock(None, 2000, None)  # only tells whether there is a time


def _is_start(line: bytes) -> bool:
    if line.startswith((b" ", b"\t")):
        return _INDENTED.match(line) is not None
    try:
        text = uncoloured(line[:200].decode("utf-8", "replace"))
        return is_comment(line) or _OF_LOGGING.match(text) is not None or stamp_in(text, _LOOK) is not None
    except ValueError:  # a time that does not exist
        return True


def is_comment(line: bytes) -> bool:
    """Return whether a line is a comment; a frame of PHP's stack and a record of WebLogic are none."""
    return line.startswith(b"#") and not line[1:2].isdigit() and not line.startswith(b"####<")


def _by_level(texts: list[str]) -> bool:
    """Return whether a file's records begin with their level or a time of day, and most tell no date.

    Examples
    --------
    >>> _by_level(["INFO:     started", "WARNING:  bad request"]), _by_level(["ERROR 2026-03-02 10:00:00 x"])
    (True, False)
    """
    firsts = [text for text in texts[:60] if not text.startswith((" ", "\t", "#"))]
    begun = [text for text in firsts if _begun(text)]
    if not firsts or not _begun(firsts[0]) or 2 * len(begun) < len(firsts):
        return False
    return 2 * sum(_stamp(text, _LOOK) is not None for text in begun) <= len(begun)


def _begun(text: str) -> re.Match[str] | None:
    return _BEGINS.match(text) or _CLOCK_BEGINS.match(text)


def _is_begun(line: bytes) -> bool:
    text = uncoloured(line[:200].decode("utf-8", "replace"))
    return is_comment(line) or _begun(text) is not None or (_is_start(line) and not text[:1].isalpha())


def _told_alone(texts: Sequence[str]) -> bool:
    """Return whether lines without a time are messages of daemons, as `journalctl -o cat` writes them.

    Examples
    --------
    >>> _told_alone(["Failed password for bob from 192.0.2.7 port 4022 ssh2"]), _told_alone(["see 192.0.2.7"])
    (True, False)
    """
    told = sum("event_action" in read_text(text)[0] for text in texts[:60] if _stamp(text, _LOOK) is None)
    return bool(texts) and told >= _LEAST_TOLD * len(texts[:60])


def _is_whole(line: bytes) -> bool:
    return not line.startswith((b" ", b"\t"))


class _Lines:
    """Reads record after record, and remembers the time of the last."""

    def __init__(self, clock: Clock, above: frozenset[bytes], *, are_headed: bool) -> None:
        self._clock, self._above, self._are_headed = clock, above, are_headed
        self._last: datetime | None = None
        self._said = False  # that records tell no date

    def event(self, record: bytes) -> dict[str, object]:
        """Return the event of one record."""
        if is_comment(record):
            raise Skip("comment")
        if self._last is None and record in self._above:
            raise Skip("banner")
        text = uncoloured(record.decode("utf-8", "backslashreplace"))
        service = _SERVICE.match(text)
        if service is None:
            return self._event(text)
        text = text[service.end() :]
        bare: dict[str, object] = {"event_category": "host", "message": text, "extra": {}}
        row = with_inner(bare, text, self._clock) if is_record(text) else self._event(text)
        return {"process_name": service["name"], **row}

    def _event(self, text: str) -> dict[str, object]:
        if "%" in text[:160] and (device := device_event(text, self._clock)):
            self._last = cast("datetime | None", device["time"])
            return device
        if (found := header(text)) and found["tag"]:  # a line of syslog among others
            return header_event(found.groupdict(), self._clock)
        first = "\n".join(text.split("\n", 2)[: 1 + self._are_headed])
        stamp = None if text.startswith("{") else stamp_in(first, self._clock)
        if 0 <= first.find('{"') < (stamp.start if stamp else len(first)) and is_record(
            text
        ):  # JSON: in colours, or behind a key
            bare: dict[str, object] = {"event_category": "host", "message": text.strip(), "extra": {}}
            return with_inner(bare, text, self._clock)
        stamp = stamp or stamp_in(first, self._clock)
        row: dict[str, object] = {"event_category": "host"}
        begins = _begun(text) if stamp is None else None
        if begins and (behind := _LOGGER.match(text, begins.end())):
            own = stamp_in(text[behind.end() :], self._clock, farthest=1)  # of Python: WARNING:root:2026-03-02 10:00:00
            stamp = Stamp(own.time, behind.end(), behind.end() + own.end) if own else None
        if stamp is None and begins:
            row |= self._dateless(text, begins.groupdict(), begins.end())
            return with_inner(row, row["message"], self._clock)
        if stamp is None and self._last is None and (is_line_of_names(text) or text.startswith(_NAMES)):
            raise Skip("line of names")
        if stamp is None:
            continues = {"continues": "true"} if self._last else {}
            row |= {"time": self._last, "message": text.strip(), "extra": continues}
            self._say_dateless()
            return with_inner(row, row["message"], self._clock)
        self._last = row["time"] = self._in_own_year(text, stamp) or stamp.time
        row["extra"] = extra = dict[str, str]()
        row["message"] = _message(text, stamp, row, extra)
        return with_inner(row, row["message"], self._clock)

    def _in_own_year(self, text: str, stamp: Stamp) -> datetime | None:
        """Return the time of a stamp without a year in the year that the rest of its record tells; None if it tells none."""
        yearless = _YEARLESS.fullmatch(text[stamp.start : stamp.end].strip("[]<>()\"' :,"))
        return (
            own_time(yearless.groupdict(), text[stamp.end :].lstrip(" :"), self._clock, holds_record='{"' in text)
            if yearless
            else None
        )

    def _say_dateless(self) -> None:
        """Say once that records have no time, where none before them tells one."""
        if not self._said and self._last is None:
            self._said = True
            self._clock.warnings.append(
                Assumption("time", "Lines tell no date, and their events have no time: such events are in no window.")
            )

    def _dateless(self, text: str, begins: dict[str, str | None], end: int) -> dict[str, object]:
        """Return the columns of a record that tells no date."""
        self._say_dateless()
        word = (begins.get("level") or "").lower()
        row: dict[str, object] = {}
        row["extra"] = extra = {"clock": begins["clock"] or ""} if begins.get("clock") else dict[str, str]()
        if word:
            row |= {"message": text[end:].strip() or None, "event_severity": LEVELS[_DOTNET.get(word, word)]}
        else:  # what follows a time of day is as what follows a time
            row["message"] = message = _message(text, Stamp(datetime.min, 0, end - 1), row, extra)
            if written := _WRITER.match(message or ""):  # of journalctl -o short-monotonic
                row |= {
                    "host_name": written["host"],
                    "process_name": written["program"],
                    "process_pid": int(written["pid"]),
                }
        return row


def _message(text: str, stamp: Stamp, row: dict[str, object], extra: dict[str, str]) -> str | None:
    """Return what a line says beside its time, level and component, which are put into `row` and `extra`."""
    front, rest = text[: stamp.start], text[stamp.end :]
    if front == "#" or _RUBY.fullmatch(front):  # the former of a shell's history
        front = ""
    if _DAY_NAME.fullmatch(front) and _DAY_IN_WORDS.match(text, stamp.start):
        front = ""
    if session := _SESSION.fullmatch(front):
        row["user_name"], extra["terminal"], front = session["user"], session["terminal"], ""
    if pid := _PID_BEFORE.fullmatch(front):
        row["process_pid"], front = int(pid["pid"]), ""
    if host := _HOST_BEFORE.fullmatch(front.strip(" ")):
        row["host_name"], front = host["host"], ""
        if (program := _PROGRAM_BEHIND.match(rest)) and (program["pid"] or is_declared(program["program"])):
            row["process_name"], rest = program["program"], rest[program.end() :]
            row |= {"process_pid": int(program["pid"])} if program["pid"] else {}
    if thread := _THREAD_BEFORE.fullmatch(front):
        extra["thread"], front = thread["thread"], ""
    if pid := REDIS.fullmatch(front):
        row["process_pid"], front, rest = int(pid["pid"]), "", rest[3 if rest[:3] in SIGNS else 0 :]
    rest = _told_behind(text, stamp, rest, row)
    if word := level_of(text, stamp):
        row["event_severity"], extra["level"] = LEVELS[word.lower()], word
    whole = f"{front.strip(_GAP)} {rest.strip(_GAP)}" if front.strip(_GAP + "[(<") else rest.strip(_GAP)
    return whole.strip() or None


_LONGEST_PID = 10  # digits
_PARTS = {"name": "process_name", "user": "user_name"}  # what may stand before a level


def _told_behind(text: str, stamp: Stamp, rest: str, row: dict[str, object]) -> str:
    """Take process and component that stand with a level, or without one; return what is left of `rest`."""
    if level := behind(text, stamp.end) or _KLOG.match(text, stamp.end):
        told = level.groupdict()
        if told.get("pid"):
            row["process_pid"] = int(told["pid"])
        row |= {column: told[part] for part, column in _PARTS.items() if told.get(part)}
        if not _OF_SOMEBODY.search(level[0]):
            rest = text[level.end() :]
        if pid := _PID_AFTER.match(rest):
            row["process_pid"] = int(pid["pid"])
        component = _COMPONENT.match(rest)
        name = (component["inside"] or component["name"]) if component else ""
        is_none = name.lower() in LEVELS or name.lower() in _FIELDS or _CODE.fullmatch(name) or address(name)
        if component and not is_none and not OF_PASSWORD.match(rest, component.end()):
            row |= (
                {"process_pid": int(name)} if name.isdecimal() and len(name) < _LONGEST_PID else {"process_name": name}
            )
            rest = rest[component.end() :]
    elif (written := _WRITER_BARE.match(rest)) and is_declared(written["program"]):
        row |= {"host_name": written["host"], "process_name": written["program"], "process_pid": int(written["pid"])}
        rest = rest[written.end() :]
    if "process_pid" not in row and (pid := _PID.match(rest)):
        row["process_pid"] = int(pid["pid"] or pid["bare"])
    return rest
