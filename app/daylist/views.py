"""What the page says of its named views → the label store, and the views as the browser lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from socml.labels import SavedView, SavedViews
from socml.project import DataError, visible_line


def record_view(views: SavedViews, message: Mapping[str, Any], client_id: str, *, by: str, dataset: str) -> None:
    """Save, rename or delete a view as a message says; each is safe to take twice.

    Raises
    ------
    DataError
        If the message says nothing of the kind, or the view is another person's.
    """
    kind, view_id, name = (str(message.get(key) or "") for key in ("kind", "id", "name"))
    if kind == "view.save":
        state = message.get("state")
        kept = {str(key): str(value) for key, value in state.items()} if isinstance(state, Mapping) else {}
        shared = message.get("shared") is True
        views.save(name, kept, by=by, dataset=dataset, shared=shared, client_id=client_id)
    elif kind == "view.rename":
        views.rename(view_id, name, by=by, client_id=client_id)
    elif kind == "view.delete":
        views.delete(view_id, by=by, client_id=client_id)
    else:
        raise DataError(f"Not recorded: {kind!r} is nothing that can be done to a view.")


def view_payload(view: SavedView, by: str) -> dict[str, Any]:
    """Return a view as the component lists it."""
    return {
        "id": view.id,
        "name": visible_line(view.name),
        "by": visible_line(view.by),
        "own": view.by == by,
        "shared": view.shared,
        "state": dict(view.state),
    }
