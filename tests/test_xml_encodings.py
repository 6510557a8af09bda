"""XML that declares an encoding which is none, or none of text: a record that does not parse, whichever reader it meets."""

from __future__ import annotations

from pathlib import Path

import pytest

from socml.formats.analysis._xml import root_name
from socml.ingestion import ingest_files
from socml.project import Project, SocmlError

ENCODINGS = ("none-such", "y" * 5000, "hex", "idna", "undefined", "utf-32")
RECORDS = {
    "any-xml": "<e><time>2026-03-02T10:00:00Z</time><user>ann</user></e>",
    "java-log-xml": '<log4j:event logger="a" timestamp="1772445600123" level="WARN" thread="m"><log4j:message>x</log4j:message></log4j:event>',
    "windows-event-xml": "<Event><System><EventID>1</EventID><Channel>Security</Channel></System></Event>",
    "nmap-xml": '<nmaprun scanner="nmap" start="1772445600"><host starttime="1772445600"><address addr="192.0.2.1" addrtype="ipv4"/></host></nmaprun>',
    "nps-xml": '<Event><Timestamp data_type="4">03/02/2026 10:00:00.123</Timestamp><Packet-Type data_type="0">3</Packet-Type></Event>',
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", RECORDS)
def test_a_file_in_an_encoding_that_is_none_is_told_in_words(
    name: str, encoding: str, lab: Project, tmp_path: Path
) -> None:
    path = tmp_path / "a.xml"
    path.write_text(f'<?xml version="1.0" encoding="{encoding}"?>\n{RECORDS[name]}\n', encoding="utf-8")
    try:
        found = ingest_files(path, dataset="some", project=lab, final=True, format=name, max_bad_share=1.0)
    except SocmlError as error:
        told, records = str(error), 1
    else:
        told, records = str(found), found.added + found.quarantined
    assert records > 0
    assert "This is a bug" not in told
    assert "does not foresee" not in told


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_head_in_such_an_encoding_has_no_element(encoding: str) -> None:
    assert root_name(f'<?xml version="1.0" encoding="{encoding}"?><nmaprun>'.encode()) == ""
