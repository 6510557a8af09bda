"""socml.features.meanings: what failed, was answered or logged on means the same whatever the log."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from daily_events import FLOW, LOGON, flow, logon, project_in, store

from socml.features.daily_tables import day_connection
from socml.project import Project, load_feature_recipe, recipe_names, starter_root
from socml.project.workspace import event_files


def shipped() -> Project:
    return Project(root=starter_root(), workspace=Path("unused"))


def meanings(tmp_path: Path, events: list[dict], columns: str, inside: tuple = ()) -> list[tuple[Any, ...]]:
    from datetime import date

    project = project_in(tmp_path)
    store(project, events)
    files = event_files(project, "office")
    with day_connection(files, date(2026, 3, 1), project=project, inside=inside) as connection:
        return connection.execute(f"select {columns} from meanings order by time").fetchall()


def at(second: int) -> str:
    return f"2026-03-01T10:00:{second:02}Z"


FLOW_STATES = [
    # Zeek
    ({"connection_state": "S0"}, True),
    ({"connection_state": "REJ"}, True),
    ({"connection_state": "SF"}, False),
    ({"connection_state": "RSTO"}, False),
    ({"connection_state": "OTH"}, None),
    ({"connection_state": "OTH", "destination_packets": 3}, False),
    # Argus
    ({"connection_state": "S_RA"}, True),
    ({"connection_state": "S_"}, True),
    ({"connection_state": "SRPA_FSPA"}, False),
    ({"connection_state": "PA_PA"}, False),
    ({"connection_state": "A_A"}, False),
    ({"connection_state": "INT"}, True),
    ({"connection_state": "CON"}, False),
    # Suricata
    ({"connection_state": "new", "destination_packets": 0}, True),
    ({"connection_state": "established", "destination_packets": 4}, False),
    ({"connection_state": "closed", "destination_packets": 1, "extra": [("tcp.tcp_flags_tc", "14")]}, True),
    ({"connection_state": "closed", "destination_packets": 9, "extra": [("tcp.tcp_flags_tc", "1b")]}, False),
    # NetFlow, one way
    ({"extra": [("tcp_flags", "......S.")]}, True),
    ({"extra": [("tcp_flags", "...AP.SF")]}, False),
    ({"connection_state": "end of flow", "extra": [("tcp_flags", "......S.")]}, True),
    # others
    ({"event_outcome": "failure"}, True),
    ({"event_outcome": "success"}, False),
    ({"destination_packets": 0}, True),
    ({}, None),
]


def test_failed_and_answered_of_every_log(tmp_path: Path) -> None:
    events = [
        {"time": at(i), "source_ip": "10.0.0.1", "destination_ip": "10.0.0.2", **FLOW, **told}
        for i, (told, _) in enumerate(FLOW_STATES)
    ]
    found = meanings(tmp_path, events, "failed, answered")
    for (told, failed), (is_failed, is_answered) in zip(FLOW_STATES, found, strict=True):
        assert is_failed is failed, told
        assert is_answered is (None if failed is None else not failed), told


LOGONS = [
    ({"event_action": "ssh_login", "event_outcome": "success"}, "success", 1),
    ({"event_action": "ssh_login", "event_outcome": "failure", "extra": [("repeated", "5")]}, "failure", 5),
    ({"event_action": "logon", "event_outcome": "failure", "extra": [("LogonType", "3")]}, "failure", 1),
    ({"event_action": "logon", "event_outcome": "success", "extra": [("LogonType", "5")]}, None, 1),  # a service
    ({"event_action": "logon", "event_outcome": "success", "user_name": "SYSTEM"}, None, 1),
    ({"event_action": "logon", "event_outcome": "success", "user_name": "PC7$"}, None, 1),
    ({"event_action": "explicit_credentials"}, "success", 1),
    ({"event_action": "kerberos_preauthentication", "event_outcome": "failure"}, "failure", 1),
    ({"event_action": "ntlm_validation", "event_outcome": "success"}, None, 1),  # its logon is told by itself
    ({"event_action": "pam_failure", "event_outcome": "failure", "process_name": "gdm-password"}, "failure", 1),
    ({"event_action": "pam_failure", "event_outcome": "failure", "process_name": "sshd"}, None, 1),  # sshd tells it too
    ({"event_action": "tunnel-up", "event_outcome": "success"}, "success", 1),  # FortiGate's VPN
    (
        {"event_action": "user.authentication.auth_via_mfa", "event_outcome": "failure"},
        "failure",
        1,
    ),  # Okta: a push refused
    ({"event_action": "user.authentication.auth_via_mfa", "event_outcome": "success"}, None, 1),  # its session is told
    ({"event_action": "user.mfa.okta_verify.deny_push", "event_outcome": "success"}, "failure", 1),
    ({"event_action": "portal-auth", "event_outcome": "failure"}, "failure", 1),  # GlobalProtect's, before its gateway
    ({"event_action": "portal-auth", "event_outcome": "success"}, None, 1),  # that at the gateway is told
    ({"event_action": "policy.deny_push", "event_outcome": "success"}, None, 1),  # of another tool
    ({"event_action": "logoff"}, None, 1),
    ({"event_action": "session_opened", "event_outcome": "success"}, None, 1),
]


def test_logons_of_every_log(tmp_path: Path) -> None:
    events = [
        {**LOGON, "time": at(i), "source_ip": "10.0.0.1", "host_name": "web", "user_name": "ana", **told}
        for i, (told, _, _) in enumerate(LOGONS)
    ]
    found = meanings(tmp_path, events, "logon, repeats")
    for (told, outcome, repeats), row in zip(LOGONS, found, strict=True):
        assert row == (outcome, repeats), told


@pytest.mark.parametrize(("name", "account"), [("CORP\\Ana", "ana"), ("ana@corp.example", "ana"), ("ANA", "ana")])
def test_an_account_has_one_name(tmp_path: Path, name: str, account: str) -> None:
    assert meanings(tmp_path, [logon(at(0), "10.0.0.1", "web", name, "success")], "account, logged_on, entered") == [
        (account, account, "web")
    ]


@pytest.mark.parametrize(
    "address", ["224.0.0.251", "239.1.2.3", "255.255.255.255", "10.0.0.255", "ff02::fb", "127.0.0.1", "::1"]
)
def test_broadcast_multicast_and_the_machine_itself_are_no_destinations(tmp_path: Path, address: str) -> None:
    assert meanings(tmp_path, [flow(at(0), "10.0.0.1", address)], "destination_ip, remote_ip") == [(None, None)]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.1.1", "::1"])
def test_who_logs_on_at_the_machine_itself_comes_from_nowhere(tmp_path: Path, address: str) -> None:
    events = [logon(at(0), address, "pc7", "ana", "success"), logon(at(1), "10.0.0.9", "pc7", "ana", "failure")]
    assert meanings(tmp_path, events, "source_ip, inside_ip, entered, logon") == [
        (None, None, "pc7", "success"),
        ("10.0.0.9", "10.0.0.9", None, "failure"),
    ]


def test_an_alert_without_a_rule_is_of_what_it_found(tmp_path: Path) -> None:
    found = {
        "time": at(0),
        "class_uid": 2004,
        "source_ip": "10.0.0.2",
        "threat_name": "EICAR",
        "event_action": "blocked",
    }
    by_rule = {**found, "time": at(1), "rule_id": "9"}
    assert meanings(tmp_path, [found, by_rule], "rule, victim_or_source") == [("EICAR", "10.0.0.2"), ("9", "10.0.0.2")]


@pytest.mark.parametrize(
    ("address", "inside"),
    [("10.1.2.3", True), ("172.16.0.1", True), ("172.32.0.1", False), ("192.168.1.1", True), ("100.64.1.1", False),
     ("fe80::1", True), ("fd12::1", True), ("2001:db8::1", False), ("147.32.80.9", False)],
)  # fmt: skip
def test_inside_is_private(tmp_path: Path, address: str, inside: bool) -> None:
    assert meanings(tmp_path, [flow(at(0), address, "8.8.8.8")], "source_inside, inside_ip") == [
        (inside, address if inside else None)
    ]


def test_networks_that_an_organisation_names_are_inside_too(tmp_path: Path) -> None:
    from ipaddress import IPv4Network

    events = [flow(at(0), "147.32.80.9", "8.8.8.8"), flow(at(1), "147.33.0.1", "2001:db8::1")]
    assert meanings(tmp_path, events, "source_inside", (IPv4Network("147.32.0.0/16"),)) == [(True,), (False,)]


@pytest.mark.parametrize(
    ("name", "domain"),
    [("www.corp.example", "corp.example"), ("A.B.Corp.Example.", "corp.example"), ("shop.foo.co.uk", "foo.co.uk"),
     ("example", None), ("4.3.2.1.in-addr.arpa", None), ("printer.local", None)],
)  # fmt: skip
def test_registered_domain_of_a_name(tmp_path: Path, name: str, domain: str | None) -> None:
    event = {"time": at(0), "class_uid": 4003, "source_ip": "10.0.0.1", "dns_question_name": name}
    assert meanings(tmp_path, [event], "domain") == [(domain,)]


def test_an_alert_is_about_its_inside_end(tmp_path: Path) -> None:
    alert = {"class_uid": 2004, "rule_id": "7", "source_ip": "203.0.113.7", "destination_ip": "10.0.0.2"}
    events = [{"time": at(0), **alert}, {"time": at(1), **alert, "source_ip": "10.0.0.9"}]
    assert meanings(tmp_path, events, "victim_or_source, rule") == [("10.0.0.2", "7"), ("10.0.0.9", "7")]


def test_an_alert_that_names_no_address_is_about_its_host(tmp_path: Path) -> None:
    alert = {"class_uid": 2004, "rule_name": "Dumping", "host_name": "pc7"}
    outside = {"source_ip": "203.0.113.7"}  # where an attack on the host came from
    both = {**outside, "destination_ip": "203.0.113.8"}  # then the host may be who saw them pass
    ends = ({}, {"source_ip": "10.0.0.9"}, {"destination_ip": "203.0.113.7"}, outside, both)
    events = [{"time": at(i), **alert, **told} for i, told in enumerate(ends)]
    assert meanings(tmp_path, events, "victim_or_source, alerted_host") == [
        (None, "pc7"), ("10.0.0.9", None), (None, "pc7"), (None, "pc7"), ("203.0.113.7", None),
    ]  # fmt: skip


def test_a_connection_told_at_its_begin_and_at_its_end_is_one_flow(tmp_path: Path) -> None:
    def told(second: int, host: str, action: str, **more: object) -> dict:
        return flow(at(second), "10.0.0.1", "203.0.113.9", state=None, host_name=host, event_action=action, **more)

    events = [
        told(0, "asa1", "connection_begun", event_outcome="success", extra=[("connection", "7")]),
        told(1, "asa1", "connection_end", destination_bytes=90, extra=[("connection", "7")]),
        told(2, "asa1", "connection_end", destination_bytes=0, extra=[("connection", "6")]),  # it began the day before
        told(3, "asa2", "connection_begun", event_outcome="success", extra=[("connection", "7")]),  # another firewall
        told(4, "asa1", "connection_begun", event_outcome="success", extra=[("connection", "8")]),  # it ends tomorrow
        told(5, "asa1", "connection_end", destination_bytes=0, extra=[("reason", "TCP FINs")]),  # nothing was sent
        told(6, "asa1", "connection_end"),
    ]
    assert meanings(tmp_path, events, "kind, failed, destination_bytes") == [
        ("flow", False, 90), ("other", None, None), ("flow", True, 0), ("flow", False, None), ("flow", False, None),
        ("flow", False, 0), ("flow", None, None),
    ]  # fmt: skip


def test_who_began_a_connection_is_told_at_its_begin(tmp_path: Path) -> None:
    ends = {"host_name": "asa1", "network_transport": "tcp", "class_uid": 4001, "extra": [("connection", "7")]}
    events = [
        {**ends, "time": at(0), "event_action": "connection_begun", "event_outcome": "success", "source_ip": "10.0.0.1",
         "source_port": 50_022, "destination_ip": "203.0.113.9", "destination_port": 50_443},
        {**ends, "time": at(9), "event_action": "connection_end", "source_ip": "203.0.113.9", "source_port": 50_443,
         "destination_ip": "10.0.0.1", "destination_port": 50_022, "duration_s": 9.0, "destination_bytes": 0},
    ]  # fmt: skip
    columns = "kind, source_ip, destination_ip, destination_port, duration_s, failed"
    assert meanings(tmp_path, events, columns) == [
        ("flow", "10.0.0.1", "203.0.113.9", 50_443, 9.0, True),
        ("other", "203.0.113.9", None, None, None, None),
    ]


def test_a_question_that_is_passed_on_and_answered_is_one_lookup(tmp_path: Path) -> None:
    actions = ("dns_query", "dns_forward", "dns_answer", "dns_block", None)
    events = [
        {
            "time": at(i),
            "class_uid": 4003,
            "event_action": action,
            "source_ip": "10.0.0.1",
            "dns_question_name": "a.example",
        }
        for i, action in enumerate(actions)
    ]
    events.append({**events[2], "time": at(9), "dns_response_code": "NXDOMAIN"})  # Suricata: nothing else says it
    assert meanings(tmp_path, events, "kind, unknown_name") == [
        ("lookup", None), ("other", None), ("other", None), ("lookup", None), ("lookup", None), ("lookup", True),
    ]  # fmt: skip


def test_rights_that_auditd_tells_and_what_an_account_does_to_a_cloud(tmp_path: Path) -> None:
    member = {"event_action": "group_member_added", "class_uid": 3001, "extra": [("grp", "sudo")]}
    cloud = {"event_action": "CreateUser", "class_uid": 6003, "source_ip": "203.0.113.7"}
    told = [{"event_action": "user_cmd", "class_uid": 3002}, member, cloud, {**cloud, "user_name": None}]
    events = [{"time": at(i), "host_name": "db", "user_name": "ana", **one} for i, one in enumerate(told)]
    assert meanings(tmp_path, events, "kind, root_account, right_change, control, control_ip") == [
        ("privilege", "ana", None, None, None),
        ("privilege", None, "group_member_added sudo", None, None),
        ("other", None, None, "CreateUser", "203.0.113.7"),
        ("other", None, None, None, None),
    ]


def test_what_was_refused_changed_no_rights_and_nobody_acted_as_root(tmp_path: Path) -> None:
    told = {"host_name": "db", "user_name": "ana", "event_outcome": "failure"}
    events = [{**told, "time": at(i), "event_action": name} for i, name in enumerate(("user_cmd", "user_added"))]
    assert meanings(tmp_path, events, "root_account, right_change") == [(None, None), (None, None)]


CONTROLS = [
    ("CreateUser", "CreateUser"), ("DescribeInstances", "Describe*"), ("GetBucketAcl", "Get*"),
    ("GetSecretValue", "GetSecretValue"), ("Listen", "Listen"),  # AWS
    ("v1.compute.instances.list", "list*"), ("google.iam.admin.v1.ListRoles", "List*"),
    ("beta.compute.instances.insert", "beta.compute.instances.insert"),  # Google
    ("Microsoft.Compute/virtualMachines/read", "read*"), ("Microsoft.Storage/storageAccounts/listKeys/action",) * 2,  # Azure
    ("get", "get*"), ("create", "create"),  # Kubernetes
]  # fmt: skip


def test_looking_at_things_in_a_cloud_is_one_action_whatever_is_looked_at(tmp_path: Path) -> None:
    events = [
        {"time": at(i), "class_uid": 6003, "user_name": "ana", "event_action": action}
        for i, (action, _) in enumerate(CONTROLS)
    ]
    assert [control for (control,) in meanings(tmp_path, events, "control")] == [told for _, told in CONTROLS]


@pytest.mark.parametrize(
    ("name", "kind", "account"),
    [("arn:aws:sts::111122223333:assumed-role/Deploy/i-0a1b2c", "AssumedRole", "deploy"),
     ("AROAEXAMPLEEXAMPLEID:i-0a1b2c", "AWSAccount", "aroaexampleexampleid"), ("deploy:s1700", "assumed-role", "deploy"),
     ("arn:aws:iam::111122223333:user/ana", "IAMUser", "arn:aws:iam::111122223333:user/ana"),
     ("system:serviceaccount:kube-system:ci", None, "system:serviceaccount:kube-system:ci")],
)  # fmt: skip
def test_a_role_is_one_account_whoever_takes_it(tmp_path: Path, name: str, kind: str | None, account: str) -> None:
    told = {"time": at(0), "class_uid": 6003, "event_action": "RunInstances", "user_name": name}
    event = told | ({"extra": [("userIdentity.type", kind)]} if kind else {})
    assert meanings(tmp_path, [event], "account") == [(account,)]


@pytest.mark.parametrize("name", recipe_names("features", shipped()))
def test_the_words_of_a_column_stand_alone_for_an_alert_shows_one_without_the_others(name: str) -> None:
    recipe = load_feature_recipe(name, shipped())
    leaning = re.compile(r"^(the same|la même chose)\b|\b(such|tels|telles) ")
    words = [*recipe.columns.values(), *recipe.columns_fr.values()]
    assert [text for text in words if leaning.search(text)] == []


@pytest.mark.parametrize(
    ("told", "expected"),
    [("", None), (" - ", None), (" fr", "FR"), ("FR", "FR"), ("France", "France"), (None, None)],
)
def test_a_country_is_none_where_none_is_told_and_a_code_is_one_however_it_is_written(
    tmp_path: Path, told: str | None, expected: str | None
) -> None:
    extra = [] if told is None else [("source.geo.country_iso_code", told)]
    events = [{**logon(at(0), "203.0.113.9", "vpn", "ana", "success"), "extra": extra}]
    assert meanings(tmp_path, events, "country") == [(expected,)]


def test_a_field_without_a_country_does_not_hide_one_that_tells_it(tmp_path: Path) -> None:
    extra = [("source.geo.country_iso_code", "-"), ("source.geo.country_name", "Chad")]
    events = [{**logon(at(0), "203.0.113.9", "vpn", "ana", "success"), "extra": extra}]
    assert meanings(tmp_path, events, "country") == [("Chad",)]
