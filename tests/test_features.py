"""socml.features.build: SELECTs over events, checked against a slow and obvious pandas version."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored_events import store

from socml.features.build import build_feature_file, build_features, load_features, load_row_truth
from socml.project.errors import DataError, RecipeError, UnknownName
from socml.project.project import Project
from socml.project.recipes import FeatureRecipe, load_feature_recipe, parse_recipe
from socml.project.stored import read_metadata

REPOSITORY = Path(__file__).resolve().parents[1]


def make_events(n=500, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "event_id": [f"{i:032x}" for i in range(n)],
            "time": pd.to_datetime(rng.integers(-3_600, 7_200, n) * 1_000_000 + 7, unit="us", utc=True),
            "class_uid": 4001,
            "source_ip": rng.choice(["10.0.0.1", "10.0.0.2", "fd00::1", None], n),
            "destination_ip": rng.choice(["10.0.0.9", "203.0.113.7", "203.0.113.8"], n),
            "destination_port": rng.choice([22, 53, 443, 50_000], n),
            "source_bytes": rng.choice([None, 0, 10, 5_000], n),
            "destination_bytes": rng.integers(0, 9_000, n),
            "source_packets": rng.integers(1, 9, n),
            "duration_s": rng.choice([np.nan, 0.5, 3.0], n),
            "connection_state": rng.choice(["SF", "S0", "REJ"], n),
        }
    )


@pytest.fixture
def project(tmp_path):
    return Project(root=REPOSITORY, workspace=tmp_path / "workspace")


def test_source_windows_equal_a_slow_and_obvious_count(project):
    events = make_events()
    built = build_features("source-5min", events, project=project).reset_index().set_index(["source_ip", "time"])
    known = events[events["source_ip"].notna()].copy()
    known["window"] = known["time"].dt.floor("5min")
    groups = list(known.groupby(["source_ip", "window"]))
    assert len(groups) == len(built)
    for key, rows in groups:
        row = built.loc[key]
        assert row["flows"] == len(rows)
        assert row["destinations"] == rows["destination_ip"].nunique()
        assert row["ports"] == rows["destination_port"].nunique()
        assert row["bytes_sent"] == rows["source_bytes"].fillna(0).astype(float).sum()
        assert row["bytes_received"] == rows["destination_bytes"].sum()
        assert row["failed_share"] == pytest.approx(rows["connection_state"].isin(["S0", "REJ"]).mean())
        assert row["outside_share"] == pytest.approx((~rows["destination_ip"].str.startswith("10.")).mean())
        assert np.isclose(row["mean_duration_s"], rows["duration_s"].mean(), equal_nan=True)


@settings(max_examples=15, deadline=None)
@given(order=st.randoms())
def test_the_order_of_events_does_not_change_features(order):
    events = make_events(60)
    project = Project(root=REPOSITORY, workspace=Path("nowhere"))
    shuffled = list(range(len(events)))
    order.shuffle(shuffled)
    one = build_features("source-5min", events, project=project)
    two = build_features("source-5min", events.iloc[shuffled], project=project)
    pd.testing.assert_frame_equal(one, two, check_exact=False, rtol=1e-12)


def test_windows_start_at_whole_utc_windows_even_before_1970(project):
    built = build_features("source-5min", make_events(), project=project)
    seconds = built["time"].astype("int64") // 1_000_000
    assert (seconds < 0).any()
    assert (seconds % 300 == 0).all()


def test_an_event_row_keeps_its_event_id(project):
    events = make_events()
    built = build_features("flow", events, project=project)
    assert set(built.index) == set(events.loc[events["source_ip"].notna(), "event_id"])
    assert built.index.is_unique


def test_missing_is_null_and_never_zero(project):
    events = make_events()
    built = build_features("flow", events, project=project)
    expected = events.set_index("event_id").loc[built.index, "source_bytes"]
    assert (built["source_bytes"].isna() == expected.isna()).all()
    assert (built["source_bytes"].dropna() == expected.dropna().astype(float)).all()


def test_the_file_says_what_it_was_made_from_and_is_made_once(project):
    store(project, make_events(), part="a")
    path = build_feature_file("source-5min", "office", project=project)
    first, metadata = path.read_bytes(), read_metadata(path)
    assert metadata["dataset"] == "office"
    assert metadata["window_seconds"] == 300
    assert metadata["columns"]["flows"] == "connections opened"
    changed = path.stat().st_mtime_ns
    assert build_feature_file("source-5min", "office", project=project).stat().st_mtime_ns == changed
    path.unlink()
    assert build_feature_file("source-5min", "office", project=project).read_bytes() == first


def test_a_recipe_that_was_changed_in_memory_is_built_again(project):
    store(project, make_events(), part="a")
    recipe = load_feature_recipe("source-5min", project)
    first = build_features(recipe, "office", project=project)
    changed = recipe.model_copy(update={"sql": recipe.sql.replace("max(duration_s)", "1 + max(duration_s)")})
    assert changed.hash == recipe.hash
    second = build_features(changed, "office", project=project)
    assert (second["longest_s"].dropna() == 1 + first["longest_s"].dropna()).all()
    assert second["longest_s"].notna().any()


def test_new_events_are_seen(project):
    events = make_events()
    store(project, events.iloc[:100], part="a")
    few = build_features("flow", "office", project=project)
    store(project, events.iloc[100:], part="b")
    assert len(build_features("flow", "office", project=project)) > len(few)


def test_a_window_is_malicious_if_any_of_its_events_is(project):
    events = make_events()
    events = events[events["source_ip"].notna()].reset_index(drop=True)
    malicious = (events.index % 7 == 0).astype(object)
    malicious[events.index % 3 == 1] = None
    truth = pd.DataFrame({"event_id": events["event_id"], "malicious": malicious, "family": "scan", "technique": None})
    store(project, events, truth=truth)
    built = build_features("source-5min", "office", project=project)
    rows = load_row_truth("office", "source-5min", project=project)
    assert set(rows.index) == set(built.index)
    events["window"], events["malicious"] = events["time"].dt.floor("5min"), malicious
    for (source, window), group in events.groupby(["source_ip", "window"]):
        row_id = built.index[(built["source_ip"] == source) & (built["time"] == window)][0]
        known = group["malicious"].dropna()
        expected = None if known.empty else bool(known.any())
        found = rows.loc[row_id, "malicious"]
        assert (found is None) if expected is None else (found == expected)


def recipe(text):
    return parse_recipe(FeatureRecipe, text, path=Path("features/x.sql"))


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select window_start, count(*) as n from events group by all", "does not give 'source_ip'"),
        ("select source_ip, window_start, count(*) as m from events group by all", "column 'm' has no meaning"),
        ("select source_ip, window_start from events", "names 'n', which the SELECT does not give"),
        ("select source_ip, window_start, [1] as n from events", "a number, a truth value or a category"),
        ("select source_ip, window_start, 1 as n from evnts", "evnts"),
        ("select source_ip, window_start, 1 as n from read_csv('x.csv')", "x.csv"),
    ],
)
def test_a_select_that_breaks_its_declaration_is_refused(project, sql, message):
    header = '-- entity = "source_ip"\n-- window = "1 hour"\n-- blind_to = "x"\n-- [columns]\n-- n = "number"\n'
    with pytest.raises(RecipeError, match=message):
        build_features(recipe(header + sql), make_events(), project=project)


def test_a_dataset_or_table_that_is_not_there_says_what_to_type(project):
    with pytest.raises(UnknownName, match="dataset with events"):
        build_feature_file("flow", "office", project=project)
    with pytest.raises(DataError, match="socml features flow office"):
        load_features("office", "flow", project=project)


def test_entities_that_would_read_the_same_are_different_rows(project):
    text = (
        '-- entity = ["user_name", "host_name"]\n-- window = "1 hour"\n-- blind_to = "x"\n-- [columns]\n-- n = "events"\n'
        "select user_name, host_name, window_start, count(*) as n from events group by all"
    )
    events = make_events(2).assign(time=pd.Timestamp("2026-01-01", tz="UTC"))
    events["user_name"], events["host_name"] = ["a:1", "a"], ["b", "1:b"]
    assert build_features(recipe(text), events, project=project).index.is_unique


def test_rows_of_different_feature_sets_never_share_an_id(project):
    events = make_events(50).assign(dns_question_name="a.example", dns_question_type="A")
    twice = pd.concat([events, events.assign(class_uid=4003, event_id=[f"{i:032x}" for i in range(900, 950)])])
    flows = build_features("source-5min", twice, project=project)
    names = build_features("dns-hour", twice, project=project)
    assert len(names)
    assert not set(flows.index) & set(names.index)
