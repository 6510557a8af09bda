"""What leaves of a case, before servers that are hostile and addresses that are one's own in another spelling."""

from __future__ import annotations

import ipaddress
import socket
import threading
from pathlib import Path

import pytest
from builders import make_project
from test_sinks_hostile import answering, mailing, serving

from socml.labels import open_labels
from socml.labels.recording import labels_url
from socml.labels.store import LabelStore
from socml.project import ConfigurationError, DataError, Project, TryLater
from socml.respond import Case, Cases, preview, read_back, respond, senders, undo_response
from socml.respond.guard import MOST, observables, why_held
from socml.respond.senders import send
from socml.respond.settings import read_settings

ALLOW = '["8.8.8.0/24", "::ffff:9.9.9.0/120", "firm.example", "münchen.example"]'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = make_project(tmp_path / "lab")
    (made.root / "respond.toml").write_text(f"allow = {ALLOW}\n", encoding="utf-8")
    return made


def a_case(project: Project, *entities: str) -> Case:
    with open_labels(project) as store:
        cases = Cases(store)
        case = cases.open("c", by="ana")
        for entity in entities:
            cases.add_entity(case.id, entity, by="ana")
        return cases.change(case.id, by="ana", outcome="malicious")


@pytest.mark.parametrize(
    "own",
    [
        "8.8.8.8", "::ffff:8.8.8.8", "::ffff:0808:0808", "64:ff9b::8.8.8.8", "2002:808:808::1", "9.9.9.9", "64:ff9b::909:909",
        "fe80::1%eth0", "www.firm.example", "FIRM.example", "xn--mnchen-3ya.example", "dc1.corp",
        "printer.home.arpa", "8.8.8.8.in-addr.arpa",
    ],
)  # fmt: skip
def test_what_is_ones_own_is_held_in_every_spelling(own: str, project: Project) -> None:
    try:
        one: ipaddress.IPv4Address | ipaddress.IPv6Address | str = ipaddress.ip_address(own)
    except ValueError:
        one = own.lower()
    assert why_held(one, read_settings(project))
    found = observables(a_case(project, own, "7.7.7.7", "evil.example.net"), read_settings(project))
    assert [str(address) for address in found.blockable] == ["7.7.7.7"]
    assert found.blockable_domains == ("evil.example.net",)


def test_machines_of_the_context_and_what_is_never_looked_up_are_ones_own(project: Project) -> None:
    (project.root / "context.csv").write_text(
        "entity,owner,watch\n7.7.7.7,alice,\n7.7.7.8,,yes\nweb.firm2.example,bob,\n", encoding="utf-8"
    )
    found = observables(a_case(project, "7.7.7.7", "7.7.7.8", "web.firm2.example"), read_settings(project))
    assert [str(address) for address in found.blockable] == ["7.7.7.8"]
    assert found.held == (("7.7.7.7", "allowed"), ("web.firm2.example", "allowed"))


@pytest.mark.parametrize("wrong", ["8.8.8.0/33", "008.8.8.8", "https://firm.example", "*.firm.example", "a b", ""])
def test_what_nobody_understands_is_no_part_of_the_list_of_what_is_never_blocked(wrong: str, project: Project) -> None:
    (project.root / "respond.toml").write_text(f'allow = ["{wrong}"]\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="allow holds"):
        read_settings(project)


def test_what_one_action_has_no_room_for_is_named(project: Project) -> None:
    many = [f"7.7.{i // 200}.{i % 200 + 1}" for i in range(MOST + 3)]
    draft = preview("fail2ban", a_case(project, *many), project=project)
    (bans, _) = (text.splitlines() for _, text in sorted(draft.files.items()))
    assert len(bans) == MOST
    assert draft.held == tuple((one, "too_many") for one in many[MOST:])


def mail(project: Project, address: str, monkeypatch: pytest.MonkeyPatch, more: str = "") -> Case:
    monkeypatch.setenv("MAIL_KEY", "k3y")
    (project.root / "respond.toml").write_text(
        f'[mail-message]\nurl = "{address}"\nsender = "a@b.example"\nto = "c@d.example, gone@d.example"\nplain_http = true\n{more}'
    )
    return a_case(project, "7.7.7.7")


def leave(name: str, case: Case, project: Project) -> str:
    with open_labels(project) as store:
        draft = preview(name, case, project=project)
        done = respond(name, case.id, store=store, project=project, by="ana", confirmed=draft.digest)
    return done.reference


def test_an_address_that_the_mail_server_does_not_take_is_named(project: Project, monkeypatch) -> None:
    with serving(mailing(refused=b"gone@")) as port:
        case = mail(project, f"smtp://127.0.0.1:{port}", monkeypatch)
        assert leave("mail-message", case, project).endswith("; not taken: gone@d.example")


def test_a_mail_goes_encrypted_where_the_server_offers_it(project: Project, monkeypatch) -> None:
    heard: list[bytes] = []

    def offering(connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        connection.sendall(b"220 here\r\n")
        for line in lines:
            heard.append(line[:8].upper())
            connection.sendall(b"250-here\r\n250 STARTTLS\r\n" if line[:4].upper() == b"EHLO" else b"454 not now\r\n")

    with serving(offering) as port:
        case = mail(project, f"smtp://127.0.0.1:{port}", monkeypatch, 'user = "u"\nkey_variable = "MAIL_KEY"\n')
        with pytest.raises(TryLater):
            leave("mail-message", case, project)
    assert heard[1] == b"STARTTLS"
    assert not any(line.startswith((b"AUTH", b"MAIL")) for line in heard)


def test_a_key_is_not_sent_to_a_mail_server_that_offers_no_encryption(project: Project, monkeypatch) -> None:
    monkeypatch.setattr("socml.respond.responders.mail_message.is_loopback", lambda host: False)
    with serving(mailing()) as port:
        case = mail(project, f"smtp://127.0.0.1:{port}", monkeypatch, 'user = "u"\nkey_variable = "MAIL_KEY"\n')
        with pytest.raises(DataError, match="no encryption"):
            leave("mail-message", case, project)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 500 x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na",
        b"nothing\r\n",
    ],
)
def test_an_answer_that_is_cut_short_is_a_server_that_is_away(head: bytes) -> None:
    with serving(answering(head)) as port, pytest.raises(TryLater):
        send(f"http://127.0.0.1:{port}", b"{}", headers={})


@pytest.mark.parametrize("url", ["https://a..b", "http://127.0.0.1:1/é", f"https://{'a' * 70}.example"])
def test_an_address_that_cannot_be_one_is_told(url: str) -> None:
    with pytest.raises(TryLater):
        send(url, b"{}", headers={})


def test_an_answer_that_comes_a_byte_at_a_time_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "MOST_S", 0.3, raising=False)
    drip = answering(b"HTTP/1.1 200 x\r\nX: ", *[b"a"] * 400, pause_s=0.02)
    with serving(drip) as port, pytest.raises(TryLater):
        send(f"http://127.0.0.1:{port}", b"{}", headers={})


def test_cases_that_are_opened_at_once_are_as_many_cases(project: Project) -> None:
    begin = threading.Barrier(8)

    def open_one(number: int) -> None:
        with open_labels(project) as store:
            begin.wait()
            Cases(store).open(f"title {number}", by="ana")

    with open_labels(project):
        workers = [threading.Thread(target=open_one, args=(i,)) for i in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    with open_labels(project) as store:
        assert sorted(case.title for case in Cases(store).all()) == [f"title {i}" for i in range(8)]


def test_a_viewer_lets_nothing_leave_whatever_the_page_asks(project: Project) -> None:
    case = a_case(project, "7.7.7.7")
    draft = preview("json-case", case, project=project)
    with LabelStore(labels_url(project), read_only=True) as store:
        for attempt in (
            lambda: respond("json-case", case.id, store=store, project=project, by="eve", confirmed=draft.digest),
            lambda: undo_response("none", case.id, store=store, project=project, by="eve"),
            lambda: read_back(case.id, store=store, project=project, by="eve"),
        ):
            with pytest.raises(ConfigurationError, match="viewer"):
                attempt()
    assert not list((project.workspace / "responses").rglob("*.json"))


def test_two_who_confirm_the_same_at_once_send_it_once(project: Project) -> None:
    answer, asked = answering(b"HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\n{}"), []

    def slowly(connection: socket.socket) -> None:
        asked.append(connection)
        threading.Event().wait(0.5)  # while the others come
        answer(connection)

    with serving(slowly) as port:
        (project.root / "respond.toml").write_text(f'[webhook]\nurl = "http://127.0.0.1:{port}"\n', encoding="utf-8")
        case = a_case(project, "7.7.7.7")
        workers = [threading.Thread(target=leave, args=("webhook", case, project)) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        with open_labels(project) as store:
            assert len(Cases(store).get(case.id).sent) == 1
    assert len(asked) == 1
