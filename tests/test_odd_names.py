"""Names of fields, words and months of tools that nobody knows: what each tells, and what only looks like one of them and tells nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from socml.formats._facts import facts_of
from socml.formats._field_names import guess
from socml.formats._guess import guessed_row
from socml.formats._months import month_number
from socml.formats._pairs import _printed, pairs_of
from socml.formats._stamps import stamp_in
from socml.formats._times import Clock
from socml.formats._values import outcome_of
from socml.formats.host._syslog_headers import header
from socml.formats.table._table_unnamed import _labelled
from socml.ingestion import peek

_ENDS = {"src": "192.0.2.7", "dst": "198.51.100.2"}
# a field's name, and the column that it fills beside both ends of a connection
COLUMNS: dict[str, str] = {
    "started": "time",
    "submitted": "time",
    "sp": "source_port",
    "dp": "destination_port",
    "operator id": "user_name",
    "person": "user_name",
    "userInfo": "user_name",
    "by": "user_name",
    "x.usr": "user_name",
    "opName": "event_action",
    "what": "event_action",
    "accepted": "event_outcome",
    "approved": "event_outcome",
    "rc": "event_outcome",
    "opStatus": "event_outcome",
    "exit": "event_outcome",
    "x.res": "event_outcome",
    "m": "message",
    "l": "event_severity",
}
_VALUES: dict[str, Any] = {
    "time": "2026-03-02T10:00:00Z",
    "source_port": 4022,
    "destination_port": 22,
    "user_name": "bob",
    "event_outcome": "no",
    "event_severity": "warn",
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_name_tells_what_its_field_is(name: str) -> None:
    column = COLUMNS[name]
    row, _ = guessed_row({**_ENDS, name: _VALUES.get(column, "read")}, Clock(None, None, None))
    assert row.get(column) is not None
    assert guess((*_ENDS, name)).columns[column]


@pytest.mark.parametrize("name", ["conname", "conn", "Terminal IP", "Mgmt Client"])
def test_a_name_of_a_client_is_the_source(name: str) -> None:
    assert guessed_row({name: "192.0.2.7"}, Clock(None, None, None))[0]["source_ip"] == "192.0.2.7"


def test_a_list_of_named_values_is_fields(tmp_path: Path) -> None:
    pairs = '{"k": "user", "v": "bob"}, {"k": "ip", "v": "192.0.2.7"}'
    (tmp_path / "odd.json").write_text(f'{{"time": "2026-03-02T10:00:00Z", "with": [{pairs}]}}\n' * 2)
    event = peek(tmp_path / "odd.json").to_dict()["events"][0]
    assert (event.get("user_name"), event.get("source_ip")) == ("bob", "192.0.2.7")


@pytest.mark.parametrize(
    "kind",
    "$date $numberLong $numberInt $numberDouble S N BOOL string long int boolean double stringValue intValue boolValue doubleValue".split(),
)
def test_what_a_value_is_wrapped_in_is_no_part_of_its_name(kind: str) -> None:
    assert guess((f"acct.{kind}",)).columns["user_name"]


@pytest.mark.parametrize(
    ("record", "columns"),
    [
        ({"by": "weight", "rows": 12}, {"user_name"}),
        ({"person": "third", "tense": "past"}, {"user_name"}),
        ({"userinfo": "complete"}, {"user_name"}),
        ({"comparison_operator": "gt"}, {"user_name"}),
        ({"vat_administrator": "none"}, {"user_name"}),
        ({"ip": "192.0.2.7", "sp": 98, "dp": 80}, {"source_port", "destination_port"}),
        ({"road": "A7", "exit": 42}, {"event_outcome"}),
        ({"gate": 7, "exit": True}, {"event_outcome"}),
        ({"version": 7, "rc": 2}, {"event_outcome"}),
        ({"camera.res": 480}, {"event_outcome"}),
        ({"accepted": 1, "offered": 1}, {"event_outcome"}),
        ({"approved": 0, "offered": 1}, {"event_outcome"}),
    ],
)
def test_a_weak_name_alone_tells_nothing(record: dict[str, Any], columns: set[str]) -> None:
    row, taken = guessed_row(record, Clock(None, None, None))
    assert columns.isdisjoint({name for name, value in row.items() if value is not None} | set(taken))


@pytest.mark.parametrize(
    ("name", "well", "ill"), [("rc", 0, 5), ("accepted", True, False), ("approved", 1, 0), ("accepted", "t", "f")]
)
def test_a_number_or_a_yes_beside_an_address_is_an_outcome(name: str, well: object, ill: object) -> None:
    rows = [guessed_row({**_ENDS, name: value}, Clock(None, None, None))[0] for value in (well, ill)]
    assert [row["event_outcome"] for row in rows] == ["success", "failure"]


def test_the_name_of_an_action_is_asked_before_the_type_of_an_audit() -> None:
    row, _ = guessed_row({"Audit Type": "Standard", "Action Name": "LOGON"}, Clock(None, None, None))
    assert row["event_action"] == "LOGON"


def test_a_node_with_a_time_beside_it_is_a_machine_and_no_wrap(tmp_path: Path) -> None:
    line = '{"time": "2026-03-02T10:00:00Z", "node": {"name": "n1", "status": "ok"}}\n'
    (tmp_path / "odd.json").write_text(line * 2)
    assert peek(tmp_path / "odd.json").to_dict()["events"][0]["host_name"] == "n1"


MONTHS = (
    "stycznia ledna",
    "lutego února",
    "marca března marts",
    "kwietnia dubna",
    "maja května maj",
    "czerwca června",
    "lipca července",
    "augusti sierpnia srpna",
    "września září",
    "października října",
    "listopada listopadu",
    "grudnia prosince",
)


@pytest.mark.parametrize(("number", "names"), enumerate(MONTHS, 1))
def test_a_month_in_words_is_a_number(number: int, names: str) -> None:
    assert {month_number(name) for name in names.split()} == {number}


@pytest.mark.parametrize("stamp", ["2 marzo 2026 ore 10:00:00", "2 marca 2026 godz. 10:00:00", "10:00:00 2.03.2026"])
def test_a_time_in_words_is_read(stamp: str) -> None:
    found = stamp_in(f"{stamp} began", Clock(None, None, None))
    assert found is not None
    assert found.time == datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [("failure", "ko nok KO undeliverable undelivered"), ("success", "delivered admitted")],
)
def test_a_word_is_an_outcome(outcome: str, words: str) -> None:
    assert {outcome_of(word) for word in words.split()} == {outcome}


# what a message tells, and in which column
TOLD: dict[str, tuple[str, Any]] = {
    "192.0.2.7 WEB LOGIN PASS": ("event_outcome", "success"),
    "PASS tcp 192.0.2.7:4022 -> 192.0.2.1:22": ("event_outcome", "success"),
    "[pass] 192.0.2.7": ("event_outcome", "success"),
    "pass in on eth0: 192.0.2.7": ("event_outcome", "success"),
    "192.0.2.7 auth ok for now": ("event_outcome", "success"),
    "asked 192.0.2.7, 200 OK": ("event_outcome", "success"),
    "192.0.2.7 -> CKR_OK": ("event_outcome", "success"),
    "bob admitted (192.0.2.7)": ("event_outcome", "success"),
    "192.0.2.7 login result=535": ("event_outcome", "failure"),
    "192.0.2.7 ended with status FAILED": ("event_outcome", "failure"),
    "192.0.2.7: dostep przyznany": ("event_outcome", "success"),
    "192.0.2.7: accesso concesso": ("event_outcome", "success"),
    "192.0.2.7: toegang verleend": ("event_outcome", "success"),
    "192.0.2.7 login denied, who: bob": ("user_name", "bob"),
    "login ok. Operator: bob  Station: 192.0.2.7": ("user_name", "bob"),
    "JOB 7 OWNER bob HOST 192.0.2.7": ("user_name", "bob"),
    "JOB 7 OPERATOR bob HOST 192.0.2.7": ("user_name", "bob"),
    "JOB 7 USERID bob HOST 192.0.2.7": ("user_name", "bob"),
    "pid 7 bob@ws1 192.0.2.7 synced": ("user_name", "bob"),
    "bob@ws1 192.0.2.7 login failed": ("user_name", "bob"),
    "#7 bob@192.0.2.7 | port 4": ("user_name", "bob"),
    "login attempt by bob from 192.0.2.7 failed": ("user_name", "bob"),
    "run by CORP\\bob on 192.0.2.7 failed": ("user_name", "CORP\\bob"),
    "użytkownik bob z adresu 192.0.2.7": ("user_name", "bob"),
    "uživatel: bob, 192.0.2.7": ("user_name", "bob"),
    "användare bob från 192.0.2.7": ("user_name", "bob"),
    "bruger=bob 192.0.2.7": ("user_name", "bob"),
    "bruker bob fra 192.0.2.7": ("user_name", "bob"),
    "192.0.2.7 -> db7 (198.51.100.2)": ("destination_ip", "198.51.100.2"),
    "order by bob@192.0.2.7": ("source_ip", "192.0.2.7"),
    "GET 403 /a 192.0.2.7": ("event_outcome", "failure"),
}


@pytest.mark.parametrize("text", TOLD)
def test_a_message_tells_who_and_how_it_ended(text: str) -> None:
    column, value = TOLD[text]
    assert facts_of(text).get(column) == value


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("bounced@mx 192.0.2.7 message returned", "user_name"),
        ("bounced@mx 192.0.2.7 rejected", "user_name"),
        ("sent invoice 12; retry@192.0.2.7 in 5 s", "user_name"),
        ("calculation at 192.0.2.7 failed, operator: plus", "user_name"),
        ("192.0.2.7 account: overdue, failed to book", "user_name"),
        ("192.0.2.7 identity: sha256 of image", "user_name"),
        ("192.0.2.7 ACCOUNT Closed at end of quarter", "user_name"),
        ("USERID field of 192.0.2.7 is too long", "user_name"),
        ("192.0.2.7 access request by policy, denied", "user_name"),
        ("COM\\Excel from registry refused by 192.0.2.7", "user_name"),
        ("mail - 20260302.1.abc@mx.example accepted (192.0.2.7)", "user_name"),
        ("archive: list@a.example was blocked by 192.0.2.7", "user_name"),
        ("tjenesten bruker port 8080 (192.0.2.7)", "user_name"),
        ("användare saknas, 192.0.2.7", "user_name"),
        ("printed by tray on 192.0.2.7", "destination_ip"),
        ("node 192.0.2.7 result=412 of a sum", "event_outcome"),
        ("node 192.0.2.7 battery status: 100", "event_outcome"),
        ("node 192.0.2.7 waits: press OK", "event_outcome"),
        ("node 192.0.2.7 PASS 2 of 3", "event_outcome"),
        ("node 192.0.2.7 first pass in 3 ms", "event_outcome"),
        ("node 192.0.2.7 patient admitted to ward 3", "event_outcome"),
        ("node 192.0.2.7 result: true for 4 rows", "event_outcome"),
        ("node 192.0.2.7 result true branch", "event_outcome"),
        ("node 192.0.2.7 status error count 0", "event_outcome"),
        ("node 192.0.2.7 decision: yes/no branch", "event_outcome"),
        ("node 192.0.2.7 rc(locked) candidate", "event_outcome"),
        ("node 192.0.2.7 failed: 0", "event_outcome"),
        ("link of 192.0.2.7: /login?q=1&result=no&status=535&z=3", "event_outcome"),
        ("login denied, 192.0.2.7: /?q=1&operator=guide&z=3", "user_name"),
        ("node 192.0.2.7 done: 12, 0 failures", "event_outcome"),
    ],
)
def test_a_message_of_nobody_tells_nobody_and_no_end(text: str, column: str) -> None:
    assert facts_of(text).get(column) is None


@pytest.mark.parametrize("word", "client peer user session login logout logon source".split())
def test_a_word_is_a_host_only_before_a_program(word: str) -> None:
    found = header(f"2026-03-02T10:00:00Z {word} sshd[12]: started")
    assert found is not None
    assert found["host"] == word
    assert header(f"2026-03-02T10:00:00Z {word} 12 began") is None
    assert header(f"2026-03-02T10:00:00Z {word} fe80::7 began") is None


@pytest.mark.parametrize("word", "conn connection request from to".split())
def test_a_word_of_a_sentence_is_no_host(word: str) -> None:
    assert header(f"2026-03-02T10:00:00Z {word} refused: 12") is None


@pytest.mark.parametrize("word", "block pass drop deny allow accept reject".split())
def test_what_a_firewall_decided_is_no_program(word: str) -> None:
    found = header(f"Mar  2 10:00:00 [{word}] UDP 192.0.2.7:1 > 192.0.2.1:2")
    assert found is None or found.groupdict().get("bare_tag") is None


def test_words_before_pairs_and_plurals_are_no_host_and_nobody(tmp_path: Path) -> None:
    (tmp_path / "odd.log").write_text("2026-03-02 10:00:00 Formula f(x) g(y) user(s) host(s) error(s)\n" * 3)
    event = peek(tmp_path / "odd.log").to_dict()["events"][0]
    assert (event.get("host_name"), event.get("user_name")) == (None, None)


def test_labels_stand_in_every_second_column() -> None:
    cells = ("login", "success", "host", "check", "status", "green")
    assert _labelled({str(at): [cell] * 2 for at, cell in enumerate(cells)}) == {}
    assert _labelled({str(at): [cell] * 2 for at, cell in enumerate(("user", "interface", "client", "side"))}) == {}


def test_a_row_of_a_number_sign_that_does_not_fit_is_kept_as_such(tmp_path: Path) -> None:
    rows = "".join(f"#{n},2026-03-02T10:00:0{n},bob,192.0.2.7\n" for n in range(6))
    (tmp_path / "odd.csv").write_text(f"id,time,user,ip\n{rows}#7,2026-03-02T10:00:07\n")
    assert (peek(tmp_path / "odd.csv", limit=20).parsed, peek(tmp_path / "odd.csv", limit=20).rejected) == (6, 1)


@pytest.mark.parametrize(
    "lines",
    [
        "2026-03-02 10:00:0{n} order 881\n    user ann from 192.0.2.7 rejected\n",
        "2026-03-02 10:00:0{n} - began\n" + "  a line\n" * 8 + "  user ann from 192.0.2.7 rejected\n",
        "lunes, 2 de marzo de 2026 10:00:0{n} | acceso denegado | usuario ann | desde 192.0.2.7\n",
    ],
)
def test_a_record_of_words_tells_who_and_from_where(lines: str, tmp_path: Path) -> None:
    (tmp_path / "odd.log").write_text("".join(lines.format(n=n) for n in range(3)), encoding="utf-8")
    event = peek(tmp_path / "odd.log").to_dict()["events"][-1]
    assert [event.get(one) for one in ("user_name", "source_ip", "host_name")] == ["ann", "192.0.2.7", None]
    assert event["event_outcome"] == "failure"


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("<user=bob> <ip=192.0.2.7> <ok=no>", {"user": "bob", "ip": "192.0.2.7", "ok": "no"}),
        ("fetched /x?q=1&user=guide&result=no&z=3", {}),
        ("f(x)=1, g(y)=2, user(z)=3", {}),
    ],
)
def test_pairs_are_what_a_program_printed_and_no_query_or_formula(text: str, pairs: dict[str, str]) -> None:
    assert (_printed(text) or ("", {}))[1] == pairs
    assert facts_of(text).get("user_name") == pairs.get("user")


@pytest.mark.parametrize(
    "text",
    [
        '7: login of \'bob\' failed, client: 192.0.2.7, server: a.example, request: "GET / HTTP/1.1", host: "b" = c',
        "Thread(sid:2 port:-1) of:two zx:3 cx:4 on:5",
    ],
)
def test_names_in_a_sentence_or_in_parentheses_are_no_pairs(text: str) -> None:
    assert {"client", "sid", "port"}.isdisjoint(pairs_of(text)[1])
