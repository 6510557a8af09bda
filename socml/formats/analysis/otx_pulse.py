"""Pulses of AlienVault OTX → one event an indicator, to be joined with other events.

Each indicator stands in the column that it would match: an address in `destination_ip`, a domain or host name in
`dns_question_name`, a URL in `url_original`, a hash in `file_hash` (`md5:…`), a CVE in `vulnerability_id`, a path in
`file_path`, a JA3 in `tls_client_ja3`. So a feature `ioc_hit` is a join on that column with the events whose
`event_category` is `threat_intelligence`. Types without a column (CIDR, Mutex, YARA, e-mail, …) are in `extra` alone,
where every indicator and its type are. `threat_name` is the first malware family, or the adversary, or the pulse.
An indicator that is switched off (`is_active` 0) is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from socml.formats._addresses import address
from socml.formats._cloud import moment
from socml.formats._envelope import first_objects, members
from socml.formats._fields import Fields
from socml.formats._json import json_bytes, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import Skip, batches

__all__ = ["OtxPulse"]

_COLUMN = {
    "domain": "dns_question_name",
    "hostname": "dns_question_name",
    "URL": "url_original",
    "URI": "url_original",
    "CVE": "vulnerability_id",
    "FilePath": "file_path",
    "JA3": "tls_client_ja3",
}
_KEPT = ("id", "name", "author_name", "tags", "tlp", "TLP", "adversary", "malware_families", "attack_ids", "industries",
         "targeted_countries", "references", "modified")  # fmt: skip


class OtxPulse:
    """OTX pulses: one, a page of results, or one a line."""

    name = "otx-pulse"
    about = "AlienVault OTX pulses: one event an indicator, in the column it would match"
    specification = "https://otx.alienvault.com/api"
    examples = (
        '{"id":"p1","name":"Example pulse","adversary":"","malware_families":["Emotet"],"attack_ids":["T1059"],'
        '"indicators":[{"id":1,"indicator":"198.51.100.9","type":"IPv4","created":"2024-02-29T13:06:56"}]}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of objects with a list of typed indicators."""
        found = first_objects(head, "results")
        if not found:
            start = head.lstrip(b"\xef\xbb\xbf \r\n\t[")[:65536]
            return 0.9 if start.startswith(b"{") and b'"indicators"' in start and b'"indicator"' in start else 0.0
        fit = sum(isinstance(one.get("indicators"), list) and "name" in one for one in found)
        return 0.97 * fit / len(found)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's indicators."""
        return batches(_indicators(source), _event)


def _indicators(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield each indicator with what its pulse says; a pulse that cannot be taken apart as it is."""
    for line, record in members(source, "results"):
        try:
            pulse = loads_exactly(record)
        except ValueError:
            yield line, record
            continue
        indicators = pulse.get("indicators")
        if not isinstance(indicators, list) or not indicators:
            yield line, record
            continue
        about = {name: pulse[name] for name in _KEPT if pulse.get(name) not in (None, "", [])}
        for one in indicators:
            yield line, json_bytes({"pulse": about, "indicator": one})


def _event(record: bytes) -> dict[str, object]:
    found = loads_exactly(record)
    if isinstance(found.get("indicators"), list):
        raise Skip("pulse without indicators")
    one, pulse = found.get("indicator"), found.get("pulse")
    if not isinstance(one, dict) or not isinstance(pulse, dict) or not isinstance(one.get("indicator"), str):
        raise ValueError("not an indicator with its type")
    if one.get("is_active") in (0, False):
        raise Skip("inactive indicator")
    kind, value = str(one.get("type")), one["indicator"]
    row: dict[str, object] = {
        "time": moment(one.get("created")),
        "event_category": "threat_intelligence",
        "event_action": "indicator",
        "rule_id": pulse.get("id"),
        "rule_name": pulse.get("name"),
        "threat_name": _threat(pulse),
        "threat_technique_id": [str(a.get("id") if isinstance(a, dict) else a) for a in pulse.get("attack_ids") or []],
        "message": one.get("description") or one.get("title") or None,
    }
    if kind in ("IPv4", "IPv6"):
        row["destination_ip"] = address(value)
    elif kind.startswith("FileHash-"):
        row["file_hash"] = f"{kind.removeprefix('FileHash-').lower()}:{value.lower()}"
    elif kind in _COLUMN:
        row[_COLUMN[kind]] = value
    more = {name: v for name, v in one.items() if name not in ("created", "id", "is_active")}
    row["extra"] = Fields({f"pulse.{n}": v for n, v in pulse.items() if n not in ("id", "name")} | more).rest()
    return row


def _threat(pulse: dict[str, object]) -> str | None:
    families = cast("list[object]", pulse.get("malware_families") or [])
    first = families[0] if families else pulse.get("adversary") or pulse.get("name")
    return str(first.get("display_name") or first.get("id")) if isinstance(first, dict) else cast("str | None", first)
