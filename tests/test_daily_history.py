"""socml.features.first_seen and tables: memory by first days, day by day, late events, and the same bytes as all at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from daily_events import built, flow, logon, project_in, rows, store
from hypothesis import given, settings
from hypothesis import strategies as st

from socml.features import daily_tables as tables
from socml.features import first_seen as history
from socml.features.first_seen import History, Key, keys_of
from socml.project.errors import DataError, RecipeError

SETS = ("daily-edge", "daily-upload", "daily-beacon", "daily-logon", "daily-scan")
HOSTS = ("10.0.0.1", "10.0.0.2", "10.0.0.3", "203.0.113.7", "203.0.113.8")


def files_of(workspace: Path) -> dict[str, bytes]:
    folder = workspace / "daily" / "office"
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.parquet"))}


events = st.builds(
    lambda day, second, source, destination, port, state, sent, action: flow(
        f"{day}T00:00:00Z".replace("T00:00:00", f"T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"),
        source, destination, port, state, source_bytes=sent, duration_s=1.5, event_action=action, host_name="fw",
        extra=[("connection", "7")],
    ),
    day=st.sampled_from(["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02", "2026-04-01"]),
    second=st.integers(0, 86_399),
    source=st.sampled_from(HOSTS),
    destination=st.sampled_from(HOSTS),
    port=st.sampled_from([22, 80, 443]),
    state=st.sampled_from(["SF", "S0", "REJ", "OTH"]),
    sent=st.one_of(st.none(), st.integers(0, 10**12)),
    action=st.sampled_from(["connection", "connection_begun", "connection_end"]),
)  # fmt: skip


@settings(max_examples=6)
@given(parts=st.lists(st.lists(events, min_size=1, max_size=8), min_size=2, max_size=3))
def test_parts_that_come_in_any_order_give_the_same_bytes_as_all_at_once(parts: list[list[dict]]) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        piecewise, at_once = project_in(Path(one)), project_in(Path(other))
        for number, part in enumerate(parts):
            store(piecewise, part, part=f"part{number}")
            built(piecewise, *SETS[:3])
            store(at_once, part, part=f"part{number}")
        built(at_once, *SETS[:3])
        assert files_of(Path(one)) == files_of(Path(other))


def test_a_later_event_changes_no_earlier_row(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    store(project, [flow(f"2026-03-0{d}T10:00:00Z", "10.0.0.1", "10.0.0.2", 22) for d in (1, 2)], part="a")
    built(project, *SETS)
    before = files_of(tmp_path)
    store(project, [flow("2026-03-03T10:00:00Z", s, "10.0.0.2", 22) for s in ("10.0.0.1", "10.0.0.3")], part="b")
    assert built(project, *SETS).built == 1
    after = files_of(tmp_path)
    assert {name: after[name] for name in before} == before


def test_a_new_day_reads_the_files_of_that_day_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = project_in(tmp_path)
    store(project, [flow("2026-03-01T10:00:00Z", "10.0.0.1", "10.0.0.2")], part="a")
    built(project, *SETS)
    store(project, [flow("2026-03-02T10:00:00Z", "10.0.0.1", "10.0.0.2")], part="b")
    read: list[str] = []
    real = tables.parquet_sql
    monkeypatch.setattr(
        tables,
        "parquet_sql",
        lambda files: read.extend(p.name for p in files if "history" not in p.parts) or real(files),
    )
    built(project, *SETS)
    assert set(read) == {"b.parquet"}


def test_a_late_event_makes_its_day_and_the_later_ones_stale_and_no_other(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    store(project, [flow(f"2026-03-0{d}T10:00:00Z", "10.0.0.1", f"10.0.0.{d + 1}") for d in range(1, 6)], part="a")
    assert built(project, *SETS).built == 5
    store(project, [flow("2026-03-03T09:00:00Z", "10.0.0.9", "10.0.0.6")], part="b")
    days: list[date] = []
    tables.build_daily(SETS, "office", project=project, step=lambda day, done, n: days.append(day))
    assert [str(day) for day in days] == ["2026-03-03", "2026-03-04", "2026-03-05"]


def test_a_pair_is_new_once_and_counts_less_the_more_sources_the_destination_has(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    store(project, [
        flow("2026-03-01T10:00:00Z", "10.0.0.1", "10.0.0.9", 22),
        flow("2026-03-02T10:00:00Z", "10.0.0.2", "10.0.0.9", 22),
        flow("2026-03-03T10:00:00Z", "10.0.0.2", "10.0.0.9", 22),
        flow("2026-03-03T10:00:00Z", "10.0.0.3", "10.0.0.9", 22),
        flow("2026-03-03T11:00:00Z", "10.0.0.3", "10.0.0.8", 80),
    ])  # fmt: skip
    made = built(project, "daily-edge")
    assert rows(made, "2026-03-01").empty  # nothing is new on the first day
    assert rows(made, "2026-03-02")["new_remote_edges"].to_dict() == {"10.0.0.2": 0.5}
    third = rows(made, "2026-03-03")
    assert list(third.index) == ["10.0.0.3"]
    assert third.loc["10.0.0.3", "new_remote_edges"] == pytest.approx(1 / 3)
    assert third.loc["10.0.0.3", "new_inside_edges"] == pytest.approx(1 / 3 + 1)
    assert third.loc["10.0.0.3", "newly_controlled"] == "10.0.0.9"


def test_the_days_of_a_month_that_is_over_become_one_file_with_nothing_lost(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    store(project, [flow(f"2026-02-{d}T10:00:00Z", "10.0.0.1", f"10.0.0.{d}") for d in (20, 21, 22)], part="a")
    built(project, "daily-edge")
    store(project, [flow("2026-03-01T10:00:00Z", "10.0.0.1", "10.0.0.40")], part="b")
    built(project, "daily-edge")
    folder = next((tmp_path / "daily" / "office" / "history").glob("pair-*"))
    assert sorted(p.name for p in folder.iterdir()) == ["2026-02.parquet", "2026-03-01.parquet"]
    kept = pq.read_table(folder / "2026-02.parquet")
    assert [str(d) for d in kept["first_day"].to_pylist()] == ["2026-02-20", "2026-02-21", "2026-02-22"]


def test_a_day_adds_no_more_keys_than_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_NEW", 3)
    project = project_in(tmp_path)
    store(project, [flow("2026-03-01T10:00:00Z", "10.0.0.1", f"10.0.0.{d}") for d in range(2, 12)])
    built(project, "daily-edge")
    folder = next((tmp_path / "daily" / "office" / "history").glob("pair-*"))
    assert pq.read_table(folder / "2026-03-01.parquet").num_rows == 3


def test_a_run_that_was_stopped_is_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, stopped = project_in(tmp_path / "a"), project_in(tmp_path / "b")
    for project in (whole, stopped):
        store(project, [flow(f"2026-03-0{d}T10:00:00Z", "10.0.0.1", f"10.0.0.{d + 1}", 22) for d in range(1, 5)])
    built(whole, *SETS)
    real, calls = tables.write_table, []

    def fails_once(*args: object, **kwargs: object) -> Path:
        calls.append(args)
        if len(calls) == 12:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(tables, "write_table", fails_once)
    with pytest.raises(KeyboardInterrupt):
        built(stopped, *SETS)
    built(stopped, *SETS)
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")


def test_events_that_are_gone_make_everything_anew(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    store(project, [flow("2026-03-01T10:00:00Z", "10.0.0.1", "10.0.0.2")], part="a")
    store(project, [flow("2026-03-02T10:00:00Z", "10.0.0.1", "10.0.0.2")], part="b")
    built(project, "daily-edge")
    (tmp_path / "events" / "office" / "a.parquet").unlink()
    assert [str(day) for day in built(project, "daily-edge").days] == ["2026-03-02"]
    folder = next((tmp_path / "daily" / "office" / "history").glob("pair-*"))
    assert [p.name for p in folder.iterdir()] == ["2026-03-02.parquet"]


def test_a_dataset_without_times_has_no_days(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    store(project, [flow(None, "10.0.0.1", "10.0.0.2")])  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no days"):
        built(project, "daily-edge")


def test_one_name_for_two_keys_is_an_error_that_names_both() -> None:
    with pytest.raises(RecipeError, match="pair"):
        keys_of([{"pair": ["destination_ip", "inside_ip"]}, {"pair": ["domain", "inside_ip"]}])


def test_forgetting_cuts_inside_a_file(tmp_path: Path) -> None:
    kept = History(tmp_path, Key("pair", ("destination_ip", "inside_ip")))
    project = project_in(tmp_path / "w")
    store(project, [logon("2026-03-01T10:00:00Z", "10.0.0.1", "web", "ana", "success")])
    assert built(project, "daily-logon").built == 1
    import pyarrow as pa

    days = [date(2026, 2, 1), date(2026, 2, 2)]
    table = pa.table({"destination_ip": ["a", "b"], "inside_ip": ["x", "x"], "first_day": days}, schema=kept.schema)
    kept.folder.mkdir(parents=True)
    pq.write_table(table, kept.folder / "2026-02.parquet")
    kept.forget([date(2026, 2, 1)])
    assert pq.read_table(kept.folder / "2026-02.parquet")["destination_ip"].to_pylist() == ["a"]
    kept.forget([])
    assert list(kept.folder.iterdir()) == []
