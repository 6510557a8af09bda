"""Program → the messages it writes, as patterns whose groups are event columns, or fields of `extra`.

A user name is what an attacker typed: it may hold " from 1.2.3.4 port 22". So patterns for a name are greedy, and
what follows it is anchored to the end of the line. The price: where a version of sshd long gone put the client's own
words after the address (`ssh1: ruser …`), an address in those words is taken.

Messages of other daemons are declarations in `socml/formats/_messages/`, in the same form.

Sources: OpenSSH `auth.c`, `sshd.c`, `packet.c`; Linux-PAM `pam_unix`; sudo `logging.c`; shadow `useradd.c`, `su.c`.
"""

from __future__ import annotations

import re

from socml.formats._messages import KINDS, Template, declarations

AUTHENTICATION, ACCOUNT, PROCESS, SERVICE = (KINDS[name] for name in ("authentication", "iam", "process", "host"))


def _t(
    pattern: str, action: str, outcome: str | None = None, kind: tuple[int | None, str] = AUTHENTICATION
) -> Template:
    return Template(re.compile(pattern), action, outcome, kind)


_FROM = r"(?P<source_ip>\S+?)(?: port (?P<source_port>\d+))?"
_PREAUTH = r"(?: \[preauth\])?$"
_WHO = r"(?:(?:(?P<invalid_user>invalid|illegal)|authenticating) user )"

_SSHD = (
    _t(
        rf"Accepted (?P<method>\S+) for (?P<user_name>.*) from {_FROM}(?: ssh2?)?(?:: (?P<key>.*))?{_PREAUTH}",
        "ssh_login",
        "success",
    ),
    _t(
        rf"(?:error: )?Failed (?P<method>\S+) for (?:(?P<invalid_user>invalid|illegal) user )?(?P<user_name>.*) "
        rf"from {_FROM}(?: ssh\d?)?(?:: (?P<key>.*))?{_PREAUTH}",
        "ssh_login",
        "failure",
    ),
    _t(
        rf"error: PAM: (?P<reason>.{{1,200}}?) for (?:(?P<invalid_user>illegal|invalid) user )?(?P<user_name>.*) "
        rf"from {_FROM}(?: via \S+)?{_PREAUTH}",
        "ssh_login",
        "failure",
    ),
    _t(rf"(?P<user_name>ROOT|root) LOGIN REFUSED FROM {_FROM}{_PREAUTH}", "ssh_login", "failure"),
    _t(
        r"pam_\w+\(sshd:auth\): (?:\[[^\]]*\] )?authentication failure;.* rhost=(?P<source_ip>\S+)"
        r"(?:\s+user=(?P<user_name>.*))?$",
        "pam_failure",
        "failure",
    ),
    _t(
        rf"(?:[iI]llegal|[iI]nvalid) user (?P<user_name>.*) from {_FROM}\s*{_PREAUTH}",
        "ssh_invalid_user",
        "failure",
    ),
    _t(
        rf"User (?P<user_name>.+) from {_FROM} not allowed because (?P<reason>.+?){_PREAUTH}",
        "ssh_not_allowed",
        "failure",
    ),
    _t(
        r"User (?P<user_name>.+) not allowed because (?P<reason>.+?)" + _PREAUTH,
        "ssh_not_allowed",
        "failure",
    ),
    _t(
        rf"(?:(?:error: )?maximum authentication attempts exceeded) for (?:(?P<invalid_user>invalid) user )?"
        rf"(?P<user_name>.*) from {_FROM}(?: ssh\d?)?{_PREAUTH}",
        "ssh_too_many_attempts",
        "failure",
    ),
    _t(
        rf"(?:Disconnecting|Disconnected from|Connection (?:closed|reset) by) {_WHO}(?P<user_name>.*) "
        rf"(?P<source_ip>\S+) port (?P<source_port>\d+)(?:: (?P<reason>.+?))?{_PREAUTH}",
        "ssh_disconnect",
    ),
    _t(
        rf"(?:error: )?Received disconnect from {_FROM}:\s?(?P<code>\d+)?:?(?P<reason>.*?){_PREAUTH}",
        "ssh_disconnect",
    ),
    _t(
        rf"(?:Disconnected from|Connection (?:closed|reset) by|Connection reset by peer) (?:user (?P<user_name>.+) )?"
        rf"{_FROM}{_PREAUTH}",
        "ssh_disconnect",
    ),
    _t(
        rf"Disconnecting(?: {_FROM})?: (?P<reason>Too many authentication failures.*?){_PREAUTH}",
        "ssh_too_many_attempts",
        "failure",
    ),
    _t(
        rf"Connection from {_FROM}(?: on (?P<destination_ip>\S+) port (?P<destination_port>\d+))?(?: rdomain .*)?$",
        "ssh_connection",
    ),
    _t(
        rf"(?:error: )?(?:banner exchange|kex_exchange_identification): Connection from {_FROM}: (?P<reason>.+)$",
        "ssh_bad_client",
        "failure",
    ),
    _t(
        rf"Did not receive identification string from {_FROM}{_PREAUTH}",
        "ssh_bad_client",
        "failure",
    ),
    _t(rf"Bad protocol version identification '(?P<banner>.*)' from {_FROM}{_PREAUTH}", "ssh_bad_client", "failure"),
    _t(
        rf"(?:fatal: |error: )?Unable to negotiate (?:a key exchange method|with {_FROM}): (?P<reason>.+?){_PREAUTH}",
        "ssh_bad_client",
        "failure",
    ),
    _t(
        rf"(?:fatal: )?Timeout before authentication for (?:connection from )?{_FROM}(?: to .*)?{_PREAUTH}",
        "ssh_timeout",
        "failure",
    ),
    _t(rf"ssh_dispatch_run_fatal: Connection from {_FROM}: (?P<reason>.+?){_PREAUTH}", "ssh_bad_client", "failure"),
    _t(rf"refused connect from (?P<client>.*) \({_FROM}\)$", "ssh_refused", "failure"),
    _t(r"(?:drop connection #\d+ from \[(?P<source_ip>[^\]]+)\]:(?P<source_port>\d+))", "ssh_refused", "failure"),
    _t(
        r"(?:reverse mapping checking getaddrinfo for (?P<claimed_name>.+) \[(?P<source_ip>[^\[\]]+)\] failed)",
        "ssh_reverse_mapping",
    ),
    _t(r"Address (?P<source_ip>\S+) maps to (?P<claimed_name>\S+), but this does not map back", "ssh_reverse_mapping"),
    _t(r"input_userauth_request: (?:invalid|illegal) user (?P<user_name>.*)" + _PREAUTH, "ssh_invalid_user_request"),
    _t(r"Server listening on (?P<destination_ip>\S+) port (?P<destination_port>\d+)", "ssh_server_start"),
    _t(
        r"Starting session: (?P<session>\S+)(?: on (?P<terminal>\S+))? for (?P<user_name>.+) "
        r"from (?P<source_ip>\S+) port (?P<source_port>\d+)",
        "ssh_session",
    ),
    _t(
        r"(?:PAM \d+ more authentication failures?;).* rhost=(?P<source_ip>\S+)(?:\s+user=(?P<user_name>.*))?$",
        "pam_failure",
        "failure",
    ),
)

_SUDO = (
    _t(
        r"\s*(?P<user_name>.{1,256}?) : (?:(?P<reason>(?!TTY=)[^;]+) ; )?(?:TTY=(?P<terminal>\S+) ; )?"
        r"PWD=(?P<folder>.{0,4096}?) ; USER=(?P<target_user_name>\S+)(?: ; GROUP=\S+)?(?: ; TSID=\S+)?(?: ; ENV=.*?)? ; "
        r"COMMAND=(?P<process_command_line>.*)$",
        "sudo_command",
        "success",
    ),
)

_SU = (
    _t(r"Successful su for (?P<target_user_name>\S+) by (?P<user_name>.+)$", "su_session", "success"),
    _t(
        r"FAILED (?:su|SU) (?:for |\(to )(?P<target_user_name>[^ )]+)\)? (?:by )?(?P<user_name>\S+)"
        r"(?: on (?P<terminal>\S+))?$",
        "su_session",
        "failure",
    ),
    _t(r"\(to (?P<target_user_name>\S+)\) (?P<user_name>\S+) on (?P<terminal>\S+)$", "su_session", "success"),
    _t(  # of the BSDs, AIX and Solaris
        r"BAD SU (?:from )?(?P<user_name>\S{1,256}) to (?P<target_user_name>\S{1,256}) (?:on|at) (?P<terminal>\S+)$",
        "su_session",
        "failure",
    ),
    _t(
        r"(?:from )?(?P<user_name>\S{1,256}) to (?P<target_user_name>\S{1,256}) (?:on|at) (?P<terminal>\S+)$",
        "su_session",
        "success",
    ),
    _t(
        r"'su (?P<target_user_name>[^']{1,256})' failed for (?P<user_name>\S+)(?: on (?P<terminal>\S+))?$",
        "su_session",
        "failure",
    ),
    _t(
        r"'su (?P<target_user_name>[^']{1,256})' succeeded for (?P<user_name>\S+)(?: on (?P<terminal>\S+))?$",
        "su_session",
        "success",
    ),
    _t(r"\+ (?P<terminal>\S+) (?P<user_name>[^:]+):(?P<target_user_name>\S+)$", "su_note"),
)

_CRON = (
    _t(r"\((?P<user_name>[^)]+)\) CMD \((?P<process_command_line>.*)\)$", "cron_command", None, PROCESS),
    _t(
        r"\((?P<user_name>[^)]+)\) (?:RELOAD|REPLACE|BEGIN EDIT|END EDIT|DELETE|LIST) \((?P<table>.*)\)$",
        "cron_change",
        None,
        SERVICE,
    ),
)

_ACCOUNTS = (
    _t(r"new user: name=(?P<user_name>[^,]+), UID=(?P<uid>\d+)", "user_added", "success", ACCOUNT),
    _t(r"new group: name=(?P<group>[^,]+), GID=(?P<gid>\d+)", "group_added", "success", ACCOUNT),
    _t(r"group added to \S+: name=(?P<group>[^,]+)", "group_added", "success", ACCOUNT),
    _t(r"failed adding user '(?P<user_name>.+)'", "user_added", "failure", ACCOUNT),
    _t(r"delete user '(?P<user_name>.+)'", "user_removed", "success", ACCOUNT),
    _t(
        r"add '(?P<user_name>.{1,256})' to (?:shadow )?group '(?P<group>.+)'",
        "group_member_added",
        "success",
        ACCOUNT,
    ),
    _t(r"removed? (?:shadow )?group '(?P<group>.+?)'", "group_removed", "success", ACCOUNT),
    _t(r"change user '(?P<user_name>.+?)'", "user_changed", "success", ACCOUNT),
    _t(r"pam_unix\(\S+:chauthtok\): password changed for (?P<user_name>.+)$", "password_changed", "success", ACCOUNT),
    _t(r"pam_unix\(\S+:chauthtok\): user \"(?P<user_name>.+)\" does not exist", "password_changed", "failure", ACCOUNT),
)

_LOGIND = (
    _t(r"New session (?P<session>\S+) of user (?P<user_name>.+?)\.$", "login_session_started"),
    _t(r"(?:Removed session (?P<session>\S+?)\.|Session (?P<session_>\S+) logged out\..*)$", "login_session_ended"),
)

_SYSTEMD = (
    _t(
        r"Started (?:session-\S{1,64} - )?Session (?P<session>\S{1,64}) of [uU]ser (?P<user_name>.{1,256}?)\.?$",
        "login_session_started",
    ),
    _t(
        r"(?:Stopped|Removed) (?:session-\S{1,64} - )?Session (?P<session>\S{1,64}) of [uU]ser (?P<user_name>.{1,256}?)\.?$",
        "login_session_ended",
    ),
    _t(r"Failed to start (?P<unit>.{1,400}?)\.?$", "service_start", "failure", SERVICE),
    _t(
        r"(?P<unit>\S{1,256}): Failed with result '?(?P<reason>[\w-]{1,64})'?\.?$",
        "service_end",
        "failure",
        SERVICE,
    ),
    _t(
        r"(?P<unit>\S{1,256}): [Mm]ain process exited, code=(?P<code>\w{1,16}), status=(?P<status>[1-9]\S{0,32})",
        "service_end",
        "failure",
        SERVICE,
    ),
    _t(r"Started (?P<unit>.{1,400}?)\.?$", "service_start", "success", SERVICE),
    _t(r"Stopped (?P<unit>.{1,400}?)\.?$", "service_stop", "success", SERVICE),
    _t(r"Reloaded (?P<unit>.{1,400}?)\.?$", "service_reload", "success", SERVICE),
)

PAM = (
    _t(
        r"pam_\w+\((?P<service>[^):]+)(?::session)?\): session opened for user (?P<user_name>.{0,256}?)"
        r"(?:\(uid=\d+\))? by (?P<by>.*?)\(uid=\d+\)",
        "session_opened",
        "success",
    ),
    _t(r"pam_\w+\((?P<service>[^):]+)(?::session)?\): session closed for user (?P<user_name>.+)$", "session_closed"),
    _t(
        r"pam_\w+\((?P<service>[^):]+)(?::auth)?\): (?:conversation failed|auth could not identify password for "
        r"\[(?P<user_name>.*)\]|check pass; user unknown)",
        "pam_note",
        "failure",
    ),
    _t(
        r"pam_\w+\((?P<service>[^):]+)(?::auth)?\): authentication failure;.*? ruser=(?P<remote_user>\S*)"
        r"\s+rhost=(?P<source_ip>\S*)"
        r"(?:\s+user=(?P<user_name>.*))?$",
        "pam_failure",
        "failure",
    ),
)

BY_PROGRAM: dict[str, tuple[Template, ...]] = {
    "sshd": (*_SSHD, *PAM),
    "sudo": (*_SUDO, *PAM),
    "su": (*_SU, *PAM),
    "cron": (*_CRON, *PAM),
    "systemd-logind": (*_LOGIND, *PAM),
    "systemd": (*_SYSTEMD, *PAM),
    "useradd": _ACCOUNTS,
    "userdel": _ACCOUNTS,
    "usermod": _ACCOUNTS,
    "groupadd": _ACCOUNTS,
    "groupdel": _ACCOUNTS,
    "passwd": _ACCOUNTS,
    "chpasswd": _ACCOUNTS,
}
SAME_AS = {"sshd-session": "sshd", "sshd-auth": "sshd", "crond": "cron", "crontab": "cron"}

# Messages of other daemons, by program, and all of them in order; only the careful way over lines knows them
DECLARED = {program: declared.templates for declared in declarations() for program in declared.programs}
ANYWHERE = tuple(template for declared in declarations() for template in declared.templates)
