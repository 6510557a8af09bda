"""The flat fields of an Azure record → event columns; and times and addresses as audit logs of cloud providers have them."""

from __future__ import annotations

from datetime import datetime

from socml.formats._addresses import address_and_port
from socml.formats._fields import Fields
from socml.formats._json import text_of
from socml.formats._times import epoch, iso
from socml.formats._values import severity_of

__all__ = ["azure", "moment", "where_from"]

API_ACTIVITY, AUTHENTICATION = 6003, 3002


def moment(value: object) -> datetime | None:
    """Return a time written as ISO 8601, with or without a zone (then UTC), or as a count since 1970.

    Examples
    --------
    >>> moment("2022-12-11 02:57:48.693000000").isoformat(), moment(1621305118553).isoformat()
    ('2022-12-11T02:57:48.693000+00:00', '2021-05-18T02:31:58.553000+00:00')
    """
    if value is None or value == "":
        return None
    if isinstance(value, (int, float)) or str(value).isdecimal():
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
                          "initiatedBy.user.userPrincipalName", "caller", "identity.claims.upn", "identity.claim.upn",
                          "identity.claims.http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
                          "identity.claims.name", "identity.claims.appid", "identity.claim.appid", "identity",
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
    row["event_severity"] = severity_of(
        fields.peek("level", "Level", "properties.level", "riskLevel", "properties.riskLevel") or ""
    )
    row["extra"] = fields.rest()
    return row


def _azure_outcome(fields: Fields, login: bool) -> str:
    code = text_of(fields.peek("status.errorCode", "properties.status.errorCode"))
    if code is not None:
        return "success" if code == "0" else "failure"
    answer = text_of(fields.peek("resultType", "properties.result", "result", "status.value", "resultSignature")) or ""
    if answer.isdecimal():
        number = int(answer)
        return "success" if number == 0 or (not login and 200 <= number < 400) else "failure"
    if answer.lower() in ("success", "succeeded", "accepted", "started", "start", "ok", "none"):
        return "success"
    return "failure" if answer.lower() in ("failure", "failed", "fail", "error", "denied", "forbidden") else "unknown"


def _what(class_uid: int, category: str) -> dict[str, object]:
    return {"class_uid": class_uid, "event_category": category}
