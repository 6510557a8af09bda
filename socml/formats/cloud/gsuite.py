"""Google Workspace (GSuite) activity reports → events: pages with `items`, or one activity a line.

An activity may hold several `events`; it is one event here, its action that of the first, and all are in `extra`.
Collectors that flatten write `name`, `type` and `parameters` at the top. The time is `id.time`.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._cloud import gsuite
from socml.formats._envelope import first_objects, members
from socml.formats._json import flatten, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches

__all__ = ["Gsuite"]


class Gsuite:
    """Google Workspace activity reports: login, drive, admin, token and the other applications."""

    name = "gsuite"
    about = "Google Workspace activity reports: login, drive, admin, token and the other applications"
    specification = "https://developers.google.com/admin-sdk/reports/reference/rest/v1/activities"
    examples = (
        '{"kind":"admin#reports#activity","id":{"time":"2024-02-29T13:06:56.250Z","applicationName":"login",'
        '"customerId":"C1"},"actor":{"email":"ann@example.org"},"ipAddress":"192.0.2.7",'
        '"events":[{"type":"login","name":"login_failure"}]}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of the first objects that have the names of such a record."""
        found = first_objects(head, "items")
        return 0.96 * sum(_is_ours(one) for one in found) / len(found) if found else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return batches(members(source, "items"), lambda record: gsuite(flatten(loads_exactly(record))))


def _is_ours(found: dict[str, object]) -> bool:
    about = found.get("id")
    return (isinstance(about, dict) and "applicationName" in about) or found.get("kind") == "admin#reports#activity"
