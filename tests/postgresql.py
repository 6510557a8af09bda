"""PostgreSQL of this machine → a cluster of our own in a temporary folder, on a Unix socket, gone after the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from itertools import count
from pathlib import Path

from patience import PATIENCE_S, wait_until

_NUMBERS = count()


def programs() -> Path | None:
    """Return the folder of `initdb` and `postgres`, the newest if there are several; None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3].split(".")[0]))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    return Path(on_path).resolve().parent if on_path else None


class Cluster:
    """A running PostgreSQL. It refuses to run as root, so root starts it as `postgres`, else as `nobody`."""

    def __init__(self, programs: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="socml-pg-"))  # short: a socket's path has at most 107 characters
        self._as = {}
        if os.geteuid() == 0:
            owner = _unprivileged()
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._as = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        data = self.folder / "data"
        made = [programs / "initdb", "-D", data, "-U", "socml", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run([str(word) for word in made], check=True, capture_output=True, cwd=self.folder, **self._as)
        # Nobody pulls the plug of a test, so nothing is synchronised to disk.
        settings = ["listen_addresses=", f"unix_socket_directories={self.folder}", "fsync=off", "max_connections=60"]
        command = [str(programs / "postgres"), "-D", str(data), *[word for s in settings for word in ("-c", s)]]
        self.log = self.folder / "log"
        with self.log.open("wb") as log:
            self.server = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **self._as)
        self._wait()

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        import psycopg

        name = f"labels{next(_NUMBERS)}"
        with psycopg.connect(host=str(self.folder), user="socml", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"create database {name}")
        return f"postgresql+psycopg://socml@/{name}?host={self.folder}"

    def stop(self) -> None:
        """End the server and remove its files."""
        self.server.send_signal(signal.SIGQUIT)
        try:
            self.server.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self) -> None:
        import psycopg

        def answers() -> bool:
            assert self.server.poll() is None, f"PostgreSQL has ended:\n{self.log.read_text()[-2000:]}"
            try:
                psycopg.connect(host=str(self.folder), user="socml", dbname="postgres").close()
            except psycopg.OperationalError:
                return False
            return True

        wait_until(answers, lambda: self.log.read_text()[-2000:])


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("There is no user 'postgres' or 'nobody' to run PostgreSQL as.")
