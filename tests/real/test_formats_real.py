"""Real logs beside the project → no line lost, and nothing added when they are read again."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path

import pytest

from socml.formats.host._syslog_headers import header
from socml.formats.host._syslog_messages import read_message
from socml.ingestion.detection import detect
from socml.ingestion.event_query import load_events, load_truth
from socml.ingestion.ingestion import ingest
from socml.project.project import Project

pytestmark = pytest.mark.real
SHARED = Path(os.environ.get("SOCML_SHARED") or Path(__file__).resolve().parents[3] / "shared")
ZEEK = ("stratosphere-zeek", "zat-data", "rita-zeek", "zeek-brimdata", "zeek-testing")
FOLDERS = (*(f"datasets/{name}" for name in ZEEK), "datasets/suricata-eve", "samples/suricata/produced")
SINGLE = (
    "datasets/auth-logs/elastic_auth.log.gz",
    "datasets/nsl-kdd/KDDTrain+_20Percent.txt.gz",
    "datasets/unsw-nb15/raw_headerless_bom_3400.csv.gz",
    "datasets/cic-ids2017/cic2017_mix_dev.csv.gz",
    "datasets/cic-ids2017/raw_r-dube/m1.csv.gz",
    "datasets/cic-ids2017/raw_r-dube/th1.csv.gz",
)
NOT_LOGS = {"fast.log", "stats.log"}  # Suricata's other outputs
DAMAGED = {"http.log.corrupt.gz"}


def _files() -> list[Path]:
    found = [p for folder in FOLDERS for p in sorted((SHARED / folder).rglob("*")) if p.is_file()]
    named = [SHARED / name for name in SINGLE if (SHARED / name).is_file()]
    arrays = sorted((SHARED / "datasets" / "adbench").glob("*.npz"))
    keep = [p for p in found if not (p.parent.name == "produced" and p.name in NOT_LOGS)]
    return [*(p for p in keep if not p.name.startswith("SOURCES")), *named, *arrays]


def _lines(path: Path) -> int:
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    return data.count(b"\n") + (bool(data) and not data.endswith(b"\n"))


@pytest.mark.parametrize("path", _files() or [pytest.param(Path(), marks=pytest.mark.skip(f"no data at {SHARED}"))])
def test_every_line_of_a_real_file_is_an_event_in_quarantine_or_skipped(path: Path, lab: Project) -> None:
    result = ingest(path, dataset="real", project=lab, final=True)
    assert result.records == result.added + result.duplicates + result.quarantined + result.skipped
    assert result.duplicates == 0
    if path.name in DAMAGED:
        assert "The file is damaged" in " ".join(result.warnings)
    elif path.suffix != ".npz":
        assert result.records == _lines(path)
        assert result.quarantined == 0
    assert ingest(path, dataset="real", project=lab, final=True).added == 0
    if result.added and result.per_file[0].format not in ("table", "zeek-tsv", "zeek-json"):
        assert load_events("real", columns=["time"], project=lab)["time"].notna().all()


LABELLED = {
    "stratosphere-008": ("stratosphere-zeek/008-zeek-mixed", 6661, 4260, 2314),
    "stratosphere-010": ("stratosphere-zeek/010-zeek-mixed", 6730, 3409, 3257),
    "nsl-kdd": ("nsl-kdd/KDDTrain+_20Percent.txt.gz", 25192, 11743, 13449),
    "unsw-nb15-raw": ("unsw-nb15", 3400, 117, 3283),
    "cic-ids2017": ("cic-ids2017/cic2017_mix_dev.csv.gz", 3468, 968, 2500),
    "adbench": ("adbench/38_thyroid.npz", 3772, 93, 3679),
}


@pytest.mark.parametrize("dataset", sorted(LABELLED))
def test_a_labelled_dataset_has_the_published_counts(dataset: str, shared: Path, lab: Project) -> None:
    relative, events, malicious, benign = LABELLED[dataset]
    result = ingest(shared / "datasets" / relative, dataset=dataset, project=lab, final=True)
    truth = load_truth(dataset, project=lab)
    assert result.added == events
    assert (truth["malicious"].eq(True).sum(), truth["malicious"].eq(False).sum()) == (malicious, benign)
    assert set(truth["event_id"]) <= set(load_events(dataset, columns=["event_id"], project=lab)["event_id"])


def test_the_unsw_recipe_fills_the_flow_columns(shared: Path, lab: Project) -> None:
    ingest(shared / "datasets" / "unsw-nb15", dataset="unsw-nb15-raw", project=lab, final=True)
    events = load_events("unsw-nb15-raw", project=lab)
    assert events["time"].min().isoformat() == "2015-01-22T11:49:37+00:00"
    assert events["source_ip"].iloc[0] == "59.166.0.0"
    assert events["destination_port"].notna().all()
    assert not {"label", "attack_cat", "ltime"} & set(events.columns)


def test_the_elastic_auth_log_has_the_published_counts(shared: Path, lab: Project) -> None:
    result = ingest(shared / "datasets/auth-logs/elastic_auth.log.gz", dataset="elastic-auth", project=lab, final=True)
    assert result.added == 7121
    assert [assumed.kind for assumed in result.per_file[0].assumptions] == ["zone"]  # its stamps name none
    events = load_events("elastic-auth", project=lab)
    logins = events[events["event_action"] == "ssh_login"]
    failed = logins[(logins["event_outcome"] == "failure") & (logins["extra"].str["method"] == "password")]
    assert len(failed) == 713
    assert (logins["event_outcome"] == "success").sum() == 226
    assert (events["event_action"] == "ssh_invalid_user").sum() == 178
    assert events["time"].dt.year.eq(2017).all()
    assert events["time"].is_monotonic_increasing


def test_what_fail2ban_reads_as_the_attackers_host_is_the_source(shared: Path) -> None:
    expected = right = 0
    wanted: dict[str, object] | None = None
    text = (shared / "datasets/auth-logs/fail2ban/sshd").read_text(encoding="utf-8", errors="backslashreplace")
    for line in text.splitlines():
        if line.startswith("# failJSON:"):
            wanted = json.loads(line.split(":", 1)[1])
        elif line and not line.startswith("#") and wanted is not None:
            found = header(line)
            host = wanted.get("host") if wanted.get("match") else None
            wanted = None
            if not found or not host or str(host) not in line.replace("::ffff:", ""):
                continue  # the host stands on an earlier line of the same connection
            if re.search(r"ssh\d: (ruser|from)", line):
                continue  # the client's own words after the address: see the module's price
            program = found["tag"] or found["bare_tag"] or ""
            columns, more = read_message(program, found["message"])
            expected += 1
            right += host in (columns.get("source_ip"), more.get("source_name"))
    assert expected > 90
    assert right == expected


def test_every_fail2ban_sshd_line_is_an_event_or_a_comment(shared: Path, lab: Project) -> None:
    path = shared / "datasets/auth-logs/fail2ban/sshd"
    result = ingest(path, dataset="fail2ban", project=lab, final=True)
    assert result.records == _lines(path)
    assert result.quarantined == 0


def test_detection_agrees_with_the_content_of_every_real_file(shared: Path) -> None:
    for path in _files():
        name, confidence = detect(path)
        assert confidence >= 0.5
        if "samples/suricata" in str(path) or "suricata-eve" in str(path):
            assert name == "suricata-eve", path
        elif "zeek" in str(path) or "zat-data" in str(path):
            assert name in ("zeek-tsv", "zeek-json"), path
