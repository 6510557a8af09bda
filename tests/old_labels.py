"""Label stores as earlier revisions made them."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from socml.labels.database import MIGRATIONS


def labels_of_the_first_revision(url: str) -> None:
    """Make a store as it was before there were leases, with one label in it."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(MIGRATIONS))
    engine = sa.create_engine(url)
    with engine.begin() as connection:

        def steps(at, _context):
            return script._upgrade_revs("0001", at)

        with EnvironmentContext(Config(), script, fn=steps, destination_rev="0001") as environment:
            environment.configure(connection=connection)
            environment.run_migrations()
        columns = 'time, row_id, verdict, "by", client_id, weight'
        connection.execute(
            sa.text(f"insert into label_event ({columns}) values (:t, 'r1', 'malicious', 'ana', 'c1', 1)"),
            {"t": datetime(2026, 1, 1, tzinfo=UTC).isoformat(" ") if "sqlite" in url else datetime.now(UTC)},
        )
    engine.dispose()
