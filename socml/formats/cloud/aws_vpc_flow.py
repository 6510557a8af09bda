"""AWS VPC flow logs → flows: every version, fields in any order.

A file from S3 begins with a line of names, which says the order; without one the default format of version 2 is read.
Lines that CloudWatch exported have a time in front. `NODATA` and `SKIPDATA` records hold no flow and are skipped. One
record is one direction: the answer is another record. `start` and `end` are seconds, within which packets were
gathered. REJECT is a failure. Parquet files of flow logs are tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._fields import Fields, whole
from socml.formats._protocols import transport
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import Skip, batches, line_records
from socml.formats._times import epoch

__all__ = ["AwsVpcFlow"]

_DEFAULT = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
).split()
_KNOWN = {*_DEFAULT, "vpc-id", "subnet-id", "instance-id", "tcp-flags", "type", "pkt-srcaddr", "pkt-dstaddr", "region",
          "az-id", "sublocation-type", "sublocation-id", "pkt-src-aws-service", "pkt-dst-aws-service", "flow-direction",
          "traffic-path"}  # fmt: skip
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z ")
_COLUMNS: dict[str, str | tuple[str, ...]] = {
    "source_ip": "srcaddr",
    "destination_ip": "dstaddr",
    "source_port": "srcport",
    "destination_port": "dstport",
    "source_packets": "packets",
    "source_bytes": "bytes",
    "observer_name": "interface-id",
}


class AwsVpcFlow:
    """AWS VPC flow logs as text, versions 2 to 8 and custom formats."""

    name = "aws-vpc-flow"
    about = "AWS VPC flow logs, default and custom formats"
    specification = "https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html"
    examples = (
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status",
        "2 123456789010 eni-1235b8ca 192.0.2.7 198.51.100.1 20641 22 6 20 4249 1709208416 1709208476 ACCEPT OK",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of a line of names; of records of the default format by their shape."""
        lines = [line.decode("utf-8", "replace") for line in head_lines(head, 20)]
        if lines and _is_header(lines[0]):
            return 0.98
        fit = sum(_is_default(_STAMP.sub("", line)) for line in lines)
        return 0.9 * fit / len(lines) if lines else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's flows."""
        names = list(_DEFAULT)
        return batches(line_records(source), lambda line: _event(line, names))


def _is_header(line: str) -> bool:
    names = line.split()
    return len(names) >= 4 and len(_KNOWN & set(names)) >= max(4, len(names) - 2)


def _is_default(line: str) -> bool:
    return bool(
        re.match(r"\d \S+ eni-\S+ \S+ \S+ \S+ \S+ \S+ \S+ \S+ \d+ \d+ (ACCEPT|REJECT|-) (OK|NODATA|SKIPDATA)$", line)
    )


def _event(line: bytes, names: list[str]) -> dict[str, object]:
    text = line.decode("utf-8", "backslashreplace").strip()
    if _is_header(text):
        names[:] = text.split()
        raise Skip("header")
    values = _STAMP.sub("", text).split()
    if len(values) != len(names):
        raise ValueError(f"{len(values)} values for {len(names)} fields")
    found: dict[str, object] = {name: value for name, value in zip(names, values, strict=True) if value != "-"}
    if found.get("log-status") in ("NODATA", "SKIPDATA"):
        raise Skip(str(found["log-status"]))
    fields = Fields(found)
    row: dict[str, object] = {"class_uid": 4001, "event_category": "network", "event_action": "connection"}
    start, end = fields.take("start"), fields.take("end")
    if start is not None:
        begun = row["time"] = epoch(start)
        if end is not None:
            row["duration_s"] = (epoch(end) - begun).total_seconds()
    number = fields.take("protocol")
    row["network_transport"] = transport(None if number is None else whole(number, "protocol", 255))
    row |= fields.columns(_COLUMNS)
    row["event_outcome"] = {"ACCEPT": "success", "REJECT": "failure"}.get(str(fields.peek("action")))
    row["extra"] = fields.rest()
    return row
