"""What is small and unpacks to something huge, or is wide or deep beyond use, is refused before memory is spent."""

from __future__ import annotations

import json
import tracemalloc
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from socml.detectors.online._state import read_state, write_state
from socml.formats.table._table_columns import LONGEST_NAME, MOST_COLUMNS
from socml.ingestion.fetching import _unpack
from socml.ingestion.ingestion import ingest
from socml.labels.foreign import read_records
from socml.models.version_files import load_trusted, read_files
from socml.project.engines import sealed_connection, select_batches
from socml.project.errors import ConfigurationError, DataError, FormatError, ModelError, RecipeError
from socml.project.project import read_project
from socml.project.recipes import ModelRecipe, parse_recipe
from socml.project.unpacking import MOST_BYTES, RATIO_FROM, RATIO_LIMIT, check_archive

MOST_SPENT = 200 << 20  # bytes that a refusal may allocate; each case would take several times as much


@pytest.fixture
def spent():
    """How many bytes Python and NumPy held at most since the test began; a bomb that goes off holds a gigabyte."""
    import skops.io  # noqa: F401  its own imports are no part of what is measured

    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


@pytest.fixture(scope="module")
def bomb(tmp_path_factory):
    """A zip archive of 1 MB whose one member, an array, has 1 GB."""
    path = tmp_path_factory.mktemp("bomb") / "reference.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("X.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "<f8", "fortran_order": False, "shape": (1 << 20, 128)})
        for _ in range(64):
            member.write(bytes(1 << 24))
    return path


def test_a_model_file_that_is_a_bomb_is_refused_before_it_is_unpacked(bomb, spent):
    with pytest.raises(ModelError, match=r"unpacks to [0-9,]+ times its size, and 200 times is the most"):
        load_trusted(bomb)
    assert spent() < MOST_SPENT


def test_so_is_a_models_scale_and_the_state_of_an_online_model(bomb, spent):
    with pytest.raises(ModelError, match="times its size"):
        read_files(bomb.parent, "m", "1")
    with pytest.raises(ModelError, match="times its size"):
        read_state(bomb)
    assert spent() < MOST_SPENT


def test_so_is_a_table_of_arrays(bomb, lab, spent):
    with pytest.raises(DataError, match="times its size"):
        ingest(bomb, dataset="x", project=lab)
    assert spent() < MOST_SPENT


@pytest.mark.parametrize("over", [False, True])
def test_the_limits_of_an_archive_are_what_they_say(tmp_path, monkeypatch, over):
    """Each limit, from both sides; made small, so that no test writes gigabytes."""
    for name, limit in {"MOST_BYTES": 10_000, "RATIO_FROM": 5_000, "MOST_MEMBERS": 3}.items():
        monkeypatch.setattr(f"socml.project.unpacking.{name}", limit)
    noise = np.random.default_rng(0).bytes(10_000 + over)
    path = tmp_path / "size.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", noise[:5_000])
        archive.writestr("b", noise[5_000:])
    _refused(path, "GB is the most" if over else "")
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(3 + over):
            archive.writestr(str(number), b"")
    _refused(path, "4 members" if over else "")
    monkeypatch.setattr("socml.project.unpacking.RATIO_LIMIT", 10)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(5_000 + over))
    _refused(path, "10 times is the most" if over else "")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA if over else zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"a")
    _refused(path, "another way than deflate" if over else "")


def _refused(path, message):
    if not message:
        return check_archive(path)
    with pytest.raises(ValueError, match=message):
        check_archive(path)
    return None


def test_the_stated_limits_leave_room_for_real_models_and_none_for_a_bomb():
    assert MOST_BYTES == 2 << 30
    assert (RATIO_LIMIT, RATIO_FROM) == (200, 64 << 20)


def test_a_directory_that_lies_gains_nothing(tmp_path):
    """A member that says it is small gives no more than it says."""
    path = tmp_path / "lies.npz"
    write_state(path, {"seen": np.zeros(1_000_000)})
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("seen.npy").file_size
    at = data.rfind(size.to_bytes(4, "little"))
    data[at : at + 4] = (1000).to_bytes(4, "little")
    path.write_bytes(bytes(data))
    with pytest.raises(ModelError):
        read_state(path)


@pytest.mark.parametrize("shape", [(1 << 40, 3), (1 << 62, 1 << 62), (3, MOST_COLUMNS + 1)])
def test_an_array_that_promises_too_much_is_refused(tmp_path, lab, shape, spent):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive, archive.open("X.npy", "w") as member:
        header = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(member, header)
        member.write(bytes(240))
    with pytest.raises(DataError):
        ingest(tmp_path / "x.npz", dataset="x", project=lab)
    with zipfile.ZipFile(tmp_path / "y.npz", "w") as archive:
        for name, shown in (("X.npy", (1, 2)), ("y.npy", shape)):
            with archive.open(name, "w") as member:
                header = {"descr": "<f8", "fortran_order": False, "shape": shown}
                np.lib.format.write_array_header_1_0(member, header)
                member.write(bytes(16))
    with pytest.raises(DataError, match="more than it holds"):
        ingest(tmp_path / "y.npz", dataset="y", project=lab)
    assert spent() < MOST_SPENT


@pytest.mark.parametrize("over", [False, True])
def test_a_download_unpacks_to_so_much_in_all(over, tmp_path, monkeypatch):
    monkeypatch.setattr("socml.ingestion.fetching.MOST_BYTES", 30)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("a", "b", "c"):
            archive.writestr(name, b"0123456789" + b"x" * (over and name == "c"))
    if not over:
        _unpack(tmp_path / "a.zip", tmp_path / "out", "a.zip")
        return
    with pytest.raises(DataError, match="holds too much to unpack: 3 files, 31 bytes"):
        _unpack(tmp_path / "a.zip", tmp_path / "out", "a.zip")


# --- tables


def wide_csv(path, columns):
    path.write_text(",".join(f"c{n}" for n in range(columns)) + "\n" + (",".join(["1"] * columns) + "\n") * 3)
    return path


def wide_arff(path, columns):
    head = "@relation r\n" + "".join(f"@attribute c{n} real\n" for n in range(columns))
    path.write_text(head + "@data\n" + ",".join(["1"] * columns) + "\n")
    return path


def wide_parquet(path, columns):
    pq.write_table(pa.table([[1]] * columns, names=[f"c{n}" for n in range(columns)]), path)
    return path


@pytest.mark.parametrize("write", [wide_csv, wide_arff, wide_parquet])
def test_a_table_with_too_many_columns_is_refused_and_says_how_many(write, tmp_path, lab, monkeypatch):
    monkeypatch.setattr("socml.formats.table._table_columns.MOST_COLUMNS", 50)
    with pytest.raises(FormatError, match=r"has 51 columns, and 50 is the most that is read"):
        ingest(write(tmp_path / "wide", 51), dataset="wide", format="table", project=lab)
    assert ingest(write(tmp_path / "fits", 50), dataset="fits", format="table", project=lab).added > 0


@pytest.mark.parametrize(
    ("name", "message"),
    [("auto", "the first line is longer than 1 MB"), ("table", f"200,000 columns, and {MOST_COLUMNS:,} is the most")],
)
def test_two_hundred_thousand_columns_are_refused_at_once(tmp_path, lab, spent, name, message):
    path = wide_csv(tmp_path / "wide.csv", 200_000)
    with pytest.raises(FormatError, match=message):
        ingest(path, dataset="wide", format=name, project=lab)
    assert spent() < MOST_SPENT


def test_a_name_of_a_column_has_a_stated_length(tmp_path, lab):
    for length in (LONGEST_NAME, LONGEST_NAME + 1):
        path = tmp_path / f"{length}.csv"
        path.write_text(f"a,{'n' * length}\n1,2\n3,4\n")
        if length <= LONGEST_NAME:
            ingest(path, dataset="fits", format="table", project=lab)
        else:
            with pytest.raises(FormatError, match=r"the name of column 2 has 1,001 characters, and 1,000 is the most"):
                ingest(path, dataset="long", format="table", project=lab)


def test_parquet_texts_that_a_dictionary_repeats_are_read_in_small_blocks(tmp_path, lab, monkeypatch):
    monkeypatch.setattr("socml.formats.table._table_parquet._CELLS_LIMIT", 1 << 16)
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 500, pa.int32()), pa.array(["x" * 1000]))
    pq.write_table(pa.table({"n": list(range(500)), "text": texts}), tmp_path / "t.parquet")
    sizes = []
    from socml.formats.table import _table_binary, _table_parquet

    parsed = _table_binary._parsed
    monkeypatch.setattr(_table_binary, "_parsed", lambda table, *rest: sizes.append(len(table)) or parsed(table, *rest))
    assert ingest(tmp_path / "t.parquet", dataset="t", project=lab).added == 500
    assert max(sizes) <= 66  # 65,536 bytes of texts of 1,000
    monkeypatch.setattr(_table_parquet, "_ROW_LIMIT", 999)
    with pytest.raises(FormatError, match="a row has 1,000 bytes of text"):
        ingest(tmp_path / "t.parquet", dataset="u", project=lab)


def test_a_parquet_part_that_claims_too_much_is_refused(tmp_path, lab, monkeypatch):
    monkeypatch.setattr("socml.formats.table._table_parquet._PART_LIMIT", 1 << 20)
    zeros = pa.array(np.zeros(200_000))
    pq.write_table(pa.table({"a": zeros}), tmp_path / "t.parquet", use_dictionary=False, compression="zstd")
    with pytest.raises(FormatError, match="Write smaller row groups"):
        ingest(tmp_path / "t.parquet", dataset="t", project=lab)


# --- what is nested too deep

DEEP = 200_000


@pytest.mark.parametrize(
    "text",
    ['{"a":' * DEEP + "1" + "}" * DEEP, "[" * DEEP + "]" * DEEP, '[{"row_id": ' + "[" * DEEP + "]" * DEEP + "}]"],
)
def test_a_label_file_that_is_nested_too_deep_is_one_sentence(text, tmp_path):
    path = tmp_path / "labels.json"
    path.write_text(text)
    with pytest.raises(FormatError, match=r"labels\.json is nested too deeply"):
        read_records(path)


@pytest.mark.parametrize("deep", ["x = " + "[" * DEEP + "]" * DEEP, "x = " + "{a = " * DEEP + "1" + "}" * DEEP])
def test_a_recipe_and_a_project_that_are_nested_too_deep_are_one_sentence(deep, tmp_path):
    with pytest.raises(RecipeError, match=r"m\.toml: it is nested too deep"):
        parse_recipe(ModelRecipe, deep, path=tmp_path / "m.toml")
    (tmp_path / "socml.toml").write_text(deep)
    with pytest.raises(ConfigurationError, match=r"socml\.toml: it is nested too deep"):
        read_project(tmp_path)


def test_a_models_metadata_that_is_nested_too_deep_is_an_error_of_the_model(tmp_path):
    np.savez(tmp_path / "reference.npz", normality=[0.0], ranks=[0.0], rows=np.int64(1))
    (tmp_path / "metadata.json").write_text("[" * DEEP + "]" * DEEP)
    with pytest.raises(ModelError, match="cannot be read"):
        read_files(tmp_path, "m", "1")
    with zipfile.ZipFile(tmp_path / "model.skops", "w") as archive:
        archive.writestr("schema.json", json.dumps({"a": 1})[:-1] + ',"b":' + "[" * DEEP + "]" * DEEP + "}")
    with pytest.raises(ModelError, match="not a model that can be read"):
        load_trusted(tmp_path / "model.skops")


# --- recipes that do not end


@pytest.mark.parametrize(
    "sql",
    [
        "with recursive r as (select 1 as a union all select a + 1 from r) select * from r",
        "select count(*) as n from range(1000000000) a, range(1000000) b",
        "select a.range as x from range(100000000) a, range(1000) b order by hash(x)",
    ],
)
def test_a_recipe_that_does_not_end_is_stopped_and_names_the_setting(sql):
    with (
        sealed_connection({}, memory_limit="1GB") as connection,
        pytest.raises(RecipeError, match=r"features/x\.sql took more than 0\.2 seconds\..*time_limit_s in \[engine\]"),
    ):
        select_batches(connection, sql, where="features/x.sql", limit_s=0.2).read_all()


def test_an_error_while_rows_are_read_is_the_recipes():
    sql = "select cast(case when range = 500000 then 'x' else '1' end as int) as a from range(1000000)"
    with sealed_connection({}) as connection, pytest.raises(RecipeError, match=r"features/x\.sql: .*'x'"):
        select_batches(connection, sql, where="features/x.sql", limit_s=3600).read_all()


@pytest.mark.parametrize("seconds", ["0", "-1", "true", "'1 hour'"])
def test_the_time_limit_is_a_whole_number_of_seconds(seconds, tmp_path):
    (tmp_path / "socml.toml").write_text(f"[engine]\ntime_limit_s = {seconds}\n")
    with pytest.raises(ConfigurationError, match="time_limit_s"):
        read_project(tmp_path)
    (tmp_path / "socml.toml").write_text("[engine]\ntime_limit_s = 5\n")
    assert read_project(tmp_path).time_limit_s == 5
