"""Real files of intrusion detection, hosts and antivirus → read whole, with the events that are known to be in them."""

from __future__ import annotations

import os
import random
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from socml.formats._reader import Parsed, ReadOptions
from socml.ingestion.detection import detect, open_format
from socml.ingestion.ingestion import ingest
from socml.ingestion.sources import FileSource
from socml.project.errors import SocmlError
from socml.project.project import Project

pytestmark = pytest.mark.real
SHARED = Path(os.environ.get("SOCML_SHARED") or Path(__file__).resolve().parents[3] / "shared")
SAMPLES = SHARED / "samples"
EVTX = "datasets/evtx-attack"
OTRF = "datasets/otrf/windows/discovery/host"

# file → format, events, records in quarantine
KNOWN: dict[str, tuple[str, int, int]] = {
    "samples/suricata/produced/fast.log": ("snort-fast", 26, 0),
    "samples/suricata/produced/stats.log": ("suricata-stats", 0, 0),
    "samples/snort/elastic_snort3_alert_json.ndjson": ("snort-json", 2, 0),
    "samples/snort/idstools_merged.unified2": ("unified2", 6, 0),
    "samples/snort/idstools_multi-record-event.unified2": ("unified2", 1, 0),
    "samples/snort/idstools_ipv6-alert.unified2": ("unified2", 1, 0),
    "samples/ossec/produced/alerts.json": ("ossec-json", 153, 0),
    "samples/ossec/produced/alerts.log": ("ossec-alerts-log", 153, 0),
    "samples/ossec/ossec_syslog.log": ("ossec-syslog", 4, 0),
    "samples/cockpit_journald/produced/journal.json": ("journald-json", 200, 0),
    "samples/cockpit_journald/produced/journal.export": ("journald-export", 200, 0),
    "samples/syslog/produced/out.json": ("syslog-json", 201, 0),
    "samples/syslog/produced/out.rfc5424": ("syslog", 201, 0),
    "samples/syslog/produced/out.traditional": ("syslog", 201, 0),
    "datasets/auth-logs/fail2ban/selinux-ssh": ("auditd", 11, 0),
    "samples/fail2ban/produced/fail2ban.log": ("fail2ban-log", 181, 0),
    "samples/fail2ban/produced/fail2ban_manual.log": ("fail2ban-log", 27, 0),
    "samples/fail2ban/produced/actions.log": ("fail2ban-log", 10, 0),
    "samples/aide/produced/report.json": ("aide-json", 8, 0),
    "samples/aide/produced/report_dbattr.json": ("aide-json", 0, 0),
    "samples/aide/produced/report.txt": ("aide-report", 8, 0),
    "samples/clamav/produced/clamd.log": ("clamd-log", 106, 0),
    "samples/clamav/produced/clamscan.txt": ("clamscan", 6, 0),
    "samples/clamav/produced/gen-json-clamzip.json": ("clamav-json", 2, 0),
    "samples/kaspersky/kaspersky_cef.log": ("kaspersky-syslog", 2, 0),
    "samples/kaspersky/sentinel_ksc_rows.ndjson": ("common-security-log", 2, 0),
    "samples/trendmicro/trend_deep_security_cef.log": ("cef", 8, 0),
    "samples/sophos/elastic_sophos_central_event.ndjson": ("sophos-central", 1, 0),
    "samples/sophos/sophos_xg.log": ("sophos-log", 2, 0),
    "samples/sophos/sophos_webappliance.log": ("sophos-log", 1, 0),
    f"{OTRF}/cmd_seatbelt_group_user.zip": ("windows-event-json", 451, 0),
    f"{OTRF}/empire_shell_net_localgroup_administrators.zip": ("windows-event-json", 884, 0),
    f"{EVTX}/AutomatedTestingTools/DE_timestomp_and_dll_sideloading_and_RunPersist.evtx.gz": ("evtx", 23, 0),
    f"{EVTX}/AutomatedTestingTools/sideloading_injection_persistence_run_key.evtx.gz": ("evtx", 7, 0),
    f"{EVTX}/Command_and_Control/DE_sysmon-3-rdp-tun.evtx.gz": ("evtx", 73, 0),
    f"{EVTX}/Credential_Access/CA_4624_4625_LogonType2_LogonProc_chrome.evtx.gz": ("evtx", 4, 0),
    f"{EVTX}/Defense_Evasion/DE_104_system_log_cleared.evtx.gz": ("evtx", 1, 0),
    f"{EVTX}/Defense_Evasion/DE_Fake_ComputerAccount_4720.evtx.gz": ("evtx", 2, 0),
    f"{EVTX}/Discovery/discovery_UEFI_Settings_rweverything_sysmon_6.evtx.gz": ("evtx", 1, 0),
    f"{EVTX}/Execution/Exec_via_cpl_Application_Experience_EventID_17_ControlPanelApplet.evtx.gz": ("evtx", 4, 0),
    f"{EVTX}/Lateral_Movement/DFIR_RDP_Client_TimeZone_RdpCoreTs_104_example.evtx.gz": ("evtx", 21, 0),
    f"{EVTX}/Lateral_Movement/LM_DCOM_MSHTA_LethalHTA_Sysmon_3_1.evtx.gz": ("evtx", 2, 0),
    f"{EVTX}/Persistence/Persistence_Winsock_Catalog Change EventId_1.evtx.gz": ("evtx", 2, 0),
    f"{EVTX}/Privilege_Escalation/4765_sidhistory_add_t1178.evtx.gz": ("evtx", 3, 0),
    f"{EVTX}/UACME/UACME_59_Sysmon.evtx.gz": ("evtx", 7, 0),
}
WITHOUT_TIME = {"clamav-json"}
WHOLE_LINES = {"ossec-alerts-log", "fail2ban-log", "auditd", "snort-full"}  # records of several lines of text
FOLDERS = ("snort", "ossec", "cockpit_journald", "fail2ban", "aide", "clamav", "kaspersky", "trendmicro", "sophos")
NOT_LOGS = {"sid-msg.map", "gen-msg.map", "classification.config"}  # beside unified2 files
IN_ANOTHER_FILE = {"ossec_snort_test.ini"}  # alert lines within a test's own file, see below
RECORDS_OF_LINES = sorted(name for name, (fmt, _, _) in KNOWN.items() if getattr(open_format(fmt), "one_a_line", True))


def _read(path: Path, name: str, **options: Any) -> list[Parsed]:
    source = FileSource(path, path.name)
    parsed = list(open_format(name).read(source, ReadOptions(**options)))
    if source.rejects:
        parsed[-1].rejects += source.rejects
    return parsed


def _rows(parsed: list[Parsed]) -> list[dict[str, Any]]:
    rows = [row for part in parsed for row in part.events.to_pylist()]
    for row in rows:
        row["extra"] = dict(row.get("extra") or [])
    return rows


def _there(relative: str) -> Path:
    path = SHARED / relative
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    return path


@pytest.mark.parametrize("relative", KNOWN)
def test_a_real_file_is_detected_and_read_without_a_reject_and_stored_once(relative: str, lab: Project) -> None:
    path = _there(relative)
    name, events, rejects = KNOWN[relative]
    assert detect(path)[0] == name
    result = ingest(path, dataset="real", project=lab, final=True)
    assert (result.added, result.quarantined) == (events, rejects)
    assert result.records == result.added + result.duplicates + result.quarantined + result.skipped
    assert ingest(path, dataset="real", project=lab, final=True).added == 0
    rows = _rows(_read(path, name))
    assert all(row["raw"] for row in rows)
    if name not in WITHOUT_TIME:
        assert all(row["time"] is not None for row in rows)


def test_every_sample_of_these_tools_is_in_the_list(shared: Path) -> None:
    there = {p for f in FOLDERS for p in (shared / "samples" / f).rglob("*") if p.is_file()}
    there |= {
        p for f in ("evtx-attack", "otrf") for p in (shared / "datasets" / f).rglob("*") if p.suffix in (".gz", ".zip")
    }
    listed = {shared / relative for relative in KNOWN}
    assert {p.name for p in there - listed} <= NOT_LOGS | IN_ANOTHER_FILE


def test_eve_samples_are_all_read_and_a_line_whose_time_is_a_placeholder_is_quarantined(tmp_path: Path) -> None:
    folder = SAMPLES / "suricata" / "produced"
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}")
    for path in sorted(folder.glob("eve-*.json")):
        parsed = _read(path, "suricata-eve")
        assert not [r for p in parsed for r in p.rejects]
    wrapped = _there("samples/suricata/sc4s_suricata_syslog.log")
    assert len([r for p in _read(wrapped, "suricata-eve") for r in p.rejects]) == 5
    filled = tmp_path / "filled.log"
    filled.write_bytes(wrapped.read_bytes().replace(b"timestamp_iso_8601", b"2022-04-25T15:27:08.000000+0000"))
    parsed = _read(filled, "suricata-eve")
    assert [p.count for p in parsed] == [6]
    assert sorted(row["event_action"] for row in _rows(parsed)) == [
        "connection",
        "dns_query",
        "file_transfer",
        "http_request",
        "tls_handshake",
    ]


def test_alert_lines_within_a_test_file_of_ossec_are_read(tmp_path: Path) -> None:
    text = _there("samples/snort/ossec_snort_test.ini").read_text(encoding="utf-8")
    lines = [line.partition("= ")[2] for line in text.splitlines() if line.startswith("log ")]
    path = tmp_path / "alert"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = _rows(_read(path, "snort-fast", year=2010))
    assert [row["event_action"] for row in rows] == ["alert", "drop"]
    assert [row["rule_id"] for row in rows] == ["10000001", "10000002"]


def test_the_two_forms_of_ossecs_alerts_say_the_same() -> None:
    as_json = _rows(_read(_there("samples/ossec/produced/alerts.json"), "ossec-json"))
    as_text = _rows(_read(_there("samples/ossec/produced/alerts.log"), "ossec-alerts-log"))
    columns = ("time", "rule_id", "rule_name", "event_severity", "source_ip", "user_name", "event_outcome", "host_name")
    assert [[r.get(c) for c in columns] for r in as_json] == [[r.get(c) for c in columns] for r in as_text]


def test_the_two_forms_of_the_journal_say_the_same_but_for_the_cursor() -> None:
    as_json = _rows(_read(_there("samples/cockpit_journald/produced/journal.json"), "journald-json"))
    as_export = _rows(_read(_there("samples/cockpit_journald/produced/journal.export"), "journald-export"))
    for one, other in zip(as_json, as_export, strict=True):
        one["extra"].pop("__CURSOR", None)
        assert {k: v for k, v in one.items() if k not in ("raw", "source_line")} == {
            k: v for k, v in other.items() if k not in ("raw", "source_line")
        }


def test_the_three_forms_of_a_syslog_message_say_the_same() -> None:
    folder = "samples/syslog/produced"
    columns = ("host_name", "process_name", "process_pid", "event_action", "source_ip", "user_name", "time")
    logins = 200  # the last message is another, which the traditional form shortens
    seen = [
        [[row.get(c) for c in columns] for row in _rows(_read(_there(f"{folder}/{name}"), fmt, year=2026))[:logins]]
        for name, fmt in (("out.json", "syslog-json"), ("out.rfc5424", "syslog"), ("out.traditional", "syslog"))
    ]
    assert seen[0] == seen[1] == seen[2]


def test_the_two_forms_of_aides_report_say_the_same() -> None:
    as_json = _rows(_read(_there("samples/aide/produced/report.json"), "aide-json"))
    as_text = _rows(_read(_there("samples/aide/produced/report.txt"), "aide-report"))
    columns = ("time", "file_path", "file_change", "file_hash")
    assert [[r.get(c) for c in columns] for r in as_json] == [[r.get(c) for c in columns] for r in as_text]
    hashes = {r["file_path"]: r["file_hash"] for r in as_json if r["file_hash"]}
    assert hashes["/srv/etc/passwd"] == "sha256:bc2a3a06f0d9de1377ae0d26fa436cf0bf7a73ed591a59f25ed342c4b2c3fa51"


def test_fail2ban_found_and_banned_what_its_log_says() -> None:
    rows = _rows(_read(_there("samples/fail2ban/produced/fail2ban.log"), "fail2ban-log"))
    counts = Counter(row["event_action"] for row in rows)
    assert (counts["found"], counts["ban"], counts["unban"], counts["already_banned"]) == (136, 5, 5, 10)
    assert all(row["source_ip"] for row in rows if row["event_action"] in ("found", "ban", "unban"))
    echoed = _rows(_read(_there("samples/fail2ban/produced/actions.log"), "fail2ban-log"))
    assert Counter(row["event_action"] for row in echoed) == {"ban": 5, "unban": 5}


def test_clamav_finds_the_infected_files() -> None:
    scan = _rows(_read(_there("samples/clamav/produced/clamscan.txt"), "clamscan"))
    daemon = _rows(_read(_there("samples/clamav/produced/clamd.log"), "clamd-log"))
    assert sum(row["event_action"] == "malware_found" for row in scan) == 5
    found = [row for row in daemon if row.get("event_action") == "malware_found"]
    assert found
    assert all(row["threat_name"] and row["file_path"] for row in found)


def test_windows_events_are_named_by_their_numbers() -> None:
    rows = _rows(_read(_there(f"{EVTX}/Credential_Access/CA_4624_4625_LogonType2_LogonProc_chrome.evtx.gz"), "evtx"))
    assert [(row["event_action"], row["event_outcome"]) for row in rows] == [
        ("logon", "failure"),
        *[("logon", "success")] * 3,
    ]
    assert rows[0]["user_name"] == "IEUser"
    rows = _rows(_read(_there(f"{OTRF}/empire_shell_net_localgroup_administrators.zip"), "windows-event-json"))
    commands = {row.get("process_command_line") for row in rows if row["event_action"] == "process_started"}
    assert any("localgroup Administrators" in str(command) for command in commands)
    hosts = {row["host_name"] for row in rows}
    assert "WORKSTATION5.theshire.local" in hosts


@pytest.mark.parametrize("relative", RECORDS_OF_LINES)
def test_a_real_file_cut_anywhere_loses_no_line(relative: str, tmp_path: Path) -> None:
    path, name = _there(relative), KNOWN[relative][0]
    whole = b"".join(FileSource(path, path.name).chunks())
    rng = random.Random(7)
    for _ in range(5):
        cut = whole[: rng.randrange(1, len(whole))]
        piece = tmp_path / "cut.log"
        piece.write_bytes(cut)
        assert sum(p.count for p in _read(piece, name)) == cut.count(b"\n") + (not cut.endswith(b"\n"))


@pytest.mark.parametrize("relative", sorted(r for r, (fmt, _, _) in KNOWN.items() if fmt in WHOLE_LINES))
def test_records_of_several_lines_hold_every_line_of_a_file_cut_anywhere(relative: str, tmp_path: Path) -> None:
    path, name = _there(relative), KNOWN[relative][0]
    whole = path.read_bytes()
    rng = random.Random(7)
    for _ in range(5):
        piece = tmp_path / "cut.log"
        piece.write_bytes(whole[: rng.randrange(1, len(whole))])
        parsed = _read(piece, name)
        kept = [r.raw for p in parsed for r in p.rejects] + [bytes(r) for p in parsed for r in p.records]
        lines = Counter(line for record in kept for line in record.split(b"\n") if line.strip())
        comments = sum(count for p in parsed for why, count in p.skips.items() if "comment" in why)
        expected = Counter(line for line in piece.read_bytes().split(b"\n") if line.strip())
        missing = expected - lines
        assert sum(missing.values()) == comments
        assert not lines - expected


def test_binary_files_cut_anywhere_say_where_they_end(tmp_path: Path) -> None:
    for relative in ("samples/snort/idstools_merged.unified2", "samples/cockpit_journald/produced/journal.export"):
        path, name = _there(relative), KNOWN[relative][0]
        whole = path.read_bytes()
        rng = random.Random(7)
        for _ in range(20):
            cut = whole[: rng.randrange(40, len(whole))]
            piece = tmp_path / "cut.bin"
            piece.write_bytes(cut)
            parsed = _read(piece, name)
            kept = sum(len(r) for p in parsed for r in p.records) + sum(len(r.raw) for p in parsed for r in p.rejects)
            assert kept + 2 >= len(cut.rstrip(b"\n\0"))  # all but the blank lines between entries


def test_fail2bans_own_database_is_read_without_a_change(tmp_path: Path) -> None:
    path = tmp_path / "fail2ban.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute(
            "create table bans(jail text, ip text, timeofban integer, bantime integer, bancount integer, data json)"
        )
        database.execute(
            "create table bips(ip text, jail text, timeofban integer, bantime integer, bancount integer, data json)"
        )
        rows = [("sshd", f"192.0.2.{n}", 1_700_000_000 + n, 600, 1, '{"failures": 4}') for n in range(200)]
        database.executemany("insert into bans values(?,?,?,?,?,?)", rows)
    database.close()
    before = path.read_bytes()
    assert detect(path)[0] == "fail2ban-sqlite"
    assert len(_rows(_read(path, "fail2ban-sqlite"))) == 200
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    damaged = tmp_path / "damaged.sqlite3"
    damaged.write_bytes(before[: len(before) // 2])
    try:
        parsed = _read(damaged, "fail2ban-sqlite")
    except SocmlError:
        return
    assert [r.reason for p in parsed for r in p.rejects]
