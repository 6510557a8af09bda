"""What of a look-up never leaves: private names, keys, more than was asked."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookup_server import (
    ADDRESS,
    DOMAIN,
    KEY,
    SHA256,
    Played,
    engines,
    look_up_online,
    noise,
    project_of,
)
from shell import socml

from socml.project.errors import ConfigurationError
from socml.project.project import LOOKUP_SERVICES, LookupService, Project, read_project
from socml.tools.indicators import Indicator, find_indicators
from socml.tools.leaving import reason_to_keep
from socml.tools.online import plan_lookup
from socml.tools.services import SERVICES, request_of

pytestmark = pytest.mark.usefixtures("lookup_keys")


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


def test_nobody_is_asked_unless_a_service_is_configured(tmp_path: Path) -> None:
    (tmp_path / "socml.toml").write_text("")
    with pytest.raises(ConfigurationError, match=r"\[lookups.virustotal\]"):
        plan_lookup([DOMAIN], project=read_project(tmp_path))
    _, told = socml("tools", "lookup", "9.9.9.9", "--online", cwd=tmp_path, code=2)
    assert "[lookups.virustotal]" in told
    assert "key_variable" in told
