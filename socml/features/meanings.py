"""Event columns, whatever log they came from → one view of what happened: answered, failed, logged on, asked in vain.

Zeek's states, EVE's flow state and flags, Argus's states, NetFlow's flags, sshd, PAM and Windows events end in the same
columns, so that a feature set of the daily list counts them alike. Of an exporter that tells each way by itself, the
answer is no flow of its own. Of a firewall that tells of a connection when it begins and again when it ends, what it
tells first is the flow, for there stands who began it, with the bytes and the duration of the end if that is of the
same day. The table `meanings` has one row an event:

| column | means |
|---|---|
| time, day | when; the UTC day |
| kind | flow, logon, lookup, request, alert, process, file, privilege, indicator, weakness or other |
| repeats | how many times it happened, as the log counts it (`event_count`): "message repeated 5 times" is 5 |
| source_ip, source_inside, inside_ip | who began it; whether that is inside; the address only if it is. None of a logon from the machine itself |
| destination_ip, destination_inside | of a flow only, never a broadcast or multicast address, nor the machine itself |
| destination_port, network_transport, duration_s, source_bytes, destination_bytes | of a flow |
| failed, answered | of a flow: refused or left without answer, or answered; both null if the log does not say |
| remote_ip | destination of a flow on a port for remote control (SSH, SMB, RDP, WinRM, VNC …) |
| host_name, sender | the host it happened on; that host, or the sensor that saw it |
| account | who, without domain, in lower case; a role, and not the session in which somebody took it |
| logon | success or failure of an attempt to log on; logged_on, entered: account and host of a success |
| country | of a success: where the service says that it came from, as it writes it; a code in capitals |
| unknown_account | an attempt for an account that does not exist, where sshd says so apart from the failure |
| domain, name, unknown_name | of a lookup: registered domain, whole name, whether it does not exist |
| server_ip, agent, url, status | of a request |
| rule, victim_or_source, alerted_host | of an alert: its rule; the inside end of it, or who came from outside; if it names neither an inside end nor both, its host |
| chain | of a started process: "parent > program" |
| ja3, server_name | of a TLS handshake |
| changed_path | file that was added, removed or changed |
| sender_hour | the sender, and the hour of the day |
| template | wording of a host's message: accounts, addresses, numbers and whatever has a digit blanked out |
| web_name, file_hash | the host part of a request's URL; hash of a file, `sha256:…` |
| indicator | address, name, URL, hash or JA3 that threat intelligence lists |
| weakness | "address port vulnerability" that a scanner found |
| right_change, root_account | a change of accounts or rights, in a word, with the group that got a member; an account that acted as root. None if it was refused |
| control, control_ip | what an account did to a cloud: the action, as the provider calls it, all that only look as one (`List*`); from where |
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network

VERSION = "7"  # part of the state's identity: raise it when a meaning changes
_PRIVATE = r"^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|127\.|169\.254\.|fe80:|f[cd][0-9a-f]{2}:|::1$)"
_GROUP = r"^(22[4-9]\.|23[0-9]\.|255\.|127\.|0\.0\.0\.0$|ff[0-9a-f]{2}:|::1?$)|\.255$"  # or the machine itself
# A logon at the machine itself names an address that all machines have: it is nobody's
_FROM_ELSEWHERE = (
    "case when class_uid = 3002 and (source_ip like '127.%' or source_ip = '::1') then null else source_ip end"
)
# Entra, from diagnostic settings and from Graph; Okta; Duo; ECS, OCSF and Logstash, of whatever service
_COUNTRIES = (
    "properties.location.countryOrRegion", "location.countryOrRegion", "client.geographicalContext.country",
    "access_device.location.country", "source.geo.country_iso_code", "client.geo.country_iso_code",
    "source.geo.country_name", "src_endpoint.location.country", "geoip.country_code2",
)  # fmt: skip
_TOLD_COUNTRIES = ", ".join(f"nullif(nullif(trim(extra['{name}']), ''), '-')" for name in _COUNTRIES)
_COUNTRY = f"case when class_uid = 3002 then coalesce({_TOLD_COUNTRIES}) end"
_MOST_REPEATS = 1_000_000  # of one event: a count is what a log claims
# Of dnsmasq one question is told again when it is passed on, and when it is answered; Suricata's answers alone have a code
_ASKED = (
    "coalesce(event_action <> 'dns_forward' and (event_action <> 'dns_answer' or dns_response_code is not null), true)"
)
# A firewall's number for a connection, of which its begin and its end are told: two events of the same ends
_IS_HALF = "coalesce(event_action in ('connection_begun', 'connection_end'), false)"
_CONNECTION = """coalesce(host_name, '') || ' ' || extra['connection'] || ' '
               || least(source_ip, destination_ip) || ' ' || greatest(source_ip, destination_ip)"""
# AWS writes the session of a role behind its name or its id, Alibaba behind its name: each would be somebody new
_WHO = """case when user_name like 'arn:%:assumed-role/%' then split_part(user_name, '/', 2)
               when regexp_matches(user_name, '^AROA[A-Z0-9]{12,}:') or extra['userIdentity.type'] = 'assumed-role'
               then split_part(user_name, ':', 1) else user_name end"""
# A page of a cloud's console looks at dozens of things: those actions are one, unless they may give secrets away
_LOOKS = "^(?:.*[./])?(Describe|List|Get|BatchGet|Head|Lookup|Search|list|get|aggregatedList|read|READ)(?:[A-Z][A-Za-z0-9]*)?$"
_SECRETS = "(?i)secret|passw|token|credential|parameter"
_CONTROL = f"""case when regexp_matches(event_action, '{_SECRETS}') then event_action
                  else coalesce(nullif(regexp_extract(event_action, '{_LOOKS}', 1), '') || '*', event_action) end"""
_IS_OF_HOST = """(host is not null and source_inside is not true and destination_inside is not true
                 and (source_ip is null or destination_ip is null))"""
_GROUP_NAME = """case when event_action = 'group_member_added'
    then coalesce(extra['group'], extra['grp'], extra['TargetUserName'], extra['data.TargetUserName']) end"""
_REMOTE_PORTS = "(22, 23, 135, 139, 445, 3389, 5900, 5985, 5986)"
_RIGHTS = (
    "user_added", "user_enabled", "user_removed", "password_reset", "group_member_added", "computer_added",
    "sid_history_added", "account_renamed", "service_installed", "task_created", "task_changed",
    "audit_policy_changed", "log_cleared", "event_log_stopped",
)  # fmt: skip
_AS_ROOT = ("sudo_command", "su_session", "user_cmd")  # the last is sudo's, as auditd calls it
_NO_PERSON = r"^(system|local service|network service|anonymous logon|dwm-[0-9]+|umfd-[0-9]+)$"
_SUFFIX = r"[^.]+[.](co|com|org|net|gov|gob|ac|edu|or|ne|go)[.][a-z]{2}$"  # two-part suffixes such as co.uk

# NetFlow, IPFIX and nfdump: the flags of the source's packets; nfdump(1), -B, says which flow of two is the answer
_FLAGS = "coalesce(extra['tcp_flags'], extra['flg'])"
_IS_ANSWER = f"""coalesce({_FLAGS} is not null and destination_packets is null and network_transport in ('tcp', 'udp')
               and source_port < 1024 and destination_port > 1024, false)"""

# Zeek: https://docs.zeek.org/en/master/scripts/base/protocols/conn/main.zeek.html (conn_state)
# Argus: https://openargus.org (ra(1), state): of TCP the flags of each side, as S_RA; INT and REQ have no answer
# Suricata: flow.state, and the flags to the client in hexadecimal; RST without SYN is a refusal
_FAILED = rf"""case
    when connection_state in ('S0', 'REJ', 'RSTOS0', 'RSTRH', 'SH', 'SHR') then true
    when connection_state in ('SF', 'S1', 'S2', 'S3', 'RSTO', 'RSTR') then false
    when event_action = 'connection_blocked' then true
    when regexp_full_match(connection_state, '[FSRPAUEC]*_[FSRPAUEC]*')
        then regexp_matches(connection_state, '_([AUEC]*R[AUEC]*)?$')
    when connection_state in ('INT', 'REQ', 'ECO', 'URP', 'URH', 'URN', 'URF') then true
    when connection_state in ('CON', 'ACC', 'EST', 'FIN', 'CLO', 'RSP', 'ECR') then false
    when connection_state in ('new', 'established', 'closed', 'bypassed')
        then coalesce(destination_packets, 0) = 0
             or coalesce(regexp_matches(extra['tcp.tcp_flags_tc'], '[45]$'), false)
    when network_transport = 'tcp' and {_FLAGS} like '%S%' and {_FLAGS} not like '%A%' then true
    when network_transport = 'tcp' and {_FLAGS} is not null and destination_packets is null then false
    when event_action in ('connection_begun', 'connection_end') and coalesce(carried, destination_bytes) is not null
        then coalesce(carried, destination_bytes) = 0 and coalesce(closing, extra['reason'], '') not like 'TCP FINs%'
    when event_outcome = 'failure' then true
    when event_outcome = 'success' then false
    when destination_packets is not null then destination_packets = 0
end"""

_LOGON = r"""case
    when class_uid is distinct from 3002 then null
    when extra['LogonType'] in ('0', '5') then null
    when event_action = 'explicit_credentials' then 'success'
    when event_action = 'pam_failure' then case when coalesce(process_name, '') not like 'sshd%' then 'failure' end
    when event_action in ('kerberos_preauthentication', 'ntlm_validation', 'kerberos_ticket_granting', 'kerberos_ticket')
        then case when event_outcome = 'failure' then 'failure' end
    when event_action = 'user.mfa.okta_verify.deny_push' then 'failure'
    when event_action in ('user.authentication.auth_via_mfa', 'portal-auth') then case when event_outcome = 'failure' then 'failure' end
    when event_action is null or regexp_matches(event_action, '(?i)log[ ._-]?[io]n$|^tunnel-up$|sign[ ._-]?in|ntlm_login|radius_login|session[.]start$|loggedin$|^authentication$')
        or regexp_matches(event_action, '(?i)(log[ ._-]?[io]n|auth)[ ._-]?(fail|succe|error|denied)|fail[a-z]*[ ._-]?log[ ._-]?[io]n$|^gateway-auth$')
        then case when event_outcome in ('success', 'failure') then event_outcome end
end"""


# Blank out, in this order: what is quoted, the account, and each word that has a digit, a slash or an @ in it.
_TEMPLATE = r"""left(regexp_replace(regexp_replace(
           case when account is null or length(account) < 3 then message else replace(message, account, '*') end,
           '"[^"]*"|''[^'']*''|COMMAND=.*$', '*', 'g'), '[^\s=:,()\[\]]*[0-9/@][^\s=:,()\[\]]*', '*', 'g'), 200)"""


def _listed(column: str, values: Sequence[str]) -> str:
    return f"{column} in ({', '.join(repr(v) for v in values)})"


_MEANINGS = f"""select time, cast(time as date) as day,
       case when event_category = 'threat_intelligence' then 'indicator' when event_category = 'vulnerability' then 'weakness'
            when is_flow then 'flow' when logon is not null or event_action = 'ssh_invalid_user' then 'logon'
            when class_uid = 4003 and {_ASKED} then 'lookup' when class_uid = 4002 then 'request' when class_uid = 2004 then 'alert'
            when class_uid = 1007 then 'process' when file_change is not null then 'file'
            when {_listed("event_action", (*_RIGHTS, *_AS_ROOT))} then 'privilege' else 'other' end as kind,
       greatest(repeats, 1) as repeats,
       source_ip, coalesce(source_inside, false) as source_inside, case when source_inside then source_ip end as inside_ip,
       case when is_flow and not to_group then destination_ip end as destination_ip,
       case when is_flow and not to_group then destination_inside end as destination_inside,
       case when is_flow then destination_port end as destination_port, network_transport,
       case when is_flow then duration_s end as duration_s, case when is_flow then source_bytes end as source_bytes,
       case when is_flow then destination_bytes end as destination_bytes,
       case when is_flow then failed end as failed, case when is_flow then not failed end as answered,
       case when is_flow and not to_group and destination_port in {_REMOTE_PORTS} then destination_ip end as remote_ip,
       host as host_name, sender, person as account, case when person is not null or account is null then logon end as logon,
       case when logon = 'success' then person end as logged_on, case when logon = 'success' then host end as entered,
       case when logon = 'success' then case when length(country) = 2 then upper(country) else country end end as country,
       event_action = 'ssh_invalid_user' as unknown_account,
       case when name not like '%.arpa' and name not like '%.local' and name like '%_.__%' then coalesce(
           nullif(regexp_extract(name, '{_SUFFIX}'), ''), nullif(regexp_extract(name, '[^.]+[.][^.]+$'), '')) end as domain,
       name, dns_response_code = 'NXDOMAIN' as unknown_name,
       case when class_uid = 4002 then destination_ip end as server_ip,
       case when class_uid = 4002 then user_agent_original end as agent,
       case when class_uid = 4002 then url_original end as url,
       case when class_uid = 4002 then http_response_status_code end as status,
       case when class_uid = 2004 then rule end as rule,
       case when class_uid = 2004 and not {_IS_OF_HOST}
           then case when source_inside or destination_inside is not true then source_ip else destination_ip end end as victim_or_source,
       case when class_uid = 2004 and {_IS_OF_HOST} then host end as alerted_host,
       case when class_uid = 1007 and process_name is not null
           then lower(coalesce(process_parent_name, '?') || ' > ' || process_name) end as chain,
       tls_client_ja3 as ja3, lower(tls_client_server_name) as server_name,
       case when file_change is not null then file_path end as changed_path,
       sender || ' ' || cast(extract(hour from time at time zone 'UTC') as varchar) as sender_hour,
       case when host is not null and message is not null and is_flow is not true then {_TEMPLATE} end as template,
       case when class_uid = 4002 then nullif(lower(regexp_extract(url_original, '^[A-Za-z][A-Za-z0-9+.-]*://([^/:?#]+)', 1)), '')
           end as web_name,
       file_hash,
       case when event_category = 'threat_intelligence'
           then coalesce(url_original, name, rtrim(lower(dns_question_name), '.'), file_hash, tls_client_ja3, destination_ip)
           end as indicator,
       case when event_category = 'vulnerability' and destination_port is not null then destination_ip || ' '
           || cast(destination_port as varchar) || ' ' || coalesce(vulnerability_id, rule) end as weakness,
       case when refused then null when event_action = 'group_member_added' then concat_ws(' ', event_action, group_name)
            when {_listed("event_action", _RIGHTS)} then event_action end as right_change,
       case when {_listed("event_action", (*_AS_ROOT, "special_privileges"))} and not refused then person end as root_account,
       case when class_uid = 6003 and person is not null then {_CONTROL} end as control,
       case when class_uid = 6003 and person is not null then source_ip end as control_ip
from named"""  # noqa: S608


def meanings_sql(first: str, last: str, *, inside: Sequence[IPv4Network] = ()) -> str:
    """Return the SELECT over `stored_events` that gives `meanings` for the days from `first` to before `last` (ISO)."""
    source_inside = _inside("source_ip", inside)
    of_days = f"time >= timestamptz '{first} 00:00:00+00' and time < timestamptz '{last} 00:00:00+00'"
    return f"""
with halves as (
    select *, {_CONNECTION} as connection from stored_events where {_IS_HALF} and {of_days}
), whole as (
    select connection, max(duration_s) as lasted, max(destination_bytes) as carried, max(extra['reason']) as closing
    from halves where connection is not null group by connection having min(event_action) <> max(event_action)
), joined as (
    select *, null as lasted, null as carried, null as closing, false as is_told_twice from stored_events where not {_IS_HALF} and {of_days}
    union all
    select halves.* exclude (connection), lasted, carried, closing, whole.connection is not null as is_told_twice
    from halves left join whole on whole.connection = halves.connection
), told as (
    select time, class_uid, event_action, {_FROM_ELSEWHERE} as source_ip, destination_ip, destination_port, network_transport,
           coalesce(lasted, duration_s) as duration_s, source_bytes, coalesce(carried, destination_bytes) as destination_bytes, coalesce(host_name, case when class_uid = 3002 then destination_ip end) as host,
           coalesce(host_name, observer_name) as sender, lower(regexp_replace({_WHO}, '^.*\\\\|@.*$', '', 'g')) as account,
           dns_question_name, dns_response_code, url_original, http_response_status_code, user_agent_original,
           {_GROUP_NAME} as group_name, event_category, message, vulnerability_id, lower(file_hash) as file_hash,
           coalesce(rule_id, rule_name, threat_name) as rule, process_name, process_parent_name, tls_client_ja3,
           tls_client_server_name, file_path, file_change,
           (class_uid = 4001 or event_action in ('connection_allowed', 'connection_blocked')
               or (event_action = 'connection' and class_uid is null and event_category = 'network'))
               and not {_IS_ANSWER}
               and not (is_told_twice and event_action = 'connection_end') as is_flow,
           coalesce(event_outcome = 'failure', false) as refused,
           least(coalesce(event_count, try_cast(extra['repeated'] as bigint), 1), {_MOST_REPEATS}) as repeats,
           case when left(destination_ip, 1) in ('2', '0', 'f', ':') or destination_ip like '%.255' or destination_ip like '127.%'
               then regexp_matches(destination_ip, '{_GROUP}') else false end as to_group,
           {source_inside} as source_inside, {_inside("destination_ip", inside)} as destination_inside,
           {_FAILED} as failed, {_LOGON} as logon, {_COUNTRY} as country
    from joined
), named as (
    select *, case when class_uid = 4003 then rtrim(lower(dns_question_name), '.') end as name,
           case when regexp_matches(account, '{_NO_PERSON}') or account like '%$' then null else account end as person
    from told
)
{_MEANINGS}"""  # noqa: S608


# What a feature set of the daily list may read beside `meanings`, each a part of it.
VIEWS = {
    "flows": "select * from meanings where kind = 'flow' and source_ip is not null and destination_ip is not null",
    "logons": "select * from meanings where kind = 'logon'",
    "lookups": "select * from meanings where kind = 'lookup' and source_ip is not null and name is not null",
    "requests": "select * from meanings where kind = 'request' and source_ip is not null",
    "alerts": "select * from meanings where kind = 'alert' and rule is not null",
}


_OF_VIEWS = {"kind", "source_ip", "destination_ip", "name", "rule"}
_EVERY_COLUMN = re.compile(rf"\bcolumns\s*\(|\*[^()]*\bfrom\s+(meanings|{'|'.join(VIEWS)})\b", re.IGNORECASE)


def columns_read(columns: Iterable[str], reads: Iterable[str]) -> list[str]:
    """Return the columns of `meanings` that SELECTs may read: those whose names stand in them, and those of the views.

    All, if one of them takes every column of `meanings` or of a view of it.

    Examples
    --------
    >>> columns_read(["time", "kind", "url", "ja3"], ["select source_ip, count(distinct url) from requests group by all"])
    ['kind', 'url']
    >>> columns_read(["time", "kind", "url"], ["select distinct * from requests"])
    ['time', 'kind', 'url']
    """
    named: set[str] = set(_OF_VIEWS)
    for sql in reads:
        if _EVERY_COLUMN.search(sql):
            return list(columns)
        named.update(word.lower() for word in re.findall(r"\w+", sql))
    return [column for column in columns if column in named]


def is_inside_sql(column: str, inside: Sequence[IPv4Network] = ()) -> str:
    """Return SQL that says whether an address or a name is of the organisation: whatever is no address is inside."""
    address = f"regexp_matches({column}, '^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$|:')"
    return f"(not {address} or {_inside(column, inside)})"


def _inside(column: str, networks: Sequence[IPv4Network]) -> str:
    parts = [f"regexp_matches(lower({column}), '{_PRIVATE}')"]
    octets = " + ".join(f"try_cast(split_part({column}, '.', {i}) as bigint) * {256 ** (4 - i)}" for i in (1, 2, 3, 4))
    for network in networks:
        low, high = int(network.network_address), int(network.broadcast_address)
        parts.append(f"coalesce(({octets}) between {low} and {high}, false)")
    return f"({' or '.join(parts)})"
