"""socml.cli: every verb explains itself by example, errors are one message and an exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from builders import make_project, make_run
from patience import PATIENCE_S
from shell import socml
from typer.testing import CliRunner

from socml.cli import app
from socml.formats._reader import LITTLE

VERBS = sorted(
    "nightly watch status check alerts backup restore retrain shadow promote rollback init simulate ingest formats peek fetch features fit score explain quarantine queue label run replay app demo doctor validate errors search compare respond new".split()
)


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


def test_so_is_it_of_the_process_itself(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "socml", "queue"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("socml: ")
    assert "Traceback" not in done.stderr


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


LARGE = {
    "zeek-tsv": (
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\n",
        "1709208416.250000\tC{0}\t192.0.2.7\t50{1:03d}\t198.51.100.1\t443\ttcp\t{0}\n",
    ),
    "zeek-json": (
        "",
        '{{"ts":1709208416.25,"uid":"C{0}","id.orig_h":"192.0.2.7","id.orig_p":50{1:03d},"id.resp_h":"198.51.100.1",'
        '"id.resp_p":443,"proto":"tcp","duration":0.012166976928710938,"tunnel_parents":[]}}\n',
    ),
    "suricata-eve": (
        "",
        '{{"timestamp":"2024-02-29T13:06:56.250000+0000","flow_id":{0},"event_type":"flow","src_ip":"192.0.2.7",'
        '"src_port":50{1:03d},"dest_ip":"198.51.100.1","dest_port":443,"proto":"TCP"}}\n',
    ),
    "syslog": ("", "2024-02-29T13:06:56+00:00 web1 sshd[{0}]: Failed password for root from 192.0.2.7 port 50{1:03d} ssh2\n"),
    "access-log": ("", '192.0.2.7 - - [29/Feb/2024:13:06:56 +0000] "GET /{0} HTTP/1.1" 200 {1} "-" "curl/8.5"\n'),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_a_file_that_is_worth_the_compiled_kernels_is_peeked_into_and_ingested(name, tmp_path):
    make_project(tmp_path)
    header, line = LARGE[name]
    records = 2 * LITTLE // len(line)
    text = header + "".join(line.format(number, number % 1000) for number in range(records))
    (tmp_path / "large.log").write_text(text, encoding="utf-8")
    shown, _ = socml("peek", "large.log", "--json", cwd=tmp_path)
    assert json.loads(shown)["format"] == name
    said, _ = socml("ingest", "large.log", "--dataset", "large", "--json", cwd=tmp_path)
    assert json.loads(said)["added"] == records
