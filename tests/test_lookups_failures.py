"""Look-ups when a service fails, refuses, drips or lies: a sentence each, and never a verdict."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from lookup_server import ADDRESS, DOMAIN, KEY, Played, engines, look_up_online, project_of

from socml.project.project import LookupService, Project
from socml.project.wording import words
from socml.tools.indicators import Indicator

pytestmark = pytest.mark.usefixtures("lookup_keys")


@pytest.mark.parametrize(
    ("status", "reason"), [(401, "key_refused"), (403, "key_refused"), (429, "too_often"), (500, "status"), (503, "status"), (404, "status"), (302, "status")]
)  # fmt: skip
def test_an_http_error_is_told_in_words_and_the_service_left_alone(
    status: int, reason: str, server: Played, tmp_path: Path
) -> None:
    server.says({"error": KEY}, status)
    project = project_of(tmp_path, server, "abuseipdb")
    result = look_up_online([ADDRESS, Indicator("ipv4", "1.1.1.1")], project=project)
    [failure] = result.failures
    assert (failure.reason, failure.unasked) == (reason, 1)
    assert len(server.asked) == 1
    assert KEY not in repr(result)
    assert all(words(lang)(f"tools.online.failure.{reason}", service="X", **failure.values) for lang in ("en", "fr"))


def test_what_one_indicator_is_refused_for_does_not_end_the_look_up(server: Played, tmp_path: Path) -> None:
    server.says({}, 422)
    result = look_up_online([ADDRESS, Indicator("ipv4", "1.1.1.1")], project=project_of(tmp_path, server, "abuseipdb"))
    assert [(f.reason, f.values["status"]) for f in result.failures] == [("status", "422")] * 2


@pytest.mark.parametrize("name", ["virustotal", "otx", "greynoise"])
def test_404_with_json_means_unknown(name: str, server: Played, tmp_path: Path) -> None:
    server.says({"error": {"code": "NotFoundError"}}, 404)
    [found] = look_up_online([ADDRESS], project=project_of(tmp_path, server, name)).answers
    assert (found.reading.verdict, found.reading.about) == ("unknown", "not_known")
    assert "9.9.9.9" in found.reading.link


def test_404_of_some_other_server_is_no_verdict(server: Played, tmp_path: Path) -> None:
    server.body, server.status = b"<h1>Not here</h1>", 404
    result = look_up_online([ADDRESS], project=project_of(tmp_path, server, "virustotal"))
    assert [(f.reason, f.values["status"]) for f in result.failures] == [("status", "404")]


@pytest.mark.parametrize("retry_after", ["120", "Wed, 01 Jan 2070 00:00:00 GMT", "99999999999999999999"])
def test_a_service_that_wants_a_pause_gets_it(retry_after: str, server: Played, tmp_path: Path) -> None:
    server.says({}, 429)
    server.headers = {"Retry-After": retry_after}
    project = project_of(tmp_path, server, "virustotal")
    for _ in range(2):
        [failure] = look_up_online([ADDRESS, DOMAIN], project=project).failures
        assert (failure.reason, failure.unasked) == ("pause", 1)
        assert failure.values["until"].endswith(" UTC")
    assert len(server.asked) == 1  # the second call waited, too


@pytest.mark.parametrize("retry_after", ["0", "soon", "-5", "Wed, 01 Jan 2020 00:00:00 GMT", ""])
def test_an_odd_pause_is_no_error(retry_after: str, server: Played, tmp_path: Path) -> None:
    server.says({}, 429)
    server.headers = {"Retry-After": retry_after}
    [failure] = look_up_online([ADDRESS], project=project_of(tmp_path, server, "virustotal")).failures
    assert failure.reason in ("pause", "too_often")


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"<html>log in</html>", "not_json"), (b"", "not_json"), (b"[1]", "not_json"), (b"[" * 100_000, "not_json"),
     (b'{"a": ' + b"9" * 10_000 + b"}", "not_json"), (b"\xff\xfe{", "not_json"), (b" " * ((1 << 20) + 1), "too_large")],
)  # fmt: skip
def test_what_is_no_json_or_huge_is_told(body: bytes, reason: str, server: Played, tmp_path: Path) -> None:
    server.body = body
    result = look_up_online([ADDRESS], project=project_of(tmp_path, server, "virustotal"))
    assert [failure.reason for failure in result.failures] == [reason]


def test_a_service_that_drips_is_given_up_in_time(server: Played, tmp_path: Path) -> None:
    server.says(engines(harmless=1))
    server.slow_s = 0.1  # each byte comes in time, all of them never would
    result = look_up_online([ADDRESS, DOMAIN], project=project_of(tmp_path, server, "virustotal"), limit_s=0.5)
    assert [(f.reason, f.values["seconds"], f.unasked) for f in result.failures] == [("slow", "0.5", 1)]
    assert len(server.asked) <= 1


@pytest.mark.parametrize("status", [200, 404])
def test_an_answer_that_stops_in_the_middle_is_told(status: int, server: Played, tmp_path: Path) -> None:
    server.says(engines(harmless=1), status)
    server.slow_s, server.headers = 1.0, {"Content-Length": "9999"}
    result = look_up_online([ADDRESS], project=project_of(tmp_path, server, "virustotal"), limit_s=0.3)
    assert [failure.reason for failure in result.failures] == ["slow"]
    server.slow_s, server.body = 0.0, server.body[:20]
    result = look_up_online([ADDRESS], project=project_of(tmp_path, server, "virustotal"))
    assert [failure.reason for failure in result.failures] == ["not_json" if status == 200 else "status"]


def test_a_redirect_to_another_host_is_not_followed(server: Played, tmp_path: Path) -> None:
    server.status, server.headers = 302, {"Location": f"http://localhost:{server.port}/elsewhere"}
    result = look_up_online([ADDRESS], project=project_of(tmp_path, server, "virustotal"))
    assert [(f.reason, f.values["host"]) for f in result.failures] == [("elsewhere", "localhost")]
    assert len(server.asked) == 1


def test_a_redirect_within_the_host_is_followed_but_not_for_ever(server: Played, tmp_path: Path) -> None:
    server.says(engines(harmless=1), 301)
    server.headers = {"Location": "/new"}
    server.by_path["/new"] = (200, server.body)
    project = project_of(tmp_path, server, "virustotal", "urlhaus")
    result = look_up_online([ADDRESS], project=project)
    assert [answer.service for answer in result.answers] == ["virustotal"]
    assert [(f.service, f.reason) for f in result.failures] == [("urlhaus", "elsewhere")]  # a form is sent once
    server.by_path = {}
    assert [f.reason for f in look_up_online([DOMAIN], project=project).failures] == ["status", "elsewhere"]


def test_a_service_that_is_away_or_not_trusted_is_told(server: Played, tmp_path: Path) -> None:
    project = project_of(tmp_path, server, "virustotal")
    dead = LookupService("virustotal", "VIRUSTOTAL_KEY", "http://127.0.0.1:9", private_address=True)
    no_tls = f"https://127.0.0.1:{server.port}"
    plain = LookupService("otx", "OTX_KEY", no_tls, private_address=True)
    project = Project(project.root, project.workspace, lookups=(dead, plain))
    result = look_up_online([ADDRESS], project=project)
    assert [f.reason for f in result.failures] == ["unreachable", "unreachable"]
    assert not server.asked


def test_what_is_meant_for_this_machine_goes_to_no_proxy(
    server: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.says(engines(harmless=1))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert look_up_online([ADDRESS], project=project_of(tmp_path, server, "virustotal")).answers


def test_a_certificate_that_nobody_vouches_for_gets_no_key(server: Played, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    pem = tmp_path / "both.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run([*command.split(), "-keyout", pem, "-out", f"{pem}.crt"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{pem}.crt", pem)
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as served:
        served.handle_error = lambda *_: None  # type: ignore[method-assign]  whoever asked has gone
        served.socket = context.wrap_socket(served.socket, server_side=True)
        threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
        address = f"https://127.0.0.1:{served.server_address[1]}"
        service = LookupService("otx", "OTX_KEY", address, private_address=True)
        project = Project(tmp_path, tmp_path / "workspace", lookups=(service,))
        assert [failure.reason for failure in look_up_online([ADDRESS], project=project).failures] == ["not_trusted"]
        served.shutdown()


def test_a_service_that_fails_does_not_hide_the_others(
    server: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.says({}, 500)
    server.by_path["/otx"] = (200, json.dumps({"pulse_info": {"count": 1}}).encode())
    monkeypatch.delenv("GREYNOISE_KEY")
    result = look_up_online([ADDRESS], project=project_of(tmp_path, server, "greynoise", "virustotal", "otx"))
    assert [answer.service for answer in result.answers] == ["otx"]
    assert sorted((f.service, f.reason) for f in result.failures) == [("greynoise", "no_key"), ("virustotal", "status")]
