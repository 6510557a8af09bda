"""The simulator → files of the real formats, the same for the same seed, with truth that points at their lines."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from socml.project.errors import ConfigurationError
from socml.project.registry import component, component_names
from socml.project.tables import TRUTH_BESIDE
from socml.simulator.organisation import MOST_HOSTS, make_organisation
from socml.simulator.shapes import shape_flows
from socml.simulator.simulation import SimulatedLogs, simulate
from socml.simulator.window import Window, ticks, working_moments

DAYS = 2
BEGIN = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
TECHNIQUES = {
    "horizontal scan": "T1046",
    "vertical scan": "T1046",
    "SSH brute force": "T1110.001",
    "brute force that succeeds": "T1110",
    "password spraying": "T1110.003",
    "beaconing": "T1071.001",
    "hidden channel": "T1573.002",
    "domain generation": "T1568.002",
    "DNS tunnelling": "T1071.004",
    "slow exfiltration": "T1048",
    "cloud upload": "T1567.002",
    "insider hoarding": "T1039",
    "lateral movement by SMB": "T1021.002",
    "lateral movement by SSH": "T1021.004",
    "remote execution": "T1569.002",
    "stolen account": "T1078",
    "privilege change": "T1098",
    "rare process chain": "T1059.001",
    "web attack": "T1190",
    "silenced log": "T1562.001",
    "log cleared": "T1070.001",
    "DDoS": "T1498",
}
ON_HOSTS_ONLY = {
    "privilege change",
    "rare process chain",
    "silenced log",
    "log cleared",
}  # no sensor of the network sees them


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> SimulatedLogs:
    return simulate(tmp_path_factory.mktemp("logs"), days=DAYS, hosts=15, scale=0.4)


@pytest.fixture(scope="module")
def truth(logs: SimulatedLogs) -> dict[str, str]:
    table = pq.read_table(logs.truth)
    assert table.schema.names == list(TRUTH_BESIDE)
    assert table["malicious"].to_pylist() == [True] * len(table)
    return dict(zip(places_in(table), table["family"].to_pylist(), strict=True))


def places_in(table: pa.Table) -> list[str]:
    return [f"{row['source_file']}:{row['source_line']}" for row in table.to_pylist()]


def text_of(path: Path) -> str:
    return (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()


def records_of(path: Path) -> list[str]:
    return [line for line in text_of(path).splitlines() if not line.startswith("#")]


def table_of(logs: SimulatedLogs, log: str) -> list[dict[str, str]]:
    rows = []
    for path in logs.files:
        if path.name.startswith(f"{log}."):
            names = next(x for x in text_of(path).splitlines() if x.startswith("#fields")).split("\t")[1:]
            rows += [dict(zip(names, line.split("\t"), strict=True)) for line in records_of(path)]
    return rows


def ids_by_file(logs: SimulatedLogs) -> dict[str, list[str]]:
    lines = {p.name: enumerate(text_of(p).splitlines(), 1) for p in logs.files}
    return {name: [f"{name}:{n}" for n, line in of if not line.startswith("#")] for name, of in lines.items()}


def test_same_parameters_give_the_same_bytes(logs: SimulatedLogs, tmp_path: Path) -> None:
    again = simulate(tmp_path, days=DAYS, hosts=15, scale=0.4)
    assert [p.name for p in again.files] == [p.name for p in logs.files]
    for one, other in zip((*logs.files, logs.truth), (*again.files, again.truth), strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_another_seed_gives_other_logs(logs: SimulatedLogs, tmp_path: Path) -> None:
    other = simulate(tmp_path, seed=8, days=DAYS, hosts=15, scale=0.4)
    for one, two in zip(logs.files, other.files, strict=True):
        assert one.read_bytes() != two.read_bytes(), one.name


def test_every_attack_is_there_with_its_technique(logs: SimulatedLogs, truth: dict[str, str]) -> None:
    assert logs.techniques == TECHNIQUES
    assert Counter(truth.values()) == logs.attacks
    assert min(logs.attacks.values()) >= 4


def test_every_attack_is_there_in_a_single_small_day(tmp_path: Path) -> None:
    assert set(simulate(tmp_path, days=1, hosts=3, scale=0.1).attacks) == set(TECHNIQUES)


def test_truth_names_each_malicious_line_once_and_nothing_else(logs: SimulatedLogs, truth: dict[str, str]) -> None:
    ids = [i for of_file in ids_by_file(logs).values() for i in of_file]
    assert len(ids) == len(set(ids)) == sum(logs.events.values())
    assert len(truth) == pq.read_metadata(logs.truth).num_rows == sum(logs.attacks.values())
    assert set(truth) <= set(ids)


def test_truth_points_at_the_lines_of_the_attack(logs: SimulatedLogs, truth: dict[str, str]) -> None:
    ids = ids_by_file(logs)
    families: dict[str, set[str]] = {}
    tunnels = 0
    for path in logs.files:
        for event_id, line in zip(ids[path.name], records_of(path), strict=True):
            tunnel = any(z in line for z in ("harbourmist.example", "tallowtree.example", "quietbrook.example"))
            tunnels += tunnel and path.name.startswith("dns.")
            assert not tunnel or truth.get(event_id) == "DNS tunnelling", line
            families.setdefault(path.name.split(".")[0], set()).add(truth.get(event_id, "benign"))
    assert tunnels > 20
    assert families["auth"] >= {"benign", "SSH brute force", "password spraying", "lateral movement by SSH"}
    assert families["http"] >= {"benign", "beaconing", "DDoS"}
    assert families["conn"] == {"benign", *TECHNIQUES} - ON_HOSTS_ONLY
    assert families["windows"] >= {"benign", "rare process chain", "remote execution", "log cleared"}


def test_records_of_one_flow_share_its_uid_addresses_and_truth(logs: SimulatedLogs, truth: dict[str, str]) -> None:
    flows = {r["uid"]: r for r in table_of(logs, "conn")}
    end = ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")
    for log in ("dns", "http", "ssl"):
        rows = table_of(logs, log)
        assert rows
        for row in rows:
            assert [row[n] for n in end] == [flows[row["uid"]][n] for n in end]
    bad = {"conn": set(), "dns": set()}
    ids = ids_by_file(logs)
    for path in logs.files:
        if path.name.split(".")[0] in bad:
            rows = zip(ids[path.name], records_of(path), strict=True)
            bad[path.name.split(".")[0]] |= {line.split("\t")[1] for i, line in rows if i in truth}
    assert bad["dns"] <= bad["conn"]


def test_few_flows_are_malicious_and_there_are_enough_of_them(tmp_path: Path) -> None:
    whole = simulate(tmp_path)
    ids = {n: i for n, i in ids_by_file(whole).items() if n.startswith("conn.")}
    flows = [i for of_file in ids.values() for i in of_file]
    bad = set(places_in(pq.read_table(whole.truth)))
    assert 120_000 <= len(flows) <= 200_000
    assert 0.01 < np.mean([i in bad for i in flows]) < 0.05
    assert "malicious" in str(whole)


def test_times_lie_in_the_window_and_files_are_in_writing_order(logs: SimulatedLogs) -> None:
    for log in ("conn", "dns", "http", "ssl"):
        rows = table_of(logs, log)
        begins = np.array([float(r["ts"]) for r in rows])
        assert begins.min() >= BEGIN
        assert begins.max() < BEGIN + DAYS * 86400
        lasts = np.array([float(r["duration"]) if r.get("duration", "-") != "-" else 0.0 for r in rows])
        ends = begins + lasts
        assert ends.max() <= BEGIN + DAYS * 86400
        written_early = np.maximum.accumulate(ends) - ends  # Zeek waits up to ten seconds before it writes
        assert written_early.max() < 11


def test_files_of_a_day_hold_what_ended_on_that_day(logs: SimulatedLogs) -> None:
    names = {p.name for p in logs.files}
    assert {"auth.log", "eve.json", "conn.2026-03-02.log.gz", "conn.2026-03-03.log", "ssl.2026-03-02.log"} <= names
    second = next(p for p in logs.files if p.name == "http.2026-03-03.log")
    assert min(float(line.split("\t")[0]) for line in records_of(second)) >= BEGIN + 86400


def test_zeek_files_have_a_value_for_each_field(logs: SimulatedLogs) -> None:
    for path in logs.files:
        if path.name.split(".")[0] in ("conn", "dns", "http", "ssl"):
            lines = text_of(path).splitlines()
            names = next(x for x in lines if x.startswith("#fields")).split("\t")[1:]
            types = next(x for x in lines if x.startswith("#types")).split("\t")[1:]
            assert len(names) == len(types)
            assert {len(line.split("\t")) for line in lines if not line.startswith("#")} == {len(names)}
            assert "" not in {v for line in records_of(path) for v in line.split("\t")}
            assert lines[0] == "#separator \\x09"
            assert lines[-1].startswith("#close\t")


def test_eve_lines_are_alerts_and_anomalies_mostly_about_benign_flows(
    logs: SimulatedLogs, truth: dict[str, str]
) -> None:
    path = next(p for p in logs.files if p.name == "eve.json")
    records = [json.loads(line) for line in records_of(path)]
    assert {r["event_type"] for r in records} == {"alert", "anomaly"}
    alerts = [i for i, r in zip(ids_by_file(logs)["eve.json"], records, strict=True) if r["event_type"] == "alert"]
    assert 0 < sum(i in truth for i in alerts) < len(alerts) / 2
    assert all(datetime.fromisoformat(r["timestamp"]).timestamp() >= BEGIN for r in records)


def test_auth_log_lines_are_syslog_without_a_year(logs: SimulatedLogs) -> None:
    lines = records_of(logs.files[0])
    shape = re.compile(
        r"Mar  [23] \d\d:\d\d:\d\d [a-z0-9]+ (sshd\[\d+\]|sudo|user(?:add|mod)\[\d+\]|CRON\[\d+\]|systemd-logind\[\d+\]): ."
    )
    assert all(shape.match(line) for line in lines)
    assert [line[:15] for line in lines] == sorted(line[:15] for line in lines)
    said = "\n".join(lines)
    for message in ("Accepted publickey for ", "Failed password for ", "Failed password for invalid user ", "COMMAND="):
        assert message in said


def test_a_login_is_a_flow_and_log_lines_with_one_port(logs: SimulatedLogs) -> None:
    ports = {(r["id.orig_h"], r["id.orig_p"]) for r in table_of(logs, "conn") if r["service"] == "ssh"}
    for line in records_of(logs.files[0]):
        if found := re.search(r"(?:Accepted \w+|Failed password) for .* from (\S+) port (\d+)", line):
            assert found.groups() in ports


def test_people_sleep_at_night_and_eat_at_noon(logs: SimulatedLogs) -> None:
    hours = Counter(
        int((float(r["ts"]) - BEGIN) % 86400 // 3600)
        for r in table_of(logs, "conn")
        if re.match(r"10\.20\.1[0-7]\.", r["id.orig_h"])
    )
    day, night = sum(hours[h] for h in range(8, 18)) / 10, sum(hours[h] for h in range(6)) / 6
    assert night < day / 2
    assert hours[12] < 0.8 * hours[10]


def test_names_and_addresses_point_at_nobody(logs: SimulatedLogs) -> None:
    inside_or_reserved = re.compile(r"10\.20\.|198\.1[89]\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|224\.0\.0\.25[12]")
    for row in table_of(logs, "conn"):
        assert inside_or_reserved.match(row["id.orig_h"])
        assert inside_or_reserved.match(row["id.resp_h"])
    assert all(r["query"].endswith(".example") for r in table_of(logs, "dns"))


def test_no_machine_talks_to_itself_over_the_network(logs: SimulatedLogs) -> None:
    assert all(r["id.orig_h"] != r["id.resp_h"] for r in table_of(logs, "conn"))


def test_flows_that_nobody_answered_have_no_payload_and_no_answer(logs: SimulatedLogs) -> None:
    for row in table_of(logs, "conn"):
        if row["proto"] == "tcp" and row["conn_state"] == "S0":
            assert row["resp_pkts"] == "0"
            assert row["orig_bytes"] in ("-", "0")
            assert row["service"] == "-"
        if row["conn_state"] == "SF":
            assert row["duration"] != "-"
            assert int(row["resp_pkts"]) > 0
            assert int(row["orig_ip_bytes"]) >= int(row["orig_bytes"])


def test_log_files_are_dated_to_the_end_of_the_window(logs: SimulatedLogs) -> None:
    assert {p.stat().st_mtime for p in logs.files} == {BEGIN + DAYS * 86400}


@pytest.mark.parametrize("kind", ["activities", "attacks"])
def test_every_activity_and_attack_is_one_documented_function(kind: str) -> None:
    for name in component_names(kind):
        function = component(kind, name)
        assert function.__name__ == name.replace("-", "_")
        assert function.__doc__


def test_every_attack_file_cites_its_technique() -> None:
    import importlib

    for name in component_names("attacks"):
        module = importlib.import_module(f"socml.simulator.attacks.{name.replace('-', '_')}")
        assert "https://attack.mitre.org/techniques/T" in str(module.__doc__)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"days": 0}, "at least 1 day"),
        ({"hosts": 9000}, "6,000 hosts"),
        ({"scale": -1}, "scale above 0"),
        ({"start": "2 March"}, "'2 March'"),
        ({"start": "9999-12-31"}, "9999"),
        ({"days": 10**9}, "up to 3,650"),
        ({"days": "2"}, "asked for '2'"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_parameters_that_make_no_sense_are_named(tmp_path: Path, wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        simulate(tmp_path, **wrong)  # type: ignore[arg-type]


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigurationError, match="is a file"):
        simulate(tmp_path / "taken", days=1)


def test_every_workstation_has_an_address_and_a_user_of_its_own() -> None:
    most = make_organisation(np.random.default_rng(0), MOST_HOSTS)
    assert len(set(most.workstations)) == len(set(most.users)) == MOST_HOSTS
    assert all(int(a.split(".")[2]) < 256 for a in most.workstations)


def test_weekends_are_quiet() -> None:
    window = Window.of("2026-03-06", 2)  # a Friday and a Saturday
    _, time_us = working_moments(window, np.random.default_rng(0), [1000.0])
    friday = int((time_us < window.start_us + 86_400_000_000).sum())
    assert time_us.size - friday < friday / 5


def test_jitter_moves_ticks_by_no_more_than_its_share() -> None:
    exact = np.arange(100) * 60_000_000
    moved = ticks(0, 6_000_000_000, np.random.default_rng(0), every_s=60, jitter=0.2)
    assert 0 < np.abs(moved - exact).max() <= 12_000_000


def test_one_batch_is_of_one_transport() -> None:
    batch = {"transport": np.array(["tcp", "udp"])}
    with pytest.raises(ValueError, match="one transport"):
        shape_flows(batch, np.random.default_rng(0))


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> SimulatedLogs:
    return simulate(tmp_path_factory.mktemp("noisy"), days=DAYS, hosts=15, scale=0.4, noise=True)


def connections(logs: SimulatedLogs) -> list[dict[str, str]]:
    return table_of(logs, "conn")


def test_noise_adds_events_and_no_attack(logs: SimulatedLogs, noisy: SimulatedLogs) -> None:
    assert sum(noisy.events.values()) > sum(logs.events.values())
    assert noisy.techniques == logs.techniques
    alerts = 0.1  # a share of an attack's flows raises an alert, drawn anew
    for family, n in logs.attacks.items():
        assert noisy.attacks[family] == pytest.approx(n, rel=alerts)


def test_noise_is_the_same_for_the_same_seed(noisy: SimulatedLogs, tmp_path: Path) -> None:
    again = simulate(tmp_path, days=DAYS, hosts=15, scale=0.4, noise=True)
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(noisy.files, again.files, strict=True))


def test_with_noise_many_outside_destinations_have_one_source(logs: SimulatedLogs, noisy: SimulatedLogs) -> None:
    def share(of: SimulatedLogs) -> float:
        sources: dict[str, set[str]] = {}
        for row in connections(of):
            if row["id.orig_h"].startswith("10.") and not row["id.resp_h"].startswith("10."):
                sources.setdefault(row["id.resp_h"], set()).add(row["id.orig_h"])
        return sum(len(s) == 1 for s in sources.values()) / len(sources)

    assert share(noisy) > share(logs)


def test_with_noise_more_connections_get_no_answer(logs: SimulatedLogs, noisy: SimulatedLogs) -> None:
    def share(of: SimulatedLogs) -> float:
        benign = [r for r in connections(of) if r["id.resp_p"] != "22"]
        return sum(r["conn_state"] in ("S0", "REJ") for r in benign) / len(benign)

    assert share(noisy) > share(logs)


def test_with_noise_strangers_guess_passwords_and_are_no_attack(noisy: SimulatedLogs, logs: SimulatedLogs) -> None:
    def guesses(of: SimulatedLogs) -> int:
        return sum("Failed password" in line for line in records_of(of.folder / "auth.log"))

    assert guesses(noisy) > guesses(logs)


@pytest.mark.parametrize("name", component_names("noise"))
def test_each_kind_of_noise_adds_something(name: str) -> None:
    from socml.simulator.organisation import World
    from socml.simulator.traffic import Traffic

    window = Window.of("2026-03-02", 3)
    world = World(make_organisation(np.random.default_rng(0), 60), window, 1.0)
    traffic = Traffic(window)
    component("noise", name)(world, traffic, np.random.default_rng(1))
    flows = traffic.flow_columns()
    assert len(flows["time_us"]) > 0
    assert (flows["truth"] == -1).all()
