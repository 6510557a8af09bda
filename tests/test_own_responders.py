"""Responders and sinks: shipped ones and the templates keep their promises, and each promise finds who breaks it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from socml.jobs import Sink, check_component
from socml.jobs.contracts import responders, sinks
from socml.jobs.contracts.check import checked
from socml.project import component, component_names, find_project, new_component
from socml.respond import Case, Draft, FileResponder, RespondSettings


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "socml.toml").write_text('workspace = "workspace"\n', encoding="utf-8")
    monkeypatch.setenv("SOCML_PROJECT", str(tmp_path))
    return find_project()


@pytest.mark.parametrize("kind", ["responders", "sinks"])
def test_every_shipped_one_keeps_every_promise(kind):
    promises = {"responders": responders.PROMISES, "sinks": sinks.PROMISES}[kind]
    for name in component_names(kind):
        broken = [line for line in (checked(promise, component(kind, name)) for promise in promises) if not line.ok]
        assert not broken, f"{name}: {broken[0]}"


@pytest.mark.parametrize(("said", "kind"), [("responder", "responders"), ("sink", "sinks")])
def test_the_template_works_as_it_is(own, said, kind):
    path = new_component(said, f"my-{said}", own)
    assert path == own.root / kind / f"my_{said}.py"
    found, lines = check_component(f"my-{said}", project=own)
    assert found == kind
    assert [line for line in lines if not line.ok] == []
    assert len(lines) >= 5


class Good(FileResponder):
    """Write the title."""

    text = "10 lines\n"
    files: ClassVar[dict[str, str]] = {}

    def draft(self, case: Case, settings: RespondSettings) -> Draft:
        return Draft("file", files=self.files or {"title.txt": self.text}, undo="removed")


class Climbs(Good):
    files: ClassVar = {"../title.txt": "x"}


class Coloured(Good):
    text = "\x1b[31mred"


class OwnLine(Good):
    text = "drop ip 9.9.9.9\nreject ip any any\n"


class Blocks(Good):
    blocks = True
    text = "drop 10.0.0.1"


class Drawn(Good):
    count = 0

    def draft(self, case: Case, settings: RespondSettings) -> Draft:
        Drawn.count += 1
        return replace(super().draft(case, settings), body=str(Drawn.count))


class Leaves(Good):
    def undo(self, reference, case, settings, project) -> str:
        return ""


class SendsAnywhere(Good):
    """Send the title, wherever."""

    sends = True


class Silent(Good):
    __doc__ = None


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (Climbs, responders.writes_files_of_plain_names),
        (Coloured, responders.keeps_hostile_text_inert),
        (OwnLine, responders.keeps_hostile_text_inert),
        (Blocks, responders.blocks_no_own_address),
        (Drawn, responders.drafts_the_same_twice),
        (Leaves, responders.takes_back_what_it_wrote),
        (SendsAnywhere, responders.says_where_to_before_it_sends),
        (Silent, responders.says_what_it_does),
        (Path, responders.has_what_a_responder_has),
    ],
)
def test_each_promise_of_a_responder_finds_who_breaks_it(broken, promise):
    assert checked(promise, Good).ok
    assert not checked(promise, broken).ok


class Takes(Sink):
    """Take alerts."""

    def send(self, alerts, batch_id):
        return None


class TakesAnything(Takes, extra="allow"):
    """Take alerts and any option."""


class HoldsASecret(Takes):
    """Take alerts with a token."""

    token: str = ""


class NoBatch(Takes):
    """Take no alerts."""

    batch = 0


class NoDoc(Takes):
    __doc__ = None


class NoSend(Sink):
    """Take nothing."""


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (TakesAnything, sinks.refuses_an_unknown_option),
        (HoldsASecret, sinks.keeps_secrets_in_the_environment),
        (NoBatch, sinks.takes_batches),
        (NoDoc, sinks.says_where_to),
        (NoSend, sinks.is_a_sink),
    ],
)
def test_each_promise_of_a_sink_finds_who_breaks_it(broken, promise):
    assert checked(promise, Takes).ok
    assert not checked(promise, broken).ok
