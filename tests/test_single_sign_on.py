"""Signing in elsewhere: what the environment must name, and whom an identity provider can vouch for."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from app_pages import APP
from typer.testing import CliRunner

from socml.cli import app as command_line
from socml.labels.recording import open_labels
from socml.labels.store import LabelStore
from socml.project.errors import ConfigurationError, DataError
from socml.project.project import Project

PASSWORD = "correct horse battery"


@pytest.fixture
def sign_on(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(APP))
    import single_sign_on

    return single_sign_on


def test_half_a_provider_is_refused_and_names_what_is_missing(sign_on: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = dict.fromkeys(sign_on.VARIABLES.values(), "x")
    assert sign_on.auth_secrets({}) == {}
    for name in whole:
        with pytest.raises(ConfigurationError, match=name):
            sign_on.auth_secrets({key: value for key, value in whole.items() if key != name})
    monkeypatch.setattr(sign_on, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match="oidc"):
        sign_on.auth_secrets(whole)
    monkeypatch.setattr(sign_on, "find_spec", lambda name: name)
    first, second = (sign_on.auth_secrets(whole)["auth"] for _ in range(2))
    assert set(first) == {*sign_on.VARIABLES, "cookie_secret"}
    assert first["cookie_secret"] != second["cookie_secret"]


ENTRA = "https://login.microsoftonline.com/contoso/v2.0/.well-known/openid-configuration"
ELSEWHERE = "https://login.example.org/.well-known/openid-configuration?login.microsoftonline.com"


@pytest.mark.parametrize(
    ("claims", "provider", "is_verified"),
    [
        ({"email_verified": True}, ELSEWHERE, True),
        ({"email_verified": False}, ELSEWHERE, False),
        ({"email_verified": "true"}, ELSEWHERE, False),
        ({}, ELSEWHERE, False),
        ({"xms_edov": True}, ELSEWHERE, False),
        ({"xms_edov": True}, "https://login.microsoftonline.com.example.org/x", False),
        *[({"xms_edov": value}, ENTRA, True) for value in (True, 1, "1", "true")],
        *[({"xms_edov": value}, ENTRA, False) for value in (False, 0, "0", "false", None, "", [])],
        ({}, ENTRA, False),
    ],
)
def test_an_address_counts_only_if_the_provider_says_that_it_is_its_holders(
    sign_on: ModuleType, claims: dict[str, object], provider: str, is_verified: bool
) -> None:
    environment = {sign_on.VARIABLES["server_metadata_url"]: provider}
    assert sign_on.is_verified({"email": "ana@lab.example", **claims}, environment) is is_verified


def test_only_an_open_account_without_a_password_is_begun_by_a_provider() -> None:
    with LabelStore("sqlite://") as store:
        store.accounts.make_elsewhere("ana@lab.example", "analyst", by="setup")
        store.accounts.make("lea@lab.example", "lead", PASSWORD, by="setup")
        token = store.accounts.begin("ana@lab.example")
        who = store.accounts.of(token)
        assert who is not None
        assert (who.name, who.role) == ("ana@lab.example", "analyst")
        for name in ("lea@lab.example", "eve@lab.example", "ANA@lab.example", ""):
            with pytest.raises(DataError, match="no account"):
                store.accounts.begin(name)
        store.accounts.close("ana@lab.example", by="setup")
        assert store.accounts.of(token) is None
        with pytest.raises(DataError, match="no account"):
            store.accounts.begin("ana@lab.example")


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_no_password_opens_an_account_that_has_none(password: str) -> None:
    with LabelStore("sqlite://") as store:
        store.accounts.make_elsewhere("ana@lab.example", "analyst", by="setup")
        with pytest.raises(DataError, match="do not fit"):
            store.accounts.sign_in("ana@lab.example", password)


def test_an_account_elsewhere_is_an_address_in_small_letters() -> None:
    with LabelStore("sqlite://") as store:
        for name in ("ana", "Ana@lab.example", " ana@lab.example"):
            with pytest.raises(DataError):
                store.accounts.make_elsewhere(name, "analyst", by="setup")


def test_the_command_makes_such_an_account_and_asks_for_no_password(
    app_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(app_project.root)
    done = CliRunner().invoke(command_line, ["people", "add", "ana@lab.example", "--role", "lead", "--elsewhere"])
    assert done.exit_code == 0, done.output
    with open_labels(app_project) as store:
        assert [(account.name, account.role) for account in store.accounts.all()] == [("ana@lab.example", "lead")]
        assert store.accounts.begin("ana@lab.example")
