"""Ground truth that lies beside the records, or in their paths, in the layouts of the datasets that are so."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from socml.formats._reader import ReadOptions
from socml.ingestion.detection import open_format
from socml.ingestion.sources import FileSource
from socml.ingestion.truth import TruthBeside, find_truth
from socml.project.errors import DataError, RecipeError
from socml.project.project import find_project
from socml.project.recipes import DatasetRecipe, load_dataset_recipe, parse_recipe


def recipe_of(name: str) -> DatasetRecipe:
    return load_dataset_recipe(name, find_project())


def events_of(path: Path, recipe: DatasetRecipe) -> pa.Table:
    """Return a file's events, read as the recipe says."""
    options = ReadOptions(time_zone=recipe.time_zone, table=recipe.table, truth=recipe.truth)
    parts = open_format(recipe.format).read(FileSource(path, str(path)), options)
    return pa.concat_tables([part.events for part in parts if len(part.events)], promote_options="default")


def judged(recipe: DatasetRecipe, *files: Path) -> list[list[Any]]:
    """Return what is said of each event of each file: malicious, or its family."""
    truth = found(recipe, *files)
    said = []
    for file in files:
        table = truth.of_events(events_of(file, recipe), file)
        rows = table.to_pylist() if table is not None else []
        said.append([row["family"] or row["malicious"] for row in rows])
    return said


def found(recipe: DatasetRecipe, *files: Path) -> TruthBeside:
    truth = find_truth(recipe, files)
    assert truth is not None
    return truth


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def test_traces_of_adfa_ld_are_judged_by_their_folders(tmp_path: Path) -> None:
    root = tmp_path / "ADFA-LD"
    files = [
        write(root / "Attack_Data_Master" / "Hydra_FTP_10" / "UAD-Hydra-FTP-10-1.txt", "6 6 63 6 42 "),
        write(root / "Attack_Data_Master" / "Java_Meterpreter_1" / "UAD-Java.txt", "6 7 "),
        write(root / "Training_Data_Master" / "UTD-0001.txt", "3 4 5 "),
    ]
    assert judged(recipe_of("adfa-ld"), *files) == [["Hydra_FTP"], ["Java_Meterpreter"], [False]]
    table = found(recipe_of("adfa-ld"), *files).of_events(events_of(files[0], recipe_of("adfa-ld")), files[0])
    assert table is not None
    assert table.to_pylist() == [{"malicious": True, "family": "Hydra_FTP", "technique": "T1110.001"}]


def test_lines_of_hdfs_are_judged_by_the_blocks_that_they_name(tmp_path: Path) -> None:
    log = write(
        tmp_path / "HDFS.log",
        "081109 203518 143 INFO dfs.DataNode$X: Receiving block blk_-1608 src: /10.0.0.1:5\n"
        "081109 203519 143 INFO dfs.DataNode$X: Receiving block blk_77 src: /10.0.0.1:5\n"
        "081109 203520 19 INFO dfs.FSDataset: ask to delete blk_-1608 blk_77\n"
        "081109 203521 19 INFO dfs.FSDataset: Verification succeeded for blk_160\n"
        "081109 203522 19 INFO dfs.FSDataset: no block\n",
    )
    labels = write(tmp_path / "anomaly_label.csv", "BlockId,Label\nblk_-1608,Normal\nblk_77,Anomaly\nblk_1")
    assert judged(recipe_of("hdfs-loghub"), log) == [[False, True, True, None, None]]
    assert found(recipe_of("hdfs-loghub"), log, labels).files == {labels}


def test_logins_of_lanl_are_the_red_teams_if_time_user_and_computers_agree(tmp_path: Path) -> None:
    def login(second: int, user: str, source: str, destination: str) -> str:
        return f"{second},{user},{user},{source},{destination},NTLM,Network,LogOn,Success\n"

    auth = write(
        tmp_path / "auth.txt.gz",
        login(150885, "U620@DOM1", "C17693", "C1003")
        + login(150886, "U620@DOM1", "C17693", "C1003")
        + login(150885, "U620@DOM1", "C17693", "?")
        + login(150885, "U621@DOM1", "C17693", "C1003"),
    )
    red = write(tmp_path / "redteam.txt.gz", "150885,U620@DOM1,C17693,C1003\n151036,U748@DOM1,C17693,C305\n")
    assert judged(recipe_of("lanl"), auth) == [[True, False, False, False]]
    red.unlink()
    truth = found(recipe_of("lanl"), auth)
    assert truth.of_events(events_of(auth, recipe_of("lanl")), auth) is None
    assert truth.warnings == ("No labels (redteam.txt) are beside auth.txt.gz: its events have no ground truth.",)


@pytest.mark.parametrize("labels", ["0\n1\n0\n", ',"x"\n"1",0\n"2",1\n"3",0\n'])
def test_packets_of_kitsune_are_judged_row_by_row(labels: str, tmp_path: Path) -> None:
    features = write(tmp_path / "Mirai Botnet" / "Mirai_dataset.csv.gz", "1.5,60.0\n2.5,70.0\n3.5,80.0\n4.5,90.0\n")
    beside = write(tmp_path / "Mirai Botnet" / "mirai_labels.csv.gz", labels)  # in small letters, as published
    recipe = recipe_of("kitsune")
    assert judged(recipe, features) == [[False, True, False, None]]
    assert found(recipe, features, beside).files == {beside}
    assert found(recipe, beside, features).of_events(events_of(features, recipe), beside) is None


def test_rows_go_by_their_lines_so_that_a_bad_row_moves_no_label(tmp_path: Path) -> None:
    recipe = DatasetRecipe.model_validate(
        {
            "format": "table",
            "table": {"header": True},
            "truth": {"benign": ["0"], "malicious": ["1"], "labels": {"file": "labels.csv"}},
        }
    )
    features = write(tmp_path / "rows.csv", "a,b\n1,2\n3\n5,6\n")
    write(tmp_path / "labels.csv", "0\n0\n1\n")
    assert judged(recipe, features) == [[False, True]]


def test_a_family_and_a_missing_column_of_the_labels(tmp_path: Path) -> None:
    said = {"label": "verdict", "on": {"host": "message"}, "file": "said.csv"}
    truth = {"benign": ["good"], "family_column": "kind", "techniques": {"scan": "T1046"}, "labels": said}
    recipe = DatasetRecipe.model_validate({"format": "text-lines", "truth": truth})
    log = write(tmp_path / "a.log", "2024-02-29 13:06:56 web1\n2024-02-29 13:06:57 web2\n2024-02-29 13:06:58 web3\n")
    write(tmp_path / "said.csv", "host,verdict,kind\nweb1,bad,scan\nweb2,good,scan\n")
    table = found(recipe, log).of_events(events_of(log, recipe), log)
    assert table is not None
    assert table.to_pylist() == [
        {"malicious": True, "family": "scan", "technique": "T1046"},
        {"malicious": False, "family": None, "technique": None},
        {"malicious": None, "family": None, "technique": None},
    ]
    write(tmp_path / "said.csv", "machine,verdict\nweb1,bad\n")
    with pytest.raises(
        DataError, match=r"has no column 'host', which the recipe names: it has \['machine', 'verdict'\]"
    ):
        found(recipe, log).of_events(events_of(log, recipe), log)


def test_a_pattern_that_is_none_is_an_error_of_the_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"'\(oops' is not a pattern"):
        parse_recipe(DatasetRecipe, '[truth]\npath = "(oops"\n', path=tmp_path / "odd.toml")


def test_no_truth_beside_is_found_where_the_recipe_names_none(tmp_path: Path) -> None:
    log = write(tmp_path / "a.log", "x\n")
    assert find_truth(DatasetRecipe(), [log]) is None
    assert find_truth(recipe_of("bgl-loghub"), [log]) is None
