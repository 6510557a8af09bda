"""A logon is a logon whatever the tool calls it; what only sounds like one is none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from daily_events import logon, project_in, store

from socml.features.daily_tables import day_connection
from socml.project.workspace import event_files

LOGONS = (
    "ssh_login", "logon", "Sign-in activity", "Sign in", "user.session.start", "login_failure", "FAILED_LOGIN", "UserLoginFailed",
    "UserLoggedIn", "user_login_failed", "LogonFailed", "ssl-login-fail", "auth-fail", "gateway-auth", "login.failed", "authentication",
    "device_login", None,
)  # fmt: skip
OTHERS = ("logoff", "user.session.end", "login_session_started", "session_opened", "user_end", "user.mfa.okta_verify", "ssh_disconnect",
          "AssumeRole")  # fmt: skip


@pytest.mark.parametrize(("action", "is_logon"), [*((a, True) for a in LOGONS), *((a, False) for a in OTHERS)])
def test_a_logon_is_known_by_its_action(action: str | None, is_logon: bool, tmp_path: Path) -> None:
    project = project_in(tmp_path)
    store(project, [logon("2026-03-01T10:00:00Z", "192.0.2.1", "web", "bob", "failure", event_action=action)])
    with day_connection(event_files(project, "office"), date(2026, 3, 1), project=project) as connection:
        found = connection.execute("select logon from meanings").fetchall()
    assert found == [("failure" if is_logon else None,)]
