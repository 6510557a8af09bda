"""People → accounts of this store: a name, a role, a password that only its hash is kept of, and sessions that end.

There is no password to begin with: whoever makes an account gives one. Without any account the app asks nobody, and
listens on this machine only.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import sqlalchemy as sa

from socml.labels.database import Connections, Utc, now
from socml.labels.journal import Journal
from socml.project import ConfigurationError, DataError, UnknownName

if TYPE_CHECKING:
    from argon2 import PasswordHasher

ROLES = ("viewer", "analyst", "lead")
SHORTEST_PASSWORD = 12
IDLE = timedelta(minutes=60)  # without a request
LONGEST = timedelta(hours=12)  # of one session
TRIES, WAIT = 5, timedelta(minutes=5)  # wrong passwords of a name, after which it waits

_DOORS = tuple(threading.Lock() for _ in range(8))  # the tries of one name are counted one by one; a hash takes 64 MB
_META = sa.MetaData()
ACCOUNT = sa.Table(
    "account",
    _META,
    sa.Column("name", sa.Text, primary_key=True),
    *[sa.Column(name, sa.Text) for name in ("role", "password_hash")],
    sa.Column("made", Utc),
    sa.Column("closed", sa.Boolean),
)
SIGN_IN = sa.Table(
    "sign_in",
    _META,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("name", sa.Text),
    *[sa.Column(name, Utc) for name in ("since", "seen", "expires")],
)


@dataclass(frozen=True)
class Account:
    """Who somebody is, and what they may do: a viewer looks, an analyst judges, a lead also makes accounts."""

    name: str
    role: str
    closed: bool = False

    @property
    def may_write(self) -> bool:
        """Whether this account may change anything."""
        return self.role in ("analyst", "lead")


class Accounts:
    """The accounts of one store.

    Examples
    --------
    >>> from socml.labels import LabelStore
    >>> with LabelStore("sqlite://") as store:
    ...     made = store.accounts.make("ana", "analyst", "correct horse battery", by="setup")
    ...     token = store.accounts.sign_in("ana", "correct horse battery")
    ...     who = store.accounts.of(token)
    ...     store.accounts.sign_out(token)
    ...     (who.name, who.may_write), store.accounts.of(token)
    (('ana', True), None)
    """

    def __init__(self, connections: Connections, journal: Journal) -> None:
        self._connections, self._journal = connections, journal

    def all(self) -> list[Account]:
        """Return the accounts by name, closed ones too."""
        with self._connections.read() as connection:
            rows = connection.execute(sa.select(ACCOUNT).order_by(ACCOUNT.c.name)).all()
        return [Account(row.name, row.role, bool(row.closed)) for row in rows]

    def exist(self) -> bool:
        """Say whether there is any account that can sign in."""
        return any(not account.closed for account in self.all())

    def make(self, name: str, role: str, password: str, *, by: str) -> Account:
        """Make an account, or give one that exists another role and password.

        Raises
        ------
        DataError
            If the password is too short or the name cannot be one.
        """
        _check(name, role)
        if len(password) < SHORTEST_PASSWORD:
            raise DataError(f"A password has at least {SHORTEST_PASSWORD} characters; this one has {len(password)}.")
        return self._store(name, role, _hasher().hash(password), by)

    def make_elsewhere(self, name: str, role: str, *, by: str) -> Account:
        """Make an account that has no password: an identity provider vouches for the address that is its name.

        Raises
        ------
        DataError
            If the name cannot be one, or is no e-mail address in small letters.
        """
        _check(name, role)
        if "@" not in name or name != name.lower():
            raise DataError(f"Signing in elsewhere goes by e-mail address, in small letters; {name!r} is none.")
        return self._store(name, role, "", by)

    def _store(self, name: str, role: str, hashed: str, by: str) -> Account:
        with self._connections.write() as connection:
            connection.execute(sa.delete(ACCOUNT).where(ACCOUNT.c.name == name))
            connection.execute(sa.delete(SIGN_IN).where(SIGN_IN.c.name == name))
            values = {"name": name, "role": role, "password_hash": hashed, "made": now(connection), "closed": False}
            connection.execute(sa.insert(ACCOUNT).values(**values))
        self._journal.add("account.made", name, {"role": role}, by=by)
        return Account(name, role)

    def close(self, name: str, *, by: str) -> None:
        """Let an account sign in no more; its sessions end, what it said stays."""
        if name not in {account.name for account in self.all()}:
            raise UnknownName("account", name, [account.name for account in self.all()])
        with self._connections.write() as connection:
            connection.execute(sa.update(ACCOUNT).where(ACCOUNT.c.name == name).values(closed=True))
            connection.execute(sa.delete(SIGN_IN).where(SIGN_IN.c.name == name))
        self._journal.add("account.closed", name, by=by)

    def sign_in(self, name: str, password: str) -> str:
        """Return the token of a new session; only its hash is stored.

        Raises
        ------
        DataError
            If name and password do not fit, in the same words whichever is wrong, or too many were tried.
        """
        with _DOORS[hash(name[:60]) % len(_DOORS)]:
            self._check_tries(name)
            with self._connections.read() as connection:
                row = connection.execute(sa.select(ACCOUNT).where(ACCOUNT.c.name == name)).first()
            known = row is not None and not row.closed
            if not _fits(row.password_hash if known and row is not None else "", password):
                self._journal.add("session.refused", name[:60] or "-", by=name[:60] or "-")
                raise DataError("Name and password do not fit.")
        return self._begun(name)

    def begin(self, name: str) -> str:
        """Return the token of a new session for whom an identity provider vouched. Who has a password uses that.

        Raises
        ------
        DataError
            If there is no open account of that name that signs in elsewhere.
        """
        with self._connections.read() as connection:
            row = connection.execute(sa.select(ACCOUNT).where(ACCOUNT.c.name == name)).first()
        if row is None or row.closed or row.password_hash:
            raise DataError(f"There is no account {name!r} that signs in elsewhere.")
        return self._begun(name)

    def _begun(self, name: str) -> str:
        token = secrets.token_urlsafe(32)
        with self._connections.write() as connection:
            moment = now(connection)
            connection.execute(sa.delete(SIGN_IN).where(SIGN_IN.c.expires < moment))
            values = {"token_hash": _hash(token), "name": name, "since": moment, "seen": moment}
            connection.execute(sa.insert(SIGN_IN).values(**values, expires=moment + LONGEST))
        self._journal.add("session.begun", name, by=name)
        return token

    def of(self, token: str) -> Account | None:
        """Return whose session a token is, None if it ended. Looking keeps an idle session from ending."""
        if not token:
            return None
        query = sa.select(ACCOUNT, SIGN_IN.c.seen, SIGN_IN.c.expires)
        query = query.join(SIGN_IN, SIGN_IN.c.name == ACCOUNT.c.name).where(SIGN_IN.c.token_hash == _hash(token))
        with self._connections.read() as connection:
            row, moment = connection.execute(query).first(), now(connection)
        if row is None or row.closed or row.expires <= moment or abs(moment - row.seen) >= IDLE:
            return None  # one that was begun while the clock was ahead would last until then
        if abs(moment - row.seen) > IDLE / 20:  # not a write a request
            with self._connections.write() as connection:
                at = SIGN_IN.c.token_hash == _hash(token)
                connection.execute(sa.update(SIGN_IN).where(at).values(seen=moment))
        return Account(row.name, row.role)

    def sign_out(self, token: str) -> None:
        """End a session."""
        account = self.of(token)
        with self._connections.write() as connection:
            connection.execute(sa.delete(SIGN_IN).where(SIGN_IN.c.token_hash == _hash(token)))
        if account is not None:
            self._journal.add("session.ended", account.name, by=account.name)

    def _check_tries(self, name: str) -> None:
        entries = self._journal.entries("session.", subject=name[:60] or "-")
        wrong: list[datetime] = []
        for entry in entries:
            wrong = [*wrong, entry.time] if entry.kind == "session.refused" else []
        with self._connections.read() as connection:
            moment = now(connection)
        if len([time for time in wrong if abs(moment - time) < WAIT]) >= TRIES:
            raise DataError(f"{TRIES} passwords for this name were wrong. Wait {WAIT.seconds // 60} minutes.")


def _check(name: str, role: str) -> None:
    if role not in ROLES:
        raise UnknownName("role", role, ROLES)
    if not name or len(name) > 60 or not name.isprintable() or name != name.strip():
        raise DataError(f"An account's name has 1 to 60 printable characters, not {name[:80]!r}.")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _fits(hashed: str, password: str) -> bool:
    """Say whether a password fits; an unknown name takes as long as a wrong password: one hash."""
    from argon2.exceptions import Argon2Error, InvalidHashError

    nobody = _nobody()  # whoever it is: the first of a process waits for it
    try:
        return bool(_hasher().verify(hashed or nobody, password)) and bool(hashed)
    except (Argon2Error, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return str(_hasher().hash(secrets.token_urlsafe(16)))


def _hasher() -> PasswordHasher:
    try:
        from argon2 import PasswordHasher
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "Accounts need the package argon2-cffi. Install it: pip install argon2-cffi"
        ) from error
    return PasswordHasher()
