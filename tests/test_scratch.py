"""socml.project.scratch: what a killed process leaves in the temporary folder goes, and nothing that is used does."""

from __future__ import annotations

import ast
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from socml.project import ScratchFolder
from socml.project.scratch import clear_dead
from socml.project.spark_engine import _settings_here

ROOT = Path(__file__).resolve().parents[1]
SPILLS = """
import sys
from socml.project import ScratchFolder, sealed_connection
with sealed_connection({}), ScratchFolder("backup") as folder:
    open(f"{folder}/half", "w").write("half")
    print("made", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def shared(tmp_path, monkeypatch):
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    clear_dead.cache_clear()
    yield folder
    clear_dead.cache_clear()


@pytest.fixture
def busy(shared):
    """Yield a process that holds a connection's folder and another."""
    process = subprocess.Popen(
        [sys.executable, "-c", SPILLS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ}, text=True
    )
    assert process.stdout.readline() == "made\n"
    yield process
    process.kill()
    process.communicate()


def test_what_a_killed_process_left_goes_with_the_next_folder(shared, busy):
    left = sorted(path.name.split(".")[1] for path in shared.iterdir())
    busy.send_signal(signal.SIGKILL)
    busy.wait()
    assert left == ["backup", "spill"]
    with ScratchFolder("check") as folder:
        assert list(shared.iterdir()) == [Path(folder)]
    assert list(shared.iterdir()) == []


def test_what_a_living_process_uses_stays(shared, busy):
    before = sorted(shared.iterdir())
    assert len(before) == 2
    with ScratchFolder("check") as folder:
        assert sorted(shared.iterdir()) == sorted([*before, Path(folder)])
    busy.communicate("go on\n")
    assert (busy.returncode, list(shared.iterdir())) == (0, [])


def test_a_folder_stays_while_a_child_of_its_killed_process_lives(shared):
    folder = ScratchFolder("spill")
    child = os.fork()
    if not child:
        signal.pause()
        os._exit(0)
    folder._finalizer.detach()
    del folder  # this process has let go of the lock, as one that was killed
    try:
        assert clear_dead(str(shared)) == 0
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    clear_dead.cache_clear()
    assert (clear_dead(str(shared)), list(shared.iterdir())) == (1, [])


def test_nothing_is_removed_through_a_link_nor_what_is_none_of_ours(shared, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "labels.sqlite").write_text("kept")
    (shared / "socml.spill.abcdefgh").symlink_to(precious)
    inside = shared / "socml.spill.aaaaaaaa"
    inside.mkdir()
    (inside / "out").symlink_to(precious)
    (shared / "socml.spill.bbbbbbbb").write_text("a file")
    os.mkfifo(shared / "socml.spill.cccccccc")
    others = [
        "socml-spill-abcdefgh",
        "socml.spill.abc",
        "socml.spill.abcdefgh.old",
        "socml.SPILL.abcdefgh",
        "tmpabcdefgh",
    ]
    for name in others:
        (shared / name).mkdir()
    assert clear_dead(str(shared)) == 1
    kept = {"socml.spill.abcdefgh", "socml.spill.bbbbbbbb", "socml.spill.cccccccc", *others}
    assert {path.name for path in shared.iterdir()} == kept
    assert (precious / "labels.sqlite").read_text() == "kept"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes folders of others")
def test_what_another_user_left_stays(shared):
    theirs = shared / "socml.spill.abcdefgh"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    assert (clear_dead(str(shared)), theirs.is_dir()) == (0, True)


def test_a_folder_that_is_taken_for_a_dead_ones_before_it_is_locked_is_made_again(shared, monkeypatch):
    taken = []

    def too_late(descriptor, how):
        if not taken:  # another process looks between the making and the locking
            monkeypatch.setattr(fcntl, "flock", real)
            clear_dead.cache_clear()
            taken.append(clear_dead(str(shared)))
        return real(descriptor, how)

    real = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", too_late)
    with ScratchFolder("spill") as folder:
        assert taken == [1]
        assert list(shared.iterdir()) == [Path(folder)]


def test_a_temporary_folder_without_locks_loses_nothing(shared, monkeypatch):
    def none_here(descriptor, how):
        raise OSError(95, "Operation not supported")

    (shared / "socml.spill.abcdefgh").mkdir()
    monkeypatch.setattr(fcntl, "flock", none_here)
    with ScratchFolder("spill") as folder:
        assert {path.name for path in shared.iterdir()} == {"socml.spill.abcdefgh", Path(folder).name}


def test_every_named_place_in_the_temporary_folder_is_a_scratch_folder():
    named = {"TemporaryDirectory", "NamedTemporaryFile", "mkdtemp", "mkstemp"}
    found = []
    for path in sorted([*ROOT.glob("socml/**/*.py"), *ROOT.glob("app/**/*.py"), *ROOT.glob("benchmarks/*.py")]):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) in named:
                inside = any(word.arg == "dir" for word in call.keywords)  # of a folder that is cleared by its own
                if not inside:
                    found.append(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert found == []


def test_what_spark_spills_on_this_machine_lies_in_a_folder_of_its_owner_that_is_cleared(shared):
    settings = _settings_here()
    [folder] = shared.iterdir()
    assert folder.name.startswith("socml.spark.")
    assert folder.stat().st_mode & 0o077 == 0
    assert settings["spark.local.dir"] == settings["spark.sql.warehouse.dir"] == str(folder)
    assert settings["spark.driver.defaultJavaOptions"] == f'-Djava.io.tmpdir="{folder}"'
