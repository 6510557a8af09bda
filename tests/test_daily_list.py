"""The daily list from events to words: command line, queue, labels, context, attacks found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from daily_events import flow, logon, store
from typer.testing import CliRunner

from socml.cli import app
from socml.evaluate import attack_rows, find_attacks
from socml.explanations import explanation_in_words, normal_of_rows
from socml.jobs import check_configuration, daily_list, store_day
from socml.jobs.daily_listing import row_ids
from socml.labels import record_label, undo_label
from socml.models.entity_context import Context, Known, read_context
from socml.project import (
    TRUTH,
    ConfigurationError,
    Project,
    RecipeError,
    UnknownName,
    init_project,
    read_project,
    run_folder,
    schema,
    starter_root,
    truth_path,
    write_table,
)
from socml.review import Triage

HOSTS = [f"10.0.0.{i}" for i in range(1, 13)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    root = tmp_path / "lab"
    for folder in ("datasets", "features", "models", "experiments"):
        shutil.copytree(starter_root() / folder, root / folder)
    shutil.copy(starter_root() / "socml.toml", root)
    monkeypatch.setenv("SOCML_PROJECT", str(root))
    monkeypatch.delenv("SOCML_WORKSPACE", raising=False)
    return read_project(root)


def office(days: int = 3) -> list[dict]:
    """Return ordinary days of twelve hosts; on the last, 10.0.0.4 scans, and 10.0.0.5 uploads."""
    rng = np.random.default_rng(1)
    events = []
    for day in range(1, days + 1):
        for host in HOSTS:
            for _ in range(12):
                time = f"2026-03-0{day}T{rng.integers(8, 18):02}:{rng.integers(0, 60):02}:00Z"
                site = f"203.0.113.{rng.integers(1, 6)}"
                events.append(flow(time, host, site, source_bytes=int(rng.integers(500, 5000)), duration_s=1.0))
            events.append(logon(f"2026-03-0{day}T09:00:00Z", host, "web", f"user{host[-1]}", "success"))
    scan = [flow(f"2026-03-0{days}T14:{i:02}:00Z", "10.0.0.4", f"10.0.1.{i + 1}", 445, "S0") for i in range(60)]
    events += scan
    events.append(flow(f"2026-03-0{days}T15:00:00Z", "10.0.0.5", "203.0.113.99", source_bytes=10**10, duration_s=60.0))
    return events


@pytest.fixture(scope="module")
def listed_office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of an office whose days are listed."""
    made = Project(root=starter_root(), workspace=tmp_path_factory.mktemp("office"))
    store(made, office())
    daily_list("office", project=made)
    return made.workspace


@pytest.fixture
def office_project(project: Project, listed_office: Path) -> Project:
    shutil.copytree(listed_office, project.workspace)
    return project


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["run", "daily", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_the_list_puts_the_odd_hosts_first_and_says_why(office_project):
    told = run("office")
    first, second = (line for line in told.splitlines() if line.startswith(("  1.", "  2.")))
    assert "10.0.0.5" in first
    assert "10.0.0.4" in second
    assert "scan: 60 different addresses that refused or did not answer, in the busiest hour (445)" in told
    assert "203.0.113.99" in told
    assert "No row from:" in told
    assert "daily-dns" in told


def test_the_list_for_a_script(office_project):
    told = json.loads(run("office", "--json"))
    assert told["day"] == "2026-03-03"
    assert told["days"] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    for line in told["list"]:
        assert sum(reason["part"] for reason in line["reasons"]) == pytest.approx(line["score"])
    assert told["attacks"] is None
    assert json.loads(run("office", "--json", "--day", "2026-03-01"))["day"] == "2026-03-01"
    with pytest.raises(UnknownName, match="2026-03-03"):
        run("office", "--day", "2026-03-04")


def test_the_list_in_french(office_project):
    path = office_project.root / "socml.toml"
    path.write_text(path.read_text().replace('language = "en"', 'language = "fr"'))
    assert "balayage : 60" in run("office")


def test_the_same_list_is_the_same_run(office_project):
    assert json.loads(run("office", "--json")) == json.loads(run("office", "--json"))


def test_a_day_is_a_run_that_the_queue_shows_and_learns_on(office_project):
    listed = daily_list("office", project=office_project)
    stored = store_day(listed, listed.of(), project=office_project)
    with Triage(stored["run_id"], project=office_project) as triage:
        queue = triage.queue(5)
        assert queue["entity"].tolist()[:2] == ["10.0.0.5", "10.0.0.4"]
        before = triage.queue(100)[["row_id", "ranking_score"]].values.tolist()
        triage.label(queue["row_id"].iloc[0], "benign")
        assert "10.0.0.5" not in triage.queue(100)["entity"].tolist()
        triage.undo()
        assert triage.queue(100)[["row_id", "ranking_score"]].values.tolist() == before


def test_a_row_of_a_day_is_not_said_to_have_lost_its_model(office_project):
    listed = daily_list("office", project=office_project)
    run_id = store_day(listed, listed.of(), project=office_project)["run_id"]
    with Triage(run_id, project=office_project) as triage:
        row = triage.queue(1)["row_id"].iloc[0]
    for language, told in (("en", "adds up its reasons"), ("fr", "additionne ses raisons")):
        assert told in explanation_in_words(run_id, row, project=office_project, language=language).would_be_normal
        assert told in normal_of_rows(run_id, [row], project=office_project, language=language)[row]


def test_a_run_tells_of_an_entitys_own_days_their_most_and_no_least_that_nobody_knows(office_project):
    listed = daily_list("office", project=office_project)
    stored = store_day(listed, listed.of(), project=office_project)
    told = pd.read_parquet(run_folder(office_project, stored["run_id"]) / "explanations.parquet")
    before = [listed.tables.read(recipe, day).to_pandas() for recipe in listed.tables.recipes
              if recipe.name == "daily-upload" for day in listed.tables.days[:-1]]  # fmt: skip
    most = max(table.set_index("entity").loc["10.0.0.5", "upload_1d"] for table in before)
    uploads = told[(told["feature"] == "upload_1d") | (told["feature"] == "rare_upload")]
    assert told["entity_low"].isna().all()
    assert 0 < uploads["entity_high"].max() <= most
    scanned = told[told["feature"].str.startswith("failed_")]
    assert scanned["entity_high"].tolist() == [5.0] * len(scanned) != []  # below the floor of 5 before: not 0


def test_the_app_shows_a_day_and_the_events_behind_its_rows(office_project):
    from streamlit.testing.v1 import AppTest

    from socml.ingestion import events_of_row
    from socml.project import read_metadata, run_features_path

    listed = daily_list("office", project=office_project)
    stored = store_day(listed, listed.of(), project=office_project)
    page = AppTest.from_file(str(starter_root() / "app" / "hunt.py"), default_timeout=120)
    page.query_params["run"] = stored["run_id"]
    page.run()
    assert not page.exception
    assert not page.error
    path = run_features_path(office_project, stored)
    row = pd.read_parquet(path).set_index("entity", drop=False).loc["10.0.0.5"]
    row = row[row["role"] == "source inside"].iloc[0] if isinstance(row, pd.DataFrame) else row
    events = events_of_row("office", row=row.to_dict(), feature_metadata=read_metadata(path), project=office_project)
    assert set(events["source_ip"]) == {"10.0.0.5"}
    assert "203.0.113.99" in set(events["destination_ip"])


def test_a_verdict_changes_the_days_after_it_and_an_undo_leaves_nothing(project):
    again = [flow("2026-03-04T15:00:00Z", "10.0.0.5", "203.0.113.98", source_bytes=3 * 10**10, duration_s=60.0)]
    store(project, [*office(), *again])
    plain = daily_list("office", project=project)
    store_day(plain, plain.of("2026-03-03"), project=project)
    third = plain.of("2026-03-03").frame().set_index("entity")
    record_label(third.loc["10.0.0.5", "row_id"], "benign", dataset="office", by="ana", project=project)
    taught = daily_list("office", project=project)
    assert (plain.of("2026-03-02").frame() == taught.of("2026-03-02").frame()).all(axis=None)
    scores = [
        lists.of("2026-03-04").frame().set_index("entity")["score"].get("10.0.0.5", 0.0) for lists in (plain, taught)
    ]
    assert scores[1] < scores[0]
    undo_label(by="ana", project=project)
    assert daily_list("office", project=project).frame().equals(plain.frame())


def test_attacks_are_counted_by_campaign_and_day(office_project):
    events = pd.read_parquet(office_project.workspace / "events" / "office" / "a.parquet")
    scan = (events["source_ip"] == "10.0.0.4") & (events["connection_state"] == "S0")
    sent = events["destination_ip"] == "203.0.113.99"
    truth = pd.DataFrame({"event_id": events["event_id"][scan | sent], "malicious": True,
                          "family": np.where(scan[scan | sent], "scan", "theft"), "technique": None})  # fmt: skip
    import pyarrow as pa

    write_table(
        truth_path(office_project, "office"), pa.Table.from_pandas(truth, schema=schema(TRUTH), preserve_index=False)
    )
    rows = attack_rows("office", project=office_project)
    assert set(rows["attack"]) == {"scan 10.0.0.4", "theft 10.0.0.5"}
    found = find_attacks(daily_list("office", project=office_project).frame(), rows)
    assert found.best == {"scan 10.0.0.4": 2, "theft 10.0.0.5": 1}
    assert (found.within(1), found.within(2)) == (1, 2)
    assert "2 of 2 attacks are in the first 20 rows of their day" in run("office")


def test_an_attack_of_many_strangers_is_one_and_shows_where_it_was_aimed(project):
    import pyarrow as pa

    sources = [f"203.0.113.{i}" for i in range(1, 6)]
    store(project, [flow(f"2026-03-01T10:00:0{i}Z", s, "10.0.0.9", 443, "S0") for i, s in enumerate(sources)])
    events = pd.read_parquet(project.workspace / "events" / "office" / "a.parquet")
    truth = pd.DataFrame({"event_id": events["event_id"], "malicious": True, "family": "flood", "technique": None})
    write_table(truth_path(project, "office"), pa.Table.from_pandas(truth, schema=schema(TRUTH), preserve_index=False))
    rows = attack_rows("office", project=project)
    assert set(rows["attack"]) == {"flood 2026-03-01"}
    assert ("destination", "10.0.0.9") in set(zip(rows["role"], rows["entity"], strict=True))


def test_a_day_on_which_nothing_stands_out_says_so_and_names_others(project):
    quiet = [flow(f"2026-03-04T{h:02}:00:00Z", host, "203.0.113.1", source_bytes=10) for h in (9, 10) for host in HOSTS]
    store(project, [*office(), *quiet])
    told = run("office")
    assert "Nothing stands out on this day." in told
    assert "2026-03-03 (2)" in told


def test_without_a_source_inside_the_networks_are_asked_for(project):
    store(project, [flow(f"2026-03-01T10:00:{i:02}Z", "147.32.80.9", f"8.8.8.{i}", 445, "S0") for i in range(60)])
    assert "147.32.80.9 (source outside)" in run("office")
    assert "Name your networks in context.csv" in run("office")
    (project.root / "context.csv").write_text("entity\n147.32.0.0/16\n")
    assert "147.32.80.9 (source inside)" in run("office")


def test_a_list_without_rows_finds_no_attack(office_project):
    lists = daily_list("office", project=office_project).frame().iloc[:0].astype("float64")
    truth = pd.DataFrame({"day": ["x"], "role": ["source"], "entity": ["a"], "attack": ["b"], "family": ["c"]})
    assert find_attacks(lists, truth, days=["x"]).best == {"b": 0}


def test_events_of_no_class_count_as_no_flow_of_an_attack(project):
    import pyarrow as pa

    events = [{**flow(f"2026-03-01T10:00:0{i}Z", f"203.0.113.{i}", "10.0.0.9"), "class_uid": None} for i in range(1, 7)]
    store(project, events)
    ids = pd.read_parquet(project.workspace / "events" / "office" / "a.parquet")["event_id"]
    truth = pd.DataFrame({"event_id": ids, "malicious": True, "family": "flood", "technique": None})
    write_table(truth_path(project, "office"), pa.Table.from_pandas(truth, schema=schema(TRUTH), preserve_index=False))
    assert set(attack_rows("office", project=project)["role"]) == {"source"}


def test_files_that_come_without_a_dataset_are_asked_for_one(project, tmp_path):
    (tmp_path / "conn.log").write_text("x")
    with pytest.raises(ConfigurationError, match="socml run daily office"):
        run(str(tmp_path / "conn.log"))


CONTEXT = """entity,owner,peer_group,criticality,watch,expected
10.0.0.4,Security,scanners,normal,no,scan
10.0.0.5,Sales,,high,yes,
147.32.0.0/16,,,,,
"""


def test_context_forms_peers_and_weighs_openly(office_project):
    (office_project.root / "context.csv").write_text(CONTEXT)
    context = read_context(office_project)
    assert [str(network) for network in context.inside] == ["147.32.0.0/16"]
    assert context.of("10.0.0.4") == Known("Security", "scanners", expected=frozenset({"scan"}))
    told = run("office")
    first = next(line for line in told.splitlines() if line.startswith("  1."))
    assert "10.0.0.5" in first
    assert "owner: Sales" in first
    assert "on the watch list" in first


def made(root: Path) -> Project:
    init_project(root)
    return read_project(root)


@pytest.mark.parametrize(("separator", "encoding"), [(";", "cp1252"), ("\t", "utf-16"), (",", "utf-8-sig")])
def test_a_context_is_read_as_a_spreadsheet_saves_it(separator: str, encoding: str, tmp_path: Path) -> None:
    project = made(tmp_path / "lab")
    lines = ["entity,owner,watch", "serveur-é,Rémi,oui", "147.32.0.0/16,,"]
    text = "\r\n".join(lines).replace(",", separator)
    (project.root / "context.csv").write_bytes(text.encode(encoding))
    context = read_context(project)
    assert context.of("serveur-é") == Known("Rémi", watch=True)
    assert [str(network) for network in context.inside] == ["147.32.0.0/16"]


def test_a_context_that_cannot_be_read_is_told_by_the_check(tmp_path: Path) -> None:
    project = made(tmp_path / "lab")
    (project.root / "context.csv").write_text('entity,owner\na,"b\n')
    with pytest.raises(ConfigurationError, match=r"context\.csv cannot be read"):
        check_configuration(project)
    (project.root / "context.csv").unlink()
    (project.root / "respond.toml").write_text("[nobody]\n")
    with pytest.raises(ConfigurationError, match="no responder 'nobody'"):
        check_configuration(project)


def test_weights_of_context_are_those_of_its_table():
    context = Context(
        {"a": Known(criticality="high", watch=True), "b": Known(criticality="low", expected=frozenset({"scan"}))}
    )
    from datetime import date

    from socml.features.entity_day_table import EntityDay

    rows = EntityDay(
        date(2026, 3, 2), np.array(["source inside"] * 3, object), np.array(["a", "b", "c"], object), np.zeros((3, 1))
    )
    assert context.weights(rows, ("scan", "dns")) == pytest.approx(np.array([[1.69, 1.69], [0.21, 0.7], [1, 1]]))


@pytest.mark.parametrize(
    ("text", "told"),
    [("entity,onwer\n", "Did you mean 'owner'"), ("owner\nx\n", "no column 'entity'"),
     ("entity,criticality\na,huge\n", "low, normal or high"), ("entity,watch\na,perhaps\n", "yes or no"),
     ("entity\n10.0.0.0/99\n", "no IPv4 network")],
)  # fmt: skip
def test_a_context_that_does_not_fit_says_where(project, text, told):
    (project.root / "context.csv").write_text(text)
    with pytest.raises(ConfigurationError, match=told):
        read_context(project)


def test_a_model_of_the_daily_list_cannot_be_fitted(office_project):
    from socml.models import make_detector

    with pytest.raises(RecipeError, match="socml run daily"):
        make_detector("daily", project=office_project)


def test_rows_have_one_id_for_one_entity_day_and_role():
    from datetime import date

    roles, entities = np.array(["source inside", "source insid"], object), np.array(["a", "ea"], object)
    ids = row_ids(date(2026, 3, 2), roles, entities)
    assert len(set(ids.tolist())) == 2
    assert all(len(i) == 32 for i in ids)
    assert (row_ids(date(2026, 3, 2), roles, entities) == ids).all()
