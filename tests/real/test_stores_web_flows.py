"""Real files of web servers, clouds, stores, flow exporters, captures and scanners: each by its own reader, nothing lost."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import shared_folder

from socml.formats._fields import Fields
from socml.formats._json import flatten
from socml.formats._ocsf import ocsf_event
from socml.formats._reader import ReadOptions
from socml.ingestion.detection import detect, open_format
from socml.ingestion.event_query import load_events, load_truth
from socml.ingestion.ingestion import ingest
from socml.ingestion.sources import FileSource
from socml.project.project import Project

pytestmark = pytest.mark.real

# file under ../shared → reader, events, in quarantine
FILES: dict[str, tuple[str, int, int]] = {
    "datasets/web-access-logs/elastic_apache_logs.gz": ("access-log", 10000, 0),
    "datasets/web-access-logs/ocatak/w3af.txt.gz": ("access-log", 3996, 0),
    "datasets/panther-labelled-events/amazon.jsonl.gz": ("panther-tests", 270, 0),
    "datasets/panther-labelled-events/aws.jsonl.gz": ("panther-tests", 594, 0),
    "datasets/panther-labelled-events/azure.jsonl.gz": ("panther-tests", 261, 0),
    "datasets/panther-labelled-events/github.jsonl.gz": (
        "panther-tests",
        177,
        0,
    ),  # four times are "00:00:00000000": none
    "datasets/panther-labelled-events/gsuite.jsonl.gz": ("panther-tests", 157, 0),
    "datasets/panther-labelled-events/okta.jsonl.gz": ("panther-tests", 66, 0),
    "samples/graylog/produced/gelf_graypy.ndjson": ("gelf", 3, 0),
    "samples/graylog/produced/gelf_tcp_nul.bin": ("gelf", 3, 0),
    "samples/graylog/produced/gelf_udp_0.bin": ("gelf", 1, 0),
    "samples/graylog/produced/gelf_udp_1.bin": ("gelf", 1, 0),
    "samples/graylog/produced/gelf_udp_2.bin": ("gelf", 1, 0),
    "samples/ossim/event_lines.txt": ("ossim-event", 1, 0),
    "samples/ossim/produced_event_lines.txt": ("ossim-event", 53, 0),
    "samples/ocsf_reference/zeek_conn_log.ocsf": ("ocsf", 1, 0),
    "samples/ocsf_reference/zeek_http_log.ocsf": ("ocsf", 1, 0),
    "samples/ocsf_reference/zeek_ssh_log.ocsf": ("ocsf", 1, 0),
    "samples/netflow/produced/nfcapd-softflowd-lo.bin": ("nfcapd", 22, 0),
    "samples/netflow/produced/nfcapd-sshbrute.bin": ("nfcapd", 134, 0),
    "samples/netflow/produced/nfdump-softflowd-lo.csv": ("nfdump-csv", 22, 0),
    "samples/netflow/produced/nfdump-sshbrute.csv": ("nfdump-csv", 134, 0),
    "samples/netflow/produced/nfdump-softflowd-lo.json": ("nfdump-json", 22, 0),
    "samples/netflow/produced/nfdump-sshbrute.json": ("nfdump-json", 134, 0),
    "samples/argus/produced/ftp.csv": ("argus", 370, 0),
    "samples/argus/produced/ssh.csv": ("argus", 67, 0),
    "datasets/ctu-13/test5.tabs.binetflow.gz": ("argus", 6724, 0),
    "datasets/hostile/argus_1970_arp_hexports.binetflow": ("argus", 99, 0),
    "datasets/hostile/argus_tabs_labels.binetflow": ("argus", 6724, 0),
    # flows: as many as nfstream 6.6.0 makes of them
    "datasets/pcaps-small/arppoison.pcapng.gz": ("pcap", 29, 0),
    "datasets/pcaps-small/synscan.pcapng.gz": ("pcap", 1994, 0),
    "datasets/pcaps-small/tcpreplay_test.pcap.gz": ("pcap", 24, 0),
    "datasets/pcaps-small/pcap-attack/cmds over dns txt queries and reponses.pcap.gz": ("pcap", 110, 0),
    "samples/netflow/produced/ns-lo.pcap": ("pcap", 10, 0),
    "samples/cuckoo/cape_v2.2_55dcd38773f4.json.gz": ("cuckoo-report", 20, 0),
    "samples/cuckoo/cape_v2.2_77c961050aa2.json.gz": ("cuckoo-report", 1, 0),
    "samples/cuckoo/cape_v2.4_2ebadd04f0ad.json.gz": ("cuckoo-report", 1, 0),
    "samples/cuckoo/reportsignatures.json": ("cuckoo-report", 19, 0),
    "samples/cuckoomx/produced/cuckoo_tasks.csv": ("cuckoomx-tasks", 3, 0),
    "samples/cuckoomx/produced/cuckoomx_syslog.log": ("syslog", 38, 0),
    "samples/cuckoomx/produced/input_clam.mail": ("eml", 2, 0),
    "samples/cuckoomx/produced/input_m2.eml": ("eml", 6, 0),
    "samples/patrowl/produced/nmap.xml": ("nmap-xml", 10, 0),
    "samples/patrowl/produced/nmap_getfindings.json": ("patrowl", 5, 0),
    "samples/patrowl/examples/arachni-engine-report-example.json": ("patrowl", 2, 0),
    "samples/patrowl/examples/ssllabs-output.json": ("patrowl", 1, 0),
    "samples/tshark/produced/ek-http.json": ("tshark-ek", 24, 0),
    "samples/tshark/produced/fields-ftp.csv": ("tshark-csv", 1350, 0),
    "datasets/netflow/az_net_flows.csv.gz": ("sentinel-csv", 460, 0),
    "datasets/msticpy/TimeSeriesDemo.csv.gz": ("table", 840, 0),
    "datasets/httpparams/payload_train.csv.gz": ("table", 20712, 0),
}
# datagrams: events, in quarantine; templates and data of one exporter lie in separate files
DATAGRAMS = {
    "netflow5.dat": (30, 0),
    "netflow5_test_invalid01.dat": (30, 1),
    "netflow5_test_juniper_mx80.dat": (29, 0),
    "netflow5_test_microtik.dat": (30, 0),
    "netflow9_cisco_asr1001x_tpl259.dat": (25, 0),
    "netflow9_test_cisco_1941K9.dat": (29, 0),
    "netflow9_test_cisco_aci_data256.dat": (3, 0),  # by the template in the file whose name begins alike
    "netflow9_test_cisco_asr9k_data260.dat": (21, 0),
    "netflow9_test_cisco_wlc_data261.dat": (19, 0),
    "netflow9_test_nprobe_data.dat": (1, 0),
    "netflow9_test_softflowd_tpl_data.dat": (7, 0),
}


def _read(path: Path, name: str) -> tuple[list[dict[str, Any]], int]:
    parts = list(open_format(name).read(FileSource(path, path.name), ReadOptions()))
    return [row for part in parts for row in part.events.to_pylist()], sum(len(part.rejects) for part in parts)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_real_file_is_read_by_its_reader_once_and_whole(name: str, shared: Path, lab: Project) -> None:
    path, (expected, events, quarantined) = shared / name, FILES[name]
    if not path.is_file():
        pytest.skip(f"{name} is not beside the project")
    assert detect(path)[0] == expected
    result = ingest(path, dataset="real", project=lab, final=True)
    assert (result.added + result.duplicates, result.quarantined) == (events, quarantined)
    assert result.records == result.added + result.duplicates + result.quarantined + result.skipped
    assert ingest(path, dataset="real", project=lab, final=True).added == 0


@pytest.mark.parametrize("name", sorted(DATAGRAMS))
def test_datagrams_of_real_exporters_become_flows(name: str, shared: Path) -> None:
    path = shared / "datasets/netflow/dat" / name
    assert detect(path)[0] == "netflow"
    rows, bad = _read(path, "netflow")
    assert (len(rows), bad) == DATAGRAMS[name]
    assert all(row["source_ip"] and row["destination_ip"] for row in rows if row.get("network_transport") == "tcp")


def test_every_datagram_file_is_read_without_a_crash(shared: Path) -> None:
    files = sorted((shared / "datasets/netflow/dat").glob("*.dat")) + sorted(
        (shared / "datasets/hostile").glob("netflow*")
    )
    for path in files:
        parts = list(open_format("netflow").read(FileSource(path, path.name), ReadOptions()))
        assert sum(part.count for part in parts) > 0, path.name


def test_nfcapd_says_what_nfdump_says_of_it(shared: Path) -> None:
    folder = shared / "samples/netflow/produced"
    for stem in ("softflowd-lo", "sshbrute"):
        binary, _ = _read(folder / f"nfcapd-{stem}.bin", "nfcapd")
        printed, _ = _read(folder / f"nfdump-{stem}.json", "nfdump-json")
        comma, _ = _read(folder / f"nfdump-{stem}.csv", "nfdump-csv")
        keys = ("source_ip", "destination_ip", "source_port", "destination_port", "network_transport", "source_packets",
                "source_bytes", "duration_s")  # fmt: skip
        assert [[row[k] for k in (*keys, "time")] for row in binary] == [
            [row[k] for k in (*keys, "time")] for row in printed
        ]
        assert [[row[k] for k in keys] for row in binary] == [[row[k] for k in keys] for row in comma]


def test_labels_of_the_ctu_flows_are_truth_and_no_column(shared: Path, lab: Project) -> None:
    ingest(shared / "datasets/ctu-13/test5.tabs.binetflow.gz", dataset="ctu", project=lab, final=True)
    truth, events = load_truth("ctu", project=lab), load_events("ctu", project=lab)
    assert len(truth) == len(events)
    assert set(truth["malicious"].dropna()) <= {True, False}
    assert not any("Label" in dict(extra) for extra in events["extra"])


# column of ours → Zeek's field; OCSF's mapper cut fractions of a second off
PAIRS = {
    "conn": {"source_ip": "id.orig_h", "source_port": "id.orig_p", "destination_ip": "id.resp_h",
             "destination_port": "id.resp_p", "network_transport": "proto", "source_bytes": "orig_bytes",
             "destination_bytes": "resp_bytes", "source_packets": "orig_pkts", "destination_packets": "resp_pkts",
             "network_protocol": "service", "network_community_id": "community_id"},
    "http": {"source_ip": "id.orig_h", "destination_port": "id.resp_p", "http_request_method": "method",
             "http_response_status_code": "status_code", "user_agent_original": "user_agent", "host_name": "host"},
    "ssh": {"source_ip": "id.orig_h", "source_port": "id.orig_p", "destination_ip": "id.resp_h"},
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(PAIRS))
def test_ocsf_columns_agree_with_the_zeek_record_they_were_made_of(kind: str, shared: Path) -> None:
    folder = shared / "samples/ocsf_reference"
    raw = flatten(json.loads((folder / f"zeek_{kind}_log.raw").read_text(encoding="utf-8")))
    row = ocsf_event(flatten(json.loads((folder / f"zeek_{kind}_log.ocsf").read_text(encoding="utf-8"))))
    for column, field in PAIRS[kind].items():
        assert row.get(column) == raw.get(field), (column, field)
    if kind == "conn":
        assert row["duration_s"] == int(raw["duration"])
        assert Fields(row["extra"]).peek("unmapped.history") == raw["history"]


def test_the_line_with_an_open_quote_is_an_event_too(shared: Path) -> None:
    rows, bad = _read(shared / "datasets/web-access-logs/elastic_apache_logs.gz", "access-log")
    pattern = re.compile(r'(\S+) \S+ \S+ \[[^\]]+\] "(\S+) (\S+) \S+" (\d+) (\d+|-)')
    for row in rows:
        said = pattern.match(row["raw"])
        assert said
        assert (row["source_ip"], row["http_request_method"], row["url_original"]) == said.groups()[:3]
        assert row["http_response_status_code"] == int(said[4])
        assert row["destination_bytes"] == (None if said[5] == "-" else int(said[5]))
    assert (len(rows), bad) == (10000, 0)


def test_chunks_of_one_message_in_files_are_put_together(shared: Path, lab: Project) -> None:
    folder = shared / "samples/graylog/produced/chunked"
    result = ingest(folder, dataset="gelf", project=lab, final=True)
    assert (result.records, result.added, result.quarantined) == (10, 3, 0)
    assert load_events("gelf", project=lab)["message"].str.len().max() > 8000


def test_nothing_of_the_samples_is_left_unread() -> None:
    named = {"cuckoo", "cuckoomx", "graylog", "netflow", "ocsf_reference", "ossim", "patrowl", "tshark", "argus"}
    unread = {"zeek_dns_log.ocsf", "ftp.argus", "ssh.argus"}  # not valid JSON; Argus's binary format, refused by name
    base = shared_folder() / "samples"
    for folder in sorted(named):
        for path in sorted((base / folder).rglob("*")) if base.is_dir() else []:
            name = str(path.relative_to(base.parent))
            if path.is_file() and path.suffix != ".raw" and "chunked" not in name and path.name not in unread:
                assert name in FILES, name
