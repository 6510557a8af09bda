"""Indicators and local lists → which of them are listed, and where. Nothing is asked of a network.

A list is a text file: one address, network, domain, URL or hash a line, or the first cell of a CSV; `#` begins a comment.
A domain on a list means the names below it too; a network means its addresses.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from socml.project import DataError
from socml.tools.defanging import refang
from socml.tools.indicators import Indicator


@dataclass(frozen=True)
class Hit:
    """An indicator that is on a list: the list, its line, and the entry as it stands there."""

    indicator: Indicator
    list: str
    line: int
    entry: str


def look_up(indicators: Iterable[Indicator], lists: Sequence[str | Path]) -> list[Hit]:
    """Return every list on which an indicator stands.

    Parameters
    ----------
    lists : files, or folders of files

    Raises
    ------
    DataError
        If a list does not exist.
    """
    wanted: dict[str, list[Indicator]] = {}
    addresses: list[tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, Indicator]] = []
    for one in indicators:
        for key in _keys(one):
            wanted.setdefault(key, []).append(one)
        if one.kind in ("ipv4", "ipv6"):
            addresses.append((ipaddress.ip_address(one.value), one))
    hits: list[Hit] = []
    for path in _files(lists):
        for number, entry in _entries(path):
            listed = wanted.get(entry.lower().rstrip("/").rstrip("."), [])
            if "/" in entry and not listed:
                listed = _within(entry, addresses)
            hits += [Hit(one, str(path), number, entry) for one in listed]
    return hits


def _keys(one: Indicator) -> list[str]:
    value = one.value.lower().rstrip("/")
    if one.kind != "domain":
        return [value]
    labels = value.split(".")
    return [".".join(labels[i:]) for i in range(len(labels) - 1)]


def _within(
    entry: str, addresses: list[tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, Indicator]]
) -> list[Indicator]:
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return []
    return [one for address, one in addresses if address.version == network.version and address in network]


def _files(lists: Sequence[str | Path]) -> list[Path]:
    found: list[Path] = []
    for given in lists:
        path = Path(given).expanduser()
        if not path.exists():
            raise DataError(f"The list {given} does not exist.")
        found += sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
    return found


def _entries(path: Path) -> Iterable[tuple[int, str]]:
    with path.open("rb") as file:
        is_utf16 = file.read(2) in (b"\xff\xfe", b"\xfe\xff")  # as PowerShell writes what it is told to
    with path.open(encoding="utf-16" if is_utf16 else "utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            text = line.split("#", 1)[0].strip() if not line.startswith("http") else line.strip()
            entry = refang(text.split(",", 1)[0].split(";", 1)[0].strip().strip('"'))
            if entry:
                yield number, entry
