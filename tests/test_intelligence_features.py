"""Indicators and vulnerability findings, joined with the events beside them: against a slow and obvious version."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from socml.features.build import build_features
from socml.project.project import Project

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture
def project(tmp_path):
    return Project(root=REPOSITORY, workspace=tmp_path / "workspace")


def table(rows: list[dict]) -> pd.DataFrame:
    events = pd.DataFrame(rows)
    events["time"] = pd.to_datetime(events["time"], utc=True, format="mixed")
    events["event_id"] = [f"{i:032x}" for i in range(len(events))]
    return events


def listed(**columns) -> dict:
    return {"time": "2024-01-01", "event_category": "threat_intelligence", "class_uid": 0, **columns}


def seen(**columns) -> dict:
    return {"time": "2024-03-01 10:05", "class_uid": 4001, "source_ip": "10.0.0.1", **columns}


def hits_of(project, *events) -> pd.Series:
    built = build_features("indicator-hits", table(list(events)), project=project)
    assert len(built) == 1
    return built.iloc[0]


@pytest.mark.parametrize(
    ("indicator", "event", "column"),
    [
        ({"destination_ip": "198.51.100.9"}, {"destination_ip": "198.51.100.9"}, "address_hits"),
        ({"dns_question_name": "bad.example"}, {"dns_question_name": "bad.example"}, "name_hits"),
        ({"dns_question_name": "bad.example"}, {"dns_question_name": "A.b.BAD.example."}, "name_hits"),
        ({"dns_question_name": "bad.example"}, {"tls_client_server_name": "www.bad.example"}, "name_hits"),
        ({"dns_question_name": "bad.example"}, {"url_original": "http://bad.example:8080/x"}, "name_hits"),
        ({"url_original": "http://h.example/x"}, {"url_original": "http://h.example/x"}, "url_hits"),
        ({"file_hash": "md5:00FF"}, {"file_hash": "md5:00ff"}, "file_hits"),
        ({"tls_client_ja3": "ab12"}, {"tls_client_ja3": "AB12"}, "tls_hits"),
    ],
)
def test_an_event_that_an_indicator_names_is_a_hit(project, indicator, event, column):
    found = hits_of(project, listed(**indicator), seen(**event), seen(destination_ip="192.0.2.1"))
    assert found[["ioc_hit", "hits", "hit_share", "indicators", column, "events"]].to_list() == [1, 1, 0.5, 1, 1, 2]
    others = {"address_hits", "name_hits", "url_hits", "file_hits", "tls_hits"} - {column}
    assert (found[sorted(others)] == 0).all()


@pytest.mark.parametrize("name", ["notbad.example", "bad.example.org", "example", "bad", "xbad.example"])
def test_a_name_that_only_looks_like_a_listed_one_is_no_hit(project, name):
    found = hits_of(project, listed(dns_question_name="bad.example"), seen(dns_question_name=name))
    assert found["ioc_hit"] == found["hits"] == found["indicators"] == 0


def test_an_event_that_matches_in_two_ways_or_an_indicator_listed_twice_counts_once(project):
    twice = [listed(dns_question_name="bad.example", threat_name=name) for name in ("one", "two")]
    below = listed(dns_question_name="a.bad.example")
    event = seen(dns_question_name="x.a.bad.example", destination_ip="198.51.100.9")
    found = hits_of(project, *twice, below, listed(destination_ip="198.51.100.9"), event)
    assert found[["hits", "events", "name_hits", "address_hits", "indicators"]].to_list() == [1, 1, 1, 1, 2]


def test_without_indicators_nothing_is_a_hit(project):
    assert hits_of(project, seen(destination_ip="192.0.2.1", dns_question_name="a.example"))["ioc_hit"] == 0


def test_the_indicators_of_a_pulse_meet_the_events_ingested_beside_them(project, tmp_path):
    from socml.ingestion.ingestion import ingest

    (tmp_path / "pulse.json").write_text(
        '{"id":"p1","name":"Example","indicators":[{"id":1,"indicator":"198.51.100.9","type":"IPv4","created":"2024-02-29T13:06:56"},'
        '{"id":2,"indicator":"bad.example","type":"domain","created":"2024-02-29T13:06:56"}]}'
    )
    (tmp_path / "eve.json").write_text(
        '{"timestamp":"2024-03-01T10:00:00.000000+0000","event_type":"flow","src_ip":"10.0.0.1","dest_ip":"198.51.100.9","proto":"TCP"}\n'
        '{"timestamp":"2024-03-01T10:00:01.000000+0000","event_type":"flow","src_ip":"10.0.0.2","dest_ip":"192.0.2.1","proto":"TCP"}\n'
    )
    ingest([tmp_path / "pulse.json"], dataset="office", project=project)
    ingest([tmp_path / "eve.json"], dataset="office", project=project)
    hit = build_features("indicator-hits", "office", project=project).set_index("source_ip")["ioc_hit"]
    assert hit.to_dict() == {"10.0.0.1": 1, "10.0.0.2": 0}


def naive_vulnerabilities(events: pd.DataFrame) -> pd.DataFrame:
    flows = events[(events["class_uid"] == 4001) & events["destination_ip"].notna()]
    findings = events[(events["event_category"] == "vulnerability") & events["destination_ip"].notna()]
    rows = []
    for (host, hour), inside in flows.groupby(["destination_ip", flows["time"].dt.floor("h")]):
        of_host = findings[findings["destination_ip"] == host]
        age = inside["time"].max() - of_host["time"]
        known = of_host[(age >= pd.Timedelta(0)) & (age < pd.Timedelta(days=90))]
        weak = 0
        for flow in inside.itertuples():
            age = flow.time - of_host["time"]
            fresh = of_host[(age >= pd.Timedelta(0)) & (age < pd.Timedelta(days=90))]
            weak += int((fresh["destination_port"] == flow.destination_port).any())
        rows.append(
            (host, hour, known["vulnerability_id"].nunique(), known["vulnerability_score"].max(), weak, len(inside))
        )
    columns = ["destination_ip", "time", "open_vulnerabilities", "worst_score", "weak_port_connections", "connections"]
    return pd.DataFrame(rows, columns=columns).set_index(["destination_ip", "time"]).sort_index()


def test_open_vulnerabilities_are_those_known_at_the_time_of_the_connections(project):
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2024-03-01", tz="UTC")
    hosts = ["192.0.2.1", "192.0.2.2", "192.0.2.3", None]
    flows = [
        {"time": start + pd.Timedelta(minutes=int(rng.integers(0, 600))), "class_uid": 4001, "source_ip": "10.0.0.1",
         "destination_ip": rng.choice(hosts), "destination_port": int(rng.choice([22, 80, 443]))}
        for _ in range(300)
    ]  # fmt: skip
    findings = [
        {"time": start + pd.Timedelta(minutes=int(rng.choice([-200_000, -129_500, -9, 60, 300, 900]))),
         "class_uid": 2002, "event_category": "vulnerability", "destination_ip": rng.choice(hosts[1:]),
         "destination_port": rng.choice([22, 80, None]), "vulnerability_id": f"CVE-2024-{rng.integers(1, 5)}",
         "vulnerability_score": rng.choice([5.0, 9.8, np.nan])}
        for _ in range(30)
    ]  # fmt: skip
    events = table([*flows, *findings])
    built = build_features("open-vulnerabilities", events, project=project)
    expected = naive_vulnerabilities(events)
    got = built.set_index(["destination_ip", "time"]).sort_index()[list(expected.columns)]
    pd.testing.assert_frame_equal(got, expected, check_dtype=False, check_index_type=False)
    assert 0 < (expected["open_vulnerabilities"] > 0).sum() < len(expected)
    assert expected["weak_port_connections"].gt(0).any()
