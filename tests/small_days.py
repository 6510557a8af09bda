"""A folder → a project with four days of a small office and a daily list of three feature sets, quick to build."""

from __future__ import annotations

import shutil
from pathlib import Path

from daily_events import flow, logon, store

from socml.project.project import Project, read_project, starter_root

HOSTS = [f"10.0.0.{i}" for i in range(1, 13)]
MODEL = 'about = "A small list."\nmode = "daily"\ndetector = "entity-surprise"\nfeatures = ["daily-scan", "daily-upload", "daily-logon"]\n'
HOSTILE = '<img src=x onerror="document.title=1"> [a](javascript:1)'


def small_days(root: Path) -> Project:
    """Write the project: 10.0.0.4 scans on the third day, and more on the last, 10.0.0.5 and .6 fail logons alike on the last."""
    shutil.copytree(starter_root() / "features", root / "features")
    for name in ("datasets", "experiments", "models"):
        (root / name).mkdir()
    (root / "models" / "daily.toml").write_text(MODEL, encoding="utf-8")
    (root / "socml.toml").write_text('workspace = "workspace"\n', encoding="utf-8")
    project = read_project(root)
    events = []
    for day in range(1, 5):
        for n, host in enumerate(HOSTS):
            events += [
                flow(
                    f"2026-03-0{day}T{9 + k:02}:{n:02}:00Z",
                    host,
                    f"203.0.113.{k + 1}",
                    source_bytes=900 + 50 * n,
                    duration_s=1.0,
                )
                for k in range(4)
            ]
            events.append(logon(f"2026-03-0{day}T09:00:00Z", host, "web", f"user{n}", "success"))
    for day, tried in ((3, 20), (4, 90)):
        events += [
            flow(f"2026-03-0{day}T14:{i % 60:02}:00Z", "10.0.0.4", f"10.0.1.{i + 1}", 445, "S0") for i in range(tried)
        ]
    for n, host in enumerate(("10.0.0.5", "10.0.0.6")):
        events += [
            logon(f"2026-03-04T10:{i:02}:00Z", host, "db", HOSTILE if i == 0 else "root", "failure")
            for i in range(20 + n)
        ]
    store(project, events)
    return project
