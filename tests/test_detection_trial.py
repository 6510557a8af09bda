"""A format that claims a file is tried on its first records; what none takes gets three commands to try."""

from __future__ import annotations

from pathlib import Path

import pytest

from socml.ingestion import open_format, peek
from socml.ingestion.detection import detect
from socml.ingestion.trial import TRIAL_BYTES, share_read
from socml.project import FormatError


def test_a_format_that_reads_nothing_of_a_file_gives_way(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"event_type":"START","timestamp":"soon","srcIp":"192.0.2.1"}\n' * 5)
    name, confidence = detect(path)
    assert name != "suricata-eve"
    assert confidence < 0.9


def test_a_file_that_only_one_format_claims_stays_its_own_and_is_not_sure(tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    path.write_text("Feb 30 10:00:00 h sshd[1]: no such day\n" * 5)
    name, confidence = detect(path)
    assert name in ("syslog", "text-lines")
    assert confidence == 0.5


def test_the_record_that_a_head_is_cut_in_says_nothing() -> None:
    line = b'{"timestamp":"2026-03-02T10:00:00+0000","event_type":"dns","flow_id":1}\n'
    head = line * (TRIAL_BYTES // len(line)) + line[:20] + b"x" * TRIAL_BYTES
    assert share_read(open_format("suricata-eve"), head, Path("eve.json")) == 1.0


def test_an_undetected_file_gets_three_commands(tmp_path: Path) -> None:
    path = tmp_path / "odd name.txt"
    path.write_text("nothing\nthat anyone knows\n")
    with pytest.raises(FormatError) as caught:
        peek(path)
    said = str(caught.value)
    assert said.count("socml peek '") == 3
    assert "--format text-lines" in said
