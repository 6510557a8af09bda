"""Okta System Log → events.

`outcome.result` also says SKIPPED, CHALLENGE and UNKNOWN, which are `unknown`. Exports by some collectors have all
names in lower case; both spellings are read.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._cloud import okta
from socml.formats._envelope import first_objects, members
from socml.formats._json import flatten, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches

__all__ = ["Okta"]


class Okta:
    """Okta System Log: one record a line, or an array as the API answers."""

    name = "okta"
    about = "Okta System Log: one record a line, or an array as the API answers"
    specification = "https://developer.okta.com/docs/reference/api/system-log/"
    examples = (
        '{"uuid":"u1","published":"2024-02-29T13:06:56.250Z","eventType":"user.session.start","version":"0",'
        '"severity":"INFO","actor":{"id":"00u1","type":"User","alternateId":"ann@example.org"},'
        '"client":{"ipAddress":"192.0.2.7"},"outcome":{"result":"FAILURE","reason":"INVALID_CREDENTIALS"}}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of the first objects that have the names of such a record."""
        found = first_objects(head)
        return 0.96 * sum(_is_ours(one) for one in found) / len(found) if found else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return batches(members(source), lambda record: okta(flatten(loads_exactly(record))))


def _is_ours(found: dict[str, object]) -> bool:
    return (
        ("eventType" in found or "eventtype" in found)
        and "actor" in found
        and ("published" in found or "outcome" in found)
    )
