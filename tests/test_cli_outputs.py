"""A command whose output is closed, or cannot write all letters, does its work all the same; one that is stopped says so."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from multiprocessing import Pipe
from pathlib import Path

import pytest
from small_days import small_days
from small_lab import socml

from socml import __version__
from socml.cli import main
from socml.cli._output import as_json
from socml.project import DataError, init_project, interrupt_queries, sealed_connection


def test_a_command_without_outputs_does_its_work(tmp_path):
    """As a scheduler may start it."""
    command = f'exec "{sys.executable}" -m socml init "{tmp_path / "lab"}" >&- 2>&-'
    assert subprocess.run(["sh", "-c", command], check=False).returncode == 0
    assert (tmp_path / "lab" / "socml.toml").is_file()


def test_the_version_is_told(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["socml", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"socml {__version__}\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_an_output_of_few_letters_gets_the_others_as_escapes(encoding, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    monkeypatch.setattr(sys, "argv", ["socml", "formats"])
    with pytest.raises(SystemExit):
        main()
    sys.stdout.write("été — 20\u202fks")
    as_json({"host": "été — 20\u202fks"})
    sys.stdout.flush()
    text = written.getvalue().decode(encoding)
    assert json.loads(text[text.rindex("{") :]) == {"host": "été — 20\u202fks"}


def test_an_argument_whose_bytes_are_no_letters_is_told(monkeypatch, capsys, tmp_path):
    """As Python hands on the byte E9 of a name in Latin-1."""
    init_project(tmp_path / "lab")
    monkeypatch.chdir(tmp_path / "lab")
    monkeypatch.setattr(sys, "argv", ["socml", "case", "open", "one", "-d", "caf\udce9", "-e", "host", "--by", "ana"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "'caf\\udce9' holds bytes that are no letters" in capsys.readouterr().err


@pytest.mark.parametrize("after_s", [0.05, 0.12, 0.18, 0.21, 0.3])
def test_a_person_who_stops_a_query_is_told_that_it_was_stopped(
    after_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = small_days(tmp_path / "lab")
    pressed = signal.signal(signal.SIGINT, signal.default_int_handler)

    def endless(*_: object, **__: object) -> None:
        threading.Timer(after_s, os.kill, (os.getpid(), signal.SIGINT)).start()
        with sealed_connection({}) as connection:
            connection.execute("select sum(hash(range)) from range(60000000000)")

    monkeypatch.setattr("socml.jobs.night_run.open_listing", endless)
    try:
        done = socml(project, "nightly", "office")
    finally:
        signal.signal(signal.SIGINT, pressed)
    assert done.code == 130
    assert "stopped; what was finished is kept" in done.err
    assert "fault" not in done.err


def test_who_hears_ctrl_c_otherwise_is_not_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = small_days(tmp_path / "lab")
    heard = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: heard.set())

    def goes_on(*_: object, **__: object) -> None:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        with sealed_connection({}) as connection:
            count = 0
            while not heard.is_set():
                count += connection.execute("select count(hash(range)) from range(30000000)").fetchone()[0]
        raise DataError(f"went on to the end: {count % 30_000_000}")

    monkeypatch.setattr("socml.jobs.night_run.open_listing", goes_on)
    try:
        done = socml(project, "nightly", "office")
    finally:
        signal.signal(signal.SIGINT, before)
    assert "went on to the end: 0" in done.err


def test_a_query_that_is_over_already_is_interrupted_without_a_word() -> None:
    interrupt_queries()
    with sealed_connection({}) as connection:
        connection.close()
        interrupt_queries()


def test_a_person_who_stops_before_the_command_line_is_loaded_sees_no_trace() -> None:
    program = """
import sys

class Pressed:
    def find_spec(self, name, *_):
        if name == "typer":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Pressed())
from socml.__main__ import main
main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_reader_whose_run_was_stopped_before_it_asked_says_nothing() -> None:
    mine, its = Pipe()
    handle = os.dup(its.fileno())
    mine.close()
    its.close()
    program = f"from socml.ingestion.reading_worker import serve; serve({handle})"
    done = subprocess.run(
        [sys.executable, "-c", program], pass_fds=[handle], capture_output=True, text=True, timeout=60, check=False
    )
    os.close(handle)
    assert (done.returncode, done.stderr) == (0, "")
