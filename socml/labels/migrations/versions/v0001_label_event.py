"""An empty database → the append-only table of label events and the views that say what stands."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

COLUMNS = (
    "id, time, row_id, event_id, run_id, dataset, verdict, reason, family, technique, note, "
    '"by", how, client_id, model_version, seen_ms, weight, undo_of'
)
VIEWS = {
    "standing_label": f"""
        select {COLUMNS} from label_event e
        where e.undo_of is null and not exists (select 1 from label_event u where u.undo_of = e.id)""",  # noqa: S608  made of constants alone
    "analyst_label": f"""
        select {COLUMNS} from standing_label s where not exists (
            select 1 from standing_label t where t.row_id = s.row_id and t."by" = s."by" and t.id > s.id)""",  # noqa: S608  made of constants alone
    "current_label": f"""
        select {COLUMNS} from standing_label s where not exists (
            select 1 from standing_label t where t.row_id = s.row_id and t.id > s.id)""",  # noqa: S608  made of constants alone
}
SQLITE_GUARDS = [
    f"create trigger label_event_no_{verb} before {verb} on label_event "
    "begin select raise(abort, 'label events are append-only'); end"
    for verb in ("update", "delete")
]
POSTGRESQL_GUARDS = [
    "create function label_event_append_only() returns trigger language plpgsql as "
    "$$ begin raise exception 'label events are append-only'; end $$",
    "create trigger label_event_no_change before update or delete on label_event "
    "for each row execute function label_event_append_only()",
    "create trigger label_event_no_truncate before truncate on label_event "
    "for each statement execute function label_event_append_only()",
]


def upgrade() -> None:
    """Make the table, its guards and its views."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers only an INTEGER key by itself
    op.create_table(
        "label_event",
        sa.Column("id", number, primary_key=True, autoincrement=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("row_id", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text),
        sa.Column("run_id", sa.Text),
        sa.Column("dataset", sa.Text),
        sa.Column("verdict", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("family", sa.Text),
        sa.Column("technique", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("how", sa.Text),
        sa.Column("client_id", sa.Text, nullable=False, unique=True),
        sa.Column("model_version", sa.Text),
        sa.Column("seen_ms", sa.BigInteger),
        sa.Column("weight", sa.Double, nullable=False),
        sa.Column("undo_of", number, sa.ForeignKey("label_event.id"), unique=True),
        sa.CheckConstraint("(undo_of is null) = (verdict is not null)", name="label_or_undo"),
        sa.CheckConstraint("verdict in ('malicious', 'benign', 'false_alarm', 'unsure', 'skip')", name="known_verdict"),
        sa.CheckConstraint("weight > 0 and weight <= 1", name="weight_is_a_share"),
        sqlite_autoincrement=True,
    )
    op.create_index("label_event_row", "label_event", ["row_id", "id"])
    op.create_index("label_event_dataset", "label_event", ["dataset", "id"])
    for name, select in VIEWS.items():
        op.execute(f"create view {name} as {select}")
    for guard in SQLITE_GUARDS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_GUARDS:
        op.execute(guard)


def downgrade() -> None:
    """Refuse: labels are never dropped."""
    raise NotImplementedError("Labels are precious: restore a copy of the store instead.")
