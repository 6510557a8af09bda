"""What is kept and for how long: retention, backup and restore, the audit, metrics, the shipped files of operation."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
from configparser import ConfigParser
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from night_lab import after, flows, lab_in, night, outcome, scan, write_day
from typer.testing import CliRunner

from socml.cli import app
from socml.jobs import make_backup, metrics_text, night_status, restore_backup, set_policy
from socml.jobs.alert_policy import PastDay, Policy, alerting, replay_policy
from socml.jobs.backup import INDEX
from socml.labels import read_labels, record_label
from socml.project import (
    ConfigurationError,
    DataError,
    Project,
    audit,
    audit_damage,
    event_parts,
    night_settings,
    read_project,
)

DEPLOY = Path(__file__).parents[1] / "deploy"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = lab_in(tmp_path / "a", sets=("daily-scan",))
    for day in range(3):
        write_day(made, day, flows(day, n=4) + scan(day, n=20 + 80 * (day == 2)))
        night(made, day)
    return made


def settings(project: Project, text: str) -> Project:
    path = project.root / "socml.toml"
    path.write_text(path.read_text() + text)
    return read_project(project.root)


def test_old_events_go_and_what_was_made_of_them_stays(project: Project) -> None:
    before = outcome(project)
    project = settings(project, "\n[nightly]\nkeep_events_days = 1\n")
    assert night(project, 2).removed == ["events before 2026-03-03: 1 parts"]
    assert [part.day for part in event_parts(project, "office")] == ["2026-03-03", "2026-03-04"]
    again = night(project, 2)
    assert (again.added, again.built, again.listed, again.removed) == (0, 0, [], [])
    assert outcome(project) == before
    write_day(project, 3, flows(3))
    assert night(project, 3).listed == ["2026-03-05"]


def test_lists_that_nobody_judged_go_and_one_with_a_label_stays(project: Project) -> None:
    from socml.jobs.night_state import NightState, nights_folder

    runs = NightState.read(nights_folder(project, "office")).runs
    folder = project.workspace / "daily" / "office" / "ranked"
    import pyarrow.parquet as pq

    row = pq.read_table(folder / "2026-03-02.parquet")["row_id"][0].as_py()
    record_label(row, "benign", dataset="office", by="ana", project=project)
    project = settings(project, "\n[nightly]\nkeep_runs_days = 0\n")
    night(project, 2)
    project = settings(project, "keep_events_gb = 0.0\n")
    (project.root / "socml.toml").write_text(
        (project.root / "socml.toml").read_text().replace("keep_runs_days = 0", "keep_runs_days = 1")
    )
    write_day(project, 3, flows(3))
    report = night(read_project(project.root), 3)
    assert "lists of 1 days before 2026-03-04" in report.removed
    left = NightState.read(nights_folder(project, "office")).runs
    assert sorted(left) == ["2026-03-02", "2026-03-04", "2026-03-05"]
    assert not (project.workspace / "scores" / runs["2026-03-03"]).exists()


def test_a_backup_brings_labels_nights_and_alerts_to_an_empty_place(project: Project, tmp_path: Path) -> None:
    row = json.loads((project.workspace / "alerts" / "office" / "alerts.jsonl").read_text().splitlines()[0])["row_id"]
    record_label(row, "malicious", dataset="office", by="ana", project=project)
    night(project, 2)
    night(project, 2)  # the second removes what the first has listed again
    before, told = outcome(project), (project.workspace / "alerts" / "office" / "alerts.jsonl").read_bytes()
    made = make_backup(tmp_path / "b.tar.gz", project=project)
    assert (made.path.stat().st_mode & 0o777, made.files > 10) == (0o600, True)
    other = lab_in(tmp_path / "b", sets=("daily-scan",))
    with pytest.raises(ConfigurationError, match="--replace"):
        settings(other, "# other") and restore_backup(made.path, project=other)
    restore_backup(made.path, project=other, replace=True)
    shutil.copytree(project.root / "logs", other.root / "logs", dirs_exist_ok=True)
    other = read_project(other.root)
    assert read_labels(dataset="office", project=other)["verdict"].to_dict() == {row: "malicious"}
    night(other, 2)
    assert (other.workspace / "alerts" / "office" / "alerts.jsonl").read_bytes() == told
    assert {k: v for k, v in outcome(other).items() if "alerts" not in k} == {
        k: v for k, v in before.items() if "alerts" not in k
    }


def test_a_damaged_or_foreign_archive_changes_nothing(project: Project, tmp_path: Path) -> None:
    made = make_backup(tmp_path / "b.tar.gz", project=project, with_events=True)
    before = {p: p.read_bytes() for p in project.root.rglob("*") if p.is_file() and p.name != "lock"}
    cut, evil = tmp_path / "cut.tar.gz", tmp_path / "evil.tar.gz"
    cut.write_bytes(made.path.read_bytes()[:-2000])
    with tarfile.open(evil, "w:gz") as archive:
        archive.add(DEPLOY / "socml.toml", "../../outside")
    theirs, named = tmp_path / "theirs", tmp_path / "named.tar.gz"  # an index that names a file outside the archive
    theirs.write_bytes(b"not ours to move")
    files = {"workspace/../../../theirs": hashlib.sha256(theirs.read_bytes()).hexdigest()}
    (tmp_path / "index").write_text(json.dumps({"made": "", "files": files}), encoding="utf-8")
    with tarfile.open(named, "w:gz") as archive:
        archive.add(DEPLOY / "socml.toml", "workspace/x")
        archive.add(tmp_path / "index", INDEX)
    for path in (cut, evil, named, DEPLOY / "socml.toml", tmp_path / "none"):
        with pytest.raises(DataError):
            restore_backup(path, project=project, replace=True)
    assert theirs.is_file()
    assert {p: p.read_bytes() for p in project.root.rglob("*") if p.is_file() and p.name != "lock"} == before
    assert not (tmp_path.parent / "outside").exists()


def test_the_audit_grows_and_says_when_a_line_was_altered_or_taken_out(tmp_path: Path) -> None:
    project = Project(root=tmp_path, workspace=tmp_path / "w")
    for number in range(4):
        audit(project, "test", number=number)
    path = tmp_path / "w" / "audit.jsonl"
    with path.open("ab") as file:
        file.write(b'{"half": ')  # of a killed run
    audit(project, "test", number=4)
    assert audit_damage(project) == ""
    lines = path.read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["number"] for line in lines] == [0, 1, 2, 3, 4]
    path.write_bytes(b"".join(lines[:1] + lines[2:]))
    assert ":2 does not follow" in audit_damage(project)
    path.write_bytes(b"".join(lines).replace(b'"number": 3', b'"number": 9'))
    assert ":5 does not follow" in audit_damage(project)


def test_every_night_and_write_is_in_the_audit(project: Project) -> None:
    set_policy("office", Policy(alerts_a_day=3), project=project)
    said = [json.loads(line) for line in (project.workspace / "audit.jsonl").read_text().splitlines()]
    assert [line["what"] for line in said if line["what"] in {"night", "threshold"}] == ["night"] * 3 + ["threshold"]
    assert {"ingested", "scored"} <= {line["what"] for line in said}
    assert said[-1]["alerts_a_day"] == 3
    assert audit_damage(project) == ""


def test_metrics_are_what_prometheus_reads_and_readable_by_it(project: Project) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    families = {family.name: family for family in text_string_to_metric_families(metrics_text(project))}
    watermark = families["socml_watermark_timestamp_seconds"].samples[0]
    assert (watermark.labels, watermark.value) == ({"dataset": "office"}, datetime(2026, 3, 4, tzinfo=UTC).timestamp())
    assert len(families["socml_night_problems"].samples) == 9
    path = project.workspace / "metrics" / "socml.prom"
    assert path.read_text() == metrics_text(project)
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_threshold_that_is_previewed_is_what_the_next_night_does(project: Project, monkeypatch) -> None:
    monkeypatch.setenv("SOCML_PROJECT", str(project.root))
    monkeypatch.delenv("SOCML_WORKSPACE", raising=False)

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["threshold", *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    days = json.loads(run("preview", "office", "--alerts-a-day", "2", "--json"))["days"]
    assert [day["day"] for day in days] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert all(day["alerts"] <= 2 for day in days)
    run("set", "office", "--alerts-a-day", "0")
    write_day(project, 3, flows(3) + scan(3, "10.0.0.9"))
    assert night(project, 3).alerts == 0
    run("set", "office", "--score", "0.1")
    write_day(project, 4, flows(4) + scan(4, "10.0.0.7", n=250))
    assert night(project, 4).alerts >= 1
    assert CliRunner().invoke(app, ["threshold", "set", "office", "--score", "1", "--fdr", "0.1"]).exception is not None


def test_a_false_discovery_rate_is_kept_on_usual_days_and_finds_what_is_far_out() -> None:
    import numpy as np

    rng = np.random.default_rng(3)
    days = [(datetime(2026, 3, 1 + d, tzinfo=UTC).date(), rng.exponential(1, 400)) for d in range(20)]
    history = [PastDay(day, scores, scores) for day, scores in days]
    policy = Policy(false_discovery_rate=0.1)
    usual = replay_policy(policy, history)
    assert sum(day.alerts > 0 for day in usual[5:]) <= 4  # one day in ten, give or take
    today = np.concatenate([rng.exponential(1, 400), [30.0] * 5])
    assert np.flatnonzero(alerting(policy, today, [of.learned for of in history]))[-5:].tolist() == [
        400,
        401,
        402,
        403,
        404,
    ]
    assert not alerting(policy, today, [np.ones(49)]).any()
    with pytest.raises(ConfigurationError):
        Policy(alerts_a_day=3, score=1.0)


def test_the_shipped_configuration_passes_the_check_and_a_slip_is_named(tmp_path: Path, monkeypatch) -> None:
    project = lab_in(tmp_path / "p")
    monkeypatch.setenv("SOCML_PROJECT", str(project.root))
    shutil.copy(DEPLOY / "socml.toml", project.root)
    done = CliRunner().invoke(app, ["check", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["sinks"].count("(") == 6
    text = (DEPLOY / "socml.toml").read_text()
    for right, wrong, said in (
        ("alerts_a_day", "alert_a_day", "Did you mean 'alerts_a_day'"),
        ('"units", "schema"', '"unit"', "stop_on"),
        ("volume_ratio = 3.0", "volume_ratio = 0.5", "volume_ratio"),
        ('kind = "gelf"', 'kind = "gelv"', "Did you mean 'gelf'"),
        ('key_variable = "ELASTIC_KEY"', 'key = "abc"', "must not hold a secret"),
    ):
        (project.root / "socml.toml").write_text(text.replace(right, wrong, 1))
        failed = CliRunner().invoke(app, ["check"])
        assert isinstance(failed.exception, ConfigurationError)
        assert said in str(failed.exception)


def test_every_key_of_the_settings_stands_in_the_shipped_configuration(tmp_path: Path) -> None:
    project = lab_in(tmp_path / "p")
    shutil.copy(DEPLOY / "socml.toml", project.root)
    said = read_project(project.root).settings
    found = night_settings(read_project(project.root))
    assert set(said["nightly"]) == set(type(found.nightly).model_fields)
    assert set(said["checks"]) == set(type(found.checks).model_fields)
    assert set(said["sources"]["office"]) == set(type(found.sources["office"]).model_fields)


UNITS = ("socml-nightly.service", "socml-nightly.timer", "socml-app.service")


def test_the_systemd_units_are_what_systemd_takes(tmp_path: Path) -> None:
    for name in UNITS:
        parser = ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[assignment, method-assign]
        parser.read_string((DEPLOY / name).read_text())
        assert parser.has_section("Unit")
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd is not installed")
    for name in UNITS:
        text = (DEPLOY / name).read_text().replace("/opt/socml/bin/socml", "/bin/true")
        (tmp_path / name).write_text(text)
    done = subprocess.run([verify, "verify", *sorted(tmp_path.glob("*"))], capture_output=True, text=True, check=False)
    assert not [line for line in done.stderr.splitlines() if line.startswith("socml-")], done.stderr


def test_the_cron_job_of_kubernetes_runs_as_nobody_and_one_at_a_time() -> None:
    job = yaml.safe_load((DEPLOY / "kubernetes-cronjob.yaml").read_text())
    assert (job["kind"], job["apiVersion"]) == ("CronJob", "batch/v1")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}


def test_the_container_file_copies_what_is_there_and_runs_as_nobody() -> None:
    lines = (DEPLOY / "Containerfile").read_text().splitlines()
    sources = [
        word for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]
    ]
    assert sources
    assert all((DEPLOY.parent / source).exists() for source in sources)
    assert "USER 10001" in lines
    warm = [line for line in lines if "socml.jobs.warm" in line]
    assert len(warm) == 1
    assert "python -P -m" in warm[0]  # of what is installed, not of the sources in the folder, which stay behind


def test_a_line_of_the_log_as_json_has_time_and_run(tmp_path: Path) -> None:
    import io

    from socml.jobs import NightLog

    stream = io.StringIO()
    log = NightLog("r1", as_json=True, stream=stream)
    with log.step("ingest"):
        pass
    log.say("x\ny", level="warning", why="a\u202e")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["run"], first["event"], first["level"]) == ("r1", "ingest", "info")
    assert datetime.fromisoformat(first["time"]) - datetime.now(UTC) < timedelta(minutes=1)
    assert second["event"] == "x\ny"


def test_status_before_any_night_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="socml nightly"):
        night_status(lab_in(tmp_path / "a"), now=after(0))
