"""fail2ban's own filter tests beside the project → the time and host they expect, on every line a reader covers."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from socml.formats._reader import ReadOptions
from socml.ingestion.detection import open_format
from socml.ingestion.sources import FileSource

pytestmark = pytest.mark.real
SHARED = Path(os.environ.get("SOCML_SHARED") or Path(__file__).resolve().parents[3] / "shared")
DATASETS = SHARED / "datasets"
TRUTH_ZONE = "Europe/Zurich"  # of the tests of fail2ban
OWN_WORDS = re.compile(r"ssh\d: (?:ruser|from)")  # a client's own words after the address: see syslog's templates
MIN_COVERED = {"time": 380, "host": 100}


def _truths() -> list[tuple[str, dict[str, Any], str]]:
    """Return the lines of fail2ban's filter tests with what they expect: file, truth, line."""
    found = []
    for path in sorted((DATASETS / "auth-logs" / "fail2ban").glob("*")):
        wanted: dict[str, Any] | None = None
        for line in path.read_text(encoding="utf-8", errors="backslashreplace").splitlines():
            if line.startswith("# failJSON:"):
                wanted = json.loads(line.split(":", 1)[1])
            elif line.strip() and not line.startswith("#") and wanted is not None:
                found.append((path.name, wanted, line))
                wanted = None
    return found


def test_fail2bans_truth_is_met_on_every_line_that_a_reader_covers(tmp_path: Path) -> None:
    truths = _truths()
    if not truths:
        pytest.skip(f"there is no {DATASETS / 'auth-logs' / 'fail2ban'}")
    covered: Counter[str] = Counter()
    wrong: list[tuple[str, str, str, Any, Any]] = []
    for file, wanted, line in truths:
        row = _first_reading(line, wanted, tmp_path)
        if row is None or not wanted.get("match") or OWN_WORDS.search(line):
            continue
        if wanted.get("time") and row["time"] is not None:
            written = re.sub(r"-(\d)T", r"-0\1T", wanted["time"])  # "2005-03-7T…" is among them
            expected = datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(TRUTH_ZONE)).astimezone(UTC)
            covered["time"] += 1
            if abs((row["time"] - expected).total_seconds()) >= 1:
                wrong.append(("time", file, line, expected, row["time"]))
        if wanted.get("host") and row.get("source_ip"):
            covered["host"] += 1
            if row["source_ip"] != wanted["host"]:
                wrong.append(("host", file, line, wanted["host"], row["source_ip"]))
    checked = sum(bool(wanted.get("match")) for _, wanted, _ in truths)  # of the others, fail2ban checks nothing itself
    told = f"{covered['time']} times and {covered['host']} hosts are covered by a reader, {len(wrong)} wrong"
    print(f"failJSON: {checked} of {len(truths)} lines have a truth; {told}")
    assert not wrong
    assert all(covered[what] >= least for what, least in MIN_COVERED.items()), covered


def _first_reading(line: str, wanted: dict[str, Any], folder: Path) -> dict[str, Any] | None:
    """Return the event of a line, by the reader that takes it for its own, where there is one."""
    path = folder / "line.log"
    path.write_text(line + "\n", encoding="utf-8")
    year = int(str(wanted.get("time") or "2005")[:4])
    head = path.read_bytes()
    sure = sorted(
        ((open_format(n).sniff(head, "line.log"), n) for n in ("auditd", "syslog", "access-log")), reverse=True
    )
    if sure[0][0] < 0.5:
        return None
    options = ReadOptions(year=year, time_zone=TRUTH_ZONE)
    parsed = open_format(sure[0][1]).read(FileSource(path, path.name), options)
    return next((row for part in parsed for row in part.events.to_pylist()), None)
