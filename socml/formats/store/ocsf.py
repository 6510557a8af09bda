"""Events of the Open Cybersecurity Schema Framework → events: one a line, an array, or one document over lines.

Amazon Security Lake, AWS resolvers and many pipelines write it. `traffic.bytes_out` is what the source sent, as most
mappers have it; some do it the other way round, and nothing in the record says so. `time` is milliseconds by the
schema; a count that can only be seconds is read as seconds. Class and severity are OCSF's own; `status_id` is the
outcome.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._envelope import first_objects, members
from socml.formats._json import flatten, loads_exactly
from socml.formats._ocsf import ocsf_event
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches

__all__ = ["Ocsf"]


class Ocsf:
    """OCSF events as JSON, version 1."""

    name = "ocsf"
    about = "OCSF events as JSON: any class; network, DNS, HTTP, authentication and findings fill their columns"
    specification = "https://schema.ocsf.io"
    examples = (
        '{"class_uid":4001,"category_uid":4,"activity_id":6,"severity_id":1,"time":1709208416250,"metadata":'
        '{"version":"1.3.0","product":{"name":"Zeek"}},"src_endpoint":{"ip":"192.0.2.7","port":5000},'
        '"dst_endpoint":{"ip":"198.51.100.1","port":443}}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of objects with a class and metadata."""
        found = first_objects(head)
        return 0.97 * sum(_is_ocsf(one) for one in found) / len(found) if found else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return batches(members(source), lambda record: ocsf_event(flatten(loads_exactly(record))))


def _is_ocsf(found: dict[str, object]) -> bool:
    return "class_uid" in found and bool({"metadata", "category_uid", "type_uid", "activity_id"} & found.keys())
