"""The audit of pinned packages fails for a known vulnerability, and where nothing could be asked it does not say that all is well."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

AUDIT = Path(__file__).resolve().parents[1] / ".ci" / "audit"
FINE = {"name": "left", "version": "1.0", "vulns": []}
SKIPPED = {"name": "own", "skip_reason": "not found"}
BAD = {"name": "right", "version": "2.0", "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"], "aliases": []}]}


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([FINE, SKIPPED], 0, "0 known vulnerabilities in 1 of 2 packages asked about"),
        ([FINE, BAD], 1, "right 2.0: CVE-1, mended in 2.1"),
        (None, 0, "not audited"),
    ],
)
def test_an_audit_says_what_is_known(tmp_path, packages, code, said):
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    shutil.copy(AUDIT, tmp_path / ".ci" / "audit")
    told = "exit 1" if packages is None else f"echo '{json.dumps({'dependencies': packages})}' > \"${{@: -1}}\""
    uv = tmp_path / ".venv/bin/uv"
    uv.write_text(f"#!/usr/bin/env bash\n{told}\n", encoding="utf-8")
    uv.chmod(0o755)
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    done = subprocess.run([tmp_path / ".ci" / "audit"], capture_output=True, text=True, check=False)
    assert (done.returncode, said in done.stdout) == (code, True), done.stdout + done.stderr
