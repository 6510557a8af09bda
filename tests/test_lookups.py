"""Look-ups at online services, against a server in the test that plays each of them. Nothing here touches a network."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookup_server import (
    ADDRESS,
    DOMAIN,
    KEY,
    SHA256,
    URL,
    Played,
    engines,
    host,
    look_up_online,
    noise,
    project_of,
)

from socml.project.project import LOOKUP_SERVICES, read_project
from socml.project.wording import words
from socml.tools.indicators import Indicator
from socml.tools.services import SERVICES, VERDICTS

pytestmark = pytest.mark.usefixtures("lookup_keys")


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


def abuse(confidence: Any, **more: Any) -> dict[str, Any]:
    return {"data": {"abuseConfidenceScore": confidence, "totalReports": 3, "numDistinctUsers": 2, **more}}


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
