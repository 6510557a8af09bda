"""The feature sets of the daily list, each against a slow and obvious version, on small hand-made or random events."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import pytest
from daily_events import built, flow, logon, project_in, rows, store

DAYS = ("2026-03-01", "2026-03-02", "2026-03-03")
INSIDE, OUTSIDE = [f"10.0.0.{i}" for i in range(1, 7)], [f"203.0.113.{i}" for i in range(1, 6)]


def is_inside(address: str) -> bool:
    return address.startswith("10.")


@pytest.fixture(scope="module")
def flows() -> list[dict]:
    rng = np.random.default_rng(5)
    made = []
    for _ in range(700):
        source, destination = rng.choice(INSIDE + OUTSIDE[:2]), rng.choice(INSIDE + OUTSIDE)
        moment = pd.Timestamp(DAYS[rng.integers(0, 3)], tz="UTC") + pd.Timedelta(seconds=int(rng.integers(0, 20_000)))
        made.append(
            flow(str(moment), str(source), str(destination), int(rng.choice([22, 80, 443, 445, 50_000, 8080])),
                 str(rng.choice(["SF", "S0", "REJ", "OTH"])), source_bytes=int(rng.integers(0, 5000)),
                 duration_s=float(rng.integers(0, 90)) / 2)
        )  # fmt: skip
    start = pd.Timestamp("2026-03-02T05:00", tz="UTC")
    for i in range(20):  # one beacon, with jitter
        moment = start + pd.Timedelta(seconds=60 * i + int(rng.integers(0, 9)))
        made.append(
            flow(str(moment), INSIDE[0], "203.0.113.77", source_bytes=400 + int(rng.integers(0, 5)), duration_s=1.0)
        )
    return made


@pytest.fixture(scope="module")
def tables(flows: list[dict], tmp_path_factory: pytest.TempPathFactory):
    project = project_in(tmp_path_factory.mktemp("daily"))
    store(project, flows)
    return built(
        project, "daily-scan", "daily-upload", "daily-beacon", "daily-long", "daily-volume", "daily-flood", "daily-edge"
    )


def of_day(flows: list[dict], day: str) -> list[dict]:
    return [f for f in flows if f["time"].startswith(day)]


def second(event: dict) -> int:
    return int(pd.Timestamp(event["time"]).timestamp())


def failed(event: dict) -> bool:
    return event["connection_state"] in ("S0", "REJ")


def sources_so_far(flows: list[dict], destination: str, day: str) -> int:
    so_far = [f for f in flows if f["time"][:10] <= day and f["destination_ip"] == destination]
    return len({f["source_ip"] for f in so_far if is_inside(f["source_ip"])})


def first_day(flows: list[dict], source: str, destination: str) -> str:
    return min(f["time"][:10] for f in flows if (f["source_ip"], f["destination_ip"]) == (source, destination))


def largest_window(events: list[dict], seconds: int, what: str) -> int:
    windows = defaultdict(set)
    for event in events:
        windows[second(event) // seconds].add(event[what])
    return max((len(seen) for seen in windows.values()), default=0)


@pytest.mark.parametrize("day", DAYS)
def test_scan(flows, tables, day):
    found = rows(tables, day, 0)
    for source in {f["source_ip"] for f in flows}:
        tries = [f for f in of_day(flows, day) if f["source_ip"] == source and failed(f)]
        if not tries:
            assert source not in found.index
            continue
        row = found.loc[source]
        low = [f for f in tries if f["destination_port"] < 49152]
        for name, seconds in (("5m", 300), ("1h", 3600), ("1d", 86400)):
            assert row[f"failed_destinations_{name}"] == largest_window(tries, seconds, "destination_ip")
            assert row[f"failed_ports_{name}"] == largest_window(low, seconds, "destination_port")
        assert row["failed_inside_1d"] == len({f["destination_ip"] for f in tries if is_inside(f["destination_ip"])})
        assert row["role"] == ("source inside" if is_inside(source) else "source outside")


@pytest.mark.parametrize("day", DAYS)
def test_upload(flows, tables, day):
    found, began = rows(tables, day, 1), min(DAYS)
    for source in INSIDE:
        sent: dict[str, float] = defaultdict(float)
        for f in of_day(flows, day):
            if f["source_ip"] == source and not is_inside(f["destination_ip"]) and not failed(f):
                sent[f["destination_ip"]] += f["source_bytes"]
        row = found.loc[source]
        assert row["rare_upload"] == pytest.approx(max(b / sources_so_far(flows, d, day) for d, b in sent.items()))
        fresh = sum(b for d, b in sent.items() if first_day(flows, source, d) == day > began)
        assert row["new_upload"] == fresh
        assert row["upload_1d"] == sum(sent.values())
    assert not set(found.index) & set(OUTSIDE)


def naive_beacon(flows: list[dict], source: str, destination: str, day: str) -> float:
    calls = [f for f in of_day(flows, day) if (f["source_ip"], f["destination_ip"]) == (source, destination)]
    calls = sorted((f for f in calls if f["connection_state"] == "SF"), key=second)
    gaps = [b - a for a, b in zip(map(second, calls), map(second, calls[1:]), strict=False) if b > a]
    if len(calls) < 8 or len(gaps) < 6:
        return 0.0
    sent = [f["source_bytes"] for f in calls]
    gap_spread = median(abs(g - median(gaps)) for g in gaps) / median(gaps)
    bytes_spread = median(abs(b - median(sent)) for b in sent) / max(median(sent), 1)
    value = max(0.0, 1 - gap_spread) * (0.5 + 0.5 * max(0.0, 1 - bytes_spread)) * math.log2(len(calls))
    known = first_day(flows, source, destination) < day or day == min(DAYS)
    return value / sources_so_far(flows, destination, day) * (0.3 if known else 1.0)


@pytest.mark.parametrize("day", DAYS)
def test_beacon(flows, tables, day):
    found = rows(tables, day, 2)
    for source in INSIDE:
        best = max(naive_beacon(flows, source, d, day) for d in [*OUTSIDE, "203.0.113.77"])
        assert found["rare_beacon"].get(source, 0.0) == pytest.approx(best), source
    if day == "2026-03-02":
        assert found["rare_beacon"].idxmax() == INSIDE[0]
        assert found.loc[INSIDE[0], "called"].startswith("203.0.113.77 / ")


@pytest.mark.parametrize("day", DAYS)
def test_long(flows, tables, day):
    found = rows(tables, day, 3)
    for source in INSIDE:
        longest = [
            f["duration_s"] / sources_so_far(flows, f["destination_ip"], day) for f in of_day(flows, day)
            if f["source_ip"] == source and not is_inside(f["destination_ip"]) and f["connection_state"] == "SF"
        ]  # fmt: skip
        assert found["rare_long"].get(source, 0.0) == pytest.approx(max(longest, default=0.0))


@pytest.mark.parametrize("day", DAYS)
def test_volume(flows, tables, day):
    found = rows(tables, day, 4)
    for source in INSIDE:
        mine = [{**f, "number": i} for i, f in enumerate(of_day(flows, day)) if f["source_ip"] == source]
        row = found.loc[source]
        for name, seconds in (("5m", 300), ("1h", 3600), ("1d", 86400)):
            assert row[f"flows_{name}"] == largest_window(mine, seconds, "number")
        assert row["destinations_1h"] == largest_window(mine, 3600, "destination_ip")
        assert row["destinations_1d"] == len({f["destination_ip"] for f in mine})


@pytest.mark.parametrize("day", DAYS)
def test_flood(flows, tables, day):
    found = rows(tables, day, 5)
    for target in INSIDE:
        taken = [f for f in of_day(flows, day) if f["destination_ip"] == target and not is_inside(f["source_ip"])]
        if not taken:
            assert target not in found.index
            continue
        parts = defaultdict(list)
        for f in taken:
            parts[second(f) // 600].append(f)
        row = found.loc[target]
        assert row["outside_sources_10m"] == max(len({f["source_ip"] for f in part}) for part in parts.values())
        assert row["outside_failed_10m"] == max(sum(map(failed, part)) for part in parts.values())
        assert row["outside_seconds_10m"] == max(sum(f["duration_s"] for f in part) for part in parts.values())


@pytest.mark.parametrize("day", DAYS)
def test_edge(flows, tables, day):
    found = rows(tables, day, 6)
    for source in INSIDE:
        reached = {
            f["destination_ip"]
            for f in of_day(flows, day)
            if f["source_ip"] == source and is_inside(f["destination_ip"])
        }
        new = [d for d in reached if first_day(flows, source, d) == day > min(DAYS)]
        value = sum(1 / sources_so_far(flows, d, day) for d in new)
        assert found["new_inside_edges"].get(source, 0.0) == pytest.approx(value)


def one_set(tmp_path: Path, name: str, events: list[dict], day: str = "2026-03-02") -> pd.DataFrame:
    project = project_in(tmp_path)
    store(project, events)
    return rows(built(project, name), day)


def lookup(time: str, source: str, name: str, code: str = "NOERROR") -> dict:
    return {"time": time, "class_uid": 4003, "source_ip": source, "dns_question_name": name, "dns_response_code": code}


def test_dns(tmp_path):
    day = "2026-03-02T10:00:00Z"
    found = one_set(tmp_path, "daily-dns", [
        lookup("2026-03-01T10:00:00Z", "10.0.0.2", "www.shared.example"),
        lookup(day, "10.0.0.1", "abcdefgh.t.tunnel.example"),
        lookup(day, "10.0.0.1", "abcdefgh.t.tunnel.example"),  # the same name counts once
        lookup(day, "10.0.0.1", "ijklmnop.t.tunnel.example"),
        lookup(day, "10.0.0.1", "www.shared.example"),
        lookup(day, "10.0.0.1", "nothing.gone.example", "NXDOMAIN"),
        lookup(day, "10.0.0.3", "www.shared.example"),
        lookup(day, "203.0.113.9", "x.tunnel.example"),  # a stranger is not of this list
    ])  # fmt: skip
    assert found.loc["10.0.0.1", "hidden_characters"] == 2 * len("abcdefgh.t.")
    assert found.loc["10.0.0.1", "domain"] == "tunnel.example"
    assert found.loc["10.0.0.1", ["unknown_domains", "new_unknown_domains"]].tolist() == [1, 1]
    assert found.loc["10.0.0.3", "hidden_characters"] == pytest.approx(len("www.") / 3)
    assert list(found.index) == ["10.0.0.1", "10.0.0.3"]


def logons(tmp_path: Path) -> list[dict]:
    day = "2026-03-02T1"
    return [
        logon("2026-03-01T10:00:00Z", "10.0.0.1", "web", "ana", "success"),
        logon("2026-03-01T10:00:00Z", "10.0.0.2", "web", "bo", "success"),
        logon(f"{day}0:00:00Z", "10.0.0.1", "web", "ana", "success"),
        logon(f"{day}0:01:00Z", "10.0.0.1", "db", "ana", "failure", extra=[("repeated", "4")]),
        logon(f"{day}0:02:00Z", "10.0.0.1", "db", "root", "failure"),
        logon(f"{day}0:03:00Z", "10.0.0.1", "db", "ana", "success"),
        logon(f"{day}1:00:00Z", "10.0.0.9", "web", "bo", "success"),
        logon(f"{day}2:00:00Z", "203.0.113.9", "web", "guest", "failure"),
        logon(f"{day}2:00:00Z", "203.0.113.9", "web", "guest", "failure", event_action="ssh_invalid_user"),
        logon(f"{day}2:00:05Z", "203.0.113.9", "web", "oracle", "failure", event_action="ssh_invalid_user"),
    ]


def test_logon_of_a_source(tmp_path):
    found = one_set(tmp_path, "daily-logon", logons(tmp_path))
    ana = found.loc["10.0.0.1"]
    assert ana[["failures", "failed_accounts", "hosts_tried", "failures_before_success"]].tolist() == [5, 2, 2, 5]
    assert (ana["new_hosts_entered"], ana["hosts_entered"]) == (1, "ana@db")
    assert found.loc["10.0.0.9", ["new_source_of_account", "accounts"]].tolist() == [1, "bo"]
    stranger = found.loc["203.0.113.9"]
    assert stranger[["failures", "failed_accounts"]].tolist() == [2, 2]  # one attempt is one, though told twice
    assert stranger["role"] == "source outside"


def test_logon_of_a_host(tmp_path):
    found = one_set(tmp_path, "daily-logon-host", logons(tmp_path))
    assert found.loc["web", ["outside_sources_failed", "host_failures", "host_failed_accounts"]].tolist() == [1, 1, 0]
    assert found.loc["db", ["outside_sources_failed", "host_failures", "host_failed_accounts"]].tolist() == [0, 5, 2]


def test_logon_of_an_account(tmp_path):
    found = one_set(tmp_path, "daily-logon-account", logons(tmp_path))
    names = ["account_failures", "account_hosts", "new_hosts_of_account", "new_sources_of_account"]
    assert found.loc["ana", names].tolist() == [4, 2, 1, 0]
    assert found.loc["bo", names].tolist() == [0, 1, 0, 1]
    assert found.loc["bo", "newly_from"] == "10.0.0.9"
    assert found.loc["root", names].tolist() == [1, 0, 0, 0]


def request(time: str, source: str, agent: str, url: str, status: int, server: str = "10.0.0.20") -> dict:
    return {"time": time, "class_uid": 4002, "source_ip": source, "destination_ip": server,
            "user_agent_original": agent, "url_original": url, "http_response_status_code": status}  # fmt: skip


def requests() -> list[dict]:
    day = "2026-03-02T10:0"
    return [
        request("2026-03-01T10:00:00Z", "10.0.0.2", "browser", "/", 200),
        request(f"{day}0:00Z", "10.0.0.1", "browser", "/a", 200),
        request(f"{day}0:01Z", "10.0.0.1", "odd/1", "/a'%3C<b>", 404),
        request(f"{day}0:02Z", "203.0.113.9", "browser", "/b", 500),
        request(f"{day}9:59Z", "203.0.113.9", "browser", "/b", 503),
        request("2026-03-02T11:00:00Z", "203.0.113.9", "browser", "/c", 500),
    ]


def test_web_of_a_client(tmp_path):
    found = one_set(tmp_path, "daily-web", requests())
    assert found.loc["10.0.0.1", ["rare_agent", "client_errors", "odd_characters"]].tolist() == [1.0, 1, 4]
    assert found.loc["10.0.0.1", "agent"] == "odd/1"
    assert found.loc["10.0.0.1", "oddest_url"] == "/a'%3C<b>"


def test_web_of_a_server(tmp_path):
    found = one_set(tmp_path, "daily-web-server", requests())
    assert found.loc["10.0.0.20", ["urls_10m", "server_errors_10m"]].tolist() == [3, 2]


def test_alert(tmp_path):
    def alert(day: int, source: str, rule: str) -> dict:
        return {"time": f"2026-03-0{day}T10:00:00Z", "class_uid": 2004, "source_ip": source,
                "destination_ip": "203.0.113.9", "rule_id": rule}  # fmt: skip

    events = [
        alert(1, "10.0.0.2", "7"),
        alert(2, "10.0.0.1", "7"),
        alert(2, "10.0.0.1", "7"),
        alert(2, "10.0.0.1", "9"),
    ]
    found = one_set(tmp_path, "daily-alert", events)
    assert found.loc["10.0.0.1", ["rare_alerts", "alerts", "rarest_rule"]].tolist() == [1.5, 3, "9"]


def test_process(tmp_path):
    def start(day: int, host: str, parent: str, program: str) -> dict:
        return {"time": f"2026-03-0{day}T10:00:00Z", "class_uid": 1007, "host_name": host,
                "process_name": program, "process_parent_name": parent}  # fmt: skip

    found = one_set(tmp_path, "daily-process", [
        start(1, "pc1", "explorer.exe", "winword.exe"), start(1, "pc2", "explorer.exe", "winword.exe"),
        start(2, "pc1", "explorer.exe", "WINWORD.EXE"), start(2, "pc1", "winword.exe", "powershell.exe"),
        start(2, "pc3", "explorer.exe", "winword.exe"),
    ])  # fmt: skip
    assert found.loc["pc1", ["new_chains", "rare_chain", "newly_started"]].tolist() == [
        1.0,
        1.0,
        "winword.exe > powershell.exe",
    ]
    assert found.loc["pc3", "new_chains"] == pytest.approx(1 / 3)


def test_tls(tmp_path):
    def hello(day: int, source: str, ja3: str, name: str) -> dict:
        return {"time": f"2026-03-0{day}T10:00:00Z", "source_ip": source, "tls_client_ja3": ja3,
                "tls_client_server_name": name}  # fmt: skip

    found = one_set(tmp_path, "daily-tls", [
        hello(1, "10.0.0.1", "aa", "www.example"), hello(1, "10.0.0.2", "aa", "www.example"),
        hello(2, "10.0.0.1", "bb", "www.example"), hello(2, "10.0.0.2", "aa", "WWW.example"),
        hello(2, "10.0.0.3", "aa", "own.example"),
    ])  # fmt: skip
    assert found.loc["10.0.0.1", ["new_fingerprints", "new_server_names", "fingerprint"]].tolist() == [1.0, 0.0, "bb"]
    assert found.loc["10.0.0.3", "new_fingerprints"] == pytest.approx(1 / 3)
    assert found.loc["10.0.0.3", ["new_server_names", "name_called"]].tolist() == [1.0, "own.example"]
    assert "10.0.0.2" not in found.index


def test_privilege(tmp_path):
    def act(day: int, host: str, action: str, user: str) -> dict:
        return {"time": f"2026-03-0{day}T10:00:00Z", "host_name": host, "event_action": action, "user_name": user}

    found = one_set(tmp_path, "daily-privilege", [
        act(1, "web", "sudo_command", "ana"), act(1, "db", "user_added", "root"),
        act(2, "web", "sudo_command", "ana"), act(2, "web", "sudo_command", "bo"),
        act(2, "web", "user_added", "root"), act(2, "web", "group_member_added", "root"),
    ])  # fmt: skip
    assert found.loc["web", ["right_changes", "rare_changes", "new_root_accounts"]].tolist() == [2, 1.5, 1]
    assert found.loc["web", ["rarest_change", "root_accounts"]].tolist() == ["group_member_added", "bo"]


def test_file(tmp_path):
    def change(day: int, host: str, path: str) -> dict:
        return {"time": f"2026-03-0{day}T10:00:00Z", "host_name": host, "file_path": path, "file_change": "changed"}

    found = one_set(tmp_path, "daily-file", [
        change(1, "web", "/etc/hosts"), change(1, "db", "/etc/hosts"),
        change(2, "web", "/etc/hosts"), change(2, "web", "/bin/ls"), change(2, "web", "/bin/ls"),
    ])  # fmt: skip
    assert found.loc["web", ["changed_files", "new_paths", "rarest_path"]].tolist() == [2, 1.0, "/bin/ls"]


def test_silence_of_a_host_that_wrote_nothing_all_day(tmp_path):
    def line(day: int, hour: int, host: str) -> dict:
        return {"time": f"2026-03-0{day}T{hour:02}:00:00Z", "host_name": host}

    events = [line(1, h, host) for h in range(24) for host in ("web", "db")]
    events += [line(2, h, "web") for h in range(24)] + [line(2, 3, "new")]
    found = one_set(tmp_path, "daily-silence", events)
    assert found["silent_s"].to_dict() == {"db": 23 * 3600, "web": 3600}


def test_an_account_that_logs_on_from_a_new_country(tmp_path):
    def signed_in(time: str, user: str, outcome: str, *told: tuple[str, str]) -> dict:
        return logon(
            time, "203.0.113.9", "", user, outcome, event_action="Sign-in activity", host_name=None, extra=list(told)
        )

    graph, entra = "location.countryOrRegion", "properties.location.countryOrRegion"
    events = [
        signed_in("2026-03-01T10:00:00Z", "ana", "success", (entra, "FR")),
        signed_in("2026-03-01T10:00:00Z", "bo", "success", ("client.geographicalContext.country", "France")),
        signed_in("2026-03-02T10:00:00Z", "ana", "success", (graph, "BR")),
        signed_in("2026-03-02T10:01:00Z", "ana", "success", (graph, "FR")),
        signed_in("2026-03-02T10:02:00Z", "bo", "failure", ("client.geographicalContext.country", "Brazil")),
        signed_in("2026-03-02T10:03:00Z", "bo", "success"),
        signed_in("2026-03-02T10:04:00Z", "cy", "success", ("access_device.location.country", "Canada")),
    ]
    found = one_set(tmp_path, "daily-logon-account", events)
    assert found.loc["ana", ["new_countries_of_account", "newly_in"]].tolist() == [1, "BR"]
    assert found.loc["bo", "new_countries_of_account"] == 0  # it did not get in
    assert "cy" not in found.index  # nothing else is known of it
    geo = "source.geo.country_iso_code client.geo.country_iso_code source.geo.country_name geoip.country_code2"
    for name in [*geo.split(), "src_endpoint.location.country"]:
        known, new = (signed_in(f"2026-03-0{day}T11:00:00Z", "di", "success", (name, f"X{day}")) for day in (1, 2))
        again = signed_in("2026-03-02T12:00:00Z", "di", "success", (name, "X1"))
        assert one_set(tmp_path / name, "daily-logon-account", [known, new, again]).loc["di", "newly_in"] == "X2"
