"""`report.json` of the Cuckoo and CAPE sandboxes → events: the sample, signatures, processes, network, dropped files.

The first event is the analysis: hash, score (as severity, 0 to 100) and family, with counts in `extra` — `api.NAME` calls,
`signature.NAME`, `network.KIND` — one row a sample for a feature set. All parts are optional, and differ by version: 2.4 of
CAPE has no `dropped`, times are text without a zone (the recipe's) or seconds, techniques are a map or a list. Calls are
only counted. A list of signatures alone is read too. A record is a part of the report that becomes an event.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from socml.formats._json import is_too_deep, json_bytes
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import made
from socml.formats._times import Clock, clock_of
from socml.formats.analysis._sandbox import sandbox_events, signature_event
from socml.project import FormatError

__all__ = ["CuckooReport"]

_ADVICE = "Make it smaller: jq 'del(.behavior.processes[].calls)'"
_RAW_LIMIT = 4096
_DOCUMENT_LIMIT = 96 << 20  # bytes; Python's objects take five to ten times as much
# in any order; the later ones of a large report are not in its head
_PARTS = (b'"info"', b'"behavior"', b'"target"', b'"signatures"', b'"malscore"', b'"CAPE"', b'"procmemory"', b'"sha256"',
          b'"processing"', b'"process_name"', b'"parent_id"', b'"first_seen"', b'"machine"')  # fmt: skip


class CuckooReport:
    """Reports of Cuckoo 2 and CAPE 2, as JSON."""

    name = "cuckoo-report"
    about = "Cuckoo and CAPE report.json: the sample with its counts, signatures, processes, network, dropped files"
    specification = "https://capev2.readthedocs.io/en/latest/customization/reporting.html"
    examples = (
        '{"info":{"id":1,"version":"2.2-CAPE","started":"2024-02-29 13:06:56","category":"file"},"target":'
        '{"category":"file","file":{"name":"a.exe","sha256":"00ff"}},"signatures":[],"behavior":{"processes":[]},'
        '"malscore":1.0}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of the parts that every report has."""
        start = head.lstrip()[:1]
        if start == b"{":
            found = sum(
                part in head for part in (b'"info"', b'"behavior"', b'"target"', b'"signatures"', b'"malscore"')
            )
            sandbox = b'"CAPE"' in head or b'"procmemory"' in head or b'"sha256"' in head
            return 0.95 if found >= 3 and sandbox else 0.0
        is_list = start == b"[" and b'"markcount"' in head and b'"families"' in head
        return 0.9 if is_list else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the report's events.

        Raises
        ------
        FormatError
            If the file is no report, or larger than the limit of one document.
        """
        clock = clock_of(source, options)
        report = _json_document(source, advice=_ADVICE)
        return made(_items(report, clock, source.name), warnings=clock.warnings, is_certain=lambda: clock.is_certain)


def _items(report: object, clock: Clock, name: str) -> Iterator[tuple[int, bytes, dict[str, object] | Exception]]:
    if isinstance(report, list):
        for number, one in enumerate(report, 1):
            is_signature = isinstance(one, dict) and "name" in one
            yield number, _raw("signature", one), signature_event(one) if is_signature else ValueError("no signature")
        return
    if not isinstance(report, dict) or "info" not in report:
        raise FormatError(f"{name} is no sandbox report: it has no `info`.")
    for number, (what, part, row) in enumerate(sandbox_events(report, clock), 1):
        yield number, _raw(what, part), row


def _raw(what: str, part: object) -> bytes:
    """Return a part as JSON, without the calls of a process and what else is long."""
    if isinstance(part, dict):
        part = {name: value for name, value in part.items() if name not in ("calls", "marks", "environ")}
    text = json_bytes({what: part})
    return text if len(text) <= _RAW_LIMIT else text[:_RAW_LIMIT] + b"..."


def _json_document(source: Source, *, advice: str) -> object:
    """Return what the file holds.

    Parameters
    ----------
    advice : what to do with a document that is too large

    Raises
    ------
    FormatError
        If it is too large, or no JSON.
    """
    held: list[bytes] = []
    size = 0
    for chunk in source.chunks():
        held.append(chunk)
        size += len(chunk)
        if size > _DOCUMENT_LIMIT:
            raise FormatError(f"{source.name} is over {_DOCUMENT_LIMIT >> 20} MB, the limit for one document. {advice}")
    text = b"".join(held).removeprefix(b"\xef\xbb\xbf")
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise FormatError(f"{source.name} is not valid JSON: {error}") from None
    if is_too_deep(text, found):
        raise FormatError(f"{source.name} is nested too deeply.")
    return found
