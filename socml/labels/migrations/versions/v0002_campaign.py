"""Labels alone → a campaign of several analysts: why a row was shown, leases, edits of families, second looks.

Additive: no label is changed. The views say anew what stands, since a suggested label never hides one that
an analyst gave.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

COLUMNS = (
    "id, time, row_id, event_id, run_id, dataset, verdict, reason, family, technique, note, "
    '"by", how, client_id, model_version, seen_ms, weight, undo_of, '
    "queue_reason, strategy, batch_id, inclusion_probability, suggested, given_at"
)


def _first_of(whose: str) -> str:
    """Return the view that keeps one standing label of each: the last, those that an analyst gave before suggestions.

    Window functions, because a correlated search for a later label takes a time that grows with the square.
    """
    return f"""
        select {COLUMNS} from (
            select {COLUMNS}, row_number() over (partition by {whose} order by suggested, id desc) as place
            from standing_label) as ranked
        where place = 1"""  # noqa: S608  made of constants alone


VIEWS = {
    "standing_label": f"""
        select {COLUMNS} from label_event e
        where e.verdict is not null and not exists (select 1 from label_event u where u.undo_of = e.id)""",  # noqa: S608  made of constants alone
    "analyst_label": _first_of('row_id, "by"'),
    "current_label": _first_of("row_id"),
}
KINDS = "kind in ('rename', 'merge', 'split', 'swap')"


def upgrade() -> None:
    """Add columns and tables, and make the views anew."""
    for view in reversed(VIEWS):
        op.execute(f"drop view {view}")
    for name in ("queue_reason", "strategy", "batch_id"):
        op.add_column("label_event", sa.Column(name, sa.Text))
    op.add_column("label_event", sa.Column("inclusion_probability", sa.Double))
    op.add_column("label_event", sa.Column("suggested", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("label_event", sa.Column("given_at", sa.DateTime(timezone=True)))
    op.create_index("label_event_batch", "label_event", ["batch_id"])
    for name, select in VIEWS.items():
        op.execute(f"create view {name} as {select}")
    _lease()
    _family_edit()
    _second_look()


def _number() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers only an INTEGER key by itself


def _lease() -> None:
    op.create_table(
        "label_lease",
        sa.Column("campaign", sa.Text, primary_key=True),
        sa.Column("row_id", sa.Text, primary_key=True),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("label_lease_row", "label_lease", ["row_id"])


def _family_edit() -> None:
    op.create_table(
        "family_edit",
        sa.Column("id", _number(), primary_key=True, autoincrement=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dataset", sa.Text),
        sa.Column("kind", sa.Text),
        sa.Column("family", sa.Text),
        sa.Column("into", sa.Text),
        sa.Column("row_ids", sa.Text),
        sa.Column("last_label_id", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False, unique=True),
        sa.Column("undo_of", _number(), sa.ForeignKey("family_edit.id"), unique=True),
        sa.CheckConstraint(f"(undo_of is null and {KINDS}) or (undo_of is not null and kind is null)", name="a_kind"),
        sqlite_autoincrement=True,
    )
    _guard("family_edit")


def _second_look() -> None:
    op.create_table(
        "second_look",
        sa.Column("id", _number(), primary_key=True, autoincrement=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dataset", sa.Text),
        sa.Column("row_id", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("probability", sa.Double),
        sa.Column("last_label_id", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False, unique=True),
        sqlite_autoincrement=True,
    )
    _guard("second_look")


def _guard(table: str) -> None:
    """Let no statement change or drop what `table` holds."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"create trigger {table}_no_{verb} before {verb} on {table} "
                f"begin select raise(abort, '{table} is append-only'); end"
            )
        return
    for when, each in (("update or delete", "row"), ("truncate", "statement")):
        op.execute(
            f"create trigger {table}_no_{when.split()[0]} before {when} on {table} "
            f"for each {each} execute function label_event_append_only()"
        )


def downgrade() -> None:
    """Refuse: labels are never dropped."""
    raise NotImplementedError("Labels are precious: restore a copy of the store instead.")
