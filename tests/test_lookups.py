"""Look-ups at online services, against a server in the test that plays each of them. Nothing here touches a network."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from app_text import APP, all_text
from hypothesis import given
from hypothesis import strategies as st
from patience import PATIENCE_S
from shell import socml

from socml.project.errors import ConfigurationError
from socml.project.project import LOOKUP_SERVICES, LookupService, Project, read_project
from socml.project.wording import words
from socml.tools.indicators import Indicator, find_indicators
from socml.tools.leaving import reason_to_keep
from socml.tools.online import look_up_online as look_up_in_time
from socml.tools.online import plan_lookup
from socml.tools.services import SERVICES, VERDICTS, request_of

look_up_online = partial(look_up_in_time, limit_s=PATIENCE_S)  # a busy machine is no slow service
KEY = "k3y0f7h3t3st0123456789abcdef"
ADDRESS = Indicator("ipv4", "9.9.9.9")
DOMAIN = Indicator("domain", "c2.evil.example")
URL = Indicator("url", "http://c2.evil.example/a b?x=1&y=2")
SHA256 = Indicator("sha256", "ab" * 32)


@dataclass
class Played:
    """What the server was asked, and what it answers: by a start of a path, or to all."""

    port: int = 0
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    slow_s: float = 0.0  # before each byte
    by_path: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def says(self, value: Any, status: int = 200) -> None:
        """Answer with this JSON."""
        self.body, self.status = json.dumps(value).encode(), status

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def server() -> Iterator[Played]:
    played = Played()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            played.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            found = next((v for start, v in played.by_path.items() if self.path.startswith(start)), None)
            status, answer = found or (played.status, played.body)
            self.send_response(status)
            for name, value in played.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            try:
                for i in range(len(answer)) if played.slow_s else ():
                    self.wfile.write(answer[i : i + 1])
                    time.sleep(played.slow_s)
                if not played.slow_s:
                    self.wfile.write(answer)
            except OSError:
                pass  # whoever asked has gone

        do_POST = do_GET  # noqa: N815  http.server's names

        def log_message(self, *_: object) -> None: ...

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.daemon_threads = True
    played.port = served.server_address[1]
    threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
    yield played
    served.shutdown()
    served.server_close()


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LOOKUP_SERVICES:
        monkeypatch.setenv(f"{name.upper()}_KEY", KEY)
    for name in ("SOCML_PROJECT", "SOCML_WORKSPACE", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def project_of(root: Path, server: Played, *names: str, never: str = "", language: str = "en") -> Project:
    """Write a project whose services are all the server, each under its name."""
    root.mkdir(parents=True, exist_ok=True)
    text = f'language = "{language}"\n[lookups]\nnever = [{never}]\n'
    for name in names:
        text += f'[lookups.{name}]\nkey_variable = "{name.upper()}_KEY"\naddress = "{server.address}/{name}"\n'
        text += "private_address = true\n"
    (root / "socml.toml").write_text(text, encoding="utf-8")
    return read_project(root)


# --- the requests


def test_the_services_of_the_table_are_those_that_a_project_may_name() -> None:
    assert tuple(SERVICES) == LOOKUP_SERVICES
    assert all(service.address.startswith("https://") for service in SERVICES.values())


@pytest.mark.parametrize(
    ("name", "one", "path", "header"),
    [
        ("abuseipdb", ADDRESS, "/check?ipAddress=9.9.9.9&maxAgeInDays=90", "key"),
        ("abuseipdb", Indicator("ipv6", "2620:fe::9"), "/check?ipAddress=2620%3Afe%3A%3A9&maxAgeInDays=90", "key"),
        ("greynoise", ADDRESS, "/v3/community/9.9.9.9", "key"),
        ("otx", ADDRESS, "/indicators/IPv4/9.9.9.9/general", "x-otx-api-key"),
        ("otx", Indicator("ipv6", "2620:fe::9"), "/indicators/IPv6/2620%3Afe%3A%3A9/general", "x-otx-api-key"),
        ("otx", DOMAIN, "/indicators/hostname/c2.evil.example/general", "x-otx-api-key"),
        ("otx", Indicator("domain", "evil.example"), "/indicators/domain/evil.example/general", "x-otx-api-key"),
        ("otx", Indicator("domain", "evil.co.uk"), "/indicators/domain/evil.co.uk/general", "x-otx-api-key"),
        ("otx", SHA256, f"/indicators/file/{'ab' * 32}/general", "x-otx-api-key"),
        ("virustotal", ADDRESS, "/ip_addresses/9.9.9.9", "x-apikey"),
        ("virustotal", DOMAIN, "/domains/c2.evil.example", "x-apikey"),
        ("virustotal", SHA256, f"/files/{'ab' * 32}", "x-apikey"),
        ("virustotal", Indicator("md5", "ab" * 16), f"/files/{'ab' * 16}", "x-apikey"),
    ],
)
def test_each_service_is_asked_in_its_own_form(
    name: str, one: Indicator, path: str, header: str, server: Played, tmp_path: Path
) -> None:
    look_up_online([one], project=project_of(tmp_path, server, name))
    [(method, asked, headers, body)] = server.asked
    assert (method, asked, body) == ("GET", f"/{name}{path}", b"")
    assert headers[header] == KEY
    assert KEY not in asked


def test_the_id_of_a_url_at_virustotal_gives_the_url_back(server: Played, tmp_path: Path) -> None:
    look_up_online([URL], project=project_of(tmp_path, server, "virustotal"))
    written = server.asked[0][1].rpartition("/")[2]
    assert "=" not in written
    assert base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)).decode() == URL.value


@pytest.mark.parametrize(("one", "path", "name"), [(URL, "/url/", "url"), (DOMAIN, "/host/", "host"), (ADDRESS, "/host/", "host")])  # fmt: skip
def test_urlhaus_gets_a_form(one: Indicator, path: str, name: str, server: Played, tmp_path: Path) -> None:
    look_up_online([one], project=project_of(tmp_path, server, "urlhaus"))
    [(method, asked, headers, body)] = server.asked
    assert (method, asked, headers["auth-key"]) == ("POST", f"/urlhaus{path}", KEY)
    assert parse_qs(body.decode()) == {name: [one.value]}
    assert headers["content-type"] == "application/x-www-form-urlencoded"


# --- the verdicts


def abuse(confidence: Any, **more: Any) -> dict[str, Any]:
    return {"data": {"abuseConfidenceScore": confidence, "totalReports": 3, "numDistinctUsers": 2, **more}}


def engines(**stats: int) -> dict[str, Any]:
    return {"data": {"id": "cd" * 32, "attributes": {"last_analysis_stats": stats}}}


def noise(classification: str, scans: bool = True, common: bool = False) -> dict[str, Any]:
    return {"classification": classification, "noise": scans, "riot": common, "name": "X", "last_seen": "2024-01-02"}


def host(*states: str, listed: str = "not listed") -> dict[str, Any]:
    urls = [{"url_status": state} for state in states]
    return {"query_status": "ok", "url_count": "7", "urls": urls, "blacklists": {"spamhaus_dbl": listed}}


@pytest.mark.parametrize(
    ("name", "one", "answer", "verdict", "score"),
    [
        ("abuseipdb", ADDRESS, abuse(100), "malicious", "100/100"),
        ("abuseipdb", ADDRESS, abuse(75), "malicious", "75/100"),
        ("abuseipdb", ADDRESS, abuse(25), "suspicious", "25/100"),
        ("abuseipdb", ADDRESS, abuse(24), "unknown", "24/100"),
        ("abuseipdb", ADDRESS, abuse(90, isWhitelisted=True), "harmless", "90/100"),
        ("greynoise", ADDRESS, noise("malicious"), "malicious", "malicious"),
        ("greynoise", ADDRESS, noise("suspicious"), "suspicious", "suspicious"),
        ("greynoise", ADDRESS, noise("benign"), "harmless", "benign"),
        ("greynoise", ADDRESS, noise("unknown", common=True), "harmless", "unknown"),
        ("greynoise", ADDRESS, noise("unknown"), "unknown", "unknown"),
        ("greynoise", ADDRESS, noise("new word"), "unknown", "new word"),
        ("otx", DOMAIN, {"pulse_info": {"count": 2, "pulses": [{"name": "A"}, {"name": "B"}]}}, "suspicious", "2"),
        ("otx", DOMAIN, {"pulse_info": {"count": 0, "pulses": []}}, "unknown", "0"),
        ("otx", DOMAIN, {"pulse_info": {"count": 9}, "validation": [{"name": "Whitelisted"}]}, "harmless", "9"),
        ("urlhaus", URL, {"query_status": "ok", "url_status": "offline", "tags": None}, "malicious", "offline"),
        ("urlhaus", DOMAIN, host("online", "offline"), "malicious", "7"),
        ("urlhaus", DOMAIN, host("offline"), "suspicious", "7"),
        ("urlhaus", DOMAIN, host("online", listed="abused_legit_malware"), "suspicious", "7"),
        ("urlhaus", DOMAIN, {"query_status": "no_results"}, "unknown", ""),
        ("virustotal", SHA256, engines(malicious=3, undetected=60), "malicious", "3/63"),
        ("virustotal", SHA256, engines(malicious=2, undetected=60), "suspicious", "2/62"),
        ("virustotal", SHA256, engines(suspicious=1, harmless=60), "suspicious", "0/61"),
        ("virustotal", DOMAIN, engines(harmless=60, undetected=30), "harmless", "0/90"),
        ("virustotal", SHA256, engines(undetected=70), "unknown", "0/70"),
    ],
)
def test_an_answer_becomes_a_verdict_with_the_services_own_score(
    name: str, one: Indicator, answer: Any, verdict: str, score: str, server: Played, tmp_path: Path
) -> None:
    server.says(answer)
    result = look_up_online([one], project=project_of(tmp_path, server, name))
    [found] = result.answers
    assert (found.indicator, found.service) == (one, name)
    assert (found.reading.verdict, found.reading.score) == (verdict, score)
    assert found.reading.link.startswith("https://")
    assert not result.failures
    for language in ("en", "fr"):
        assert words(language)(f"tools.online.about.{found.reading.about}", **found.reading.facts)


@pytest.mark.parametrize("name", LOOKUP_SERVICES)
@pytest.mark.parametrize(
    "answer",
    [{}, {"data": None}, {"data": []}, {"pulse_info": 3}, {"query_status": ["ok"]}, {"classification": 1},
     {"data": {"abuseConfidenceScore": True}}, {"data": {"abuseConfidenceScore": "1e3"}}],
)  # fmt: skip
def test_another_form_is_a_failure_and_no_verdict(name: str, answer: Any, server: Played, tmp_path: Path) -> None:
    server.says(answer)
    result = look_up_online([ADDRESS], project=project_of(tmp_path, server, name))
    assert [failure.reason for failure in result.failures] == ["other_form"]
    assert not result.answers


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "data attributes last_analysis_stats malicious pulse_info count pulses name validation query_status urls "
                "url_status blacklists tags classification noise riot abuseConfidenceScore id urlhaus_reference".split()
            ),
            inner | st.just("ok"),
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(JSON)
def test_any_answer_is_read_or_refused(answer: Any) -> None:
    for service in SERVICES.values():
        for kind in service.paths:
            reading = service.read(
                Indicator(kind, "x.example"), answer if isinstance(answer, dict) else {"data": answer}
            )
            if reading is not None:
                assert reading.verdict in VERDICTS
                assert json.dumps(reading.facts).isascii()
                assert reading.link.startswith("https://")


def test_a_link_is_never_the_services_word_for_it(server: Played, tmp_path: Path) -> None:
    server.says({"query_status": "ok", "urlhaus_reference": "https://urlhaus.abuse.ch.evil.example/", "tags": ["a", 1]})
    [found] = look_up_online([URL], project=project_of(tmp_path, server, "urlhaus")).answers
    assert found.reading.link.startswith("https://urlhaus.abuse.ch/browse.php?search=http%3A%2F%2Fc2")
    server.says({"query_status": "ok", "urlhaus_reference": "https://urlhaus.abuse.ch/url/12/"})
    [found] = look_up_online([Indicator("url", "http://b.example/")], project=read_project(tmp_path)).answers
    assert found.reading.link == "https://urlhaus.abuse.ch/url/12/"


# --- what fails


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


# --- what stays here


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (Indicator("ipv4", "10.1.2.3"), "own"),
        (Indicator("ipv4", "192.168.1.1"), "private"),
        (Indicator("ipv4", "172.31.0.1"), "private"),
        (Indicator("ipv4", "100.64.0.1"), "private"),
        (Indicator("ipv4", "127.0.0.1"), "private"),
        (Indicator("ipv4", "169.254.1.1"), "private"),
        (Indicator("ipv4", "192.0.2.7"), "private"),
        (Indicator("ipv4", "198.51.100.7"), "private"),
        (Indicator("ipv4", "203.0.113.7"), "private"),
        (Indicator("ipv4", "224.0.0.1"), "private"),
        (Indicator("ipv4", "255.255.255.255"), "private"),
        (Indicator("ipv4", "8.8.4.4"), "own"),
        (Indicator("ipv4", "9.9.9.9"), ""),
        (Indicator("ipv6", "::1"), "private"),
        (Indicator("ipv6", "fe80::1"), "private"),
        (Indicator("ipv6", "fd00::1"), "private"),
        (Indicator("ipv6", "fec0::1"), "private"),
        (Indicator("ipv6", "2001:db8::1"), "private"),
        (Indicator("ipv6", "3fff::1"), "private"),
        (Indicator("ipv6", "::ffff:192.168.1.1"), "private"),
        (Indicator("ipv6", "::ffff:10.1.1.1"), "own"),
        (Indicator("ipv6", "2002:c0a8:101::1"), "private"),
        (Indicator("ipv6", "64:ff9b::c0a8:101"), "private"),
        (Indicator("ipv6", "2620:fe::9"), ""),
        (Indicator("domain", "firm.example"), "own"),
        (Indicator("domain", "mail.firm.example"), "own"),
        (Indicator("domain", "notfirm.example"), ""),
        (Indicator("domain", "firm.example.evil.example"), ""),
        (Indicator("domain", "xn--socit-esab.example"), "own"),
        (Indicator("domain", "dc1.corp"), "private"),
        (Indicator("domain", "1.1.168.192.in-addr.arpa"), "private"),
        (Indicator("url", "http://mail.firm.example/x"), "own"),
        (Indicator("url", "http://MAIL.FIRM.EXAMPLE./x"), "own"),
        (Indicator("url", "http://mail%2efirm%2eexample/x"), "own"),
        (Indicator("url", "http://mail\u3002firm\uff0eexample/x"), "own"),
        (Indicator("url", "http://société.example/x"), "own"),
        (Indicator("url", "http://intranet/x"), "private"),
        (Indicator("url", "http://localhost:8080/"), "private"),
        (Indicator("url", "http://10.1.2.3:8080/"), "own"),
        (Indicator("url", "http://[fe80::1]/"), "private"),
        (Indicator("url", "http://127.1/"), "private"),
        (Indicator("url", "http://2130706433/"), "private"),
        (Indicator("url", "http://0x7f.0.0.1/"), "private"),
        (Indicator("url", "http://[oops/"), "private"),
        (Indicator("url", "https://ann:secret@evil.example/"), "secret"),
        (Indicator("url", "https://evil.example/?to=ann@firm.example"), "own"),
        (Indicator("url", "https://evil.example/?to=ann%40Mail.Firm.example"), "own"),
        (Indicator("url", "https://evil.example/?u=https%253A%252F%252Fmail.firm.example%252Fx"), "own"),
        (Indicator("url", "https://evil.example/#/srv1.lan:8443/x"), "private"),
        (Indicator("url", "https://evil.example/?from=192.168.7.7:80"), "private"),
        (Indicator("url", "https://evil.example/?from=fe80::7"), "private"),
        (Indicator("url", f"https://evil.example/{'a' * 3000}"), "long"),
        (Indicator("url", "https://evil.example/v1.2.3/gate.php?id=7&t=12:30:45"), ""),
        (SHA256, ""),
    ],
)
def test_what_is_private_or_own_is_never_sent(one: Indicator, reason: str, server: Played, tmp_path: Path) -> None:
    never = ["firm.example", "société.example", "10.0.0.0/8", "8.8.4.4"]
    assert reason_to_keep(one, never) == reason
    server.says({"query_status": "no_results"})
    listed = ", ".join(f'"{entry}"' for entry in never)
    result = look_up_online([one], project=project_of(tmp_path, server, *LOOKUP_SERVICES, never=listed))
    assert bool(server.asked) == (not reason)
    assert [held.reason for held in result.held] == ([reason] if reason else [])


@given(st.sampled_from(["url", "domain", "ipv4"]), st.text(max_size=60))
def test_any_text_is_judged_without_an_error(kind: str, text: str) -> None:
    if kind == "url":
        text = f"http://{text}"
    assert reason_to_keep(Indicator(kind, text), ["firm.example"]) in ("", "own", "private", "secret", "long")
    for service in SERVICES.values():
        if kind in service.paths:
            url, _ = request_of(service, Indicator(kind, text))
            assert url.isascii()
            assert " " not in url


def test_kinds_that_no_service_takes_are_told(server: Played, tmp_path: Path) -> None:
    found = find_indicators("CVE-2021-44228 and ann@evil.example")
    result = look_up_online(found, project=project_of(tmp_path, server, "greynoise"))
    assert {held.reason for held in result.held} == {"no_service"}
    assert not server.asked


def test_only_so_many_leave_at_a_time_and_the_next_call_takes_the_rest(server: Played, tmp_path: Path) -> None:
    server.says(engines(harmless=1))
    project = project_of(tmp_path, server, "virustotal")
    found = [Indicator("ipv4", f"9.9.9.{n}") for n in range(25)]
    first = look_up_online(found, project=project)
    assert len(server.asked) == len(first.answers) == 20
    assert [held.reason for held in first.held] == ["too_many"] * 5
    second = look_up_online(found, project=project)
    assert len(server.asked) == len(second.answers) == 25
    assert not second.held
    assert len(plan_lookup(found[:5], project=project_of(tmp_path / "b", server, "otx"), most=2).leaving) == 2


# --- what is kept


def test_an_answer_is_kept_for_a_day(server: Played, tmp_path: Path) -> None:
    server.says(engines(malicious=9))
    project = project_of(tmp_path, server, "virustotal")
    [first] = look_up_online([DOMAIN], project=project).answers
    [second] = look_up_online([DOMAIN], project=project).answers
    assert (first.was_kept, second.was_kept) == (False, True)
    assert (second.reading, second.time) == (first.reading, first.time)
    assert len(server.asked) == 1
    now = datetime.now(UTC)
    assert plan_lookup([DOMAIN], project=project, now=now + timedelta(hours=23)).kept
    assert plan_lookup([DOMAIN], project=project, now=now + timedelta(hours=25)).leaving == [DOMAIN]
    assert plan_lookup([DOMAIN], project=project, now=now - timedelta(hours=1)).leaving == [DOMAIN]
    kept = list((tmp_path / "workspace" / "lookups").iterdir())
    assert all(KEY not in path.read_text() for path in kept)
    for broken in ("", "[]", "{}", '{"time": "x", "reading": {}}', '{"time": "2024-01-01", "reading": {"a": 1}}'):
        kept[0].write_text(broken)
        assert plan_lookup([DOMAIN], project=project).leaving == [DOMAIN]


def test_a_failure_is_not_kept(server: Played, tmp_path: Path) -> None:
    server.says({}, 500)
    project = project_of(tmp_path, server, "virustotal")
    assert look_up_online([DOMAIN], project=project).failures
    server.says(engines(malicious=9))
    assert look_up_online([DOMAIN], project=project).answers


# --- keys


@pytest.mark.parametrize("key", ["two words", "clé", "a\nInjected: yes", "\x00", "\u202ekey"])
def test_what_is_no_key_is_not_sent_and_not_shown(
    key: str, server: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    project = project_of(tmp_path, server, "virustotal")
    if "\x00" not in key:
        monkeypatch.setenv("VIRUSTOTAL_KEY", key)
    else:
        monkeypatch.setenv("VIRUSTOTAL_KEY", "\x01\x02")
    result = look_up_online([DOMAIN], project=project)
    assert [failure.reason for failure in result.failures] == ["bad_key"]
    assert not server.asked
    assert key not in repr(result) + "".join(capfd.readouterr())


def test_a_service_that_repeats_the_key_does_not_get_it_shown(
    server: Played, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    server.says({"pulse_info": {"count": 1, "pulses": [{"name": f"key {KEY}"}]}})
    server.by_path["/greynoise"] = (200, json.dumps(noise(KEY) | {"name": KEY, "link": KEY}).encode())
    project = project_of(tmp_path, server, "otx", "greynoise", "virustotal")
    caplog.set_level(0)
    result = look_up_online([ADDRESS], project=project)
    assert len(result.answers) == 2
    assert KEY not in repr(result) + repr(project) + caplog.text + "".join(capfd.readouterr())
    assert all(KEY not in path.read_text() for path in (tmp_path / "workspace").rglob("*.json"))


def test_without_any_key_the_variable_is_named(server: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = project_of(tmp_path, server, "virustotal")
    monkeypatch.setenv("VIRUSTOTAL_KEY", "  ")
    with pytest.raises(ConfigurationError, match="VIRUSTOTAL_KEY"):
        look_up_online([DOMAIN], project=project)
    assert not server.asked


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("lookups = 1", "must be a section"),
        ("[lookups.virustotl]\nkey_variable = 'A'", "Did you mean 'virustotal'"),
        ("[lookups]\nvirustotal = 'x'", r"section of its own, \[lookups.virustotal\]"),
        ("[lookups.otx]\nkey_varable = 'A'", "Did you mean 'key_variable'"),
        ("[lookups.otx]", "key_variable does not name a variable"),
        (f"[lookups.otx]\nkey_variable = '{KEY}'", "A key must not stand here"),
        (f"[lookups.otx]\nkey = '{KEY}'", "this file is committed"),
        (f"[lookups.otx]\nAPI-Key = '{KEY}'", "this file is committed"),
        ("[lookups.otx]\nkey_variable = 3", "must be str"),
        ("[lookups.otx]\nkey_variable = 'A'\naddress = 'http://otx.example/api'", "must begin with https"),
        ("[lookups.otx]\nkey_variable = 'A'\naddress = 'ftp://127.0.0.1/api'", "must begin with https"),
        ("[lookups.otx]\nkey_variable = 'A'\naddress = 'file:///etc/passwd'", "must begin with https"),
        (f"[lookups.otx]\nkey_variable = 'A'\naddress = 'https://u:{KEY}@p.example'", "without user"),
        (f"[lookups.otx]\nkey_variable = 'A'\naddress = 'https://p.example?key={KEY}'", "without user"),
        ("[lookups.otx]\nkey_variable = 'A'\naddress = 'https://p.example:99999'", "is no URL"),
        ("[lookups.otx]\nkey_variable = 'A'\nprivate_address = 'yes'", "must be bool"),
        ("[lookups]\nnever = 'firm.example'", "must be a list"),
        ("[lookups]\nnever = ['10.0.0.0/99']", "no domain and no network"),
        ("[lookups]\nnever = ['*.firm.example']", "no domain and no network"),
        ("[lookups]\nnever = ['https://firm.example']", "no domain and no network"),
    ],
)
def test_settings_that_do_not_fit_are_refused_and_no_key_is_repeated(
    tmp_path: Path, settings: str, message: str
) -> None:
    (tmp_path / "socml.toml").write_text(settings)
    with pytest.raises(ConfigurationError, match=message) as error:
        read_project(tmp_path)
    assert KEY not in str(error.value)


PRIVATE = ["127.0.0.1", "localhost", "10.1.2.3", "192.168.0.9", "169.254.169.254", "[::1]", "[fe80::1]", "[fd00::1]"]
SPELT = ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "0.0.0.0", "①27.0.0.1"]  # fmt: skip


@pytest.mark.parametrize("host", [*PRIVATE, *SPELT])
def test_a_private_address_in_any_spelling_is_refused_unless_it_is_meant(host: str, tmp_path: Path) -> None:
    section = f"[lookups.otx]\nkey_variable = 'A'\naddress = 'https://{host}:8443/otx'\n"
    (tmp_path / "socml.toml").write_text(section, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="private_address = true"):
        read_project(tmp_path)
    (tmp_path / "socml.toml").write_text(f"{section}private_address = true\n", encoding="utf-8")
    assert read_project(tmp_path).lookups[0].private_address


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["inner.example", *SPELT[:-1]])
def test_nobody_is_asked_at_a_name_that_leads_inside(
    scheme: str, host: str, server: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def resolved(name: str, *args: Any, **named: Any) -> Any:  # one public address does not help
        if name == "inner.example":
            return real("9.9.9.9", *args, **named) + real("127.0.0.1", *args, **named)
        return real(name, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    service = LookupService("virustotal", "VIRUSTOTAL_KEY", f"{scheme}://{host}:{server.port}")
    result = look_up_online([ADDRESS], project=Project(tmp_path, tmp_path / "workspace", lookups=(service,)))
    assert [failure.reason for failure in result.failures] == ["private_address"]
    assert not server.asked


def test_the_address_that_was_looked_at_is_the_one_that_is_asked(
    server: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that says a public address first and an inner one the next time is asked for once."""
    answers = ["9.9.9.9", "127.0.0.1"]
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolved(name: str, *args: Any, **named: Any) -> Any:
        if name != "turning.example":
            asked.append(name)
            raise OSError("not here")  # nobody is called in a test
        return real(answers.pop(0), *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    service = LookupService("virustotal", "VIRUSTOTAL_KEY", f"http://turning.example:{server.port}")
    result = look_up_online([ADDRESS], project=Project(tmp_path, tmp_path / "workspace", lookups=(service,)))
    assert [failure.reason for failure in result.failures] == ["unreachable"]
    assert (asked, answers, server.asked) == (["9.9.9.9"], ["127.0.0.1"], [])


def test_settings_that_fit_are_read(tmp_path: Path) -> None:
    (tmp_path / "socml.toml").write_text(
        "[lookups]\nnever = ['firm.example', '10.0.0.0/8', '2620:fe::/48', 'corp']\n"
        "[lookups.otx]\nkey_variable = 'OTX_KEY_2'\naddress = 'https://proxy.firm.example:8443/otx/'\n"
    )
    project = read_project(tmp_path)
    assert project.lookups == (LookupService("otx", "OTX_KEY_2", "https://proxy.firm.example:8443/otx"),)
    assert project.never_looked_up == ("firm.example", "10.0.0.0/8", "2620:fe::/48", "corp")


# --- the command line and the app


def test_nobody_is_asked_unless_a_service_is_configured(tmp_path: Path) -> None:
    (tmp_path / "socml.toml").write_text("")
    with pytest.raises(ConfigurationError, match=r"\[lookups.virustotal\]"):
        plan_lookup([DOMAIN], project=read_project(tmp_path))
    _, told = socml("tools", "lookup", "9.9.9.9", "--online", cwd=tmp_path, code=2)
    assert "[lookups.virustotal]" in told
    assert "key_variable" in told


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
