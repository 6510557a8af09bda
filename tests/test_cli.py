"""socml.cli: every verb explains itself by example, errors are one message and an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from builders import make_project, make_run
from typer.testing import CliRunner

from socml.cli import app

VERBS = sorted(
    "init simulate ingest formats peek fetch features fit score explain queue label run replay app demo doctor validate errors search compare".split()
)


def socml(*arguments, cwd, code=0, **environment):
    """Run socml as a person would, and return what it wrote to standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "socml", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


def test_the_command_line_has_these_verbs():
    assert sorted(c.name or c.callback.__name__ for c in app.registered_commands) == VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_an_example(verb):
    shown = CliRunner().invoke(app, [verb, "--help"], catch_exceptions=False).output
    assert "Example" in shown
    assert f"socml {verb}" in shown or "&& socml run" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "fist-look"], 2, "no experiment called 'fist-look'. Did you mean 'first-look'"),
        (["features", "source-5mn", "demo"], 2, "Did you mean 'source-5min'"),
        (["features", "source-5min", "nowhere"], 2, "no dataset with events called 'nowhere'"),
        (["queue"], 3, "Nothing has been scored yet"),
        (["ingest", "no-such-file.log", "--dataset", "x"], 3, "no-such-file.log"),
    ],
)
def test_an_error_is_one_message_and_an_exit_code(arguments, code, message, tmp_path):
    make_project(tmp_path)
    starter = Path(__file__).resolve().parents[1]
    for folder in ("datasets", "features", "models", "experiments"):
        (tmp_path / folder).symlink_to(starter / folder)
    _, said = socml(*arguments, cwd=tmp_path, code=code)
    assert said.splitlines()[-1].startswith("socml: ")
    assert message in said


def test_a_recipe_that_is_broken_is_found_by_the_doctor(tmp_path):
    make_project(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.toml").write_text("detectr = 'robust-z'\nfeatures = 'flow'")
    out, _ = socml("doctor", "--json", cwd=tmp_path, code=1)
    broken = [finding["found"] for finding in json.loads(out) if not finding["ok"]]
    assert len(broken) == 1
    assert "Did you mean 'detector'" in broken[0]


def test_a_label_from_the_command_line_leaves_the_queue_and_can_be_taken_back(tmp_path):
    project = make_project(tmp_path)
    make_run(project)
    before = json.loads(socml("queue", "--json", "-n", "5", cwd=tmp_path)[0])
    first = before[0]["row_id"]
    given = json.loads(socml("label", first[:16], "malicious", "--json", cwd=tmp_path)[0])
    assert given["row_id"] == first
    after = json.loads(socml("queue", "--json", "-n", "5", cwd=tmp_path)[0])
    assert first not in [row["row_id"] for row in after]
    socml("label", "--undo", cwd=tmp_path)
    assert json.loads(socml("queue", "--json", "-n", "5", cwd=tmp_path)[0]) == before


def test_hostile_text_reaches_no_terminal_alive(tmp_path):
    project = make_project(tmp_path)
    make_run(project)
    out, err = socml("queue", "-n", "5", cwd=tmp_path)
    assert "\x1b" not in out + err
    assert "\u202e" not in out + err
