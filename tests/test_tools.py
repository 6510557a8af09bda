"""socml.tools, the verbs of `socml tools` and the app's page: vectors made here, with encoders written from the publishers' rules."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from app_pages import APP, all_text
from builders import make_project
from hypothesis import given
from hypothesis import strategies as st
from patience import PATIENCE_S
from shell import socml
from typer.testing import CliRunner

from socml.cli import app
from socml.project.errors import DataError
from socml.project.wording import words
from socml.tools.decoding import cisco7, decode, decode_base64
from socml.tools.defanging import defang, refang
from socml.tools.hashing import hash_bytes
from socml.tools.indicators import find_indicators
from socml.tools.lists import look_up
from socml.tools.mail import triage_mail

URL = "https://login.evil.example/a_b-c/in dex.php?user=ann@x.example&next=[1]#top"
RUN_LENGTHS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def proofpoint_v1(url: str) -> str:
    return f"https://urldefense.proofpoint.com/v1/url?u={quote(url, safe='')}&k=abc%3D"


def proofpoint_v2(url: str) -> str:
    written = quote(url, safe="/").replace("-", "-2D").replace("_", "-5F").replace("%", "-").replace("/", "_")
    return f"https://urldefense.proofpoint.com/v2/url?u={written}&d=DwMFaQ&c=x"


def proofpoint_v3(url: str) -> str:
    hidden, written = "", ""
    for is_plain, run in groupby(url, lambda c: bool(re.match(r"[A-Za-z0-9:/._-]", c))):
        characters = "".join(run)
        if is_plain:
            written += characters
            continue
        hidden += characters
        written += "*" if len(characters) == 1 else f"**{RUN_LENGTHS[len(characters) - 2]}"
    packed = base64.urlsafe_b64encode(hidden.encode()).decode().rstrip("=")
    return f"https://urldefense.com/v3/__{written}__;{packed}!!Org!sig$"


def safelinks(url: str, region: str = "nam02") -> str:
    return (
        f"https://{region}.safelinks.protection.outlook.com/?url={quote(url, safe='')}&data=05%7C01&sdata=x&reserved=0"
    )


def cisco7_written(password: str, start: int) -> str:
    key = "dsfd;kfoA,.iyewrkldJKDHSUBsgvca69834ncxv9873254k;fg87"
    return f"{start:02}" + "".join(f"{ord(c) ^ ord(key[(start + i) % len(key)]):02X}" for i, c in enumerate(password))


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        (proofpoint_v1(URL), "proofpoint v1"),
        (proofpoint_v2(URL), "proofpoint v2"),
        (proofpoint_v3(URL), "proofpoint v3"),
        *((safelinks(URL, region), "safelinks") for region in ("nam02", "eur01", "apc01", "gbr01", "emea01")),
        (safelinks(URL).replace("&", "&amp;"), "safelinks"),
        (safelinks(URL).replace("outlook.com", "office365.us"), "safelinks"),
        (f"https://www.google.com/url?q={quote(URL, safe='')}&sa=D", "link by google.com"),
        (f"https://linkprotect.cudasvc.com/url?a={quote(URL, safe='')}&c=E", "link by linkprotect.cudasvc.com"),
    ],
)
def test_a_wrapped_link_gives_back_the_address_in_it(written: str, kind: str) -> None:
    assert (decode(written)[0].kind, decode(written)[0].text) == (kind, URL)


@given(st.from_regex(r"https://[a-z]{1,8}\.example/[A-Za-z0-9._/?=&@!$()+,;~#\[\]-]{0,40}", fullmatch=True))
def test_every_address_comes_back_from_every_proofpoint_version(url: str) -> None:
    if "__;" in url:
        return
    assert decode(proofpoint_v2(url))[0].text == url
    assert decode(proofpoint_v3(url))[0].text == url


def test_layers_are_taken_off_one_after_the_other() -> None:
    inner = base64.b64encode(safelinks("http://evil.example/x").encode()).decode()
    assert [step.kind for step in decode(inner)] == ["base64", "safelinks"]
    assert decode(inner)[-1].text == "http://evil.example/x"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"IEX (New-Object Net.WebClient)", "base64"),
        ("whoami /all".encode("utf-16-le"), "base64, utf-16"),
        (gzip.compress(b"Invoke-Expression and more", mtime=0), "base64, packed"),
        (zlib.compress(b"Invoke-Expression and more")[2:-4], "base64, packed"),
        (zlib.compress("Invoke-Expression".encode("utf-16-le")), "base64, packed, utf-16"),
    ],
)
def test_base64_is_read_as_powershell_writes_it(data: bytes, kind: str) -> None:
    step = decode_base64(base64.b64encode(data).decode())
    assert step is not None
    assert step.kind == kind
    assert decode_base64(base64.urlsafe_b64encode(data).decode().rstrip("=")) == step


def test_what_unpacks_to_too_much_is_cut() -> None:
    bomb = base64.b64encode(zlib.compress(b"A" * 50_000_000)).decode()
    step = decode_base64(bomb)
    assert step is None or len(step.text) <= 1 << 20


@pytest.mark.parametrize("start", [0, 2, 15])
def test_ciscos_type_7_gives_its_password_back(start: int) -> None:
    written = cisco7_written("Secret-Pa55", start)
    assert cisco7(written) == "Secret-Pa55"
    assert decode(f"username ann password 7 {written}")[0].text == "Secret-Pa55"


@pytest.mark.parametrize("text", ["just words", "", "deadbee", "abcdefgh", "10.0.0.1", "https://a.example/b"])
def test_what_is_not_encoded_has_no_layers(text: str) -> None:
    assert decode(text) == []


@given(st.text(max_size=300))
def test_any_text_is_decoded_defanged_and_searched_without_an_error(text: str) -> None:
    decode(text)
    assert defang(defang(text)) == defang(text)
    refang(text)
    find_indicators(text)


@pytest.mark.parametrize("piece", ["a.", "a-", "1.", ":", "[.]", "%41", "https://", "A1", "*", "x@"])
def test_long_monotonous_text_is_no_trap(piece: str) -> None:
    text = piece * 50_000
    defang(text), refang(text), find_indicators(text), decode(text)


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("hxxps://evil[.]example[.]com/a", "https://evil.example.com/a"),
        ("hXXp[:]//evil(.)example", "http://evil.example"),
        ("h**p://evil{.}example", "http://evil.example"),
        ("10[.]0[.]0[.]1", "10.0.0.1"),
        ("ann[@]evil[dot]example", "ann@evil.example"),
        ("ann [at] evil [dot] example", "ann@evil.example"),
        ("fxp://evil.example", "ftp://evil.example"),
    ],
)
def test_broken_addresses_are_made_whole(broken: str, whole: str) -> None:
    assert refang(broken) == whole
    assert refang(defang(whole)) == whole
    assert not re.search(r"https?://", defang(whole))


REPORT = r"""
The loader (sha256 E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855, md5 d41d8cd98f00b204e9800998ecf8427e)
called hxxps://c2[.]evil[.]example:8443/gate.php?id=7, then 198.51.100.7 and [2001:db8::1] in 203.0.113.0/24.
It came with invoice.pdf.exe by bob@phish.example (CVE-2023-23397, T1566.001), version 1.2.3.4567 of setup.exe,
wrote HKCU\Software\Run\x and read \\fileserver\share\plans. See also README.md, run.sh, 999.999.1.1 and
xn--80ak6aa92e.example.
"""


def test_the_indicators_of_a_report_are_found_and_nothing_else() -> None:
    found: dict[str, list[str]] = {}
    for one in find_indicators(REPORT):
        found.setdefault(one.kind, []).append(one.value)
    assert found == {
        "cve": ["CVE-2023-23397"],
        "domain": ["c2.evil.example", "phish.example", "xn--80ak6aa92e.example"],
        "email": ["bob@phish.example"],
        "ipv4": ["198.51.100.7"],
        "ipv6": ["2001:db8::1"],
        "md5": ["d41d8cd98f00b204e9800998ecf8427e"],
        "network": ["203.0.113.0/24"],
        "registry": [r"HKCU\Software\Run\x"],
        "sha256": ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
        "technique": ["T1566.001"],
        "unc": [r"\\fileserver\share\plans"],
        "url": ["https://c2.evil.example:8443/gate.php?id=7"],
    }


def test_hashes_are_those_of_the_standards() -> None:
    assert hash_bytes(b"abc")["sha1"] == "a9993e364706816aba3e25717850c26c9cd0d89d"


def test_local_lists_know_networks_and_the_names_below_a_domain(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("# bad\n198.51.100.0/24\nevil[.]example\n")
    (tmp_path / "b.csv").write_text(
        '"d41d8cd98f00b204e9800998ecf8427e",empty\nhttps://c2.evil.example:8443/gate.php?id=7\n'
    )
    hits = {(h.indicator.value, h.entry) for h in look_up(find_indicators(REPORT), [tmp_path])}
    assert hits == {
        ("198.51.100.7", "198.51.100.0/24"),
        ("c2.evil.example", "evil.example"),
        ("d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427e"),
        ("https://c2.evil.example:8443/gate.php?id=7", "https://c2.evil.example:8443/gate.php?id=7"),
    }
    with pytest.raises(DataError, match="does not exist"):
        look_up([], [tmp_path / "none.txt"])


MAIL = f"""\
Received: from mx.evil.example ([198.51.100.7]) by mx.victim.example; Thu, 29 Feb 2024 13:06:57 +0100
Authentication-Results: mx.victim.example; spf=fail smtp.mailfrom=evil.example; dkim=none; dmarc=fail
From: "ceo@victim.example" <x@evil.example>
Reply-To: collect@other.example
To: ann@victim.example
Subject: <img src=x onerror=alert(1)>
Date: Thu, 29 Feb 2024 13:06:56 +0100
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b"

--b
Content-Type: text/html; charset=utf-8

<a href="{safelinks("http://203.0.113.9/login")}">https://bank.example/login</a>
--b
Content-Type: application/octet-stream
Content-Disposition: attachment; filename="invoice.pdf.exe"
Content-Transfer-Encoding: base64

TVqQAAMAAAAE
--b--
"""


def test_a_mail_shows_what_is_odd_about_it() -> None:
    found = triage_mail(MAIL.encode())
    assert found.results == {"spf": "fail", "dkim": "none", "dmarc": "fail"}
    assert [key for key, _ in found.findings] == [
        "reply_to",
        "name_is_address",
        "not_authentic",
        "link_lies",
        "bare_address",
        "double_ending",
    ]
    assert found.links[0]["leads_to"] == "http://203.0.113.9/login"
    assert found.attachments[0]["name"] == "invoice.pdf.exe"
    for language in ("en", "fr"):
        assert all(words(language)(f"tools.mail.finding.{key}", **values) for key, values in found.findings)
    with pytest.raises(DataError, match="no e-mail"):
        triage_mail(b"\x00\x01")


@pytest.mark.parametrize("verb", ["defang", "refang", "decode", "hash", "iocs", "lookup", "mail"])
def test_every_tool_shows_an_example(verb: str) -> None:
    shown = CliRunner().invoke(app, ["tools", verb, "--help"], catch_exceptions=False).output
    assert f"socml tools {verb}" in shown


def test_the_tools_work_from_the_command_line(tmp_path: Path) -> None:
    make_project(tmp_path)
    (tmp_path / "m.eml").write_text(MAIL)
    out, _ = socml("tools", "mail", "m.eml", cwd=tmp_path)
    assert "! An answer goes to collect@other.example, not to x@evil.example." in out
    assert "hxxps://nam02[.]safelinks" in out
    found = json.loads(socml("tools", "iocs", "--file", "m.eml", "--json", cwd=tmp_path)[0])
    assert {"kind": "ipv4", "value": "198.51.100.7"} in found
    assert socml("tools", "defang", "http://a.example", cwd=tmp_path)[0] == "hxxp://a[.]example\n"
    socml("tools", "mail", "none.eml", cwd=tmp_path, code=3)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_decodes_and_shows_text_inert(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCML_PROJECT", str(make_project(tmp_path / "lab").root))
    monkeypatch.syspath_prepend(str(APP))
    testing: Any = pytest.importorskip("streamlit.testing.v1")
    page = testing.AppTest.from_file(str(APP / "tools.py"), default_timeout=PATIENCE_S)
    page.query_params["lang"] = language
    page.run()
    assert not page.exception
    assert words(language)("app.tools.nothing") in all_text(page)
    page.text_area(key="tools_text").set_value(safelinks("https://evil.example/\x1b[31m")).run()
    assert not page.exception
    shown = all_text(page)
    assert words(language)("app.tools.decoded") in shown
    assert "\x1b" not in shown
    assert "hxxps://" in shown
    assert not page.markdown


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_list_is_read_in_the_encoding_that_its_program_chose(encoding: str, tmp_path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes("evil.example\r\n# déjà vu\r\n192.0.2.7\r\n".encode(encoding))
    hits = look_up(find_indicators("evil.example 192.0.2.7"), [path])
    assert [(hit.entry, hit.line) for hit in hits] == [("evil.example", 1), ("192.0.2.7", 3)]
