"""A dataset and a day → the dataset without the events before it. What was read of files stays known: nothing comes back."""

from __future__ import annotations

from socml.ingestion.staging import staging
from socml.project import UNDATED, Project, events_folder, read_manifest

__all__ = ["forget_events"]


def forget_events(dataset: str, before: str, *, project: Project) -> int:
    """Remove the events of the days before one (ISO), and return how many parts that were.

    Nobody finds them from now on. Their files stay for whoever is reading them; the first ingest after an hour removes them.
    Parts of several days, or of no known time, stay.

    Raises
    ------
    TryLater
        If an ingest of the dataset is running.
    """
    manifest = read_manifest(events_folder(project, dataset))
    old = [p for p in manifest.parts if p.day and p.day != UNDATED and p.day < before] if manifest else []
    if not old:
        return 0
    with staging(project, dataset) as stage:
        kept = tuple(part for part in stage.before.parts if part not in old)
        stage.keep_only(kept, kept_from=max(before, stage.before.kept_from))
        stage.commit()
    return len(old)
