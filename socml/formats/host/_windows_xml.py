"""A Windows event nested as its XML is (`System`, `EventData`, `UserData`) → its fields, flat."""

from __future__ import annotations

from socml.formats._json import flatten

__all__ = ["flat_event"]

_SYSTEM = {
    "Provider.#attributes.Name": "ProviderName",
    "Provider.#attributes.Guid": "ProviderGuid",
    "Provider.Name": "ProviderName",
    "Provider.Guid": "ProviderGuid",
    "TimeCreated.#attributes.SystemTime": "TimeCreated",
    "TimeCreated.SystemTime": "TimeCreated",
    "EventID.#text": "EventID",
    "EventID.Value": "EventID",  # of Velociraptor
    "Execution.#attributes.ProcessID": "ExecutionProcessID",
    "Execution.#attributes.ThreadID": "ThreadID",
    "Security.#attributes.UserID": "UserID",
}
_TAKEN = {"System", "EventData", "UserData", "#attributes"}


def flat_event(event: dict[str, object]) -> dict[str, object]:
    """Return an event's fields: those of `System` by their own names, of `EventData` by the names of the data.

    Examples
    --------
    >>> flat_event({"System": {"EventID": {"#text": 1}}, "EventData": {"Image": "a"}, "UserData": {"X": {"Y": "b"}}})
    {'EventID': 1, 'Image': 'a', 'Y': 'b'}
    """
    found: dict[str, object] = {}
    system, data, user = event.get("System"), event.get("EventData"), event.get("UserData")
    if isinstance(system, dict):
        found |= {_SYSTEM.get(name, name): value for name, value in flatten(system).items()}
    if isinstance(data, dict):
        for name, value in flatten(data).items():
            _note(found, name.removeprefix("#attributes."), value)
    for inner in user.values() if isinstance(user, dict) else ():
        for name, value in flatten(inner).items() if isinstance(inner, dict) else ():
            if "#attributes" not in name:
                _note(found, name, value)
    rest = {name: value for name, value in event.items() if name not in _TAKEN and value is not None}
    return found | flatten(rest)


def _note(found: dict[str, object], name: str, value: object) -> None:
    """Take a field of the data; one that is called like a field of the system is told apart."""
    found[name if name not in found else f"data.{name}"] = value
