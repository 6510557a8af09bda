"""NetFlow 5, 9 and IPFIX datagrams, one after the other in a file → their records, each cut out by its template."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from socml.formats.network._netflow_fields import Clock, flow_of

if TYPE_CHECKING:
    from socml.formats._json import extra_of

__all__ = ["Exporter", "Found", "is_datagram"]

_V5 = ((8, 4), (12, 4), (15, 4), (10, 2), (14, 2), (2, 4), (1, 4), (22, 4), (21, 4), (7, 2), (11, 2), (0, 1), (6, 1), (4, 1),
       (5, 1), (16, 2), (17, 2), (9, 1), (13, 1), (0, 2))  # fmt: skip
VARIABLE = 65535
_FIELDS_LIMIT = 1024
_LEARNT_LIMIT = 10_000  # sightings of templates in one file

Fields = tuple[tuple[int, int, int], ...]  # enterprise, number, bytes


@dataclass
class Found:
    """One record of a datagram: a flow's columns, or why there are none."""

    raw: bytes
    row: dict[str, object] | None = None
    skip: str = ""
    reject: str = ""


@dataclass
class Exporter:
    """Templates learned so far: (version, source, id) → fields; of options, how many are scopes does not matter.

    `elsewhere` is asked for a template that is not among them, by its key, the bytes of the data and when it was sent (ms).
    """

    templates: dict[tuple[int, int, int], Fields] = field(default_factory=dict)
    options: set[tuple[int, int, int]] = field(default_factory=set)
    learnt: list[tuple[tuple[int, int, int], float, Fields, bool]] = field(
        default_factory=list
    )  # key, ms since 1970, …
    elsewhere: Callable[[tuple[int, int, int], int, float], tuple[Fields, bool] | None] | None = None

    def read(self, data: bytes, at: int) -> tuple[list[Found], int]:
        """Read the datagram that begins at `at`; return its records and where it ends.

        Raises
        ------
        ValueError
            In words, if no datagram begins there, or it is cut.
        """
        version = int.from_bytes(data[at : at + 2], "big")
        if version == 5:
            return _read_5(data, at)
        if version == 9:
            return self._read_9(data, at)
        if version == 10:
            return self._read_10(data, at)
        raise ValueError(f"no datagram of NetFlow 5, 9 or IPFIX: its version would be {version}")

    def _read_9(self, data: bytes, at: int) -> tuple[list[Found], int]:
        if len(data) - at < 20:
            raise ValueError("a NetFlow 9 header that is cut")
        _, count, uptime, seconds, _, source = struct.unpack_from("!HHIIII", data, at)
        clock, here = Clock(seconds * 1000.0, uptime), at + 20
        found: list[Found] = []
        # The header counts records, not bytes, and some exporters count wrongly: the next header tells the end.
        while here + 4 <= len(data) and _is_set(data, here) and (count or len(data) == here):
            size = int.from_bytes(data[here + 2 : here + 4], "big")
            if not _CONTENT.search(data, here):
                return [*found, Found(data[here:], skip="padding")], len(data)
            if size < 4 or here + size > len(data):
                found.append(Found(data[here:], reject=f"a set of {size} bytes where {len(data) - here} are left"))
                return found, len(data)
            found += self._set(data[here : here + size], 9, source, clock)
            here += size
        return found or [Found(data[at:here], skip="datagram without records")], here

    def _read_10(self, data: bytes, at: int) -> tuple[list[Found], int]:
        if len(data) - at < 16:
            raise ValueError("an IPFIX header that is cut")
        _, size, seconds, _, source = struct.unpack_from("!HHIII", data, at)
        end = at + size
        if size < 16 or end > len(data):
            raise ValueError(f"an IPFIX message of {size} bytes where {len(data) - at} are left")
        clock, here = Clock(seconds * 1000.0, None), at + 16
        found: list[Found] = []
        while here + 4 <= end:
            length = int.from_bytes(data[here + 2 : here + 4], "big")
            if length < 4 or here + length > end:
                found.append(Found(data[here:end], reject=f"a set of {length} bytes where {end - here} are left"))
                break
            found += self._set(data[here : here + length], 10, source, clock)
            here += length
        return found or [Found(data[at:end], skip="datagram without records")], end

    def _set(self, data: bytes, version: int, source: int, clock: Clock) -> list[Found]:
        number = int.from_bytes(data[:2], "big")
        is_template = number in ((0, 1) if version == 9 else (2, 3))
        if is_template:
            return self._learn(data, version, source, clock.sent_ms, is_options=number in (1, 3))
        if number < 256:
            return [Found(data, skip="set of an unknown kind")]
        key = (version, source, number)
        fields, is_options = self.templates.get(key), key in self.options
        if (
            fields is None
            and self.elsewhere is not None
            and (found_there := self.elsewhere(key, len(data) - 4, clock.sent_ms))
        ):
            fields, is_options = found_there
        if fields is None:
            return [Found(data, reject=f"no template {number} came before this data")]
        found = []
        for raw, values in _cut(data, fields):
            one = Found(raw)
            if values is None:
                one.reject = f"the data is cut, by its template {number}"
            elif is_options:
                one.skip = "options record"
            else:
                try:
                    one.row = flow_of(values, clock)
                except ValueError as error:
                    one.reject = str(error)
            found.append(one)
        return found or [Found(data, skip="set without records")]

    def _learn(self, data: bytes, version: int, source: int, sent_ms: float, *, is_options: bool) -> list[Found]:
        at, found = 4, []
        while at + 4 <= len(data):
            number, count = struct.unpack_from("!HH", data, at)
            if number < 256:
                break  # padding
            begin = at
            at += 4
            if is_options and version == 9:
                scopes = count
                count = (scopes + int.from_bytes(data[at : at + 2], "big")) // 4
                at += 2
            elif is_options:
                at += 2
            fields, at = _template_fields(data, at, count, version)
            if fields is None:
                found.append(Found(data[begin:], reject=f"template {number} is cut"))
                break
            key = (version, source, number)
            self.templates[key] = fields
            (self.options.add if is_options else self.options.discard)(key)
            if len(self.learnt) < _LEARNT_LIMIT:
                self.learnt.append((key, sent_ms, fields, is_options))
            found.append(Found(data[begin:at], skip="template"))
        return found or [Found(data, skip="set without records")]


def is_datagram(head: bytes) -> float:
    """Return how sure it is that a file begins with a datagram of an exporter.

    Examples
    --------
    >>> is_datagram(bytes.fromhex("000a001065e07290000000010000000a")), is_datagram(b"PK" * 20)
    (0.93, 0.0)
    """
    if len(head) < 16:
        return 0.0
    version, count = struct.unpack_from("!HH", head)
    if version == 5 and len(head) >= 24 and _is_recent(head, 8):
        return 0.93 if 1 <= count <= 40 else 0.6  # 30 by the standard; more is damage
    if version == 9 and len(head) >= 24 and 0 < count < 1000 and _is_set(head, 20):
        size = int.from_bytes(head[22:24], "big")
        return 0.93 if _is_recent(head, 8) else 0.7 if 8 <= size < 1500 else 0.0
    return 0.93 if version == 10 and count >= 16 and _is_recent(head, 4) else 0.0


def _is_recent(head: bytes, at: int) -> bool:
    return 631_152_000 <= int.from_bytes(head[at : at + 4], "big") < 4_102_444_800  # 1990 to 2100


_CONTENT = re.compile(rb"[^\0]")


def _is_set(data: bytes, at: int) -> bool:
    number = int.from_bytes(data[at : at + 2], "big")
    return number in (0, 1) or number >= 256


def _template_fields(data: bytes, at: int, count: int, version: int) -> tuple[Fields | None, int]:
    fields = []
    if count > _FIELDS_LIMIT:
        return None, at
    for _ in range(count):
        if at + 4 > len(data):
            return None, at
        number, size = struct.unpack_from("!HH", data, at)
        at, enterprise = at + 4, 0
        if version == 10 and number & 0x8000:
            if at + 4 > len(data):
                return None, at
            enterprise, number, at = int.from_bytes(data[at : at + 4], "big"), number & 0x7FFF, at + 4
        fields.append((enterprise, number, size))
    return tuple(fields), at


def _cut(data: bytes, fields: Fields) -> Iterator[tuple[bytes, dict[tuple[int, int], bytes] | None]]:
    """Yield the records of a set, with None for the values if the last is cut. Padding is no record."""
    least = sum(1 if size == VARIABLE else size for _, _, size in fields)
    at = 4
    while least and len(data) - at >= max(least, 1):
        begin, values = at, {}
        for enterprise, number, size in fields:
            length = size
            if size == VARIABLE:
                length, at = data[at] if at < len(data) else 0, at + 1
                if length == 255:
                    length, at = int.from_bytes(data[at : at + 2], "big"), at + 2
            values[(enterprise, number)] = data[at : at + length]
            at += length
        if at > len(data):
            yield data[begin:], None
            return
        yield data[begin:at], values


def _read_5(data: bytes, at: int) -> tuple[list[Found], int]:
    if len(data) - at < 24:
        raise ValueError("a NetFlow 5 header that is cut")
    _, count, uptime, seconds, nanos, _, engine, interval = struct.unpack_from("!HHIIIIHH", data, at)
    clock, here = Clock(seconds * 1000.0 + nanos / 1e6, uptime), at + 24
    found: list[Found] = []
    for _ in range(count):
        record = data[here : here + 48]
        if len(record) < 48:
            reject = f"{count} records by the header, and the file ends after {len(found)}"
            found.append(Found(record or data[at : at + 24], reject=reject))
            return found, len(data)
        values, offset = {}, 0
        for number, size in _V5:
            if number:
                values[(0, number)] = record[offset : offset + size]
            offset += size
        one = Found(record)
        try:
            one.row = flow_of(values, clock)
            one.row["extra"] = extra_of(one.row) | {"engine": str(engine), "sampling_interval": str(interval & 0x3FFF)}
        except ValueError as error:
            one.reject = str(error)
        found.append(one)
        here += 48
    return found or [Found(data[at:here], skip="datagram without records")], here
