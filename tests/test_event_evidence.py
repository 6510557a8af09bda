"""The events behind many rows at once are those that one question a row finds, also after the dataset has changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
from stored_events import store

from socml.ingestion import events_of_rows
from socml.ingestion.event_query import as_frame
from socml.project.project import Project

START = pd.Timestamp("2026-03-02T08:00:00Z")


def events(n: int, *, seed: int = 0, first: int = 0) -> pd.DataFrame:
    """Return events of five addresses, many of them at the same moment, some without an address or a time."""
    rng = np.random.default_rng(seed)
    address = [f"10.0.0.{k}" for k in rng.integers(5, size=n)]
    return pd.DataFrame(
        {
            "event_id": [f"e{first + at:05d}" for at in range(n)],
            "time": [START + pd.Timedelta(seconds=int(s)) if s else None for s in rng.integers(40, size=n)],
            "dataset": "office",
            "raw": [f"line {at}" for at in range(n)],
            "source_file": "a.log",
            "source_line": np.arange(first + 1, first + n + 1),
            "source_ip": [None if k % 17 == 0 else name for k, name in enumerate(address)],
            "destination_port": rng.integers(100, size=n),
        }
    )


def found(project: Project, rows: pd.DataFrame) -> dict[str, tuple[list[str], list[str]]]:
    """Return the events of each row, and those near it, by name."""
    asked = [{"row_id": row["event_id"], "time": row["time"]} for row in rows.to_dict("records")]
    told = ("source_ip", "destination_port")
    of = events_of_rows("office", rows=asked, entity=[], window_seconds=0, told=told, related_limit=7, project=project)
    return {name: (one.own["event_id"].to_pylist(), one.related["event_id"].to_pylist()) for name, one in of.items()}


def nearest(events: pd.DataFrame, moment: pd.Timestamp, n: int) -> list[str]:
    """Return the n events nearest to a moment in order of time; the earliest where there is none."""
    timed = events[events["time"].notna()]
    if pd.isna(moment):
        return events.sort_values(["time", "source_line"])["event_id"].head(n).tolist()
    away = (timed["time"] - moment).abs()
    taken = timed.assign(away=away).sort_values(["away", "source_line"]).head(n)
    return taken.sort_values(["time", "source_line"])["event_id"].tolist()


def test_many_rows_at_once_find_what_one_question_a_row_finds(lab):
    everything = events(600)
    store(lab, everything)
    rows = everything.iloc[:60]
    for name, (own, near) in found(lab, rows).items():
        row = everything.set_index("event_id").loc[name]
        assert own == [name]
        if pd.isna(row["source_ip"]):
            assert near == []
            continue
        assert near == nearest(everything[everything["source_ip"] == row["source_ip"]], row["time"], 7)


def test_an_event_that_is_stored_twice_is_shown_once(lab):
    twice = events(40)
    store(lab, twice)
    store(lab, twice, part="b")
    for own, near in found(lab, twice.iloc[:10]).values():
        assert len(own) == 1
        assert len(near) == len(set(near))


def test_events_that_came_in_since_are_found_and_those_that_went_are_not(lab):
    early = events(30)
    store(lab, early)
    known = early[early["source_ip"].notna() & early["time"].notna()].iloc[:1]
    before = found(lab, known)[known["event_id"].iloc[0]][1]
    late = early.assign(event_id=[f"f{at:05d}" for at in range(30)], source_line=0)
    store(lab, late, part="b")
    after = found(lab, known)[known["event_id"].iloc[0]][1]
    assert {name[0] for name in after} == {"e", "f"}
    (lab.workspace / "events" / "office" / "b.parquet").unlink()
    assert found(lab, known)[known["event_id"].iloc[0]][1] == before


def test_related_events_keep_whole_numbers_and_times_in_utc(lab):
    store(lab, events(50))
    rows = [{"row_id": "e00003", "time": events(50)["time"][3]}]
    of = events_of_rows("office", rows=rows, entity=[], window_seconds=0, told=("destination_port",), project=lab)
    frame = as_frame(of["e00003"].related)
    assert str(frame["time"].dtype) == "datetime64[us, UTC]"
    assert all(isinstance(port, int) for port in of["e00003"].related["destination_port"].to_pylist())


def test_a_window_of_whole_numbers_of_numpy_has_its_events(lab):
    everything = events(200)
    store(lab, everything)
    timed = everything[everything["time"].notna()]
    port = np.int64(timed["destination_port"].iloc[0])
    rows = [{"row_id": "w", "time": START, "destination_port": port}]
    asked = {"entity": ["destination_port"], "window_seconds": 60, "told": ("source_ip",), "project": lab}
    own = events_of_rows("office", rows=rows, own_limit=1000, **asked)["w"].own
    assert sorted(own["event_id"].to_pylist()) == sorted(timed[timed["destination_port"] == port]["event_id"])
