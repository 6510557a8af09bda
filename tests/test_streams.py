"""What makes an event the same event: files that grow, rotate, are packed, renamed, moved, copied and cut, and their events."""

from __future__ import annotations

import gzip
import os
import shutil
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from socml.ingestion.event_query import load_events
from socml.ingestion.ingestion import ingest_files
from socml.project.project import Project
from socml.project.workspace import dataset_names

RECIPE = 'format = "text-lines"\n[stream]\nwait_minutes = 0\n'


def project_at(root: Path, recipe: str = RECIPE) -> Project:
    (root / "datasets").mkdir(parents=True, exist_ok=True)
    (root / "datasets" / "office.toml").write_text(recipe)
    return Project(root=root, workspace=root / "workspace")


def stored(project: Project) -> Counter[str]:
    if "office" not in dataset_names(project):
        return Counter()
    return Counter(load_events("office", columns=["raw"], project=project)["raw"])


# each with a time: a line without one goes on with the record above it
SAME, OTHER = "2026-03-02T10:00:01Z same", "2026-03-02T10:00:02Z other"

HALF = "2026-03-02T10:00:09Z half"  # with its own time: a line without one goes on from the line before


class Rotations(RuleBasedStateMachine):
    """Files of two folders. The model is a list of lives, each the lines that were written in it."""

    lines = st.lists(st.sampled_from([SAME, SAME, OTHER, "2026-03-02T10:00:00Z x"]), min_size=1, max_size=4)
    folders = st.sampled_from(["web1", "web2"])

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        shutil.rmtree(root, ignore_errors=True)
        self.project = project_at(root)
        for folder in ("web1", "web2", "old"):
            (root / "logs" / folder).mkdir(parents=True)
        self.lives: dict[Path, list[str]] = {}
        self.number = 0

    def current(self, folder: str) -> Path:
        return self.root / "logs" / folder / "app.log"

    @rule(folder=folders, lines=lines)
    def append(self, folder: str, lines: list[str]) -> None:
        path = self.current(folder)
        with path.open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))
        held = self.lives.setdefault(path, [])
        if held and held[-1].endswith("|"):  # a half line goes on
            held[-1] = held[-1].removesuffix("|") + lines[0]
            held += lines[1:]
        else:
            held += lines

    @rule(folder=folders)
    def append_half_a_line(self, folder: str) -> None:
        path = self.current(folder)
        if self.lives.get(path, [""])[-1].endswith("|"):
            return
        with path.open("a") as file:
            file.write(HALF)
        self.lives.setdefault(path, []).append(f"{HALF}|")

    @rule(folder=folders)
    def rotate(self, folder: str) -> None:
        path = self.current(folder)
        if path not in self.lives:
            return
        for n in range(9, 0, -1):
            for ending in ("", ".gz"):
                self.rename(path.with_name(f"app.log.{n}{ending}"), path.with_name(f"app.log.{n + 1}{ending}"))
        self.rename(path, path.with_name("app.log.1"))

    @rule(folder=folders)
    def copy_and_truncate(self, folder: str) -> None:
        path = self.current(folder)
        if path not in self.lives:
            return
        for n in range(9, 0, -1):
            for ending in ("", ".gz"):
                self.rename(path.with_name(f"app.log.{n}{ending}"), path.with_name(f"app.log.{n + 1}{ending}"))
        shutil.copyfile(path, path.with_name("app.log.1"))
        os.truncate(path, 0)
        self.lives[path.with_name("app.log.1")] = self.lives.pop(path)

    @rule(data=st.data())
    def pack(self, data: st.DataObject) -> None:
        path = self.any_of(data, [p for p in self.lives if p.suffix != ".gz" and p.name != "app.log"])
        if path:
            target = path.with_name(f"{path.name}.gz")
            target.write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
            self.lives[target] = self.lives.pop(path)

    @rule(data=st.data())
    def move_away(self, data: st.DataObject) -> None:
        path = self.any_of(data, list(self.lives))
        if path:
            self.number += 1
            self.rename(path, self.root / "logs" / "old" / f"{self.number}-{path.name}")

    @rule(data=st.data())
    def copy_to_stay(self, data: st.DataObject) -> None:
        path = self.any_of(data, list(self.lives))
        if path:
            self.number += 1
            target = self.root / "logs" / "old" / f"copy-{self.number}-{path.name}"
            shutil.copyfile(path, target)
            self.lives[target] = list(self.lives[path])

    @rule(data=st.data())
    def read_the_files(self, data: st.DataObject) -> None:
        if not any(self.lives.values()):
            return
        before = sum(stored(self.project).values())
        result = ingest_files(self.root / "logs", dataset="office", project=self.project)
        assert not result.failed
        assert result.records == result.added + result.duplicates + result.quarantined + result.skipped
        after = stored(self.project)
        assert result.added == sum(after.values()) - before
        assert after == Counter(line.removesuffix("|") for life in self.lives.values() for line in life)

    @invariant()
    def nothing_is_left_in_quarantine(self) -> None:
        folder = self.project.workspace / "quarantine" / "office"
        assert not list(folder.glob("*.parquet"))

    def rename(self, path: Path, target: Path) -> None:
        if path in self.lives:
            path.rename(target)
            self.lives[target] = self.lives.pop(path)

    def any_of(self, data: st.DataObject, paths: list[Path]) -> Path | None:
        return data.draw(st.sampled_from(sorted(paths))) if paths else None


def test_events_are_the_lines_that_were_written_whatever_became_of_the_files(tmp_path: Path) -> None:
    rules = settings(max_examples=25, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(lambda: Rotations(tmp_path / "lab"), settings=rules)
