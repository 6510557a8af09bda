"""A row of Defender's advanced hunting (`DeviceProcessEvents`, `DeviceNetworkEvents`, …) → the same, by names that tell whose they are.

The process is the one that started, else the one that acted. A device's connections go from `LocalIP` to `RemoteIP`; of
its logons and of what came in, the remote address is the source.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DEVICE_COLUMNS", "device_fields"]

DEVICE_COLUMNS = frozenset({"DeviceName", "ActionType", "InitiatingProcessFileName"})
"""What a row of these tables has, whichever it is."""

_OUTBOUND = ("Connection", "NetworkSignature", "Dns", "Http", "Ssl", "Ftp")
_FROM_HERE = {
    "LocalIP": "source_ip",
    "LocalPort": "source_port",
    "RemoteIP": "destination_ip",
    "RemotePort": "destination_port",
}
_TO_HERE = {
    "RemoteIP": "source_ip",
    "RemotePort": "source_port",
    "LocalIP": "destination_ip",
    "LocalPort": "destination_port",
}
_STARTED = {"FileName": "process_name", "InitiatingProcessFileName": "process_parent_name", "FolderPath": "file_path"}
_ACTED = {
    "InitiatingProcessFileName": "process_name", "InitiatingProcessCommandLine": "process_command_line", "InitiatingProcessId": "process_pid",
    "InitiatingProcessAccountName": "user_name", "FolderPath": "file_path", "RemoteUrl": "url",
}  # fmt: skip


def device_fields(given: Mapping[str, object]) -> dict[str, object]:
    """Return a row's fields, renamed.

    Examples
    --------
    >>> device_fields({"ActionType": "ConnectionSuccess", "RemoteIP": "192.0.2.1", "InitiatingProcessFileName": "a.exe"})
    {'ActionType': 'ConnectionSuccess', 'destination_ip': '192.0.2.1', 'process_name': 'a.exe'}
    """
    action = str(given.get("ActionType", ""))
    names = {
        **(_FROM_HERE if action.startswith(_OUTBOUND) else _TO_HERE),
        **(_STARTED if given.get("ProcessCommandLine") else _ACTED),
    }
    return {names.get(name, name): value for name, value in given.items()}
