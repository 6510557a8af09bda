"""The wheel: built, installed in a new environment outside the repository, used as a newcomer would."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE_S, free_port, wait_until_served

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow


def run(*command, cwd, env=None, timeout=3600):
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return the bin folder of a new environment that holds the wheel and what it needs, and an empty home."""
    place = tmp_path_factory.mktemp("newcomer")
    source = place / "source"
    kept = shutil.ignore_patterns(".venv", "workspace", ".git", "build", "*.egg-info", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, source, ignore=kept)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place / "dist", ".", cwd=source)
    (wheel,) = (place / "dist").glob("*.whl")
    bin_, uv = place / "env" / "bin", Path(sys.executable).parent / "uv"
    lock = ROOT / "requirements.lock"
    run(sys.executable, "-m", "venv", place / "env", cwd=place)
    if uv.exists():
        run(uv, "pip", "install", "-q", "--python", bin_ / "python", "--require-hashes", "-r", lock, cwd=place)
    else:
        run(bin_ / "python", "-m", "pip", "install", "-q", "--require-hashes", "-r", lock, cwd=place)
    run(bin_ / "python", "-m", "pip", "install", "-q", "--no-deps", wheel, cwd=place)
    shutil.rmtree(source)
    return place, bin_


def newcomer(place, bin_):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SOCML", "MLFLOW", "PYTHON", "VIRTUAL", "COV"))}
    return {**kept, "HOME": str(place), "PATH": f"{bin_}:/usr/bin:/bin"}


def test_a_newcomer_gets_from_the_wheel_to_the_first_finding(installed):
    place, bin_ = installed
    env = newcomer(place, bin_)
    assert "_starter" not in run(bin_ / "socml", "init", "lab", cwd=place, env=env)
    lab = place / "lab"
    said = run(bin_ / "socml", "run", "first-look", cwd=lab, env=env)
    assert "Which hosts did something unusual" in said
    assert " 10. " in said
    assert (lab / "workspace" / "scores").is_dir()
    where = run(bin_ / "python", "-c", "import socml; print(socml.__file__)", cwd=lab, env=env)
    assert str(place) in where


def test_the_wheel_serves_the_app(installed):
    place, bin_ = installed
    port, log = free_port(), place / "app.log"
    env = {**newcomer(place, bin_), "XDG_DATA_HOME": str(place / "data")}
    with log.open("wb") as written:
        served = subprocess.Popen(
            [bin_ / "socml", "app", "--port", str(port)],
            cwd=place,
            env=env,
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_served(f"http://127.0.0.1:{port}/_stcore/health", served, lambda: log.read_text()[-2000:])
    finally:
        served.send_signal(signal.SIGTERM)
        served.wait(PATIENCE_S)


def test_the_wheel_shadows_no_other_library(installed):
    place, bin_ = installed
    code = (
        "import importlib.util as u; print([n for n in ('features', 'models', 'experiments', 'app') if u.find_spec(n)])"
    )
    assert run(bin_ / "python", "-c", code, cwd=place, env=newcomer(place, bin_)).strip() == "[]"
