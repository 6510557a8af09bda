"""A reader of one's own that uses pandas works from the command line and in the processes that read for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from socml.project import init_project

READER = '''"""Lines of ours → events."""
from socml.formats._records import clocked, line_records


class MyLines:
    """Lines of ours."""

    name = "my-lines"
    about = "lines of ours"
    examples = ("mine 2026-03-02T10:00:00Z 192.0.2.1",)

    def sniff(self, head, file_name):
        """Sure of lines that begin with mine."""
        return 0.99 if head.startswith(b"mine ") else 0.0

    def read(self, source, options):
        """Yield the file's events."""
        {late}
        return clocked(line_records(source), event, source, options)


def event(line, clock):
    import pandas as pd

    _, time, ip = line.decode().split()
    return {{"time": pd.Timestamp(time).to_pydatetime(), "source_ip": ip, "extra": {{}}}}
'''


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("when", ["at once", "late"])
def test_it_may_import_pandas_at_once_or_late(tmp_path: Path, workers: str, when: str) -> None:
    root = tmp_path / "lab"
    init_project(root)
    (root / "formats").mkdir()
    text = READER.format(late="pass" if when == "at once" else "import pandas")
    (root / "formats" / "my_lines.py").write_text(
        ("import pandas\n" if when == "at once" else "") + text, encoding="utf-8"
    )
    for number in range(3):
        (root / f"{number}.log").write_text(f"mine 2026-03-02T10:00:0{number}Z 192.0.2.{number}\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "socml",
        "ingest",
        "0.log",
        "1.log",
        "2.log",
        "-d",
        "ours",
        "--final",
        "--workers",
        workers,
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "3 events added from 3 files" in done.stdout
