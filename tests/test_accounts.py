"""People: no default password, sessions that end, five wrong tries, roles, and every step on record."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa

from socml.labels import accounts
from socml.labels.store import LabelStore
from socml.project.errors import DataError, UnknownName

PASSWORD = "correct horse battery"


@pytest.fixture
def store():
    with LabelStore("sqlite://") as opened:
        yield opened


def test_without_an_account_nobody_can_sign_in(store):
    assert not store.accounts.exist()
    for name, password in (("admin", "admin"), ("", "")):
        with pytest.raises(DataError, match="do not fit"):
            store.accounts.sign_in(name, password)


def test_weak_accounts_are_refused(store):
    with pytest.raises(DataError, match="12 characters"):
        store.accounts.make("ana", "analyst", "short", by="setup")
    with pytest.raises(UnknownName, match="viewer"):
        store.accounts.make("ana", "root", PASSWORD, by="setup")
    with pytest.raises(DataError, match="name"):
        store.accounts.make("a\nb", "lead", PASSWORD, by="setup")


def test_roles_say_who_may_write(store):
    assert [store.accounts.make(role, role, PASSWORD, by="setup").may_write for role in accounts.ROLES] == [
        False, True, True,
    ]  # fmt: skip


def test_only_hashes_are_stored(store):
    store.accounts.make("ana", "analyst", PASSWORD, by="setup")
    token = store.accounts.sign_in("ana", PASSWORD)
    with store._connections.engine.connect() as connection:
        rows = [connection.execute(sa.text(f"select * from {t}")).all() for t in ("account", "sign_in", "journal")]
    assert PASSWORD not in str(rows)
    assert token not in str(rows)
    assert "$argon2id$" in str(rows[0])


def test_a_session_ends_by_idling_by_age_by_closing_and_by_a_new_password(store, monkeypatch):
    store.accounts.make("ana", "analyst", PASSWORD, by="setup")
    token = store.accounts.sign_in("ana", PASSWORD)
    assert store.accounts.of(token).name == "ana"
    real = accounts.now
    for away, there in ((timedelta(minutes=59), True), (timedelta(minutes=118), True), (timedelta(minutes=179), False)):
        monkeypatch.setattr(accounts, "now", lambda connection, away=away: real(connection) + away)
        assert (store.accounts.of(token) is not None) == there
    monkeypatch.setattr(accounts, "now", real)
    token = store.accounts.sign_in("ana", PASSWORD)
    monkeypatch.setattr(accounts, "IDLE", timedelta(days=9))
    monkeypatch.setattr(accounts, "now", lambda connection: real(connection) + timedelta(hours=12))
    assert store.accounts.of(token) is None
    monkeypatch.setattr(accounts, "now", real)
    store.accounts.make("ana", "viewer", PASSWORD + "2", by="lead")
    assert store.accounts.of(token) is None
    token = store.accounts.sign_in("ana", PASSWORD + "2")
    store.accounts.close("ana", by="lead")
    assert store.accounts.of(token) is None
    with pytest.raises(DataError, match="do not fit"):
        store.accounts.sign_in("ana", PASSWORD + "2")


def test_five_wrong_passwords_make_a_name_wait(store):
    store.accounts.make("ana", "analyst", PASSWORD, by="setup")
    for _ in range(5):
        with pytest.raises(DataError, match="do not fit"):
            store.accounts.sign_in("ana", "wrong")
    with pytest.raises(DataError, match="Wait"):
        store.accounts.sign_in("ana", PASSWORD)


def test_every_step_is_on_record(store):
    store.accounts.make("ana", "analyst", PASSWORD, by="setup")
    token = store.accounts.sign_in("ana", PASSWORD)
    store.accounts.sign_out(token)
    assert store.accounts.of(token) is None
    assert [(e.kind, e.by) for e in store.journal.entries()] == [
        ("account.made", "setup"), ("session.begun", "ana"), ("session.ended", "ana"),
    ]  # fmt: skip


def test_passwords_that_are_tried_at_once_are_counted_too(tmp_path):
    with LabelStore(f"sqlite:///{tmp_path / 'labels.sqlite'}") as store:
        store.accounts.make("ana", "analyst", "correct horse battery", by="setup")

        def guess(number: int) -> None:
            with suppress(DataError):
                store.accounts.sign_in("ana", f"a wrong password {number}")

        with ThreadPoolExecutor(12) as pool:
            list(pool.map(guess, range(12)))
        assert len(store.journal.entries("session.refused", subject="ana")) == accounts.TRIES


def test_an_unknown_name_costs_as_many_hashes_as_a_wrong_password(store, monkeypatch):
    from argon2 import PasswordHasher

    store.accounts.make("ana", "analyst", PASSWORD, by="setup")
    costs: list[str] = []
    for name in ("hash", "verify"):
        real = getattr(PasswordHasher, name)
        monkeypatch.setattr(
            PasswordHasher, name, lambda self, *given, real=real, name=name: costs.append(name) or real(self, *given)
        )
    tried = {}
    for name in ("first", "ana", "nobody", "ana", "nobody"):
        costs.clear()
        with pytest.raises(DataError, match="do not fit"):
            store.accounts.sign_in(name, "a wrong password")
        tried.setdefault(name, []).append(list(costs))
    assert tried["ana"] == tried["nobody"] == [["verify"], ["verify"]]
