"""Tables on their way → files of the workspace. A file's rows are kept or dropped as a whole, and all become
visible together: they are written to a staging folder, moved beside what is stored, and then named by a new manifest.

Killed at any point, a dataset is as it was or complete: until the one rename of the manifest nothing of a run counts,
and what a killed run left is cleared by the next one. So are parts that were replaced, for a reader may still have
them open.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from socml.ingestion.compaction import compact
from socml.ingestion.identity import places_of
from socml.ingestion.parts import Spool, named_part, read_rejects, write_part
from socml.ingestion.segments import Segment, Segments
from socml.ingestion.staged_file import ALL_LINES, KINDS, ShippedFile, StagedFile, staging_writers
from socml.project import (
    MANIFEST,
    PART,
    TRUTH,
    ConfigurationError,
    DataError,
    Manifest,
    Part,
    Project,
    TryLater,
    check_part,
    content_hash,
    events_folder,
    private_file,
    private_folder,
    read_manifest,
    safe_name,
    schema,
    sealed_connection,
    stored_before_manifests,
    truth_path,
    write_json,
)

GRACE_S = 3600  # how long a file that was replaced stays for whoever has it open
_MERGE_TRUTH = """
with said as (
    select event_id, any_value(malicious) as malicious, any_value(family) as family, any_value(technique) as technique
    from new_truth group by event_id
)
select * from said
union all
select event_id, malicious, family, technique from old_truth where event_id not in (select event_id from said)
order by event_id
"""


class Staging:
    """One ingest into one dataset, from the first row to the new manifest.

    Parameters
    ----------
    anew : whether what the dataset holds now is left out of what is stored
    """

    def __init__(self, project: Project, dataset: str, folder: Path, *, anew: bool = False) -> None:
        self.project, self.dataset, self._folder = project, dataset, folder
        self.stored = events_folder(project, dataset)
        self.folders = {kind: project.workspace / kind / safe_name(dataset) for kind in KINDS}
        self.before = self._stored = self._manifest_before(anew)
        self.segments = self._segments_before()
        self.writers = staging_writers(folder)
        self._kept = {kind: Spool(writer) for kind, writer in self.writers.items()}
        self._anew = anew
        self._replaced: dict[str, set[int]] = defaultdict(set)  # segment → lines whose events come again
        self._no_longer_bad: set[str] = set()  # segments whose records in quarantine are told anew
        self._changed = False

    def worker_folder(self) -> Path:
        """Return a new folder of the staging area, for a process that reads files."""
        return Path(tempfile.mkdtemp(prefix="worker-", dir=self._folder))

    def keep_file(self, segment: Segment, staged: StagedFile | ShippedFile) -> None:
        """Take the rows of a file that was read to its end, as `segment`, or of a refused one: it has bad records alone."""
        if staged.replaced:
            self._replaced[segment.id] |= staged.replaced
        for kind, rows in staged.rows.items():
            self._kept[kind].keep(rows.folder, rows.parts, rows.tables)
        self._end_file(segment)

    def _end_file(self, segment: Segment) -> None:
        before = self.segments.get(segment.id)
        if before is not None and before.rejects:
            self._no_longer_bad.add(segment.id)
        self.segments.put(segment)
        self._changed = True

    def stored_rejects(self) -> pa.Table:
        """Return the records that are in quarantine now."""
        return read_rejects([check_part(self.folders["quarantine"] / p.file, p) for p in self.before.quarantine])

    def rewrite_rejects(self, table: pa.Table) -> None:
        """Put other records into quarantine in place of all that are there."""
        self.before = replace(self.before, quarantine=())
        self._kept["quarantine"].keep(self.folders["quarantine"], (), [table] if len(table) else ())
        self._changed = True

    def keep_only(self, parts: tuple[Part, ...], *, kept_from: str) -> None:
        """Leave out all stored events but these parts; `kept_from` is the first day that is kept."""
        self.before = replace(self.before, parts=parts, kept_from=kept_from)
        self._changed = True

    def note_change(self) -> None:
        """Have the registry of segments stored although no file was read."""
        self._changed = True

    def commit(self) -> None:
        """Make everything kept visible, in one rename."""
        if not (self._changed or self._anew):
            return
        events, quarantine = self._events_then(), self._quarantine_then()
        truth = self._truth_then(self._kept["truth"].finish())
        self.segments.save(self._folder / "segments")
        digest = content_hash(self._folder / "segments")
        segments = Part(f"{PART}{digest}.json", (self._folder / "segments").stat().st_size, len(self.segments))
        (self._folder / "segments").replace(self._folder / "events" / segments.file)
        then = Manifest(events, truth, quarantine, segments, self.before.kept_from)
        if then != self._stored or self._anew:
            self._publish(then)

    def _publish(self, then: Manifest) -> None:
        private_folder(self.stored)
        for kind in KINDS:
            private_folder(self.folders[kind])
            for path in sorted((self._folder / kind).iterdir()):
                _flush(path)
                path.replace(self.folders[kind] / path.name)
            _flush(self.folders[kind])
        self._let_go(then)
        write_json(self.stored / MANIFEST, then.to_dict())
        self.before = then

    def _let_go(self, then: Manifest) -> None:
        """Date what a manifest names no longer: from now on, whoever has it open, or is about to open it, has an hour."""
        kept = _named(then)
        for kind, names in _named(read_manifest(self.stored) or Manifest()).items():
            for name in names - kept[kind]:
                with suppress(FileNotFoundError):
                    os.utime(self.folders[kind] / name)

    def _events_then(self) -> tuple[Part, ...]:
        new = self._kept["events"].finish()
        parts = [self._without_replaced(part) for part in self.before.parts] if self._replaced else self.before.parts
        return compact([*(part for part in parts if part), *new], read=self._read_part, write=self._write_part)

    def _read_part(self, part: Part) -> pa.Table:
        staged = self._folder / "events" / part.file
        return pq.read_table(staged if staged.is_file() else check_part(self.stored / part.file, part))

    def _write_part(self, table: pa.Table) -> Part:
        return write_part(self._folder / "events", table)

    def _without_replaced(self, part: Part) -> Part | None:
        path = check_part(self.stored / part.file, part)
        segments, lines = places_of(pq.read_table(path, columns=["event_id"])["event_id"])
        keep = np.ones(len(lines), bool)
        for segment, gone in self._replaced.items():
            of_it = segments == segment.encode()
            keep &= ~(of_it if ALL_LINES in gone else of_it & np.isin(lines, list(gone)))
        if keep.all():
            return part
        rest = pq.read_table(path).filter(pa.array(keep))
        return replace(write_part(self._folder / "events", rest), day=part.day) if len(rest) else None

    def _quarantine_then(self) -> tuple[Part, ...]:
        if self._no_longer_bad and self.before.quarantine:
            old = self.stored_rejects()
            keep = [segment not in self._no_longer_bad for segment in old["segment"].to_pylist()]
            self.rewrite_rejects(old.filter(pa.array(keep)))
        return tuple(dict.fromkeys([*self.before.quarantine, *self._kept["quarantine"].finish()]))

    def _truth_then(self, parts: list[Part]) -> Part | None:
        if not parts:
            return self.before.truth
        import pyarrow.dataset as ds  # imports pandas, which takes a second

        folder = self._folder / "truth"
        before = self.before.truth
        old = (
            ds.dataset(str(truth_path(self.project, self.dataset)))
            if before
            else ds.dataset(schema(TRUTH).empty_table())
        )
        tables = {"new_truth": ds.dataset([str(folder / part.file) for part in parts]), "old_truth": old}
        rows = 0
        with (
            sealed_connection(
                tables, memory_limit=self.project.memory_limit, threads=self.project.threads
            ) as connection,
            pq.ParquetWriter(private_file(folder / "writing"), schema(TRUTH), compression="zstd") as writer,
        ):
            for batch in connection.sql(_MERGE_TRUTH).to_arrow_reader(100_000):
                writer.write_table(pa.Table.from_batches([batch]).cast(schema(TRUTH)))
                rows += len(batch)
        for part in parts:
            (folder / part.file).unlink(missing_ok=True)
        return named_part(folder / "writing", rows)

    def _manifest_before(self, anew: bool) -> Manifest:
        if anew:
            return Manifest()
        found = read_manifest(self.stored)
        if found is None and stored_before_manifests(self.stored):
            raise DataError(
                f"Dataset {self.dataset!r} was stored by an earlier socml, which told events by their bytes alone. It can "
                "be used as it is, but nothing can be added. To go on with it, read all its files anew, in one command: "
                f"socml ingest PATHS --dataset {self.dataset} --anew. Labels of windows and entities stay valid; labels "
                "of single events stay in the store, under the old ids."
            )
        return found or Manifest()

    def _segments_before(self) -> Segments:
        part = self.before.segments
        return Segments.load(check_part(self.stored / part.file, part)) if part else Segments()

    def clear_leftovers(self) -> None:
        """Remove files that no manifest has named for an hour: of a killed run, or replaced since."""
        found = read_manifest(self.stored)
        if found is None:
            return
        named = _named(found)
        for kind, folder in self.folders.items():
            for path in folder.glob("*") if folder.is_dir() else ():
                if path.name not in named[kind] and not path.is_dir() and path.stat().st_mtime < time.time() - GRACE_S:
                    path.unlink()
        (self.project.workspace / "truth" / f"{self.dataset}.parquet").unlink(missing_ok=True)  # an earlier socml's


def _named(manifest: Manifest) -> dict[str, set[str]]:
    """Return the names of the files that count, by kind."""
    segments = [manifest.segments] if manifest.segments else []
    return {
        "events": {MANIFEST, *(part.file for part in (*manifest.parts, *segments))},
        "truth": {manifest.truth.file} if manifest.truth else set(),
        "quarantine": {part.file for part in manifest.quarantine},
    }


@contextmanager
def staging(project: Project, dataset: str, *, anew: bool = False) -> Iterator[Staging]:
    """Open a dataset for writing; nobody else can meanwhile.

    Raises
    ------
    TryLater
        If another ingest of this dataset is running, or the disk is full.
    ConfigurationError
        If the workspace cannot be written to.
    DataError
        If the dataset was stored by an earlier socml, and `anew` is not given.
    """
    with no_ingest(project, dataset) as folder:
        shutil.rmtree(folder, ignore_errors=True)  # what a killed run left
        try:
            with _writing(project):
                opened = Staging(project, dataset, folder, anew=anew)
                opened.clear_leftovers()
                yield opened
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def no_ingest(project: Project, dataset: str) -> Iterator[Path]:
    """Let no ingest of a dataset begin meanwhile; yield its staging folder, whether or not it is there.

    Raises
    ------
    TryLater
        If one is running.
    """
    with _writing(project):
        base = project.folder("staging")
        lock = private_file(base / f"{safe_name(dataset)}.lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TryLater(f"Another ingest of {dataset!r} is running. Try again when it is done.") from None
        yield base / safe_name(dataset)


@contextmanager
def _writing(project: Project) -> Iterator[None]:
    """Say in one sentence why the workspace cannot be written to."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise TryLater(
                f"The disk of the workspace {project.workspace} is full. Nothing was changed; make room and try again."
            ) from None
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise ConfigurationError(
                f"The workspace {project.workspace} cannot be written to ({error.strerror}). Nothing was changed; name "
                "another in socml.toml, or with SOCML_WORKSPACE."
            ) from None
        raise


def _flush(path: Path) -> None:
    """Have the disk hold what was written, so that a power cut leaves no manifest that names half a part."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
