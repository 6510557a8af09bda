"""A folder → a dataset of two days that has something for every shipped feature set, and its ground truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from daily_events import flow, logon, store

from socml.project import TRUTH, Project, schema, truth_path, write_table

DAYS = ("2026-03-01", "2026-03-02")
INSIDE = [f"10.0.0.{i}" for i in range(1, 5)]
OUTSIDE = [f"203.0.113.{i}" for i in range(1, 5)]
NAMES = ["a.b.example.com", "c.example.com", "deep.x.bad.example", "nobody.invalid"]
STATES = ("SF", "S0", "REJ", "RSTO", None)


def make_events(seed: int = 3) -> list[dict[str, object]]:
    """Return events of every kind that a feature set looks at."""
    rng = np.random.default_rng(seed)
    events: list[dict[str, object]] = []

    def at(day: str, lowest: int = 0, highest: int = 86_399) -> str:
        return str(
            pd.Timestamp(day, tz="UTC") + pd.Timedelta(milliseconds=int(rng.integers(lowest * 1000, highest * 1000)))
        )

    def one(values: list[str]) -> str:
        return str(values[rng.integers(len(values))])

    for day in DAYS:
        for _ in range(120):
            port = int(rng.choice([22, 53, 80, 443, 445, 50_000]))
            events.append(
                flow(at(day), one(INSIDE + OUTSIDE[:1]), one(INSIDE + OUTSIDE), port, STATES[rng.integers(5)],
                     source_bytes=int(rng.integers(0, 9000)), destination_bytes=int(rng.integers(0, 9000)),
                     source_packets=int(rng.integers(0, 9)), duration_s=float(rng.integers(0, 90)) / 7)
            )  # fmt: skip
        start = pd.Timestamp(day, tz="UTC") + pd.Timedelta(hours=5)
        events += [
            flow(str(start + pd.Timedelta(seconds=61 * i + int(rng.integers(0, 9)))), INSIDE[0], OUTSIDE[-1],
                 source_bytes=400 + i % 3, duration_s=1.0)
            for i in range(12)
        ]  # fmt: skip
        for _ in range(30):
            user, outcome = one(["ann", "bob", "CORP\\carl", "root"]), one(["success", "failure"])
            extra = [("repeated", str(rng.integers(1, 4)))]
            events.append(logon(at(day), one(INSIDE + OUTSIDE[:2]), one(["web", "db"]), user, outcome, extra=extra))
        for _ in range(20):
            events.append({"time": at(day), "class_uid": 4003, "source_ip": one(INSIDE), "dns_question_name": one(NAMES),
                           "dns_response_code": one(["NOERROR", "NXDOMAIN"]), "dns_question_type": one(["A", "TXT"])})  # fmt: skip
            events.append({"time": at(day), "class_uid": 4002, "source_ip": one(INSIDE), "destination_ip": one(INSIDE),
                           "url_original": one(["http://c.example.com/a'b?x=%22", "/é/ü", "/plain"]),
                           "user_agent_original": one(["curl/8", "Mozilla"]),
                           "http_response_status_code": int(rng.choice([200, 404, 500]))})  # fmt: skip
            events.append({"time": at(day), "class_uid": 1007, "host_name": one(["web", "db"]),
                           "process_name": one(["sh", "cron"]), "process_parent_name": one(["init", "sshd"]),
                           "message": f"started {rng.integers(9)} of \"x y\" \\d", "user_name": one(["ann", "bob"])})  # fmt: skip
        for _ in range(6):
            events.append({"time": at(day), "class_uid": 2004, "source_ip": one(INSIDE), "destination_ip": one(OUTSIDE),
                           "rule_id": one(["r1", "r2"])})  # fmt: skip
            events.append({"time": at(day), "host_name": "web", "file_path": one(["/etc/passwd", "/tmp/é"]),
                           "file_change": "changed"})  # fmt: skip
            events.append({"time": at(day), "class_uid": 3005, "host_name": one(["web", "db"]), "user_name": "ann",
                           "event_action": one(["user_added", "group_member_added", "sudo_command"]),
                           "extra": [("group", "wheel")]})  # fmt: skip
            events.append({"time": at(day), "class_uid": 4001, "source_ip": one(INSIDE), "tls_client_ja3": one(["j1", "j2"]),
                           "destination_ip": one(OUTSIDE), "tls_client_server_name": one(NAMES)})  # fmt: skip
    first = f"{DAYS[0]}T00:00:01Z"
    events += [
        {"time": first, "event_category": "threat_intelligence", "destination_ip": OUTSIDE[0]},
        {"time": first, "event_category": "threat_intelligence", "dns_question_name": "bad.example"},
        {"time": first, "event_category": "vulnerability", "destination_ip": INSIDE[1], "destination_port": 443,
         "vulnerability_id": "CVE-2026-1", "vulnerability_score": 7.5},
        *(end for day in DAYS for end in _halves(day)),
        *({"time": f"{day}T09:00:00Z", "class_uid": 2004, "rule_name": "Dumping", "host_name": "web"} for day in DAYS),
        {"time": first, "class_uid": 6003, "user_name": "ops", "event_action": "GetObject", "source_ip": OUTSIDE[0]},
        {"time": f"{DAYS[1]}T09:00:00Z", "class_uid": 6003, "user_name": "AROAEXAMPLEEXAMPLEID:s1",
         "event_action": "CreateUser", "source_ip": OUTSIDE[0]},
        *({"time": f"{DAYS[1]}T09:00:00Z", "class_uid": 6003, "user_name": "ops", "event_action": action,
           "source_ip": OUTSIDE[1]} for action in ("ListUsers", "ListRoles", "GetSecretValue", "CreateUser")),
        {"time": None, "class_uid": 4001, "source_ip": INSIDE[0], "destination_ip": OUTSIDE[0]},
    ]  # fmt: skip
    return events


def _halves(day: str) -> list[dict[str, object]]:
    """Return a connection that a firewall tells of when it begins and again, the wrong way round, when it ends."""
    ends = {"source_ip": INSIDE[0], "destination_ip": INSIDE[1]}
    turned = {"source_ip": INSIDE[1], "destination_ip": INSIDE[0], "destination_bytes": 90, "duration_s": 3.0}
    both = {"class_uid": 4001, "host_name": "asa1", "network_transport": "tcp", "extra": [("connection", day)]}
    begun = {"event_action": "connection_begun", "event_outcome": "success", "destination_port": 445}
    return [
        {"time": f"{day}T09:00:00Z", **both, **ends, **begun},
        {"time": f"{day}T09:00:03Z", **both, **turned, "event_action": "connection_end"},
    ]


def store_lab(project: Project, days: tuple[str, ...] = DAYS, dataset: str = "office") -> Project:
    """Write the events of some of the days into a project's workspace, a part a day, every seventh of them malicious."""
    events = make_events()
    ids = []
    for part, day in zip("ab", DAYS, strict=True):
        of_day = [event for event in events if str(event["time"] or DAYS[0]).startswith(day)]
        ids += [f"{part}{i:024d}" for i in range(len(of_day))]
        if day in days:
            store(project, of_day, part=part, dataset=dataset)
    truth = {
        "event_id": ids,
        "malicious": [i % 7 == 0 for i in range(len(ids))],
        "family": [("scan", "upload")[i % 2] if i % 7 == 0 else None for i in range(len(ids))],
        "technique": [f"T{i % 3}" if i % 7 == 0 else None for i in range(len(ids))],
    }
    write_table(truth_path(project, dataset), pa.table(truth, schema=schema(TRUTH)))
    return project
