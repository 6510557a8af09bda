"""socml.project.engines: a recipe's SQL reads what it was given and reaches nothing else."""

from __future__ import annotations

import pyarrow as pa
import pytest

from socml.project.engines import sealed_connection, select_batches
from socml.project.errors import RecipeError

EVENTS = pa.table({"a": [1, 2, 3]})


def read(sql):
    with sealed_connection({"events": EVENTS}, memory_limit="500MB") as connection:
        return select_batches(connection, sql, where="features/x.sql").read_all()


def test_a_select_over_the_given_tables_runs():
    assert read("select sum(a) as total from events").to_pydict() == {"total": [6]}


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from read_text('/etc/hostname')",
        "select * from glob('/*')",
        "select content from read_blob('/etc/passwd')",
        "copy (select 1) to 'stolen.csv'",
        "install httpfs",
        "load httpfs",
        "attach 'other.db'",
        "set enable_external_access = true",
        "pragma database_list",
        "create table t as select 1",
        "select getenv('HOME')",
        "select 1; select 2",
        "select 1; drop table events",
        "select * from EVENTS_IN_PYTHON",
        "call pragma_version()",
        "",
        "select from where",
    ],
)
def test_sql_that_reaches_outside_or_is_not_one_select_is_refused(sql, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    EVENTS_IN_PYTHON = EVENTS  # noqa: F841 - must not be visible to the recipe
    with pytest.raises(RecipeError, match=r"features/x\.sql"):
        read(sql)
    assert list(tmp_path.iterdir()) == []


def test_results_come_in_batches_and_not_all_at_once():
    big = pa.table({"a": pa.array(range(300_000))})
    with sealed_connection({"events": big}) as connection:
        batches = list(select_batches(connection, "select a from events", where="x.sql", batch_rows=50_000))
    assert len(batches) > 1
    assert sum(len(b) for b in batches) == 300_000
