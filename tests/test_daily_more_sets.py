"""Daily feature sets of copies, wordings, indicators, exposure, changes of rights and missing hours; one meaning in all formats."""

from __future__ import annotations

from pathlib import Path

import pytest
from daily_events import built, flow, logon, project_in, rows, store

from socml.evaluate import attack_rows
from socml.ingestion import ingest
from socml.jobs import daily_list
from socml.project import Project

LINE = {"event_category": "host", "event_action": "message"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return project_in(tmp_path)


def message(time: str, host: str, text: str, **more: object) -> dict:
    return {"time": time, "host_name": host, "message": text, **LINE, **more}


def test_bytes_taken_from_the_inside_machine_that_gave_most(project: Project) -> None:
    store(
        project,
        [
            flow("2026-03-01T10:00:00Z", "10.0.0.1", "10.0.0.9", destination_bytes=700),
            flow("2026-03-01T10:01:00Z", "10.0.0.1", "10.0.0.9", destination_bytes=500),
            flow("2026-03-01T10:02:00Z", "10.0.0.1", "10.0.0.8", destination_bytes=1000),
            flow("2026-03-01T10:03:00Z", "10.0.0.1", "203.0.113.4", destination_bytes=9000),
            flow("2026-03-01T10:04:00Z", "10.0.0.1", "10.0.0.8", state="REJ", destination_bytes=9000),
        ],
    )
    row = rows(built(project, "daily-collect"), "2026-03-01").loc["10.0.0.1"]
    assert (row["taken_from_one"], row["taken_inside"], row["taken_from"]) == (1200, 2200, "10.0.0.9")


def test_a_wording_is_new_once_whatever_its_numbers_accounts_and_addresses(project: Project) -> None:
    store(
        project,
        [
            message("2026-03-01T10:00:00Z", "web", "disk sda1 has 14 errors"),
            message("2026-03-01T10:00:00Z", "db", "disk sda1 has 14 errors"),
            message("2026-03-02T10:00:00Z", "web", "disk sdb2 has 3 errors"),
            message("2026-03-02T10:01:00Z", "web", "session of ann from 10.0.0.7 ended", user_name="ann"),
            message("2026-03-02T10:02:00Z", "web", "session of bob from 10.0.0.8 ended", user_name="bob.long"),
            message("2026-03-02T10:03:00Z", "db", "kernel panic"),
            message("2026-03-03T10:03:00Z", "web", "kernel panic"),
        ],
    )
    tables = built(project, "daily-template")
    second = rows(tables, "2026-03-02")
    assert second.loc["db", "unseen_templates"] == second.loc["db", "new_templates"] == 1
    assert second.loc["db", "rarest_wording"] == "kernel panic"
    third = rows(tables, "2026-03-03").loc["web"]
    assert (third["new_templates"], third["unseen_templates"]) == (0.5, 0)
    assert "disk" not in str(second.loc["web", "rarest_wording"])


def test_an_indicator_counts_from_the_day_it_is_known_and_names_below_it_too(project: Project) -> None:
    listed = {"event_category": "threat_intelligence", "event_action": "indicator"}
    asked = {"class_uid": 4003, "event_category": "network", "event_action": "dns_query", "source_ip": "10.0.0.1"}
    store(
        project,
        [
            flow("2026-03-01T09:00:00Z", "10.0.0.1", "203.0.113.66"),
            {"time": "2026-03-02T00:00:00Z", "destination_ip": "203.0.113.66", **listed},
            {"time": "2026-03-02T00:00:00Z", "dns_question_name": "Evil.example", **listed},
            flow("2026-03-02T09:00:00Z", "10.0.0.1", "203.0.113.66"),
            {"time": "2026-03-02T09:01:00Z", "dns_question_name": "a.b.evil.example.", **asked},
            {"time": "2026-03-03T09:01:00Z", "dns_question_name": "notevil.example", **asked},
        ],
    )
    tables = built(project, "daily-indicator")
    assert rows(tables, "2026-03-01").empty
    row = rows(tables, "2026-03-02").loc["10.0.0.1"]
    assert (row["indicators"], row["indicators_met"]) == (2, "203.0.113.66 · evil.example")
    assert rows(tables, "2026-03-03").empty


def test_who_is_answered_on_a_port_with_a_known_weakness(project: Project) -> None:
    found = {"event_category": "vulnerability", "event_action": "found", "vulnerability_id": "CVE-2026-0001"}
    store(
        project,
        [
            {"time": "2026-03-01T00:00:00Z", "destination_ip": "10.0.0.9", "destination_port": 8080, **found},
            flow("2026-03-02T09:00:00Z", "203.0.113.7", "10.0.0.9", 8080),
            flow("2026-03-02T09:00:00Z", "10.0.0.3", "10.0.0.9", 8080),
            flow("2026-03-02T09:00:00Z", "203.0.113.8", "10.0.0.9", 8080, "REJ"),
            flow("2026-03-02T09:00:00Z", "203.0.113.9", "10.0.0.9", 443),
        ],
    )
    row = rows(built(project, "daily-exposure"), "2026-03-02").loc["10.0.0.9"]
    assert (row["outside_at_weakness"], row["sources_at_weakness"], row["weaknesses"]) == (1, 2, "CVE-2026-0001")


def test_a_member_of_a_group_that_never_got_one_is_a_new_change(project: Project) -> None:
    def added(time: str, group: str) -> dict:
        more = {"event_action": "group_member_added", "class_uid": 3001, "event_category": "iam"}
        return {"time": time, "host_name": "dc1", "user_name": "clerk", "extra": [("TargetUserName", group)], **more}

    store(
        project,
        [added(f"2026-03-0{day}T10:00:00Z", "Staff") for day in (1, 2, 3)]
        + [added("2026-03-03T11:00:00Z", "Domain Admins")],
    )
    tables = built(project, "daily-privilege")
    assert rows(tables, "2026-03-02").loc["dc1", "new_changes"] == 0
    third = rows(tables, "2026-03-03").loc["dc1"]
    assert (third["new_changes"], third["newly_changed"]) == (1, "group_member_added Domain Admins")


def test_what_an_account_never_did_to_a_cloud_and_from_where(project: Project) -> None:
    def did(time: str, account: str, action: str, address: str) -> dict:
        return {"time": time, "user_name": account, "event_action": action, "source_ip": address, "class_uid": 6003}

    store(
        project,
        [
            did("2026-03-01T10:00:00Z", "ci", "GetObject", "192.0.2.1"),
            did("2026-03-01T10:00:00Z", "ops", "RunInstances", "192.0.2.1"),
            did("2026-03-02T10:00:00Z", "ci", "GetObject", "192.0.2.1"),
            did("2026-03-02T10:01:00Z", "ci", "RunInstances", "203.0.113.7"),
            did("2026-03-02T10:02:00Z", "ci", "CreateUser", "203.0.113.7"),
            did("2026-03-02T10:03:00Z", "new", "GetObject", "192.0.2.1"),
        ],
    )
    found = rows(built(project, "daily-cloud"), "2026-03-02")
    ci = found.loc["ci"]
    assert (ci["new_controls"], ci["newly_done"]) == (1.5, "CreateUser · RunInstances")
    assert (ci["new_sources_of_control"], ci["newly_acted_from"]) == (1, "203.0.113.7")
    assert found.loc["new", ["new_controls", "new_sources_of_control"]].tolist() == [0.5, 0]  # known from nowhere else
    assert "ops" not in found.index


def test_an_alert_that_names_a_host_alone_is_of_the_host_that_the_list_has_already(project: Project) -> None:
    told = {"time": "2026-03-01T10:00:00Z", "class_uid": 2004, "rule_name": "Dumping"}
    store(project, [{**told, "host_name": "pc7"}, {**told, "source_ip": "10.0.0.9", "host_name": "pc7"}])
    tables = built(project, "daily-alert", "daily-alert-host")
    by_set = [rows(tables, "2026-03-01", n) for n in (0, 1)]
    assert [table["role"].to_dict() for table in by_set] == [{"10.0.0.9": "source inside"}, {"pc7": "host inside"}]
    told = by_set[1].loc["pc7", ["rare_host_alerts", "host_alerts", "rarest_rule_of_host"]]
    assert told.tolist() == [1, 1, "Dumping"]


def test_a_rule_that_fired_on_one_host_alone_stands_in_the_list_of_its_day(project: Project) -> None:
    hosts = [f"pc{n}" for n in range(30)]
    events = [message(f"2026-03-0{day}T10:00:00Z", host, "started") for day in (1, 2, 3) for host in hosts]
    alert = {"class_uid": 2004, "rule_name": "Dumping", "host_name": "pc7"}
    usual = [{**alert, "time": f"2026-03-0{day}T11:00:00Z", "rule_name": "Old version", "host_name": host}
             for day in (1, 2, 3) for host in hosts[:20]]  # fmt: skip
    store(project, [*events, *usual, {**alert, "time": "2026-03-03T12:00:00Z"}])
    ranked = daily_list("office", project=project).of().frame()
    first = ranked[ranked["place"] == 1].iloc[0]
    assert (first["role"], first["entity"]) == ("host inside", "pc7")


def test_missing_hours_are_those_of_a_sender_that_wrote_at_each_hour_before(project: Project) -> None:
    day = [message(f"2026-03-01T{hour:02}:30:00Z", host, "tick") for hour in range(24) for host in ("db", "web")]
    day += [message(f"2026-03-01T{hour:02}:10:00Z", "desk", "tick") for hour in range(9, 17)]
    after = [message(f"2026-03-02T{hour:02}:30:00Z", "web", "tick") for hour in range(24)]
    after += [message(f"2026-03-02T{hour:02}:30:00Z", "db", "tick") for hour in range(10)]
    store(project, day + after)
    missing = rows(built(project, "daily-silence"), "2026-03-02")["missing_hours"]
    assert (missing["db"], missing["desk"]) == (14, 0)
    assert missing.get("web", 0) == 0


ZEEK = (
    "{t}.000000\tC{i}\t{s}\t4{i:04}\t{d}\t{p}\ttcp\t-\t0.5\t{out}\t{back}\t{zeek}\tT\tF\t0\tS\t{sp}\t400\t{dp}\t300\t-"
)
ZEEK_HEAD = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\t"
    "id.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\t"
    "missed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\n"
)
EVE = (
    '{{"timestamp":"{iso}.000000+0000","flow_id":{i},"event_type":"flow","src_ip":"{s}","src_port":4{i:04},"dest_ip":"{d}",'
    '"dest_port":{p},"proto":"TCP","flow":{{"pkts_toserver":{sp},"pkts_toclient":{dp},"bytes_toserver":{out},'
    '"bytes_toclient":{back},"start":"{iso}.000000+0000","end":"{iso}.500000+0000","age":1,"state":"{eve}","reason":"timeout"}},'
    '"tcp":{{"tcp_flags_tc":"{flags}"}}}}'
)
ARGUS_HEAD = "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label\n"
ARGUS = "{slash}.000000,0.500000,tcp,{s},4{i:04},   ->,{d},{p},{argus},0,0,{all},{bytes},{out},x"
NFDUMP_HEAD = "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out\n"
NFDUMP = "{iso2},{iso2},0.500,{s},{d},4{i:04},{p},TCP,{flg},0,0,{sp},{out},{dp},{back},0,0"
ONE_WAY = "{iso2},{iso2},0.500,{s},{d},4{i:04},{p},TCP,{flg},0,0,{sp},{out},0,0,0,0"
ITS_ANSWER = "{iso2},{iso2},0.500,{d},{s},{p},4{i:04},TCP,{answer},0,0,{dp},{back},0,0,0,0"
STATES = {
    "answered": {"zeek": "SF", "eve": "closed", "flags": "1b", "argus": "FSPA_FSPA", "dp": 4, "back": 900}
    | {"flg": "...AP.SF", "answer": "...AP.SF"},
    "refused": {"zeek": "REJ", "eve": "closed", "flags": "14", "argus": "S_RA", "dp": 1, "back": 0}
    | {"flg": "......S.", "answer": "...A.R.."},
    "silent": {"zeek": "S0", "eve": "new", "flags": "00", "argus": "S_", "dp": 0, "back": 0}
    | {"flg": "......S.", "answer": ""},
}


def written(folder: Path, kind: str) -> Path:
    """Write the same traffic as a sensor of that kind would: a scan inside, calls outside, a broadcast."""
    from datetime import UTC, datetime, timedelta

    head, shape, name = {
        "zeek": (ZEEK_HEAD, ZEEK, "conn.log"),
        "eve": ("", EVE, "eve.json"),
        "argus": (ARGUS_HEAD, ARGUS, "flows.binetflow"),
        "nfdump": (NFDUMP_HEAD, NFDUMP, "nfdump.csv"),
        "one-way": (NFDUMP_HEAD, ONE_WAY, "nfdump.csv"),
    }[kind]
    calls = [("10.0.0.1", f"10.0.1.{n}", 445, ("silent", "refused")[n % 2]) for n in range(1, 21)]
    calls += [("10.0.0.2", "203.0.113.9", 443, "answered")] * 12
    calls += [("10.0.0.2", f"224.0.0.{n}", 5353, "silent") for n in range(1, 9)]
    lines = []
    for i, (source, destination, port, state) in enumerate(calls):
        at = datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(seconds=60 * i)
        of = STATES[state] | {"out": 500 if state == "answered" else 0, "sp": 5}
        more = {"t": int(at.timestamp()), "iso": f"{at:%Y-%m-%dT%H:%M:%S}", "slash": f"{at:%Y/%m/%d %H:%M:%S}"}
        more |= {"all": of["sp"] + of["dp"], "bytes": of["out"] + of["back"]}
        more |= {"iso2": f"{at:%Y-%m-%d %H:%M:%S}"}
        lines.append(shape.format(i=i, s=source, d=destination, p=port, **of, **more))
        if kind == "one-way" and of["answer"]:
            lines.append(ITS_ANSWER.format(i=i, s=source, d=destination, p=port, **of, **more))
    path = folder / name
    path.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_same_traffic_in_different_formats_gives_the_same_columns(tmp_path: Path) -> None:
    said = {}
    for kind in ("zeek", "eve", "argus", "nfdump", "one-way"):
        (tmp_path / kind).mkdir()
        project = project_in(tmp_path / kind / "workspace")
        result = ingest([str(written(tmp_path / kind, kind))], dataset=kind, project=project, final=True)
        assert result.added == (62 if kind == "one-way" else 40), str(result)
        tables = built(project, "daily-scan", "daily-volume", "daily-upload", "daily-edge", dataset=kind)
        said[kind] = [rows(tables, "2026-03-02", number).to_dict() for number in range(4)]
    assert said["zeek"] == said["eve"] == said["argus"] == said["nfdump"]
    del said["one-way"][2:], said["zeek"][2:]  # which of two records are one flow, and so what came back, is not told
    assert said["one-way"] == said["zeek"]
    scan, volume = said["zeek"][:2]
    assert scan["failed_destinations_1d"]["10.0.0.1"] == 20
    assert volume["flows_1d"] == {"10.0.0.1": 20, "10.0.0.2": 12}  # multicast is no destination


def test_logons_of_windows_and_sshd_count_alike(tmp_path: Path) -> None:
    ssh = {"event_action": "ssh_login"}
    windows = {"event_action": "logon", "extra": [("LogonType", "3")]}
    said = []
    for name, kind in (("ssh", ssh), ("windows", windows)):
        project = project_in(tmp_path / name)
        outcomes = ["failure"] * 6 + ["success"]
        store(
            project,
            [
                logon(f"2026-03-02T10:00:{n:02}Z", "203.0.113.5", "srv", "ann", outcome) | kind
                for n, outcome in enumerate(outcomes)
            ],
        )
        said.append(rows(built(project, "daily-logon"), "2026-03-02").to_dict())
    assert said[0] == said[1]
    assert said[0]["failures_before_success"]["203.0.113.5"] == 6


def test_an_attack_that_only_a_host_tells_of_shows_in_that_host(tmp_path: Path) -> None:
    import pyarrow as pa

    from socml.project import TRUTH, schema, truth_path, write_table

    project = project_in(tmp_path)
    store(project, [message("2026-03-02T10:00:00Z", "pc1", "odd"), flow("2026-03-02T10:00:00Z", "10.0.0.1", "10.0.0.2"),
                    message("2026-03-02T10:00:00Z", "pc2", "session opened")])  # fmt: skip
    path = truth_path(project, "office")
    path.parent.mkdir(parents=True, exist_ok=True)
    of = {name: pa.nulls(3, field.type) for name, field in TRUTH.items()}
    of |= {
        "event_id": pa.array([f"a{i:024d}" for i in range(3)]),
        "malicious": pa.array([True] * 3),
        "family": pa.array(["rare process chain", "scan", "scan"]),
    }
    write_table(path, pa.table(of).cast(schema(TRUTH)))
    shown = attack_rows("office", project=project)
    assert set(map(tuple, shown[["role", "entity", "attack"]].to_numpy())) == {
        ("host", "pc1", "rare process chain pc1"),
        ("source", "10.0.0.1", "scan 10.0.0.1"),
    }
