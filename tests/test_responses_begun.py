"""A response whose end nobody knows: it is recorded before it is sent, and a person hears of it before it leaves again."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
from pathlib import Path

import pytest
from builders import make_project
from shell import socml
from test_responses_hostile import a_case, leave
from test_sinks_hostile import answering, mailing, serving

from socml.labels import open_labels
from socml.labels.store import LabelStore
from socml.project import DataError, Project, TryLater
from socml.respond import Case, Cases, preview, respond, undo_response
from socml.respond.senders import MayHaveLeft

TAKEN = b'HTTP/1.1 200 x\r\nContent-Length: 11\r\n\r\n{"id":"t1"}'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "lab")


def to(port: int, project: Project) -> None:
    (project.root / "respond.toml").write_text(f'[webhook]\nurl = "http://127.0.0.1:{port}"\n', encoding="utf-8")


def now(case: Case, project: Project) -> Case:
    with open_labels(project) as store:
        return Cases(store).get(case.id)


def confirm(digest: str, case: Case, project: Project) -> str:
    with open_labels(project) as store:
        return respond("webhook", case.id, store=store, project=project, by="ana", confirmed=digest).reference


def test_a_response_whose_process_was_killed_leaves_again_only_when_a_person_has_read_so(project: Project) -> None:
    case, asked, came = a_case(project, "7.7.7.7"), [], threading.Event()

    def hearing(connection: socket.socket) -> None:
        asked.append(connection)
        if len(asked) > 1:
            answering(TAKEN)(connection)
            return
        came.set()
        connection.recv(65_536)
        threading.Event().wait(60)  # it has the request, and says nothing

    with serving(hearing) as port:
        to(port, project)
        digest = preview("webhook", case, project=project).digest
        sender = multiprocessing.get_context("fork").Process(target=leave, args=("webhook", case, project))
        sender.start()
        assert came.wait(60)
        os.kill(sender.pid or 0, signal.SIGKILL)
        sender.join()
        (begun,) = now(case, project).begun
        assert (begun.responder, begun.by) == ("webhook", "ana")
        with pytest.raises(DataError, match="look at what would leave once more"):
            confirm(digest, case, project)
        assert "whether it did is not known" in socml("respond", "webhook", case.id, cwd=project.root)[1]
        assert len(asked) == 1
        draft = preview("webhook", now(case, project), project=project)
        assert draft.begun == (begun,)
        assert confirm(draft.digest, case, project) == "t1"
        after = now(case, project)
        assert (len(after.sent), after.begun) == (1, ())
        assert confirm(preview("webhook", after, project=project).digest, case, project) == "t1"
    assert len(asked) == 2, "what left is not sent again"


@pytest.mark.parametrize("answer", [b"HTTP/1.1 502 x\r\nContent-Length: 0\r\n\r\n", b""])
def test_what_was_not_answered_may_have_left(answer: bytes, project: Project) -> None:
    case = a_case(project, "7.7.7.7")
    with serving(answering(answer)) as port:
        to(port, project)
        with pytest.raises(MayHaveLeft, match="look there before it is sent again"):
            leave("webhook", case, project)
    assert len(now(case, project).begun) == 1


@pytest.mark.parametrize(("status", "error"), [(503, TryLater), (429, TryLater), (400, DataError), (0, TryLater)])
def test_what_surely_did_not_leave_is_repeated_with_the_same_digest(status: int, error: type, project: Project) -> None:
    case = a_case(project, "7.7.7.7")
    with serving(answering(f"HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n".encode())) as port:
        to(port, project)
        digest = preview("webhook", case, project=project).digest
        if status:
            with pytest.raises(error) as caught:
                confirm(digest, case, project)
            assert not isinstance(caught.value, MayHaveLeft)
    if not status:  # nobody listens there any more
        with pytest.raises(error):
            confirm(digest, case, project)
    after = now(case, project)
    assert after.begun == ()
    assert preview("webhook", after, project=project).digest == digest
    assert after.timeline == case.timeline


def test_a_response_that_cannot_be_recorded_after_it_left_may_have_left(project: Project, monkeypatch) -> None:
    case = a_case(project, "7.7.7.7")
    add = type(LabelStore("sqlite://").journal).add

    def full(self: object, kind: str, *args: object, **more: object) -> object:
        if kind == "response.sent":
            raise TryLater("The disk is full.")
        return add(self, kind, *args, **more)  # type: ignore[arg-type]

    with serving(answering(TAKEN)) as port:
        to(port, project)
        monkeypatch.setattr("socml.labels.journal.Journal.add", full)
        with pytest.raises(TryLater, match="full"):
            leave("webhook", case, project)
    assert len(now(case, project).begun) == 1


def test_a_mail_whose_server_goes_away_may_have_left(project: Project) -> None:
    def leaving(connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        connection.sendall(b"220 here\r\n")
        for line in lines:
            if line[:4].upper() == b"DATA":
                connection.sendall(b"354 go on\r\n")
                list(iter(lines.readline, b".\r\n"))
                return
            connection.sendall(b"250 fine\r\n")

    case = a_case(project, "7.7.7.7")
    refusing = mailing(refused=b"mail")
    for server, error, began in ((refusing, TryLater, 0), (leaving, MayHaveLeft, 1)):
        with serving(server) as port:
            (project.root / "respond.toml").write_text(
                f'[mail-message]\nurl = "smtp://127.0.0.1:{port}"\nsender = "a@b.example"\nto = "c@d.example"\nplain_http = true\n'
            )
            with pytest.raises(error):
                leave("mail-message", now(case, project), project)
        assert len(now(case, project).begun) == began


def test_a_response_that_was_perhaps_taken_back_says_so_until_it_surely_is(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document's deletion is not answered, then refused (it does not unsay the first), then done."""
    monkeypatch.setenv("ELASTIC_KEY", "k")
    case = a_case(project, "7.7.7.7")
    busy, done = answering(TAKEN.replace(b"200", b"503")), answering(TAKEN)
    for do, error, begun, gone in (
        (None, None, 0, False),
        (busy, TryLater, 0, False),
        (answering(b""), MayHaveLeft, 1, False),
        (busy, TryLater, 1, False),
        (done, None, 0, True),
    ):
        with serving(do or answering(TAKEN)) as port:
            section = f'[elastic]\nurl = "http://127.0.0.1:{port}"\nkey_variable = "ELASTIC_KEY"\n'
            (project.root / "respond.toml").write_text(section, encoding="utf-8")
            if do is None:
                leave("elastic", case, project)
            elif error is None:
                take_back(case, project)
            else:
                with pytest.raises(error) as caught:
                    take_back(case, project)
                assert type(caught.value) is error
        (sent,) = now(case, project).sent
        assert (sent.undo_begun, sent.undone) == (begun, gone)
        told = socml("case", "show", case.id, cwd=project.root)[0]
        assert ("whether it was taken back is not known" in told) == bool(begun)
    assert [entry.kind for entry in now(case, project).timeline[-2:]] == ["response.sent", "response.undone"]


def take_back(case: Case, project: Project) -> None:
    with open_labels(project) as store:
        undo_response(now(case, project).sent[0].id, case.id, store=store, project=project, by="bo")
