"""What PowerShell's Export-Clixml writes → events: Windows events from Get-WinEvent, and objects of any other kind.

An object is an `<Obj>` of the document; its properties are the elements in its `Props` and `MS`, named by their attribute `N`.
`_x000D_` stands for a character by its number. Objects within objects are left out: the description of an event, which
is a property of its own, says what the lists of its properties do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from socml.formats._guess import guessed_row
from socml.formats._inner import with_inner
from socml.formats._reader import Parsed, ReadOptions, Source
from socml.formats._records import clocked
from socml.formats._times import Clock
from socml.formats._windows_json import is_windows_json, windows_json_event
from socml.formats._xml_records import parse_element, xml_records

__all__ = ["PowershellClixml"]

_NAMESPACE = b"http://schemas.microsoft.com/powershell/2004/04"
_LARGEST = 4 << 20  # bytes of one object
_AROUND = re.compile(rb"(?:\s|\xef\xbb\xbf|<\?[^>]{0,400}\?>|</?Objs[^<>]{0,400}>)*")
_BEGINS = re.compile(rb"<Obj RefId=\"\d{1,12}\">")
_CODED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_OWN = ("Obj", "Props"), ("Obj", "MS")  # where an object's own properties stand


class PowershellClixml:
    """Objects as Export-Clixml writes them."""

    name = "powershell-clixml"
    about = "PowerShell's Export-Clixml: Windows events from Get-WinEvent, and other objects"
    specification = "https://learn.microsoft.com/en-us/powershell/module/microsoft.powershell.utility/export-clixml"
    examples = (
        '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">',
        '  <Obj RefId="0">',
        '    <Props><I32 N="Id">7036</I32><S N="ProviderName">Service Control Manager</S><S N="MachineName">PC7</S></Props>',
        "  </Obj>",
        "</Objs>",
    )
    one_a_line = False

    def sniff(self, head: bytes, file_name: str) -> float:
        """Sure of the namespace, with objects in lines of their own."""
        around = _AROUND.match(head)
        begins = _BEGINS.match(head, around.end()) if around and _NAMESPACE in around[0] else None
        return 0.95 if begins and b"\n  </Obj>" in head else 0.0

    def read(self, source: Source, options: ReadOptions) -> Iterator[Parsed]:
        """Yield the file's events."""
        records = xml_records(source, _AROUND, _BEGINS, lambda _: b"\n  </Obj>", largest=_LARGEST)
        return clocked(records, _event, source, options)


def _event(record: bytes, clock: Clock) -> dict[str, object]:
    found = _properties(record)
    if is_windows_json(found):
        return windows_json_event(found, clock)
    row, _ = guessed_row(found, clock)
    return with_inner(row, row.get("message"), clock)


def _properties(record: bytes) -> dict[str, object]:
    """Return an object's properties by their names. Raises ValueError if it is no well-formed element."""
    found: dict[str, object] = {}
    path: list[str] = []
    names: list[str] = []

    def begin(tag: str, attributes: dict[str, str]) -> None:
        path.append(tag)
        names.append(attributes.get("N", ""))

    def end(_: str) -> None:
        path.pop()
        names.pop()

    def text(data: str) -> None:
        if tuple(path[:-1]) in _OWN and names[-1] and (data.strip() or names[-1] in found):
            found[names[-1]] = f"{found.get(names[-1], '')}{data}"

    parse_element(record, begin, end, text)
    return {name: _CODED.sub(lambda code: chr(int(code[1], 16)), str(value)) for name, value in found.items()}
