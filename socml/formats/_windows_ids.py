"""The channel and number of a Windows event → its class, category and action.

Numbers of the Security log: Microsoft, «Appendix L: Events to Monitor»; of Sysmon: its own manual. 4001 is left to
flows, so a connection that Windows or Sysmon tells of has no class.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Kind", "kind_of"]


class Kind(NamedTuple):
    """What an event number means."""

    class_uid: int | None
    category: str
    action: str
    outcome: str | None = None


_A, _I, _P, _F, _N, _H = "authentication", "iam", "process", "file", "network", "host"
_SECURITY: dict[int, Kind] = {
    1100: Kind(None, _H, "event_log_stopped"),
    1102: Kind(None, _H, "log_cleared"),
    4608: Kind(None, _H, "windows_started"),
    4616: Kind(None, _H, "time_changed"),
    4624: Kind(3002, _A, "logon", "success"),
    4625: Kind(3002, _A, "logon", "failure"),
    4627: Kind(3002, _A, "group_membership"),
    4634: Kind(3002, _A, "logoff"),
    4647: Kind(3002, _A, "logoff"),
    4648: Kind(3002, _A, "explicit_credentials", "success"),
    4656: Kind(None, _H, "handle_requested"),
    4657: Kind(None, _H, "registry_set"),
    4658: Kind(None, _H, "handle_closed"),
    4660: Kind(None, _H, "object_deleted"),
    4661: Kind(None, _H, "handle_requested"),
    4662: Kind(None, _H, "directory_object_accessed"),
    4663: Kind(None, _H, "object_accessed"),
    4670: Kind(None, _H, "permissions_changed"),
    4672: Kind(3002, _A, "special_privileges"),
    4673: Kind(None, _H, "privilege_used"),
    4688: Kind(1007, _P, "process_started"),
    4689: Kind(1007, _P, "process_ended"),
    4690: Kind(None, _H, "handle_duplicated"),
    4697: Kind(None, _H, "service_installed"),
    4698: Kind(None, _H, "task_created"),
    4699: Kind(None, _H, "task_deleted"),
    4702: Kind(None, _H, "task_changed"),
    4703: Kind(3002, _A, "privileges_adjusted"),
    4719: Kind(None, _H, "audit_policy_changed"),
    4720: Kind(3001, _I, "user_added"),
    4722: Kind(3001, _I, "user_enabled"),
    4723: Kind(3001, _I, "password_changed"),
    4724: Kind(3001, _I, "password_reset"),
    4725: Kind(3001, _I, "user_disabled"),
    4726: Kind(3001, _I, "user_removed"),
    4728: Kind(3001, _I, "group_member_added"),
    4729: Kind(3001, _I, "group_member_removed"),
    4732: Kind(3001, _I, "group_member_added"),
    4733: Kind(3001, _I, "group_member_removed"),
    4738: Kind(3001, _I, "user_changed"),
    4740: Kind(3001, _I, "user_locked"),
    4741: Kind(3001, _I, "computer_added"),
    4742: Kind(3001, _I, "computer_changed"),
    4756: Kind(3001, _I, "group_member_added"),
    4757: Kind(3001, _I, "group_member_removed"),
    4765: Kind(3001, _I, "sid_history_added"),
    4766: Kind(3001, _I, "sid_history_added", "failure"),
    4767: Kind(3001, _I, "user_unlocked"),
    4768: Kind(3002, _A, "kerberos_ticket_granting"),
    4769: Kind(3002, _A, "kerberos_service_ticket"),
    4771: Kind(3002, _A, "kerberos_preauthentication", "failure"),
    4776: Kind(3002, _A, "ntlm_validation"),
    4778: Kind(3002, _A, "session_reconnected"),
    4779: Kind(3002, _A, "session_disconnected"),
    4781: Kind(3001, _I, "account_renamed"),
    4798: Kind(3001, _I, "groups_of_user_listed"),
    4799: Kind(3001, _I, "members_of_group_listed"),
    5136: Kind(None, _H, "directory_object_changed"),
    5140: Kind(1001, _F, "share_accessed"),
    5145: Kind(1001, _F, "share_checked"),
    5156: Kind(None, _N, "connection_allowed", "success"),
    5157: Kind(None, _N, "connection_blocked", "failure"),
    5158: Kind(None, _N, "port_bound"),
    5379: Kind(3002, _A, "credentials_read"),
}
_SYSMON: dict[int, Kind] = {
    1: Kind(1007, _P, "process_started"),
    2: Kind(1001, _F, "file_time_changed"),
    3: Kind(None, _N, "connection"),
    4: Kind(None, _H, "sysmon_state"),
    5: Kind(1007, _P, "process_ended"),
    6: Kind(1007, _P, "driver_loaded"),
    7: Kind(1007, _P, "module_loaded"),
    8: Kind(1007, _P, "remote_thread"),
    9: Kind(1001, _F, "raw_disk_read"),
    10: Kind(1007, _P, "process_accessed"),
    11: Kind(1001, _F, "file_created"),
    12: Kind(None, _H, "registry_key"),
    13: Kind(None, _H, "registry_set"),
    14: Kind(None, _H, "registry_renamed"),
    15: Kind(1001, _F, "file_stream_created"),
    16: Kind(None, _H, "sysmon_configured"),
    17: Kind(None, _H, "pipe_created"),
    18: Kind(None, _H, "pipe_connected"),
    19: Kind(None, _H, "wmi_filter"),
    20: Kind(None, _H, "wmi_consumer"),
    21: Kind(None, _H, "wmi_binding"),
    22: Kind(4003, _N, "dns_query"),
    23: Kind(1001, _F, "file_deleted"),
    24: Kind(None, _H, "clipboard_changed"),
    25: Kind(1007, _P, "process_tampered"),
    26: Kind(1001, _F, "file_deleted"),
    29: Kind(1001, _F, "executable_created"),
}
_POWERSHELL: dict[int, Kind] = {
    400: Kind(1007, _P, "powershell_started"),
    403: Kind(1007, _P, "powershell_ended"),
    800: Kind(1007, _P, "powershell_pipeline"),
    4103: Kind(1007, _P, "powershell_module"),
    4104: Kind(1007, _P, "powershell_script"),
}
_SYSTEM: dict[int, Kind] = {
    104: Kind(None, _H, "log_cleared"),
    7036: Kind(None, _H, "service_state"),
    7045: Kind(None, _H, "service_installed"),
}
_TERMINAL: dict[int, Kind] = {
    21: Kind(3002, _A, "remote_logon", "success"),
    23: Kind(3002, _A, "logoff"),
    24: Kind(3002, _A, "session_disconnected"),
    25: Kind(3002, _A, "session_reconnected", "success"),
    1149: Kind(3002, _A, "remote_logon", "success"),
}
_CHANNELS = (
    ("terminalservices", _TERMINAL),
    ("security", _SECURITY),
    ("sysmon", _SYSMON),
    ("powershell", _POWERSHELL),
    ("system", _SYSTEM),
)


def kind_of(channel: str, number: int | None) -> Kind:
    """Return what an event is, by its channel and number.

    Examples
    --------
    >>> kind_of("Security", 4625).outcome, kind_of("Microsoft-Windows-Sysmon/Operational", 22).action
    ('failure', 'dns_query')
    >>> kind_of("Application", 1000)
    Kind(class_uid=None, category='host', action='event_1000', outcome=None)
    """
    name = channel.lower()
    for word, numbers in _CHANNELS:
        if name == word or (word in name and word not in ("security", "system")):
            found = numbers.get(number or 0)
            if found:
                return found
    return Kind(None, _H, f"event_{number}" if number is not None else "event")
