"""Every verb × every fault: an exit code of the documented ones, one sentence that says what to do, never a wrong result."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress

import pytest
from damage_lab import check, verbs
from faults import (
    Fault,
    alter_run,
    at,
    cut,
    empty,
    execute,
    feature_file,
    flip,
    forget_label_table,
    from_the_future,
    label_store,
    locked,
    model_file,
    of_events,
    of_run,
    overwrite,
    registry,
    run_file,
    scramble,
)
from small_lab import DATASET, MODEL, socml

from socml.labels import database
from socml.project.errors import DataError
from socml.project.leaves import LEAVES
from socml.project.workspace import list_runs, read_run

DOCUMENTED = {0, 1, 2, 3, 4, 75}


SCORES = "socml score source-odd office --version 1"


BUILT_AGAIN = "It is built again"


CASES: list[tuple[str, Fault, dict[str, tuple[int, str]]]] = [
    *[
        (
            f"{name} {how.__name__}",
            of_run(name, how),
            {"queue": (3, SCORES), "label": (3, SCORES), "undo": (3, SCORES), "score": (0, "")},
        )
        for name in ("scores.parquet", LEAVES)
        for how in (cut, flip, empty)
    ],
    *[
        (
            f"run.json {name}",
            fault,
            {"queue": (3, "run.json"), "label": (3, "run.json"), "explain": (3, "run.json"), "score": (0, "")},
        )
        for name, fault in [
            ("cut", of_run("run.json", cut)),
            ("empty", of_run("run.json", empty)),
            ("altered", alter_run),
            ("no object", of_run("run.json", lambda path: path.write_text("[1]"))),
        ]
    ],
    *[
        (
            f"features {how.__name__}",
            at(feature_file, how),
            {"features": (0, BUILT_AGAIN), "score": (0, BUILT_AGAIN), "fit": (0, BUILT_AGAIN), "run": (0, BUILT_AGAIN)},
        )
        for how in (cut, flip, empty)
    ],
    ("explanations", of_run("explanations.parquet", flip), {"queue": (0, "explained again"), "explain": (0, "again")}),
    *[
        (f"part {how.__name__}", of_events(how), dict.fromkeys(("features", "score"), (3, "read the dataset's files anew")))
        for how in (cut, empty, overwrite)
    ],
    *[
        (
            f"labels {name}",
            fault,
            dict.fromkeys(("queue", "label", "undo", "export", "import", "report", "families"), (code, text)),
        )
        for name, fault, code, text in [
            ("no database", at(label_store, overwrite), 3, "socml labels import"),
            ("malformed", at(label_store, scramble), 3, "socml labels import"),
            ("without its table", forget_label_table, 3, "label_event"),
            ("of a newer socml", from_the_future, 2, "Upgrade socml"),
        ]
    ],
    *[
        (f"registry {name}", fault, {"score": (4, "mlflow.db"), "fit": (4, "mlflow.db"), "queue": (0, "")})
        for name, fault in [
            ("no database", at(registry, overwrite)),
            ("malformed", at(registry, scramble)),
        ]
    ],
    ("model", at(model_file, cut), {"score": (4, "source-odd/1"), "queue": (0, "")}),
    (
        "no champion",
        at(registry, lambda path: execute(path, "delete from registered_model_aliases")),
        {"score": (2, "no version of source-odd called 'champion'")},
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "verb", "code", "text"),
    [
        pytest.param(fault, verb, code, text, id=f"{name}-{verb}")
        for name, fault, expected in CASES
        for verb, (code, text) in expected.items()
    ],
)
def test_a_damaged_file_is_one_sentence_or_made_anew(damageable, fault, verb, code, text):
    command = verbs(damageable)[verb]
    fault(damageable)
    check(socml(damageable, *command), code, text)


def test_what_is_made_anew_is_what_it_was(damageable):
    paths = [run_file(damageable, name) for name in ("scores.parquet", LEAVES)]
    before = [path.read_bytes() for path in (*paths, feature_file(damageable))]
    for path in (*paths, feature_file(damageable)):
        flip(path)
    check(socml(damageable, "score", MODEL, DATASET), 0)
    assert [path.read_bytes() for path in (*paths, feature_file(damageable))] == before


def test_no_flipped_bit_of_a_stored_table_is_ever_read_as_data(damageable):
    from socml.project.stored import read_table

    for path in (run_file(damageable, "scores.parquet"), feature_file(damageable)):
        whole, table = path.read_bytes(), read_table(path)
        for place in range(0, len(whole), max(len(whole) // 300, 1)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
            with suppress(DataError):
                assert read_table(path).equals(table)
        path.write_bytes(whole)


def test_the_newest_run_is_not_silently_another_when_one_is_damaged(damageable):
    healthy = read_run(damageable)
    other = damageable.workspace / "scores" / "other"
    shutil.copytree(run_file(damageable, "run.json").parent, other)
    (other / "run.json").write_text("{")
    with pytest.raises(DataError, match=r"other/run.json is damaged"):
        read_run(damageable)
    assert read_run(damageable, str(healthy["run_id"])) == healthy
    assert [run["run_id"] for run in list_runs(damageable)] == [healthy["run_id"]]


@pytest.mark.parametrize("verb", ["queue", "label", "export", "import"])
def test_a_locked_label_store_is_tried_later(damageable, verb, monkeypatch):
    monkeypatch.setattr(database, "BUSY_MS", 50)
    command = verbs(damageable)[verb]
    with locked(label_store(damageable)):
        check(socml(damageable, *command), 75, "label store", "locked")


def test_a_locked_label_store_is_waited_for_once_and_not_once_an_attempt(damageable, monkeypatch):
    attempts = []

    class Counting(sqlite3.Connection):
        def execute(self, sql, *rest):
            attempts.append(sql)
            return super().execute(sql, *rest)

    monkeypatch.setattr(database, "BUSY_MS", 50)
    with (
        locked(label_store(damageable)),
        closing(sqlite3.connect(label_store(damageable), factory=Counting)) as waiting,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        database._prepare_sqlite(waiting, None)
    assert sum("journal_mode" in sql for sql in attempts) < 5


@pytest.mark.parametrize("verb", ["score", "fit", "run"])
def test_a_locked_registry_is_tried_later(damageable, verb, monkeypatch):
    monkeypatch.setattr("socml.models.versions.BUSY_S", 0.05)
    command = verbs(damageable)[verb]
    with locked(registry(damageable)):
        check(socml(damageable, *command), 75, "registry", "locked")
