"""One Windows event as XML, as `wevtutil`, the Event Viewer and NXLog write it → event columns.

Namespaces and their prefixes do not matter, nor the language of what was rendered: an event is known by its number. No entity is
expanded but XML's own: a record is one element, and can declare none.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # of one element without declarations

from socml.formats._times import Clock
from socml.formats._windows import windows_event

__all__ = ["EVENT_ELEMENT", "windows_xml_event"]

EVENT_ELEMENT = re.compile(rb"<(?P<prefix>(?:[A-Za-z][\w.-]{0,31}:)?)Event[\s>]")
_PREFIX = re.compile(r"(</?)[A-Za-z][\w.-]{0,31}:")
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SYSTEM = {
    ("Provider", "Name"): "ProviderName", ("Provider", "Guid"): "ProviderGuid", ("TimeCreated", "SystemTime"): "TimeCreated",
    ("Execution", "ProcessID"): "ExecutionProcessID", ("Execution", "ThreadID"): "ThreadID", ("Security", "UserID"): "UserID",
}  # fmt: skip


def windows_xml_event(text: str, clock: Clock) -> dict[str, object]:
    """Return the event columns of an `<Event>` element.

    Raises
    ------
    ValueError
        In words, if it is no whole element, or no event.

    Examples
    --------
    >>> text = "<Event><System><EventID>4625</EventID><Channel>Security</Channel></System><EventData><Data Name='TargetUserName'>ann</Data></EventData></Event>"
    >>> event = windows_xml_event(text, Clock(None, None, None))
    >>> event["user_name"], event["event_outcome"]
    ('ann', 'failure')
    """
    if "<!" in text.replace("<![CDATA[", ""):
        raise ValueError("an event with a declaration in it, which none has")
    try:
        root = ET.fromstring(_PREFIX.sub(r"\1", _NOT_XML.sub("", text)))  # noqa: S314  # one element, without declarations
    except ET.ParseError as error:
        raise ValueError(f"not a whole XML element: {error}") from None
    found: dict[str, object] = {}
    for part in root:
        name = _bare(part.tag)
        if name == "System":
            _read_system(part, found)
        elif name == "RenderingInfo":
            found |= {"Rendered" + n if n != "Message" else n: t for n, t in _texts(part) if n not in found}
        elif name in ("EventData", "UserData"):
            _read_data(part, found)
    return windows_event(found, clock)


def _read_system(part: ET.Element, found: dict[str, object]) -> None:
    for one in part:
        name = _bare(one.tag)
        for attribute, value in one.attrib.items():
            found[_SYSTEM.get((name, attribute), f"{name}.{attribute}")] = value
        if one.text and one.text.strip():
            found[name] = one.text.strip()


def _read_data(part: ET.Element, found: dict[str, object]) -> None:
    unnamed = 0
    for one in part.iter():
        if one is part or (len(one) and not (one.text or "").strip()):
            continue
        name = one.attrib.get("Name") or _bare(one.tag)
        if name == "Data":
            unnamed += 1
            name = f"param{unnamed}"
        if one.text and one.text.strip():
            found[name if name not in found else f"data.{name}"] = one.text.strip()


def _texts(part: ET.Element) -> list[tuple[str, str]]:
    return [(_bare(one.tag), one.text.strip()) for one in part if one.text and one.text.strip()]


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]
