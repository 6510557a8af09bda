"""What the label store keeps is declared once: the store's columns, its tables and what may be said of one follow from it."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from socml.labels import LabelDetails, LabelStore, NewLabel
from socml.labels.database import FAMILY_EDIT, JOURNAL, LABEL_EVENT, LABEL_LEASE, SECOND_LOOK


@pytest.mark.parametrize("table", [LABEL_EVENT, LABEL_LEASE, FAMILY_EDIT, SECOND_LOOK, JOURNAL], ids=str)
def test_a_migrated_store_has_the_columns_that_a_record_declares(table, tmp_path):
    url = f"sqlite:///{tmp_path}/labels.sqlite"
    with LabelStore(url):
        found = sa.inspect(sa.create_engine(url)).get_columns(table.name)
    columns = {column["name"]: column["type"].python_type for column in found}
    stored = {column.name: getattr(column.type, "impl", column.type).python_type for column in table.columns}
    assert list(columns.items()) == list(stored.items())
    assert {c["name"] for c in found if c["primary_key"]} == {c.name for c in table.primary_key}


def test_what_may_be_said_of_a_label_is_what_a_label_has():
    said = set(LabelDetails.__annotations__)
    assert said == {field.name for field in fields(NewLabel)} - {"row_id", "verdict", "client_id", "by"}


def test_a_table_of_labels_has_the_declared_types_with_and_without_rows():
    with LabelStore("sqlite://") as store:
        empty = store.history()
        store.record(
            [NewLabel("r1", "malicious", client_id="a", given_at=datetime(2026, 1, 2, tzinfo=UTC), seen_ms=200)]
        )
        one = store.history()
    assert empty.dtypes.to_dict() == one.dtypes.to_dict()
    assert one["seen_ms"].tolist() == [200]
    assert str(one["seen_ms"].dtype) == "Int64"
    assert str(one["time"].dtype) == str(one["given_at"].dtype) == "datetime64[us, UTC]"
    assert one["inclusion_probability"].isna().all()
    assert one["label_id"].dtype == "int64"
