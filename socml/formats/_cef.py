"""One line of CEF or LEEF → its fields, unescaped; and those fields → event columns."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from socml.formats._addresses import address
from socml.formats._fields import Fields, add_numbered
from socml.formats._protocols import TRANSPORTS
from socml.formats._times import MONTHS, Clock, epoch, iso

__all__ = ["MARK", "cef_columns", "cef_fields", "hash_of", "vendor_time"]

MARK = re.compile(r"CEF: ?\d+\||LEEF: ?[12](?:\.\d+)?\|")
_KEY = re.compile(r"(?:^|(?<=\s))(?P<key>[A-Za-z0-9_][\w.\[\]-]{0,99})(?:=| =(?=\S))")
_OTHER_DELIMITERS = {sign: re.compile(rf"{re.escape(sign)} ?[A-Za-z_][\w.-]{{0,99}}=") for sign in "|^;"}
_BAR = re.compile(r"\\.|\|", re.DOTALL)
_WINDOWS_PATH = re.compile(r"(?:[A-Za-z]:|\\)\\")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"n": "\n", "r": "\r"}
_HEX_DELIMITER = re.compile(r"(?:0x|x)([0-9A-Fa-f]{2,4})$")
_STAMP = re.compile(r"([A-Z][a-z]{2}) (\d{1,2})(?: (\d{4}))? (\d\d:\d\d:\d\d)(\.\d{1,6})?(?: (\S{1,40}))?$")
_OFFSET = re.compile(r"(?:GMT|UTC)?([+-]\d\d):?(\d\d)$")
_WORDS = {"unknown": None, "low": 30, "medium": 50, "high": 80, "very-high": 100, "very high": 100}
_CEF_HEADER: tuple[str, ...] = ("vendor", "product", "version", "signature", "name", "severity")
_LEEF_HEADER = _CEF_HEADER[:4]
_HASHES = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "user_name": ("suser", "duser", "usrName", "accountName"),
    "network_protocol": ("app", "applicationProtocol"),
    "source_bytes": ("in", "srcBytes"),
    "destination_bytes": ("out", "dstBytes"),
    "source_packets": "srcPackets",
    "destination_packets": "dstPackets",
    "url_original": ("request", "url"),
    "http_request_method": ("requestMethod", "requestmethod", "method"),
    "user_agent_original": "requestClientApplication",
    "file_path": ("filePath", "fname", "resource"),
    "process_name": ("dproc", "sproc", "deviceProcessName"),
    "event_outcome": "outcome",
    "vulnerability_id": "cve",
}
_PORTS: dict[str, tuple[str, ...]] = {"source_port": ("spt", "srcPort", "cpt"), "destination_port": ("dpt", "dstPort")}
_ADDRESSES: dict[str, tuple[str, ...]] = {
    "source_ip": ("src", "sourceTranslatedAddress", "c6a2", "shost"),
    "destination_ip": ("dst", "destinationTranslatedAddress", "c6a3", "dhost"),
}
_HASH_FIELDS = (
    "fileHash",
    "TrendMicroDsFileSHA256",
    "sha256",
    "TrendMicroDsFileSHA1",
    "sha1",
    "TrendMicroDsFileMD5",
    "md5",
)


def cef_fields(text: str) -> dict[str, object]:
    """Return the fields of `text`, which begins with `CEF:` or `LEEF:`; those of the header without a key in it.

    The delimiter of LEEF 1 is a tab, that of LEEF 2 is told in the header, as a character or a number (`x09`). Where
    there is none of them in the line, ` key=` is taken for the boundary, as in CEF.

    Raises
    ------
    ValueError
        In words, if the header has too few parts.

    Examples
    --------
    >>> found = cef_fields("CEF: 0|V|P\\\\|1|1.0|100|name|5|src=10.0.0.1 msg=a\\\\=b c cs1=x y cs1Label=Label")
    >>> found["product"], found["msg"], found["cs1"], found["cs1Label"]
    ('P|1', 'a=b c', 'x y', 'Label')
    >>> cef_fields("LEEF:2.0|V|P|1.0|7|^|src=10.0.0.1^dst=10.0.0.2")["dst"]
    '10.0.0.2'
    """
    kind, _, rest = text.partition(":")
    names = _CEF_HEADER if kind == "CEF" else _LEEF_HEADER
    parts = _split_pipes(rest, len(names) + 1)
    if len(parts) < len(names) + 1:
        raise ValueError(f"a {kind} header of {len(parts)} parts, {len(names) + 1} were expected")
    found: dict[str, object] = {"format": f"{kind}:{parts[0].strip()}"}
    found |= {name: _unescape(value).strip() for name, value in zip(names, parts[1:], strict=False)}
    extension = parts[len(names) + 1] if len(parts) > len(names) + 1 else ""
    if kind == "CEF":
        pairs = _pairs_by_key(extension)
    else:
        delimiter, extension = _leef_delimiter(parts[0], extension)
        delimiter = delimiter if delimiter in extension else _other_delimiter(extension)
        pairs = _pairs_by_delimiter(extension, delimiter) if delimiter else _pairs_by_key(extension)
    counts: dict[str, int] = {}
    for key, value in pairs:
        add_numbered(found, counts, key, value)
    return found


def cef_columns(found: dict[str, object], clock: Clock) -> tuple[dict[str, object], Fields]:
    """Return the event columns that any vendor's fields fill, and the fields that are left.

    `time` is the record's own (`rt`, `end`, `start`, `devTime`), in whatever unit it came; it may be missing.

    Raises
    ------
    ValueError
        In words, for a field that does not fit.
    """
    fields = Fields({key: value for key, value in found.items() if value not in ("", None)})
    when = fields.take("rt", "end", "start", "deviceReceiptTime", "devTime")
    written = fields.take("severity", "sev", "LogSeverity")
    source, destination = (str(fields.peek(name) or "") for name in ("suser", "duser"))
    row: dict[str, object] = {
        "time": None if when is None else vendor_time(str(when), clock),
        "rule_id": fields.text("signature"),
        "rule_name": fields.text("name", "cat"),
        "event_severity": _severity(written),
        "message": fields.text("msg"),
    }
    for column, names in _ADDRESSES.items():
        name = next((n for n in names if address(str(fields.peek(n) or ""))), None)
        if name:
            row[column] = address(fields.text(name))
    for column, names in _PORTS.items():
        if str(fields.peek(*names)).isdecimal():
            row |= fields.columns({column: names})
    hosts = [n for n in ("dhost", "dvchost", "shost", "identHostName") if fields.peek(n)]
    if hosts:
        row["host_name"] = fields.text(hosts[0])
    if fields.peek("proto"):
        protocol = str(fields.take("proto")).lower()
        row["network_transport"] = TRANSPORTS.get(int(protocol), protocol) if protocol.isdecimal() else protocol
    row |= {column: value for column, value in _numbers(fields).items() if value is not None}
    row |= fields.columns(_COLUMNS)
    if source and destination and source != destination:
        row |= {"acting_user_name": source, "target_user_name": fields.text("duser")}
    row["event_action"] = fields.text("act", "deviceAction", "action", "Action")
    row["file_hash"] = next((h for n in _HASH_FIELDS if (h := hash_of(fields.peek(n)))), None)
    return row, fields


def hash_of(value: object) -> str | None:
    """Return a hash in hexadecimal digits with its algorithm, told by its length; None if it is none."""
    text = str(value or "").strip().lower()
    name = _HASHES.get(len(text))
    return f"{name}:{text}" if name and re.fullmatch("[0-9a-f]+", text) else None


def vendor_time(text: str, clock: Clock) -> datetime:
    """Return a time as CEF and LEEF allow it: a number since 1970, ISO 8601, or `Apr 25 2022 15:27:08.000 UTC`.

    Raises
    ------
    ValueError
        In words, if it is none of these.
    """
    text = text.strip()
    if text.replace(".", "", 1).isdecimal():
        return epoch(text)
    found = _STAMP.match(text)
    if found is None:
        return iso(text, clock)
    if found[1] not in MONTHS:
        raise ValueError(f"{text[:60]!r} is not a time")
    if found[3] is None:
        return clock.yearless(MONTHS[found[1]], int(found[2]), found[4], found[5])
    written = f"{found[3]}-{MONTHS[found[1]]:02}-{int(found[2]):02}T{found[4]}{found[5] or ''}"
    return _in_zone(written, found[6], clock)


def _in_zone(written: str, zone: str | None, clock: Clock) -> datetime:
    """Return a time by the name of its zone; by the recipe's, if it has none or one that is not known."""
    offset = _OFFSET.match(zone or "")
    if offset:
        return iso(f"{written}{offset[1]}:{offset[2]}")
    try:
        known = ZoneInfo(zone) if zone else None
    except (KeyError, ValueError, OSError):
        known = None
    return iso(written).replace(tzinfo=known).astimezone(UTC) if known else iso(written, clock)


def _severity(written: object) -> int | None:
    text = str(written or "").strip().lower()
    if text in _WORDS:
        return _WORDS[text]
    return round(10 * float(text)) if re.fullmatch(r"\d{1,2}(?:\.\d{1,3})?", text) and float(text) <= 10 else None


def _numbers(fields: Fields) -> dict[str, object]:
    """Return the process number, and how often it happened; a field that is no number stays where it is."""
    name = next((n for n in ("dpid", "spid") if str(fields.peek(n)).isdecimal()), None)
    row = fields.columns({"process_pid": name}) if name else {}
    count = str(fields.peek("cnt"))
    return row | (fields.columns({"event_count": "cnt"}) if count.isdecimal() and len(count) < 10 else {})


def _split_pipes(text: str, limit: int) -> list[str]:
    parts: list[str] = []
    start = 0
    for found in _BAR.finditer(text):
        if found.group() == "|":
            parts.append(text[start : found.start()])
            start = found.end()
            if len(parts) == limit:
                break
    return [*parts, text[start:]]


def _pairs_by_key(text: str) -> list[tuple[str, str]]:
    keys = list(_KEY.finditer(text))
    ends = [*(key.start() for key in keys[1:]), len(text)] if keys else []
    return [(key["key"], _unescape(text[key.end() : end]).strip()) for key, end in zip(keys, ends, strict=True)]


def _pairs_by_delimiter(text: str, delimiter: str) -> list[tuple[str, str]]:
    pairs = (part.partition("=") for part in text.split(delimiter) if "=" in part)
    return [(key.strip(), value.strip()) for key, _, value in pairs]


def _leef_delimiter(version: str, extension: str) -> tuple[str, str]:
    if version.strip().startswith("2"):
        first, bar, rest = extension.partition("|")
        found = _HEX_DELIMITER.match(first.strip())
        if bar and found:
            return chr(int(found[1], 16)), rest
        if bar and len(first) <= 1:
            return first or "\t", rest
    return "\t", extension


def _other_delimiter(extension: str) -> str:
    """Return the sign before most keys, where a line of LEEF has not the one that it should have; empty if blanks are."""
    counts = {sign: len(keys.findall(extension)) for sign, keys in _OTHER_DELIMITERS.items()}
    most = max(counts, key=lambda sign: counts[sign])
    return most if counts[most] > len(_KEY.findall(extension)) else ""


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    # Vendors leave the backslashes of a path as they are: `c:\new` holds no line end.
    meant = "\\=|" if _WINDOWS_PATH.match(text) else "\\=|nr"
    return _ESCAPED.sub(lambda m: _MEANT.get(m[1], m[1]) if m[1] in meant else m[0], text)
