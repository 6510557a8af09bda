"""GitHub audit log → events.

`@timestamp` and `created_at` are milliseconds since 1970 in the API and in streams; some collectors write them as text.
`actor_ip` is there only where the organisation switched it on. The log does not say whether an action failed, except by
its name or a `conclusion`: everything else counts as a success.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._cloud import github
from socml.formats._envelope import first_objects, members
from socml.formats._json import flatten, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import batches

__all__ = ["GithubAudit"]


class GithubAudit:
    """GitHub audit log of an organisation or enterprise: one record a line, or an array."""

    name = "github-audit"
    about = "GitHub audit log of an organisation or enterprise: one record a line, or an array"
    specification = "https://docs.github.com/en/organizations/keeping-your-organization-secure/managing-security-settings-for-your-organization/audit-log-events-for-your-organization"
    examples = (
        '{"@timestamp":1709208416250,"action":"repo.create","actor":"ann","actor_ip":"192.0.2.7","org":"example",'
        '"repo":"example/app","created_at":1709208416250,"_document_id":"d1"}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of the first objects that have the names of such a record."""
        found = first_objects(head)
        return 0.96 * sum(_is_ours(one) for one in found) / len(found) if found else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return batches(members(source), lambda record: github(flatten(loads_exactly(record))))


def _is_ours(found: dict[str, object]) -> bool:
    return (
        isinstance(found.get("action"), str)
        and ("actor" in found or "_document_id" in found)
        and bool({"org", "business", "repo", "_document_id", "created_at"} & found.keys())
    )
