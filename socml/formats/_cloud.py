"""The flat fields of a cloud provider's audit record → event columns, a function a kind of log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from socml.formats._addresses import address_and_port
from socml.formats._fields import Fields
from socml.formats._json import text_of
from socml.formats._times import epoch, iso

__all__ = ["MAPPERS", "azure", "cloudtrail", "github", "gsuite", "moment", "okta", "where_from"]

API_ACTIVITY, AUTHENTICATION, ACCOUNT_CHANGE = 6003, 3002, 3001


def moment(value: object) -> datetime | None:
    """Return a time written as ISO 8601, with or without a zone (then UTC), or as a count since 1970.

    Examples
    --------
    >>> moment("2022-12-11 02:57:48.693000000").isoformat(), moment(1621305118553).isoformat()
    ('2022-12-11T02:57:48.693000+00:00', '2021-05-18T02:31:58.553000+00:00')
    """
    if value is None or value == "":
        return None
    if isinstance(value, (int, float)) or str(value).isdigit():
        return epoch(value)
    return iso(value)


def where_from(fields: Fields, *names: str) -> dict[str, object]:
    """Take the first of these fields that holds an address, as source columns; others stay as they are.

    Examples
    --------
    >>> where_from(Fields({"ip": "10.0.0.1:80"}), "ip"), where_from(Fields({"ip": "AWS Internal"}), "ip")
    ({'source_ip': '10.0.0.1', 'source_port': 80}, {})
    """
    for name in names:
        ip, port = address_and_port(text_of(fields.peek(name)))
        if ip:
            fields.take(name)
            return {"source_ip": ip} if port is None else {"source_ip": ip, "source_port": port}
    return {}


def cloudtrail(found: dict[str, object]) -> dict[str, object]:
    """Return the columns of one AWS CloudTrail record."""
    fields = Fields(found)
    row: dict[str, object] = {"time": moment(fields.take("eventTime"))}
    row |= where_from(fields, "sourceIPAddress")
    row |= fields.columns(
        {
            "event_action": "eventName",
            "user_name": ("userIdentity.userName", "userIdentity.sessionContext.sessionIssuer.userName",
                          "userIdentity.arn", "userIdentity.principalId", "userIdentity.invokedBy"),
            "user_agent_original": "userAgent",
            "message": "errorMessage",
            "tls_version": "tlsDetails.tlsVersion",
        }
    )  # fmt: skip
    login = row.get("event_action") in ("ConsoleLogin", "SwitchRole", "CheckMfa") or str(
        row.get("event_action")
    ).startswith(("AssumeRole", "GetSessionToken"))
    answer = text_of(fields.peek("responseElements.ConsoleLogin", "responseElements.CheckMfa"))
    failed = fields.peek("errorCode") is not None or answer == "Failure"
    row |= _what(AUTHENTICATION if login else API_ACTIVITY, "authentication" if login else "cloud")
    row["event_outcome"] = "failure" if failed else "success"
    row["extra"] = fields.rest()
    return row


_OKTA_OUTCOME = {"SUCCESS": "success", "ALLOW": "success", "FAILURE": "failure", "DENY": "failure"}
_OKTA_SEVERITY = {"DEBUG": 10, "INFO": 20, "WARN": 50, "ERROR": 80}


def okta(found: dict[str, object]) -> dict[str, object]:
    """Return the columns of one record of Okta's System Log. Names in lower case are taken as well."""
    fields = Fields(found)
    row: dict[str, object] = {"time": moment(fields.take("published"))}
    row |= where_from(fields, "client.ipAddress", "client.ipaddress")
    row |= fields.columns(
        {
            "event_action": ("eventType", "eventtype"),
            "user_name": ("actor.alternateId", "actor.displayName", "actor.id"),
            "user_agent_original": ("client.userAgent.rawUserAgent", "client.useragent.rawUserAgent"),
            "message": ("displayMessage", "displaymessage"),
        }
    )
    action = str(row.get("event_action"))
    login = action.startswith(
        ("user.session", "user.authentication", "user.mfa", "policy.evaluate_sign_on", "app.oauth2")
    )
    row |= _what(AUTHENTICATION if login else ACCOUNT_CHANGE, "authentication" if login else "iam")
    row["event_outcome"] = _OKTA_OUTCOME.get(str(fields.peek("outcome.result")), "unknown")
    row["event_severity"] = _OKTA_SEVERITY.get(str(fields.peek("severity")))
    row["extra"] = fields.rest()
    return row


def gsuite(found: dict[str, object]) -> dict[str, object]:
    """Return the columns of one activity of Google Workspace; its `events` may be a list of them, or flattened."""
    fields = Fields(found)
    events = fields.peek("events")
    first = events[0] if isinstance(events, list) and events and isinstance(events[0], dict) else {}
    row: dict[str, object] = {"time": moment(fields.take("id.time"))}
    row |= where_from(fields, "ipAddress")
    row |= fields.columns(
        {
            "event_action": "name",
            "user_name": ("actor.email", "actor.profileId", "actor.key"),
            "network_protocol": "network_protocol",
        }
    )
    row.setdefault("event_action", text_of(first.get("name")))
    action = str(row["event_action"])
    login = fields.peek("id.applicationName") == "login" or str(fields.peek("type")) in ("login", "auth_change")
    row |= _what(AUTHENTICATION if login else API_ACTIVITY, "authentication" if login else "cloud")
    row["event_outcome"] = "failure" if action.endswith(("_failure", "_blocked", "_denied")) else "success"
    row["extra"] = fields.rest()
    return row


def github(found: dict[str, object]) -> dict[str, object]:
    """Return the columns of one record of GitHub's audit log. `@timestamp` and `created_at` are milliseconds."""
    fields = Fields(found)
    row: dict[str, object] = {"time": moment(fields.take("@timestamp", "created_at", "at_sign_timestamp"))}
    row |= where_from(fields, "actor_ip")
    row |= fields.columns(
        {"event_action": "action", "user_name": ("actor", "user"), "user_agent_original": "user_agent"}
    )
    login = str(row.get("event_action")).startswith(("user.login", "user.failed_login", "user.two_factor", "org.sso"))
    row |= _what(AUTHENTICATION if login else API_ACTIVITY, "authentication" if login else "cloud")
    failed = "failed" in str(row.get("event_action")) or fields.peek("conclusion") == "failure"
    row["event_outcome"] = "failure" if failed else "success"
    row["extra"] = fields.rest()
    return row


_AZURE_LEVEL = {"Critical": 90, "Error": 70, "Warning": 50, "Informational": 20, "Information": 20, "Verbose": 10}


def azure(found: dict[str, object]) -> dict[str, object]:
    """Return the columns of one Azure record: a sign-in (diagnostic settings or Graph), an audit or an activity record.

    Graph writes the fields of `properties` at the top. A sign-in worked if its `status.errorCode` (Graph) or
    `resultType` is 0; other records say Success, Succeeded, Failure … in `resultType` or `properties.result`.
    """
    fields = Fields(found)
    row: dict[str, object] = {
        "time": moment(fields.take("time", "timeStamp", "createdDateTime", "eventTimestamp", "activityDateTime"))
    }
    row |= where_from(fields, "callerIpAddress", "properties.ipAddress", "ipAddress", "properties.initiatedBy.user.ipAddress",
                      "initiatedBy.user.ipAddress")  # fmt: skip
    row |= fields.columns(
        {
            "user_name": ("properties.userPrincipalName", "userPrincipalName", "properties.initiatedBy.user.userPrincipalName",
                          "initiatedBy.user.userPrincipalName", "caller", "identity.claims.name",
                          "identity.claims.http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "identity",
                          "properties.initiatedBy.app.displayName"),
            "event_action": ("properties.activityDisplayName", "activityDisplayName", "operationName", "operationName.value"),
            "user_agent_original": ("properties.userAgent", "userAgent", "properties.userAgentHeader"),
            "message": ("resultDescription", "properties.status.failureReason", "status.failureReason", "properties.message"),
            "url_original": "uri",
            "tls_version": "properties.tlsVersion",
        }
    )  # fmt: skip
    category = str(fields.peek("category"))
    login = "SignIn" in category or "appDisplayName" in fields or "properties.isInteractive" in fields
    row.setdefault("event_action", "Sign-in activity" if login else None)
    row |= _what(AUTHENTICATION if login else API_ACTIVITY, "authentication" if login else "cloud")
    row["event_outcome"] = _azure_outcome(fields, login)
    row["event_severity"] = _AZURE_LEVEL.get(str(fields.peek("level", "Level", "properties.level")))
    row["extra"] = fields.rest()
    return row


def _azure_outcome(fields: Fields, login: bool) -> str:
    code = text_of(fields.peek("status.errorCode", "properties.status.errorCode"))
    if code is not None:
        return "success" if code == "0" else "failure"
    answer = text_of(fields.peek("resultType", "properties.result", "result", "status.value", "resultSignature")) or ""
    if answer.isdigit():
        number = int(answer)
        return "success" if number == 0 or (not login and 200 <= number < 400) else "failure"
    if answer.lower() in ("success", "succeeded", "accepted", "started", "start", "ok", "none"):
        return "success"
    return "failure" if answer.lower() in ("failure", "failed", "fail", "error", "denied", "forbidden") else "unknown"


def _what(class_uid: int, category: str) -> dict[str, object]:
    return {"class_uid": class_uid, "event_category": category}


MAPPERS: dict[str, Callable[[dict[str, object]], dict[str, object]]] = {
    "AWS.CloudTrail": cloudtrail,
    "Okta.SystemLog": okta,
    "GSuite.ActivityEvent": gsuite,
    "GitHub.Audit": github,
    "Azure.Audit": azure,
    "Azure.MonitorActivity": azure,
}
