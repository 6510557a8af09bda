"""The app's scripts: unit tests by node where it is installed, and bundles that any browser reads."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAINS = ["labelling/main.js", "daylist/main.js"]


def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed: apt-get install nodejs")
    return found


def test_the_scripts_pass_their_unit_tests() -> None:
    files = sorted(str(path) for path in (ROOT / "tests" / "scripts").glob("*.mjs"))
    done = subprocess.run([node(), "--test", *files], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "# fail 0" in done.stdout


@pytest.mark.parametrize("main", MAINS)
def test_a_bundle_is_one_module_without_imports(main: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "app"))
    sys.modules.pop("scripts", None)
    from scripts import bundle

    script, style = bundle(main, "labelling/triage.css")
    assert "\nimport " not in script
    assert script.count("export ") == 1
    assert style
    path = tmp_path / "bundle.mjs"
    path.write_text(script, encoding="utf-8")
    checked = subprocess.run([node(), "--check", str(path)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
