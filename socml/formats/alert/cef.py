"""CEF (ArcSight) and LEEF (QRadar) lines of any vendor → events, with or without a syslog header.

    CEF:0|Trend Micro|Deep Security Agent|20.0|4000000|Eicar_test_file|6|cn1=1 cn1Label=Host ID filePath=C:\\x act=Delete

Kaspersky's, Trend Micro's and Sophos's are known by their rules. Traps: real lines have `CEF: 0` with a space; `|` is
escaped in the header and `=` in the values, and neither always; a value holds spaces and ends where the next ` key=`
begins, so an unescaped `word=` in a value is taken for a key; custom fields come as `cs1` with `cs1Label`, and both are
kept; `rt` is in milliseconds, in seconds (Kaspersky), or text; the severity is 0 to 10, or a word. LEEF 1 separates by
tabs, LEEF 2 by what its header says. The record's own time goes before the header's.
"""

from __future__ import annotations

from collections.abc import Iterator

from socml.formats._cef import MARK
from socml.formats._cef_event import LONGEST_HEADER, cef_event
from socml.formats._reader import Parsed, ReadOptions, Source, head_lines
from socml.formats._records import batches, line_records
from socml.formats._times import clock_of

__all__ = ["Cef"]


class Cef:
    """CEF and LEEF, of Kaspersky, Trend Micro, Sophos and any other vendor."""

    name = "cef"
    about = "CEF and LEEF lines of any vendor, alone or behind a syslog header"
    specification = (
        "https://www.microfocus.com/documentation/arcsight/arcsight-smartconnectors-8.4/cef-implementation-standard/ "
        "and https://www.ibm.com/docs/en/dsm?topic=overview-leef-event-components"
    )
    examples = (
        "Apr 25 15:27:08 host01 CEF:0|Trend Micro|Deep Security Agent|20.0|4000000|Eicar_test_file|6|cn1=1 "
        "cn1Label=Host ID dvchost=pc7 filePath=C:\\\\x.exe act=Delete msg=Realtime",
        "LEEF:1.0|KasperskyLab|SecurityCenter|13.2|GNRL_EV_VIRUS_FOUND|src=192.0.2.1\tsev=8\tusrName=ann",
    )

    def sniff(self, head: bytes, file_name: str) -> float:
        """As sure as the share of lines with a CEF or LEEF header."""
        lines = [line[:LONGEST_HEADER].decode("utf-8", "replace") for line in head_lines(head, 20)]
        found = sum(MARK.search(line) is not None and not line.startswith(("{", "[", '"')) for line in lines)
        return 0.96 * found / len(lines) if lines else 0.0  # CEF in a cell or a field is for the outer record's reader

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        clock = clock_of(source, options)
        return batches(
            line_records(source),
            lambda line: cef_event(line.decode("utf-8", "backslashreplace"), clock),
            warnings=clock.warnings,
            is_certain=lambda: clock.is_certain,
        )
