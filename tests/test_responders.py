"""Responders: previewed, confirmed, recorded and taken back, against real servers of this machine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
from collections.abc import Iterator
from email import message_from_string, policy
from pathlib import Path

import pytest
from builders import make_project
from local_servers import mail_server, web_server

from socml.labels.recording import open_labels
from socml.labels.store import LabelStore
from socml.project.errors import ConfigurationError, DataError, TryLater
from socml.project.project import Project
from socml.project.wording import words
from socml.respond.cases import Case, CaseRow, Cases
from socml.respond.responder import Draft
from socml.respond.responding import preview, read_back, respond, responder_names, undo_response

HOSTILE = 'x"; sid:1;) \r\nreject ip any any -> any any (sid:2;)\n- [a](javascript:1) <img src=x> =1+1 {{ }} `id`'
KEY = "0123abcd"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("RESPOND_KEY", KEY)
    return make_project(tmp_path / "lab")


@pytest.fixture
def store(project: Project) -> Iterator[LabelStore]:
    with open_labels(project) as opened:
        yield opened


@pytest.fixture
def case(store: LabelStore) -> Case:
    cases = Cases(store)
    made = cases.open(HOSTILE, by="ana", dataset="office", severity=3)
    cases.add_row(made.id, CaseRow("r1", "2026-03-03", "9.9.9.9", "source outside", HOSTILE, ("scan",)), by="ana")
    for entity in (
        "10.0.0.1",
        "8.8.8.8",
        "evil.example.net",
        "intern.corp.example",
        "::ffff:127.0.0.1",
        "2620:fe::fe",
        HOSTILE,
    ):
        cases.add_entity(made.id, entity, by="ana")
    return cases.change(made.id, by="ana", outcome="malicious", techniques=["T1046"])


def settings(project: Project, text: str) -> None:
    (project.root / "respond.toml").write_text('allow = ["8.8.8.0/24", "corp.example"]\n' + text, encoding="utf-8")


def sent(name: str, case: Case, store: LabelStore, project: Project) -> Draft:
    draft = preview(name, case, project=project)
    respond(name, case.id, store=store, project=project, by="ana", confirmed=draft.digest)
    return draft


@pytest.mark.parametrize("name", ["suricata-rules", "sigma-rule", "nftables", "fail2ban"])
def test_nothing_of_a_log_and_no_own_address_is_in_a_rule(name: str, case: Case, project: Project) -> None:
    settings(project, "")
    text = "\n".join(preview(name, case, project=project).files.values())
    assert "9.9.9.9" in text
    assert "2620:fe::fe" in text
    for never in ("10.0.0.1", "8.8.8.8", "127.0.0.1", "intern.corp", "javascript", "reject", "sid:1;", "<img", "`"):
        assert never not in text
    if name in ("suricata-rules", "sigma-rule"):
        assert base64.b64encode(b"evil.example.net").decode() in text or "evil.example.net" in text


@pytest.mark.parametrize("name", ["suricata-rules", "sigma-rule", "nftables", "fail2ban", "csv-observables"])
def test_each_line_of_a_file_is_one_that_the_format_has(name: str, case: Case, project: Project) -> None:
    starts = {
        "suricata-rules": ("alert ", "ZXZ"),
        "sigma-rule": ("title:", "id:", "status:", "description:", "author:", "date:", "tags:", "    ", "logsource:",
                       "detection:", "falsepositives:", "level:", "---"),
        "nftables": ("table ", "    ", "}", "delete table inet socml_"),
        "fail2ban": ("fail2ban-client set sshd ",),
        "csv-observables": ("kind,", "ip,", "domain,", "host,"),
    }[name]  # fmt: skip
    settings(project, "")
    for text in preview(name, case, project=project).files.values():
        for line in text.splitlines():
            assert line.startswith(starts), line


def test_a_case_of_own_addresses_alone_blocks_nothing(store: LabelStore, project: Project) -> None:
    cases = Cases(store)
    made = cases.open("own", by="ana")
    cases.add_entity(made.id, "192.168.1.1", by="ana")
    made = cases.change(made.id, by="ana", outcome="malicious")
    draft = preview("fail2ban", made, project=project)
    assert draft.empty
    assert draft.held == (("192.168.1.1", "not_public"),)
    with pytest.raises(DataError, match="Nothing is left"):
        respond("fail2ban", made.id, store=store, project=project, by="ana", confirmed=draft.digest)


def test_nothing_is_blocked_before_a_person_calls_it_malicious(store: LabelStore, project: Project) -> None:
    cases = Cases(store)
    made = cases.open("who", by="ana")
    made = cases.add_entity(made.id, "9.9.9.9", by="ana")
    digest = preview("nftables", made, project=project).digest
    with pytest.raises(DataError, match="not called malicious"):
        respond("nftables", made.id, store=store, project=project, by="ana", confirmed=digest)


def test_files_are_private_recorded_once_and_taken_back(case: Case, store: LabelStore, project: Project) -> None:
    draft = preview("markdown-report", case, project=project)
    done = respond("markdown-report", case.id, store=store, project=project, by="ana", confirmed=draft.digest)
    again = respond("markdown-report", case.id, store=store, project=project, by="bo", confirmed=draft.digest)
    assert again.sent_before
    path = Path(done.reference) / f"{case.id}.md"
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o077 == 0
    assert text == draft.files[path.name]
    assert "](" not in text.replace("\\]\\(", "")
    assert "<img" not in text.replace("\\<img", "")
    response = Cases(store).get(case.id).sent[0]
    assert (response.by, response.responder, response.digest) == ("ana", "markdown-report", draft.digest)
    undone = undo_response(response.id, case.id, store=store, project=project, by="bo").case
    assert not path.exists()
    assert undone.sent[0].undone
    assert undone.timeline[-1].kind == "response.undone"


def test_what_was_not_shown_does_not_leave(case: Case, store: LabelStore, project: Project) -> None:
    digest = preview("json-case", case, project=project).digest
    Cases(store).note(case.id, "more", by="bo")
    with pytest.raises(DataError, match="changed since"):
        respond("json-case", case.id, store=store, project=project, by="ana", confirmed=digest)


def test_red_goes_to_nobody(case: Case, store: LabelStore, project: Project) -> None:
    settings(project, '[webhook]\nurl = "http://127.0.0.1:1"\n')
    red = Cases(store).change(case.id, by="ana", tlp="red")
    with pytest.raises(DataError, match="RED"):
        preview("webhook", red, project=project)
    assert preview("markdown-report", red, project=project).files


def test_without_settings_nothing_is_sent(case: Case, project: Project) -> None:
    for name in responder_names():
        if name in (
            "elastic",
            "splunk",
            "webhook",
            "the-hive",
            "the-hive-4",
            "soar-incident",
            "patrowl-finding",
            "mail-message",
        ):
            with pytest.raises(ConfigurationError, match="no section"):
                preview(name, case, project=project)


def test_a_webhook_is_signed_and_not_redirected(case: Case, store: LabelStore, project: Project) -> None:
    with web_server() as web:
        settings(project, f'[webhook]\nurl = "{web.url}/hook"\nkey_variable = "RESPOND_KEY"\n')
        draft = sent("webhook", case, store, project)
        request = web.requests[0]
        digest = hmac.new(KEY.encode(), request["body"], hashlib.sha256).hexdigest()
        assert request["headers"]["X-Socml-Signature"] == f"sha256={digest}"
        assert request["body"].decode() == draft.body
        assert KEY not in draft.body + draft.target
        web.answers["POST", "/hook"] = (302, f"{web.url}/elsewhere")
        case = Cases(store).note(case.id, "again", by="ana")
        with pytest.raises(DataError, match="302"):
            sent("webhook", case, store, project)
        assert [one["path"] for one in web.requests] == ["/hook", "/hook"]
        web.answers["POST", "/hook"] = (503, {})
        with pytest.raises(TryLater):
            sent("webhook", case, store, project)
    assert len(Cases(store).get(case.id).sent) == 1


def test_the_hive_gets_an_alert_and_a_case_and_tells_what_it_was(
    case: Case, store: LabelStore, project: Project
) -> None:
    with web_server() as web:
        settings(project, f'[the-hive]\nurl = "{web.url}"\nkey_variable = "RESPOND_KEY"\n')
        web.answers |= {
            ("POST", "/api/v1/alert"): (201, {"_id": "~1"}),
            ("POST", "/api/v1/alert/~1/case"): (201, {"_id": "~2"}),
            ("GET", "/api/v1/case/~2"): (200, {"status": "FalsePositive"}),
        }
        sent("the-hive", case, store, project)
        alert = json.loads(web.requests[0]["body"])
        assert web.requests[0]["headers"]["Authorization"] == f"Bearer {KEY}"
        assert alert["sourceRef"].startswith(f"socml-{case.id}")
        assert {"dataType": "ip", "data": "9.9.9.9", "ioc": True} in alert["observables"]
        assert {"dataType": "ip", "data": "8.8.8.8", "ioc": False} in alert["observables"]
        assert "](javascript" not in alert["description"]
        found = read_back(case.id, store=store, project=project, by="ana")
        assert found.outcome == "false_alarm"
        undo_response(found.sent[0].id, case.id, store=store, project=project, by="ana")
        assert [(r["method"], r["path"]) for r in web.requests[-2:]] == [
            ("DELETE", "/api/v1/case/~2"), ("DELETE", "/api/v1/alert/~1"),
        ]  # fmt: skip


def test_what_left_by_a_way_that_is_gone_does_not_hide_what_the_others_say(
    case: Case, store: LabelStore, project: Project
) -> None:
    body = {"responder": "own-desk", "target": "desk", "reference": "7", "digest": "d"}  # a file that was deleted since
    store.journal.add("response.sent", case.id, body, by="ana")
    with web_server() as web:
        settings(project, f'[the-hive]\nurl = "{web.url}"\nkey_variable = "RESPOND_KEY"\n')
        web.answers |= {
            ("POST", "/api/v1/alert"): (201, {"_id": "~1"}),
            ("POST", "/api/v1/alert/~1/case"): (201, {"_id": "~2"}),
            ("GET", "/api/v1/case/~2"): (200, {"status": "FalsePositive"}),
        }
        sent("the-hive", Cases(store).get(case.id), store, project)
        assert read_back(case.id, store=store, project=project, by="ana").outcome == "false_alarm"


def test_an_alert_that_is_there_already_is_the_same_one(case: Case, store: LabelStore, project: Project) -> None:
    with web_server() as web:
        settings(project, f'[the-hive]\nurl = "{web.url}"\nkey_variable = "RESPOND_KEY"\n')
        web.answers |= {
            ("POST", "/api/v1/alert"): (400, {"type": "CreateError", "message": "Alert already exist"}),
            ("POST", "/api/v1/query"): (200, [{"_id": "~7"}]),
            ("POST", "/api/v1/alert/~7/case"): (201, {"_id": "~8"}),
        }
        sent("the-hive", case, store, project)
    assert Cases(store).get(case.id).sent[0].reference == "~7 ~8"


@pytest.mark.parametrize(
    ("name", "more", "path", "key"),
    [
        ("the-hive-4", "", "/api/alert", f"Bearer {KEY}"),
        ("soar-incident", 'organisation = "201"', "/rest/orgs/201/incidents",
         f"Basic {base64.b64encode(KEY.encode()).decode()}"),
        ("patrowl-finding", "", "/findings/api/v1/add", f"Token {KEY}"),
        ("splunk", 'index = "main"', "/services/collector/event", f"Splunk {KEY}"),
    ],
)  # fmt: skip
def test_tickets_arrive_with_their_key(
    name: str, more: str, path: str, key: str, case: Case, store: LabelStore, project: Project
) -> None:
    with web_server() as web:
        settings(project, f'[{name}]\nurl = "{web.url}"\nkey_variable = "RESPOND_KEY"\n{more}\n')
        web.answers["POST", path] = (200, {"id": 2314})
        sent(name, case, store, project)
        request = web.requests[0]
    assert request["path"] == path
    assert request["headers"]["Authorization"] == key
    body = json.loads(request["body"])
    assert body.get("artifacts") or body.get("asset_name") or body["event"]["addresses"]
    if name == "soar-incident":
        assert "<img" not in body["description"]["content"]
        assert body["severity_code"] == {"name": "High"}


def test_elastic_keeps_one_document_a_case(case: Case, store: LabelStore, project: Project) -> None:
    with web_server() as web:
        settings(project, f'[elastic]\nurl = "{web.url}"\nkey_variable = "RESPOND_KEY"\nindex = "soc"\n')
        sent("elastic", case, store, project)
        response = Cases(store).get(case.id).sent[0]
        undo_response(response.id, case.id, store=store, project=project, by="ana")
    assert [r["method"] for r in web.requests] == ["PUT", "DELETE"]
    assert web.requests[0]["path"] == web.requests[1]["path"] == f"/soc/_doc/{response.reference}"
    body = json.loads(web.requests[0]["body"])
    assert body["related"]["ip"]
    assert body["event"]["severity"] == 75  # the third of four


def test_a_mail_arrives_as_it_was_shown_and_no_header_comes_from_a_title(
    case: Case, store: LabelStore, project: Project
) -> None:
    mails: list[str] = []
    with mail_server(mails) as address:
        settings(project, f'[mail-message]\nurl = "{address}"\nsender = "soc@corp.example"\nto = "lead@corp.example"\n')
        draft = sent("mail-message", case, store, project)
    shown, came = (message_from_string(text, policy=policy.default) for text in (draft.body, mails[0]))
    assert came["Subject"] == shown["Subject"]
    assert set(came.keys()) == set(shown.keys())
    assert came.get_content().split() == shown.get_content().split()
    with mail_server(mails, refuse=True) as address:
        settings(project, f'[mail-message]\nurl = "{address}"\nsender = "soc@corp.example"\nto = "x@corp.example"\n')
        with pytest.raises(DataError, match="none of the addresses"):
            sent("mail-message", Cases(store).note(case.id, "n", by="ana"), store, project)


def test_a_bundle_is_stix(case: Case, project: Project) -> None:
    draft = preview("stix-bundle", case, project=project)
    again = preview("stix-bundle", case, project=project)
    assert draft.files == again.files
    bundle = json.loads(next(iter(draft.files.values())))
    by_type: dict[str, list[dict[str, object]]] = {}
    for one in bundle["objects"]:
        assert one["id"].startswith(f"{one['type']}--")
        assert one["spec_version"] == "2.1"
        by_type.setdefault(one["type"], []).append(one)
    ids = {one["id"] for one in bundle["objects"]}
    assert set(by_type["report"][0]["object_refs"]) <= ids
    assert {one["pattern"] for one in by_type["indicator"]} >= {"[ipv4-addr:value = '9.9.9.9']"}
    # the id that OASIS's own Python library gives for this value
    address = next(one for one in by_type["ipv4-addr"] if one["value"] == "9.9.9.9")
    assert address["id"].split("--")[1][14] == "5"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[the-hiv]\nurl = "https://x.example"', "the-hive"),
        ('[webhook]\nurl = "http://x.example"', "plain_http"),
        ('[webhook]\nurl = "https://user:secret@x.example"', "without user"),
        ('[webhook]\nkey = "secret"', "unknown key"),
        ('[webhook]\nkey_variable = "s3cret"', "never the key"),
        ("allow = 3", "list"),
    ],
)
def test_wrong_settings_say_what_and_repeat_no_value(text: str, says: str, case: Case, project: Project) -> None:
    (project.root / "respond.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=says) as error:
        preview("webhook", case, project=project)
    assert "s3cret" not in str(error.value).replace("key_variable", "")
    assert "secret@" not in str(error.value)


def test_rules_pass_the_real_tools_where_they_are(
    case: Case, store: LabelStore, project: Project, tmp_path: Path
) -> None:
    nft = shutil.which("nft")
    if nft is None:
        pytest.skip("nft is not installed: apt-get install nftables")
    for name, text in preview("nftables", case, project=project).files.items():
        if not name.endswith(".undo.nft"):
            (tmp_path / name).write_text(text, encoding="utf-8")
            checked = subprocess.run(
                [nft, "-c", "-f", str(tmp_path / name)], capture_output=True, text=True, check=False
            )
            if "Operation not permitted" in checked.stderr:
                pytest.skip("nft may not check here: it needs rights of its own")
            assert checked.returncode == 0, checked.stderr


def test_every_responder_has_a_name_in_each_language() -> None:
    for language in ("en", "fr"):
        for name in responder_names():
            assert f"respond.name.{name.replace('-', '_')}" in words(language).catalogue, f"add [respond.name] {name}"
