"""Filters of the daily list and of Hunt that a person gave a name → that person's own, and those that others share.

What a view holds is what stands in the page's address, so a link shows the same to whoever opens it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from socml.labels.journal import Journal
from socml.labels.records import Entry
from socml.project import DataError, Sentence, UnknownName

FIELDS = ("page", "role", "q", "events", "queue", "filter", "columns")
LONGEST_NAME = 80
LONGEST_FIELD = 4_000
MOST = 100  # views of one person and dataset


@dataclass(frozen=True)
class SavedView:
    """A named view as it stands.

    Attributes
    ----------
    state : of `FIELDS`, those that are not as usual, as the address holds them
    shared : whether others see it in their list; only its owner changes it
    """

    id: str
    dataset: str
    name: str
    state: Mapping[str, str]
    by: str
    shared: bool = False


class SavedViews:
    """The named views of one store.

    Examples
    --------
    >>> from socml.labels import LabelStore
    >>> with LabelStore("sqlite://") as store:
    ...     made = store.views.save("Outside", {"role": "outside"}, by="ana", dataset="d", shared=True)
    ...     store.views.rename(made.id, "From outside", by="ana")
    ...     seen = [(view.name, view.by) for view in store.views.seen_by("bo", dataset="d")]
    ...     store.views.delete(made.id, by="ana")
    ...     seen, store.views.seen_by("ana", dataset="d")
    ([('From outside', 'ana')], [])
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def save(
        self, name: str, state: Mapping[str, str], *, by: str, dataset: str, shared: bool = False, client_id: str = ""
    ) -> SavedView:
        """Store a view and return it; a person's view of the page with the same name is replaced.

        Raises
        ------
        DataError
            If it has no name, holds what no view holds, the person has `MOST` views already, or its id is another's.
        """
        name = _checked_name(name)
        if unknown := [key for key in state if key not in FIELDS]:
            raise UnknownName("part of a view", unknown[0], FIELDS)
        kept = {key: value for key, value in state.items() if value}
        if any(len(value) > LONGEST_FIELD for value in kept.values()):
            raise DataError(Sentence("error.view.filter", name=name, most=LONGEST_FIELD))
        own = [view for view in self.seen_by(by, dataset=dataset) if view.by == by]
        same = next((v for v in own if v.name == name and v.state.get("page") == kept.get("page")), None)
        if same is None and len(own) >= MOST:
            raise DataError(Sentence("error.view.most", by=by, most=MOST))
        view_id = same.id if same else client_id or uuid.uuid4().hex
        if self._entries_of_others(view_id, by):
            raise DataError(Sentence("error.view.gone", view=view_id))
        body = {"name": name, "state": kept, "shared": shared}
        return _made(self._journal.add("view.saved", view_id, body, by=by, client_id=client_id, dataset=dataset))

    def rename(self, view_id: str, name: str, *, by: str, client_id: str = "") -> None:
        """Give one's own view another name."""
        view = self._own(view_id, by)
        body = {"name": _checked_name(name)}
        self._journal.add("view.renamed", view_id, body, by=by, client_id=client_id, dataset=view.dataset)

    def delete(self, view_id: str, *, by: str, client_id: str = "") -> None:
        """Delete one's own view."""
        view = self._own(view_id, by)
        self._journal.add("view.deleted", view_id, by=by, client_id=client_id, dataset=view.dataset)

    def seen_by(self, by: str, *, dataset: str, page: str | None = None) -> list[SavedView]:
        """Return a person's own views, then those that others share, each by name: of all pages, or of one; "" is Today."""
        views = _folded(self._journal.entries("view.", dataset=dataset)).values()
        seen = [view for view in views if view.by == by or view.shared]
        seen = [view for view in seen if page is None or view.state.get("page", "") == page]
        return sorted(seen, key=lambda view: (view.by != by, view.name.casefold(), view.id))

    def _entries_of_others(self, view_id: str, by: str) -> bool:
        """Say whether somebody else stored a view under an id, which a browser chooses: theirs stays theirs."""
        return any(entry.by != by for entry in self._journal.entries("view.", subject=view_id))

    def _own(self, view_id: str, by: str) -> SavedView:
        view = _folded(self._journal.entries("view.", subject=view_id)).get(view_id)
        if view is None:
            raise DataError(Sentence("error.view.gone", view=view_id))
        if view.by != by:
            raise DataError(Sentence("error.view.of", name=view.name, by=view.by))
        return view


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise DataError(Sentence("error.view.name", most=LONGEST_NAME, count=len(name)))
    return name


def _folded(entries: Iterable[Entry]) -> dict[str, SavedView]:
    views: dict[str, SavedView] = {}
    for entry in entries:
        if entry.kind == "view.saved":
            views[entry.subject] = _made(entry)
        elif entry.kind == "view.renamed" and entry.subject in views:
            views[entry.subject] = replace(views[entry.subject], name=str(entry.body["name"]))
        elif entry.kind == "view.deleted":
            views.pop(entry.subject, None)
    return views


def _made(entry: Entry) -> SavedView:
    state = {str(key): str(value) for key, value in dict(entry.body["state"]).items()}
    return SavedView(entry.subject, entry.dataset, str(entry.body["name"]), state, entry.by, bool(entry.body["shared"]))
