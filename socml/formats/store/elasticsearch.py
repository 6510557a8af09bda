"""What Elasticsearch and OpenSearch hand out and take in → events: search answers, scroll pages, `_bulk`, ECS documents.

Told apart record by record: a hit (`_source` under `hits.hits`), an action line of `_bulk` (`{"index": {…}}`), which is
skipped, and a bare document. Documents are read by the Elastic Common Schema; dotted names and nested objects are the
same. Fields that are not ECS stay in `extra`, `_index` and `_id` with them. `fields` of a hit (always lists) is used
where `_source` is switched off. Of an `update` action the document is under `doc`. A `delete` action has no document. Wazuh 5 keeps its events and its
findings (events that a rule met) in indices of ECS documents with `wazuh.rule` and `wazuh.agent`: they are read as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from socml.formats._envelope import first_objects, members
from socml.formats._inner import filled_from_inner
from socml.formats._json import extra_of, flatten, loads_exactly
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import Skip, clocked
from socml.formats._times import Clock
from socml.formats._windows_json import is_windows_json, windows_json_event
from socml.formats.store._ecs import ECS_NAMES, ecs_event

__all__ = ["Elasticsearch"]

_ACTIONS = {"index", "create", "update", "delete"}


class Elasticsearch:
    """Elasticsearch and OpenSearch: `_search` and scroll answers, `_bulk` bodies, and documents in ECS."""

    name = "elasticsearch"
    about = "Elasticsearch and OpenSearch: search answers, scroll pages, _bulk bodies, ECS documents one a line (Wazuh 5 among them)"
    specification = "https://www.elastic.co/guide/en/ecs/current/ecs-field-reference.html"
    examples = (
        '{"index":{"_index":"logs","_id":"1"}}',
        '{"@timestamp":"2024-02-29T13:06:56.250Z","ecs":{"version":"8.11"},"event":{"category":["web"],'
        '"action":"get"},"source":{"ip":"192.0.2.7"},"url":{"original":"/a"},"http":{"request":{"method":"GET"}}}',
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of hits and of bulk actions; of bare documents, by their ECS names."""
        found = first_objects(head, "hits")
        if not found:
            return 0.0
        return sum(_sure(one) for one in found) / len(found)

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        return clocked(members(source, "hits"), _event, source, options)


def _sure(found: dict[str, object]) -> float:
    if "_index" in found and ("_source" in found or "fields" in found):
        return 0.98
    if _is_action(found):
        return 0.95
    flat = flatten(found)
    return 0.95 if "@timestamp" in flat and len(ECS_NAMES & flat.keys()) >= 1 else 0.2 if "@timestamp" in flat else 0.0


def _is_action(found: dict[str, object]) -> bool:
    return len(found) == 1 and bool(_ACTIONS & found.keys()) and isinstance(next(iter(found.values())), dict)


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    found = loads_exactly(record)
    if _is_action(found):
        raise Skip("bulk action")
    if not found.get("hits", True) or ("took" in found and "errors" in found):
        raise Skip("answer without hits")
    about: dict[str, object] = {name: found[name] for name in ("_index", "_id", "_score", "_routing") if name in found}
    if isinstance(found.get("_source"), dict):
        return _document(cast("dict[str, object]", found["_source"]), about, clock)
    if "_index" in found and isinstance(found.get("fields"), dict):
        single = {
            n: v[0] if isinstance(v, list) and len(v) == 1 else v
            for n, v in cast("dict[str, object]", found["fields"]).items()
        }
        return _document(single, about, clock)
    if set(found) <= {"doc", "doc_as_upsert", "upsert"} and isinstance(found.get("doc"), dict):
        found = cast("dict[str, object]", found["doc"])
    return _document(found, {}, clock)


def _document(found: dict[str, object], about: dict[str, object], clock: Clock) -> dict[str, object]:
    """Return the columns of a document; what it leaves empty is filled from the record that its message is.

    Documents of Winlogbeat have the fields of Windows's events, which say more than those of ECS.
    """
    if is_windows_json(found):
        return windows_json_event({**about, **found}, clock)
    row = ecs_event({**about, **flatten(found)})
    for text in (row.get("message"), extra_of(row).get("event.original"), extra_of(row).get("log.original")):
        if text:
            return filled_from_inner(row, text, clock)
    return row
