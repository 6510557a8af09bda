"""socml.features.event_templates: messages become templates, and templates features."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from socml.features.build import build_features
from socml.features.drain import Drain, masked
from socml.features.event_templates import event_templates
from socml.ingestion.ingestion import ingest
from socml.project.project import Project

LINES = [
    *(f"2026-03-12 08:{n % 60:02}:00 INFO web.Login: session {n} opened for user u{n % 7} from 10.0.0.{n % 250}" for n in range(400)),
    *(f"2026-03-12 09:{n % 60:02}:00 INFO web.Store: saved {n} bytes" for n in range(400)),
    "2026-03-12 10:00:00 FATAL web.Store: heap is corrupt at 0xdeadbeef",
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("took 12.5ms, 3 of 4 (75%)", "took <*>, <*> of <*> (<*>)"),
        ("uid=0 euid=1000", "uid=<*> euid=<*>"),
        ("from fe80::1%eth0 to [::1]:22", "from <*> to [<*>]:<*>"),
        ("id 550e8400-e29b-41d4-a716-446655440000 md5 d41d8cd98f00b204e9800998ecf8427e", "id <*> md5 <*>"),
        ("module v2 of sshd2 is deaf", "module v2 of sshd2 is deaf"),
    ],
)
def test_what_is_obviously_a_parameter_is_blanked_out(message: str, expected: str) -> None:
    assert masked(message) == expected


def test_words_that_differ_become_parameters_and_others_stay() -> None:
    drain = Drain()
    for user in ("ann", "bob", "eve"):
        template = drain.learn(f"Accepted publickey for {user} from host")
    assert template.text == "Accepted publickey for <*> from host"
    assert drain.learn("Server listening on the port").text == "Server listening on the port"
    assert [t.count for t in drain.templates] == [3, 1]


def test_the_number_of_templates_is_bounded_whatever_comes() -> None:
    drain = Drain(most=10, children=5)
    for n in range(1000):
        drain.learn(" ".join(chr(97 + n % 26) * (n % 9 + 1) for _ in range(n % 30 + 1)))
    assert len(drain.templates) <= 11
    assert sum(t.count for t in drain.templates) == 1000


@given(st.lists(st.text(max_size=60), max_size=40))
def test_any_text_has_a_template_and_the_same_texts_give_the_same(messages: list[str]) -> None:
    events = pa.table(
        {
            "event_id": [str(n) for n in range(len(messages))],
            "process_name": pa.array([None] * len(messages), pa.string()),
            "message": pa.array(messages, pa.string()),
            "raw": pa.array(messages, pa.string()),
        }
    )
    found = event_templates(events)
    assert found == event_templates(events)
    assert len(found) == len(messages)
    assert all(surprise >= 0 for surprise in found["template_surprise"].to_pylist())


def test_the_rare_line_has_the_highest_surprise(lab: Project, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("\n".join(LINES) + "\n")
    ingest(path, dataset="app", format="text-lines", project=lab)
    table = build_features("text-templates", "app", project=lab)
    rare = table.loc[table["template_surprise"].idxmax()]
    assert rare["template"] == "heap is corrupt at <*>"
    assert rare["event_severity"] == 90
    usual = table[table["template"] == "saved <*> bytes"]
    assert len(usual) == 400
    assert usual["template_surprise"].iloc[0] == pytest.approx(1.0, abs=0.01)
    assert (usual["template_parameters"] == 1).all()
    assert set(table.columns) >= set(table.attrs["socml"]["columns_fr"])
