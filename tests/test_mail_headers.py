"""Headers of messages: the same mailboxes on every Python, nobody lost, and no header that costs more than its length."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socml.formats._mail import mail_events
from socml.formats._mail_headers import _tokens, decode_words, mailboxes

LETTERS = st.text("abcdefgh0-", min_size=1, max_size=8)
NAMES = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Z")), min_size=1, max_size=12)
ADVERSARIAL = [
    "(",
    "((",
    ")",
    "<",
    '"',
    '\\"',
    '"(',
    '<"\\',
    ",",
    ";",
    ":",
    "[",
    "=?",
    "=?utf-8?q?a?= ",
    "@",
    "\\",
    '(")',
    "a ",
    '"a"',
]


def _message(header: bytes) -> list[dict[str, object] | Exception]:
    return [row for _, row in mail_events(header + b"\nMIME-Version: 1.0\n\nsee http://b.example/x\n")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a@x.org", [("", "a@x.org")]),
        ("", []),
        ("Ann <a@x.org>, Bob <b@x.org>", [("Ann", "a@x.org"), ("Bob", "b@x.org")]),
        ('"Doe, J \\"jd\\"" <a@x.org>', [('Doe, J "jd"', "a@x.org")]),
        ("undisclosed-recipients:;", []),
        ("team: a@x.org, b@x.org;, c@x.org", [("", "a@x.org"), ("", "b@x.org"), ("", "c@x.org")]),
        ("a@x.org (Ann (at work))", [("Ann (at work)", "a@x.org")]),
        ("Ann, Ltd <a@x.org>", [("", "Ann"), ("Ltd", "a@x.org")]),  # what a strict reader gives up on
        ("a@x.org b@x.org", [("a@x.org", "b@x.org")]),
        ("a@evil.example <b@x.org>", [("a@evil.example", "b@x.org")]),
        ("<@relay.example:a@x.org>", [("", "a@x.org")]),
        ("a@[IPv6:2001:db8::1]", [("", "a@[IPv6:2001:db8::1]")]),
        ("root", [("", "root")]),
        ('"Ann <a@x.org>, b@x.org', [("Ann", "a@x.org"), ("", "b@x.org")]),
        ("(Ann <a@x.org>, b@x.org", [("Ann", "a@x.org"), ("", "b@x.org")]),
        ("[EXT <a@x.org>, b@x.org", [("[EXT", "a@x.org"), ("", "b@x.org")]),
        ("Ann <a@x.org, b@x.org", [("Ann", "a@x.org"), ("", "b@x.org")]),
    ],
)
def test_an_address_header_names_its_mailboxes(text: str, found: list[tuple[str, str]]) -> None:
    assert mailboxes(text) == found


@given(st.lists(st.tuples(NAMES, LETTERS, LETTERS), max_size=6))
def test_mailboxes_that_are_written_by_the_rules_are_read_back(people: list[tuple[str, str, str]]) -> None:
    def quoted(name: str) -> str:
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'

    written = ", ".join(f"{quoted(name)} <{user}@{host}.example>" for name, user, host in people)
    expected = [(decode_words(name), f"{user}@{host}.example") for name, user, host in people]
    assert mailboxes(written) == expected


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=30), st.sampled_from(["utf-8", "UTF-16LE"]))
def test_encoded_words_are_read_back_though_a_character_is_cut_between_two(text: str, charset: str) -> None:
    data = text.encode(charset)
    cut = len(data) // 2
    words = [f"=?{charset}?B?{base64.b64encode(part).decode()}?=" for part in (data[:cut], data[cut:])]
    assert decode_words(f"a {words[0]}\t{words[1]} b") == f"a {text} b"


@given(st.text(max_size=60))
def test_no_text_of_a_header_fails(text: str) -> None:
    for one in mailboxes(text):
        assert one.name or one.address
    assert isinstance(decode_words(text), str)


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_a_header_takes_no_more_steps_than_it_has_characters(piece: str) -> None:
    for times in (1000, 2000):
        assert len(list(_tokens(piece * times))) <= len(piece) * times
    assert isinstance(mailboxes(piece * 100_000), list)
    assert isinstance(decode_words(piece * 100_000), str)


@pytest.mark.parametrize(
    "name", [b"From", b"To", b"Subject", b"Date", b"Received", b"Content-Type", b"Content-Disposition"]
)
def test_a_header_full_of_brackets_costs_neither_the_message_nor_its_links(name: bytes) -> None:
    rows = _message(b"X-First: 1\n" + name + b": text/plain; " + b"(" * 5000)
    assert [isinstance(row, dict) and row["event_action"] for row in rows][:: len(rows) - 1] == ["email", "email_url"]


def test_parts_that_are_nested_too_deeply_are_one_bad_record_beside_the_message() -> None:
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000))
    for parts in (nested, b"Content-Type: message/rfc822\n\n" * 3000):
        message, problem = [row for _, row in mail_events(b"From: a@x.org\nSubject: s\n" + parts)]
        assert isinstance(message, dict)
        assert message["user_name"] == "a@x.org"
        assert "nested too deeply" in str(problem)


def test_recipients_of_several_headers_are_all_kept() -> None:
    row = _message(b"From: Ann, Ltd <a@x.org>\nTo: b@x.org\nTo: c@x.org\nCc:\nBcc: undisclosed-recipients:;")[0]
    assert isinstance(row, dict)
    assert isinstance(row["extra"], dict)
    assert row["user_name"] == "a@x.org"
    assert row["extra"]["to"] == "b@x.org, c@x.org"


def test_names_that_are_no_set_of_characters_are_read_as_latin_1() -> None:
    for charset in ("punycode", "hex", "x-unknown", "nul\0"):
        assert decode_words(f"=?{charset}?q?caf=E9?=") in ("café", f"=?{charset}?q?caf=E9?=")
