"""The label store → findings: whole, of this schema, its current labels what its events say, of rows that exist."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from socml.jobs.health_finding import Finding
from socml.labels import DAMAGED, HEAD, CurrentLabels, existing_rows, labels_url, open_labels
from socml.project import DataError, Project, store_error

AHEAD_S = 300.0  # seconds by which another machine's clock may be ahead
_TRIES = 20  # to read the store twice without a label in between
_TABLES = {"label_event", "label_lease", "family_edit", "second_look"}


def labels(project: Project) -> Iterator[Finding]:
    """Tell how the label store is; nothing of it can be made anew, so nothing is repaired."""
    path = _sqlite_file(project)
    if path is not None:
        if not path.is_file():
            yield Finding("label store", "no labels yet")
            return
        damage = _damage(path)
        if damage:
            yield Finding("label store", damage, ok=False, remedy=DAMAGED)
            return
    with open_labels(project) as store:
        standing = CurrentLabels()
        standing.add(store.events_since(0))
        stored = store.current()
        for _ in range(_TRIES):
            if not standing.add(store.events_since(standing.last_id)):
                break
            stored = store.current()  # somebody labels meanwhile
        standing.edits = store.families.edits()
    yield Finding("label store", f"{standing.last_id:,} records, whole")
    by_fold = {row: (label.verdict, label.by) for row, label in standing.current().items()}
    by_view = dict(zip(stored.index, zip(stored["verdict"], stored["by"], strict=True), strict=True))
    differing = sorted(row for row in by_fold.keys() | by_view.keys() if by_fold.get(row) != by_view.get(row))
    text = f"{len(differing):,} differ from what was recorded, such as {differing[0][:80]}" if differing else ""
    yield Finding("current labels", text or f"{len(by_fold):,} rows", ok=not differing, remedy=DAMAGED if text else "")
    yield from _of_lost_rows(standing, project)
    yield from _from_the_future(standing)


def _of_lost_rows(standing: CurrentLabels, project: Project) -> Iterator[Finding]:
    rows: dict[str, set[str]] = {}
    for label in standing.current().values():
        rows.setdefault(label.dataset or "", set()).add(label.row_id)
    for dataset, wanted in sorted(rows.items()):
        try:
            lost = wanted - existing_rows(project, wanted, dataset=dataset)
        except DataError:
            continue  # a damaged table is told of with the tables, and its rows may be there
        if lost:
            where = f"of dataset {dataset}" if dataset else "of no dataset"
            yield Finding(
                f"labels {where}",
                f"{len(lost):,} of {len(wanted):,} labelled rows do not exist any more, such as {min(lost)[:80]}",
                ok=False,
                remedy="Ingest the events again and build their features; the labels are kept and then count again.",
            )


def _from_the_future(standing: CurrentLabels) -> Iterator[Finding]:
    limit = datetime.now(UTC) + timedelta(seconds=AHEAD_S)
    ahead = [label for label in standing.standing() if label.time > limit]
    if ahead:
        text = f"{len(ahead):,} labels are from the future, the last of {max(one.time for one in ahead):%Y-%m-%d %H:%M}"
        yield Finding("times of labels", text, ok=False, remedy="Set the clock right; labels keep the time they have.")


def _sqlite_file(project: Project) -> Path | None:
    """Return the store's file; None where it is a database server, or only in memory."""
    from sqlalchemy.engine import make_url

    url = make_url(labels_url(project))
    in_file = url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:"
    return Path(str(url.database)) if in_file else None


def _damage(path: Path) -> str:
    """Return what is wrong with a SQLite label store; empty if nothing is."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = [str(row[0]) for row in connection.execute("pragma integrity_check(3)")]
            names = {str(row[0]) for row in connection.execute("select name from sqlite_master")}
            revision = connection.execute("select version_num from alembic_version").fetchone()
    except sqlite3.Error as error:
        return str(store_error(error, store="The label store", remedy="") or error).strip()
    if found != ["ok"]:
        return f"damaged: {'; '.join(found)}"
    if revision == (HEAD,) and not names >= _TABLES:
        return f"damaged: it lacks {', '.join(sorted(_TABLES - names))}"
    return ""
