"""Named views of the daily list: whose they are, who sees them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from socml.labels.saved_views import LONGEST_FIELD, LONGEST_NAME, MOST
from socml.labels.store import LabelStore
from socml.project.errors import DataError, SocmlError, UnknownName


def test_one_sees_ones_own_and_what_others_share_of_the_dataset() -> None:
    with LabelStore("sqlite://") as store:
        for by, name, shared in (("ana", "Own", False), ("ana", "Ours", True), ("bo", "bo's", False)):
            store.views.save(name, {"q": "verdict:open", "role": ""}, by=by, dataset="d", shared=shared)
        store.views.save("Elsewhere", {}, by="ana", dataset="other", shared=True)
        assert [view.name for view in store.views.seen_by("ana", dataset="d")] == ["Ours", "Own"]
        theirs = store.views.seen_by("bo", dataset="d")
        assert [(view.name, view.by) for view in theirs] == [("bo's", "bo"), ("Ours", "ana")]
        assert theirs[0].state == {"q": "verdict:open"}


def test_a_name_that_is_saved_again_is_replaced_and_a_message_sent_again_stores_nothing() -> None:
    with LabelStore("sqlite://") as store:
        first = store.views.save("A", {"q": "x"}, by="ana", dataset="d", client_id="c1")
        store.views.save(" A ", {"q": "y"}, by="ana", dataset="d", client_id="c2")
        assert store.views.save("A", {"q": "x"}, by="ana", dataset="d", client_id="c1").id == first.id
        [view] = store.views.seen_by("ana", dataset="d")
        assert (view.id, view.state) == (first.id, {"q": "y"})


def test_only_its_owner_changes_a_view() -> None:
    with LabelStore("sqlite://") as store:
        made = store.views.save("A", {}, by="ana", dataset="d", shared=True)
        for change in (lambda: store.views.rename(made.id, "B", by="bo"), lambda: store.views.delete(made.id, by="bo")):
            with pytest.raises(DataError, match="only they"):
                change()
        store.views.delete(made.id, by="ana")
        with pytest.raises(DataError, match="no view"):
            store.views.rename(made.id, "B", by="ana")
        assert [entry.kind for entry in store.journal.entries("view.")] == ["view.saved", "view.deleted"]


@pytest.mark.parametrize("deleted", [False, True])
def test_a_message_that_names_the_view_of_another_takes_nothing_from_them(deleted: bool) -> None:
    with LabelStore("sqlite://") as store:
        made = store.views.save("A", {"role": "outside"}, by="ana", dataset="d", shared=True)
        if deleted:
            store.views.delete(made.id, by="ana")
        with pytest.raises(DataError, match="no view"):
            store.views.save("Mine", {}, by="bo", dataset="d", shared=True, client_id=made.id)
        assert store.views.seen_by("ana", dataset="d") == ([] if deleted else [made])


def test_half_a_letter_in_a_view_reaches_no_page() -> None:
    with LabelStore("sqlite://") as store:
        made = store.views.save("a\ud800", {"q": "\udc00 é \U0001f600"}, by="ana", dataset="d", shared=True)
        assert (made.name, made.state["q"]) == ("a\ufffd", "\ufffd é \U0001f600")
        assert store.views.seen_by("bo", dataset="d") == [made]


def test_what_no_view_can_be_is_refused() -> None:
    with LabelStore("sqlite://") as store:
        for name in ("", " \n", "n" * (LONGEST_NAME + 1)):
            with pytest.raises(DataError, match="needs a name"):
                store.views.save(name, {}, by="ana", dataset="d")
        store.views.save("n" * LONGEST_NAME, {"q": "q" * LONGEST_FIELD}, by="ana", dataset="d")
        with pytest.raises(DataError, match="not kept"):
            store.views.save("long", {"q": "q" * (LONGEST_FIELD + 1)}, by="ana", dataset="d")
        with pytest.raises(UnknownName):
            store.views.save("odd", {"href": "javascript:1"}, by="ana", dataset="d")
        for n in range(1, MOST):
            store.views.save(f"view {n}", {}, by="ana", dataset="d")
        store.views.save("view 1", {"q": "again"}, by="ana", dataset="d")
        with pytest.raises(DataError, match="Delete one first"):
            store.views.save("one more", {}, by="ana", dataset="d")


def test_a_viewer_sees_shared_views_and_writes_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'labels.sqlite'}"
    with LabelStore(url) as store:
        made = store.views.save("Ours", {"role": "outside"}, by="ana", dataset="d", shared=True)
    with LabelStore(url, read_only=True) as store:
        assert store.views.seen_by("vic", dataset="d") == [made]
        with pytest.raises(SocmlError):
            store.views.save("mine", {}, by="vic", dataset="d")
