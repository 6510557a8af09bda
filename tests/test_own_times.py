"""Syslog headers without a year or a zone, over messages that tell both: the message's are taken, if the moment is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from socml.formats._times import Clock
from socml.formats.host._own_time import own_time
from socml.ingestion import peek

TOLD = {
    "iso with a zone": (
        "Mar  2 11:00:01 ns1 httpd[]: 2023-03-02 10:00:01.087Z [alice]: Login_Allowed - - to=AdminConnector ip=192.0.2.7",
        "2023-03-02T10:00:01.087000+00:00",
    ),
    "a header within": (
        "Mar  2 11:00:01 vpn1 1 2023-03-02T11:00:01+01:00 192.0.2.1 daemon: - - - all is well",
        "2023-03-02T10:00:01+00:00",
    ),
    "half an hour apart": (
        '<142>Mar  2 15:30:01 fw1 80DA02B4E5F61 (2023-03-02T10:00:01) firewall[10]: msg_id="3001" Temporarily blocking host 192.0.2.9',
        "2023-03-02T10:00:01+00:00",
    ),
    "of a web server": (
        'Mar  2 10:00:01 lb1 haproxy[9]: 192.0.2.7:33317 [02/Mar/2023:10:00:01.277] in in/<NOSRV> -1/-1/-1/-1/0 400 0 - - CR-- 8/1/0/0/0 0/0 "<BADREQ>"',
        "2023-03-02T10:00:01+00:00",
    ),
    "in a record": (
        'Mar  2 10:00:01 h1 app[3]: {"user":"alice","when":"2023-03-02 10:00:01.5","n":1}',
        "2023-03-02T10:00:01+00:00",
    ),
    "in a record behind a level": (
        '<174>Mar  2 10:00:01 INFO  app[0]:  {"login":"alice","timeStamp":"2023-03-02 10:00:01.5","succeeded":true}',
        "2023-03-02T10:00:01+00:00",
    ),
}
NOT_THE_SAME = [
    "2023-03-02T10:20:01Z the licence ends",  # another minute
    "2023-09-02T10:00:01Z the licence ends",  # another month
    "2023-13-02T10:00:01Z no month",
    "[02/Foo/2023:10:00:01] no month",
]
HEADER = {"month": "Mar", "day": "2", "clock": "10:00:01", "fraction": None}


@pytest.mark.parametrize("name", TOLD)
def test_what_the_message_tells_of_its_time_is_taken(name: str, tmp_path: Path) -> None:
    line, when = TOLD[name]
    path = tmp_path / "a.log"
    path.write_text(f"{line}\n{line}\n", encoding="utf-8")
    assert [event["time"].isoformat() for event in peek(path).events] == [when, when]  # type: ignore[attr-defined]


@pytest.mark.parametrize("message", NOT_THE_SAME)
def test_another_moment_is_not_the_header_s(message: str) -> None:
    assert own_time(HEADER, message, Clock(None, 2026, None)) is None


def test_lines_after_one_that_tells_its_year_go_on_from_there(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(
        "Mar  2 10:00:01 h1 app[3]: 2023-03-02 10:00:01 begun\nMar  2 10:00:05 h1 app[3]: all is well\n",
        encoding="utf-8",
    )
    times = [event["time"].isoformat() for event in peek(path).events]  # type: ignore[attr-defined]
    assert times == ["2023-03-02T10:00:01+00:00", "2023-03-02T10:00:05+00:00"]
