"""What socml wrote, changed or removed → a line of `workspace/audit.jsonl`, which only grows.

Each line holds the hash of the one before, so that a line that was altered or taken out is found.
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from socml.project.private import private_file
from socml.project.project import Project

_TAIL = 1 << 16  # bytes that hold the last line


def audit_path(project: Project) -> Path:
    """Return where the audit lies, whether or not there is one."""
    return project.workspace / "audit.jsonl"


def audit(project: Project, what: str, **about: object) -> None:
    """Add a line: when, who, what, and what it was about."""
    project.folder()
    with private_file(audit_path(project)).open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        end = _last_whole_line(file.fileno())
        record = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "by": _user(),
            "what": what,
            **about,
            "before": hashlib.sha256(end[1]).hexdigest()[:32] if end[1] else "",
        }
        file.truncate(end[0])
        file.seek(end[0])
        file.write(json.dumps(record, ensure_ascii=False, default=str).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def audit_damage(project: Project) -> str:
    """Return which line does not follow from the one before; empty if all do, or there are none."""
    path = audit_path(project)
    if not path.is_file():
        return ""
    before = b""
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), 1):
        if not line.endswith(b"\n"):
            break  # half a line, of a run that was killed: the next one gives it up
        expected = hashlib.sha256(before).hexdigest()[:32] if before else ""
        try:
            found = json.loads(line)["before"]
        except (ValueError, KeyError, TypeError):
            found = None
        if found != expected:
            return f"{path}:{number} does not follow from the line before: something was altered or taken out"
        before = line
    return ""


def audited(project: Project, *whats: str) -> list[dict[str, object]]:
    """Return the lines about these kinds of write, in the order in which they were done; those that are damaged are left out."""
    path = audit_path(project)
    found: list[dict[str, object]] = []
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and record.get("what") in whats:
            found.append(record)
    return found


def _last_whole_line(descriptor: int) -> tuple[int, bytes]:
    """Return where the last whole line ends, and that line; half a line after it, of a run that was killed, is not one."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _TAIL, max(size - _TAIL, 0))
    lines = tail.splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        size -= len(lines.pop())
    return size, lines[-1] if lines else b""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
