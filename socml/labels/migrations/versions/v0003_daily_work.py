"""Labels of a team → the day's work around them: a journal of what was done, accounts and their sessions.

Additive: no label is changed. The journal is append-only, so that whatever is folded from it (cases, rules, responses)
can be told with who did what, and when.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the tables."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers only an INTEGER key by itself
    op.create_table(
        "journal",
        sa.Column("id", number, primary_key=True, autoincrement=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        *[sa.Column(name, sa.Text, nullable=False) for name in ("kind", "subject", "dataset", "by")],
        sa.Column("client_id", sa.Text, nullable=False, unique=True),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("journal_kind", "journal", ["kind", "subject"])
    op.create_table(
        "account",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.CheckConstraint("role in ('viewer', 'analyst', 'lead')", name="a_role"),
    )
    op.create_table(
        "sign_in",
        sa.Column("token_hash", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
    )
    _guard()


def _guard() -> None:
    """Let no statement change or drop what the journal holds."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"create trigger journal_no_{verb} before {verb} on journal "
                "begin select raise(abort, 'journal is append-only'); end"
            )
        return
    for when, each in (("update or delete", "row"), ("truncate", "statement")):
        op.execute(
            f"create trigger journal_no_{when.split()[0]} before {when} on journal "
            f"for each {each} execute function label_event_append_only()"
        )


def downgrade() -> None:
    """Refuse: labels are never dropped."""
    raise NotImplementedError("Labels are precious: restore a copy of the store instead.")
