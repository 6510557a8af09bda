"""The look-up as a person asks for it: the command and the page Tools."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from app_pages import APP, all_text
from lookup_server import KEY, Played, engines, project_of
from patience import PATIENCE_S
from shell import socml

from socml.labels import open_labels
from socml.project.project import Project, read_project
from socml.project.wording import words

pytestmark = pytest.mark.usefixtures("lookup_keys")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_command_says_what_leaves_then_what_is_known(language: str, server: Played, tmp_path: Path) -> None:
    server.says(engines(malicious=9))
    server.by_path["/otx"] = (401, b"{}")
    project_of(tmp_path, server, "virustotal", "otx", never='"firm.example"', language=language)
    text = "hxxp://c2[.]evil[.]example/x, 192.168.1.1, mail.firm.example"
    out, told = socml("tools", "lookup", text, "--online", cwd=tmp_path)
    say = words(language)
    names = "c2[.]evil[.]example, hxxp://c2[.]evil[.]example/x"
    assert say("tools.online.to", service="VirusTotal", host="127.0.0.1", names=names) in told
    assert say("tools.online.to", service="OTX", host="127.0.0.1", names="c2[.]evil[.]example") in told
    assert say("tools.online.says.malicious") in out
    assert "9/9" in out
    assert say("tools.online.held.private", names="192[.]168[.]1[.]1") in out
    assert say("tools.online.held.own", names="mail[.]firm[.]example") in out
    assert say("tools.online.failure.key_refused", service="OTX", status="401", variable="OTX_KEY") in out
    assert KEY not in out + told
    asked = len(server.asked)
    plain = json.loads(socml("tools", "lookup", text, "--online", "--json", cwd=tmp_path)[0])
    assert {answer["was_kept"] for answer in plain["answers"]} == {True}
    assert {held["reason"] for held in plain["held"]} == {"own", "private"}
    assert len(server.asked) == asked + 1  # OTX again, which had refused
    assert not any("192.168" in path or "firm" in path for _, path, _, _ in server.asked)


def test_local_lists_and_services_go_together(server: Played, tmp_path: Path) -> None:
    server.says(engines(malicious=9))
    project_of(tmp_path, server, "virustotal")
    (tmp_path / "list.txt").write_text("evil.example\n")
    out, _ = socml("tools", "lookup", "c2.evil.example", "--online", "--list", "list.txt", cwd=tmp_path)
    assert "list.txt:1" in out
    assert "9/9" in out
    socml("tools", "lookup", "c2.evil.example", "--list", "list.txt", cwd=tmp_path)
    assert len(server.asked) == 1


def opened(language: str, monkeypatch: pytest.MonkeyPatch, project: Project) -> Any:
    monkeypatch.setenv("SOCML_PROJECT", str(project.root))
    monkeypatch.syspath_prepend(str(APP))
    testing: Any = pytest.importorskip("streamlit.testing.v1")
    page = testing.AppTest.from_file(str(APP / "tools.py"), default_timeout=PATIENCE_S)
    page.query_params["lang"] = language
    return page.run()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_asks_only_when_told_to(
    language: str, server: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.says(engines(malicious=9))
    server.by_path["/otx"] = (500, b"{}")
    say, project = words(language), project_of(tmp_path, server, "virustotal", "otx")
    page = opened(language, monkeypatch, project)
    assert say("app.tools.about_online") in all_text(page)
    page.text_area(key="tools_text").set_value("c2.evil.example and 192.168.1.1").run()
    assert not page.exception
    assert say("tools.online.leaving", n=1) in all_text(page)
    for service in ("VirusTotal", "OTX"):
        sent = say("tools.online.to", service=service, host="127.0.0.1", names="c2[.]evil[.]example")
        assert sent in all_text(page)
    assert say("tools.online.held.private", names="192[.]168[.]1[.]1") in all_text(page)
    assert not server.asked
    assert page.button(key="tools_ask_text").label == say("app.tools.ask")
    page.button(key="tools_ask_text").click().run()
    assert not page.exception
    assert len(server.asked) == 2
    row = page.dataframe[1].value.iloc[0]
    assert row[say("tools.online.verdict")] == say("tools.online.says.malicious")
    assert row[say("tools.online.indicator")] == "c2[.]evil[.]example"
    assert say("tools.online.failure.status", service="OTX", status="500") in all_text(page)
    page.run()
    assert len(server.asked) == 2
    assert not page.markdown


def test_the_page_asks_about_a_mails_links_and_attachments(
    server: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.says(engines(malicious=9))
    page = opened("en", monkeypatch, project_of(tmp_path, server, "virustotal"))
    mail = "From: a@evil.example\nSubject: x\n\nhttp://c2.evil.example/pay\n"
    page.file_uploader(key="tools_mail").set_value(("m.eml", mail.encode(), "message/rfc822")).run()
    assert not page.exception
    page.button(key="tools_ask_mail").click().run()
    assert not page.exception
    assert len(server.asked) == 2  # the link, and its host


def test_without_a_key_the_page_says_so(server: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTX_KEY")
    page = opened("en", monkeypatch, project_of(tmp_path, server, "otx"))
    page.text_area(key="tools_text").set_value("c2.evil.example").run()
    page.button(key="tools_ask_text").click().run()
    assert not page.exception
    assert "OTX_KEY" in all_text(page)


def test_the_page_has_no_button_unless_a_service_is_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "socml.toml").write_text("")
    page = opened("en", monkeypatch, read_project(tmp_path))
    page.text_area(key="tools_text").set_value("c2.evil.example").run()
    assert not page.exception
    assert not page.button
    assert words("en")("app.tools.about") in all_text(page)


@pytest.mark.parametrize(("role", "asks"), [("viewer", False), ("analyst", True)])
def test_a_viewer_lets_nothing_leave(
    role: str, asks: bool, server: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_of(tmp_path, server, "virustotal")
    with open_labels(project) as store:
        store.accounts.make("vera", role, "correct horse battery", by="setup")
        token = store.accounts.sign_in("vera", "correct horse battery")
    monkeypatch.setenv("SOCML_PROJECT", str(project.root))
    monkeypatch.syspath_prepend(str(APP))
    testing: Any = pytest.importorskip("streamlit.testing.v1")
    page = testing.AppTest.from_file(str(APP / "tools.py"), default_timeout=PATIENCE_S)
    page.session_state["socml_session"] = token
    page.run().text_area(key="tools_text").set_value("c2.evil.example").run()
    assert "VirusTotal" in all_text(page), "what would leave is told to both"
    assert ("tools_ask_text" in [button.key for button in page.button]) is asks


def test_the_command_for_who_has_no_account_runs_nothing_of_an_address(
    server: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_of(tmp_path, server)
    monkeypatch.setenv("SOCML_PROJECT", str(project.root))
    monkeypatch.syspath_prepend(str(APP))
    testing: Any = pytest.importorskip("streamlit.testing.v1")
    import single_sign_on

    address = '"$(touch x);"@evil.example'
    monkeypatch.setattr(single_sign_on, "is_configured", lambda: True)
    monkeypatch.setattr(single_sign_on, "vouched_for", lambda: address)
    page = testing.AppTest.from_file(str(APP / "tools.py"), default_timeout=PATIENCE_S).run()
    [command] = [element.value for element in page.code]
    assert shlex.split(command) == ["socml", "people", "add", address, "--elsewhere"]
    assert "$(" not in command.replace(shlex.quote(address), "")
