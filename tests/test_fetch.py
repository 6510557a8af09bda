"""socml.ingestion.fetching, against a server on loopback; and what a recipe and a table say of leaks."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from builders import make_project
from shell import socml

from socml.ingestion.fetching import fetch, terms_of
from socml.ingestion.ingestion import ingest
from socml.project.errors import ConfigurationError, DataError, RecipeError
from socml.project.project import Project
from socml.project.recipes import DatasetRecipe, load_dataset_recipe, parse_recipe, recipe_names

TABLE = b"bytes,label\n1,0\n2,1\n"


@pytest.fixture
def served() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A web server on loopback: its address, and what it serves by path; `/moved` redirects to a file."""
    content: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "file:///etc/hostname")
                self.end_headers()
                return
            data = content.get(self.path)
            self.send_response(200 if data is not None else 404)
            self.send_header("Content-Length", str(len(data or b"") + (10 if self.path == "/short" else 0)))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", content
    server.shutdown()
    server.server_close()


def project_with(root: Path, text: str) -> Project:
    """Return a project whose one dataset recipe is `text`."""
    project = make_project(root)
    (root / "datasets").mkdir()
    (root / "datasets" / "some.toml").write_text(text)
    return project


def test_a_download_is_verified_kept_and_found_by_ingest(tmp_path, served):
    address, content = served
    content["/a.csv"] = TABLE
    digest = hashlib.sha256(TABLE).hexdigest()
    project = project_with(tmp_path, f'[[download]]\nurl = "{address}/a.csv"\nsha256 = "{digest}"\n')
    one = fetch("some", project=project)
    assert [(f.file, f.sha256, f.verified, f.was_there) for f in one] == [("a.csv", digest, True, False)]
    content.clear()
    assert fetch("some", project=project)[0].was_there
    assert ingest(dataset="some", project=project).added == 2


def test_a_file_that_is_another_is_thrown_away(tmp_path, served):
    address, content = served
    content["/a.csv"] = TABLE
    project = project_with(tmp_path, f'[[download]]\nurl = "{address}/a.csv"\nsha256 = "{"0" * 64}"\n')
    with pytest.raises(DataError, match="is not the file that the recipe means"):
        fetch("some", project=project)
    assert not list((tmp_path / "workspace" / "raw" / "some").iterdir())


@pytest.mark.parametrize(
    ("path", "message"),
    [("/none", "404"), ("/moved", "file:///etc/hostname"), ("/short", "broke off after 20 of 30 bytes")],
)
def test_a_download_that_fails_says_why_and_how_to_go_on_without_a_network(path, message, tmp_path, served):
    address, content = served
    content["/short"] = TABLE
    project = project_with(tmp_path, f'[[download]]\nurl = "{address}{path}"\nfile = "a.csv"\n')
    with pytest.raises(DataError, match=rf"({message}).*socml fetch some --from PATH"):
        fetch("some", project=project)
    assert not list((tmp_path / "workspace" / "raw" / "some").iterdir())


def test_local_files_take_the_place_of_downloads(tmp_path):
    digest = hashlib.sha256(TABLE).hexdigest()
    project = project_with(tmp_path, f'[[download]]\nurl = "https://x.invalid/a.csv"\nsha256 = "{digest}"\n')
    (tmp_path / "got").mkdir()
    (tmp_path / "got" / "a.csv").write_bytes(TABLE)
    (tmp_path / "got" / "other.csv").write_bytes(b"x")
    assert [f.file for f in fetch("some", source=tmp_path / "got", project=project)] == ["a.csv"]
    (tmp_path / "renamed").write_bytes(TABLE)
    assert fetch("some", source=tmp_path / "renamed", project=project)[0].file == "a.csv"
    with pytest.raises(DataError, match=r"holds none of the files of some: a\.csv"):
        fetch("some", source=tmp_path / "datasets", project=project)


def test_without_an_address_the_message_says_how_to_get_it(tmp_path):
    project = project_with(tmp_path, 'by_hand = "Ask the publisher."\n')
    with pytest.raises(ConfigurationError, match=r"Ask the publisher\. Then: socml fetch some --from PATH"):
        fetch("some", project=project)
    (tmp_path / "a.csv").write_bytes(TABLE)
    assert fetch("some", source=tmp_path / "a.csv", project=project)[0].verified is False


def _zip(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as packed:
        for name, data in members.items():
            packed.writestr(name, data)


def _tar(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as packed:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("link.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        packed.addfile(link)


@pytest.mark.parametrize("pack", [_zip, _tar])
def test_an_archive_is_unpacked_and_nothing_leaves_the_folder(pack, tmp_path):
    archive = tmp_path / "all.packed"
    pack(archive, {"in/a.csv": TABLE, "../out.csv": b"x", "/abs.csv": b"x", "in/.hidden": b"x", "C:/x.csv": b"x"})
    project = project_with(tmp_path, '[[download]]\nurl = "https://x.invalid/all.packed"\nunpack = true\n')
    fetch("some", source=archive, project=project)
    folder = tmp_path / "workspace" / "raw" / "some"
    assert [p.relative_to(folder) for p in sorted(folder.rglob("*.csv"))] == [Path("in/a.csv")]
    assert ingest(dataset="some", project=project).added == 2


def test_the_terms_come_first_and_are_asked_for(tmp_path):
    project_with(tmp_path, 'licence = "for research"\nflaws = ["old"]\n[[download]]\nurl = "https://x.invalid/a"\n')
    _, said = socml("fetch", "some", cwd=tmp_path, code=2)
    assert "for research" in said
    assert "flaw     old" in said
    assert said.rstrip().endswith("if you accept them: socml fetch some --yes")
    (tmp_path / "a").write_bytes(TABLE)
    out, _ = socml("fetch", "some", "--from", "a", "--yes", "--json", cwd=tmp_path)
    assert json.loads(out)[0]["file"] == "a"


def test_the_library_lists_the_public_datasets_with_their_terms(lab):
    wanted = (
        "nsl-kdd kdd99 unsw-nb15 cic-ids2017 cse-cic-ids2018 ctu-13 iot-23 ton-iot adfa-ld hdfs-loghub bgl-loghub "
        "openssh-loghub adbench lanl kitsune csic-2010 http-params"
    ).split()
    assert set(wanted) <= set(recipe_names("datasets", lab))
    for name in wanted:
        recipe = load_dataset_recipe(name, lab)
        assert recipe.terms.startswith("http"), name
        assert recipe.origin, name
        assert recipe.licence, name
        assert recipe.flaws, name
        assert recipe.download or recipe.by_hand, name
        assert all(one.url in terms_of(recipe) for one in recipe.download)


def test_an_address_that_is_no_web_address_is_an_error():
    with pytest.raises(RecipeError, match="download"):
        parse_recipe(DatasetRecipe, '[[download]]\nurl = "file:///etc/passwd"\n', path=Path("d.toml"))


# --- leaks, said once each


def leaks(tmp_path: Path, table: str, recipe: str = "") -> list[str]:
    """Return what an ingest of a labelled table warns of."""
    truth = '[truth]\ncolumn = "label"\nmalicious = ["1"]\nbenign = ["0"]\n'
    project = project_with(tmp_path, f'format = "table"\n{recipe}\n{truth}')
    path = tmp_path / "unsw_training-set.csv"
    path.write_text(table)
    return [warning.split(": ", 1)[1] for warning in ingest(path, dataset="some", project=project).warnings]


def test_a_spelling_that_gives_the_label_away_is_reported_once(tmp_path):
    rows = "".join(f"{'high' if n % 2 else 'high '},{n % 7},{n % 2}\n" for n in range(40_000))
    said = leaks(tmp_path, f"temperature,bytes,label\n{rows}")
    assert sum("The spelling of 'temperature' gives the label away" in w for w in said) == 1


def test_columns_that_tell_the_label_alone_or_name_the_row_are_reported(tmp_path):
    rows = "".join(
        f"{n},F{n * 7919 % 10007},{'tcp' if n % 2 else 'udp'},{n % 2 * 100 + n % 50},{n % 7},{n % 2}\n"
        for n in range(400)
    )
    said = " ".join(leaks(tmp_path, f"id,Flow ID,proto,ttl,bytes,label\n{rows}"))
    assert "names of the rows, not features: 'id', 'Flow ID'" in said
    assert "tell malicious from benign alone, without one error: 'proto', 'ttl'" in said
    assert "'bytes'" not in said


def test_what_a_recipe_knows_of_its_files_is_reported(tmp_path):
    rows = "".join(f"{n % 9},{n % 5},{n % 2}\n" for n in range(200))
    recipe = 'leaks = ["ttl"]\n[expected_rows]\n"*training*" = 300\n"*testing*" = 200\n'
    said = leaks(tmp_path, f"ttl,difficulty,label\n{rows}", recipe)
    assert "Column 'ttl' gives the label away, by what is known of this dataset. Drop it: table.drop." in said
    assert "It holds 200 records, which are those of *testing*: the names of the partitions are swapped." in said
    assert any(w.startswith("Column 'difficulty' was made from the labels") for w in said)


def test_an_ordinary_table_is_not_suspected(tmp_path):
    rows = "".join(f"{n * 7919 % 10007 / 3},{'tcp' if n % 3 else 'udp'},a b {n},{n % 2}\n" for n in range(400))
    assert not [w for w in leaks(tmp_path, f"bytes,proto,text,label\n{rows}") if "alone" in w or "names of" in w]
