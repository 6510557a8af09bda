"""Log files → the event table, with ground truth and quarantine beside it; and back as DataFrames.

ingest(["conn.log.gz"], dataset="office")      load_events("office")      load_truth("office")
"""

from __future__ import annotations

from socml.datasets.detection import detect
from socml.datasets.ingestion import ingest
from socml.datasets.peeking import Peek, peek
from socml.datasets.result import FileResult, IngestResult
from socml.datasets.stored import events_of_row, load_events, load_truth, related_events

__all__ = [
    "FileResult",
    "IngestResult",
    "Peek",
    "detect",
    "events_of_row",
    "ingest",
    "load_events",
    "load_truth",
    "peek",
    "related_events",
]
