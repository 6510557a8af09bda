"""Eight analysts on one PostgreSQL, two of them killed → whether a label was lost, doubled or asked for twice."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from socml.project import ScratchFolder

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # the team that the tests use

ANALYSTS = 8
LABELS = 200


@dataclass(frozen=True)
class Team:
    """What the store holds after the campaign, and the version of the server that kept it."""

    labels: int
    lost: int
    doubled: int
    clashes: int
    server: str


def campaign() -> Team | None:
    """Let the team label a campaign on a PostgreSQL of its own; None where none is installed."""
    from analysts import label_together, overlapping
    from postgresql import Cluster, programs

    from socml.labels import LabelStore

    found = programs()
    if found is None:
        return None
    cluster = Cluster(found)
    try:
        url = cluster.new_database()
        with ScratchFolder("team") as folder:
            result = label_together(url, Path(folder), analysts=ANALYSTS, labels=LABELS)
        with LabelStore(url) as store:
            history = store.history()
            with store._engine.connect() as connection:
                server = str(connection.exec_driver_sql("show server_version").scalar()).split()[0]
    finally:
        cluster.stop()
    stored = set(zip(history["row_id"], history["client_id"], strict=True))
    lost = len(set(result.said) - stored)
    doubled = len(history) - history["row_id"].nunique()
    return Team(len(history), lost, doubled, len(overlapping(result)), server)
