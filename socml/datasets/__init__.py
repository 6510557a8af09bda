"""Log files → the event table, with ground truth and quarantine beside it; and back as DataFrames.

ingest(["conn.log.gz"], dataset="office")      load_events("office")      load_truth("office")
"""

from __future__ import annotations

from socml.datasets.detection import detect
from socml.datasets.ingestion import ingest, ingest_files
from socml.datasets.peeking import Peek, peek
from socml.datasets.result import FailedFile, FileResult, IngestResult
from socml.datasets.stored import events_of_row, load_events, load_truth, related_events

__all__ = [
    "FailedFile",
    "FileResult",
    "IngestResult",
    "Peek",
    "detect",
    "events_of_row",
    "ingest",
    "ingest_files",
    "load_events",
    "load_truth",
    "peek",
    "related_events",
]
