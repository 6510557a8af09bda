"""The machine and the installation → findings: versions, the place of the workspace, space, clock, what killed runs left."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from socml.jobs.health_finding import Finding
from socml.project import Project

PACKAGES = ("socml", "scikit-learn", "pandas", "pyarrow", "duckdb", "shap")
EXTRAS = {"mlflow": "mlflow", "streamlit": "app", "river": "online"}  # package → what brings it
LEAST_SPACE = 500 << 20  # bytes; a day's feature table and its scores take less
CLOCK_S = 300.0  # seconds by which a file or another clock may be ahead
ABANDONED_S = 600.0  # seconds after which a half-written run that nobody touched was killed
_TEMPORARY = re.compile(r"[.~].+\.(\d+)\.[0-9a-f]{8}")  # of `socml.project.stored.replacing`: the writer's process
_COPYING = re.compile(r"\.\d+\.[0-9a-f]{8}")  # of a model version on its way into the workspace


def installation() -> Iterator[Finding]:
    """Tell the versions of Python and of what socml stands on."""
    yield Finding(
        "Python", sys.version.split()[0], ok=sys.version_info >= (3, 11), remedy="Install Python 3.11 or newer."
    )
    for package in PACKAGES:
        try:
            yield Finding(package, version(package))
        except PackageNotFoundError:
            yield Finding(package, "not installed", ok=False, remedy="Install socml again: pip install socml")
    for package, extra in EXTRAS.items():
        try:
            yield Finding(package, version(package))
        except PackageNotFoundError:
            yield Finding(package, f"not installed; pip install 'socml[{extra}]' brings it")


def place(project: Project) -> Iterator[Finding]:
    """Tell where the project and its workspace lie, and whether the latter can be written to."""
    yield Finding("project", str(project.root))
    with _held(project.workspace / "restore" / "lock") as is_free:
        for killed in project.root.glob(".restore-*") if is_free else ():
            text = f"a restore was not finished: {killed.name}"
            yield Finding("restore", text, ok=False, remedy="Give it again: socml restore FILE --replace")
    folder = _nearest_folder(project.workspace)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"socml")
            file.flush()
    except OSError as error:
        text = f"{project.workspace}: {error.strerror or error}"
        yield Finding(
            "workspace", text, ok=False, remedy="Let this user write there, make room, or set SOCML_WORKSPACE."
        )
    else:
        yield Finding("workspace", str(project.workspace))


def space(project: Project) -> Iterator[Finding]:
    """Tell how much room the workspace's disk has left."""
    disk = shutil.disk_usage(_nearest_folder(project.workspace))
    text = f"{disk.free / 1e9:,.1f} GB free of {disk.total / 1e9:,.1f} GB"
    is_low = disk.free < LEAST_SPACE
    yield Finding("space left", text, ok=not is_low, remedy="Make room, or set SOCML_WORKSPACE." if is_low else "")


def times(project: Project) -> Iterator[Finding]:
    """Tell which files claim to be from the future: the clock was wrong then, or it is now."""
    limit = time.time() + CLOCK_S
    ahead = [path for path in _files(project.workspace) if (_written(path) or 0.0) > limit]
    if not ahead:
        yield Finding("times", "no file is from the future")
        return
    text = f"{len(ahead):,} files are from the future, such as {ahead[0].relative_to(project.workspace)}"

    def now() -> str:
        for path in ahead:
            with suppress(FileNotFoundError):
                os.utime(path)
        return f"{len(ahead):,} files are dated now"

    yield Finding(
        "times", text, ok=False, remedy="Set this machine's clock right; then: socml doctor --repair", repair=now
    )


def leftovers(project: Project) -> Iterator[Finding]:
    """Tell what killed runs left behind: temporary files, staging folders, runs without their run.json."""
    left = [path for path in _leftovers(project.workspace) if path.exists()]
    if not left:
        yield Finding("leftovers", "none")
        return

    def remove() -> str:
        gone = 0
        for path in _leftovers(project.workspace):  # looked for anew: a run may have begun since, in the same place
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
            gone += 1
        return f"{gone:,} leftovers of killed runs are removed"

    text = f"{len(left):,} of killed runs, such as {left[0].relative_to(project.workspace)}"
    yield Finding("leftovers", text, ok=False, remedy="Remove them: socml doctor --repair", repair=remove)


def _leftovers(workspace: Path) -> Iterator[Path]:
    """Yield what killed runs left. While a staging folder is yielded, no ingest into it begins."""
    for path in sorted(workspace.rglob(".*")):
        writer = _TEMPORARY.fullmatch(path.name)
        killed = writer and not _is_running(int(writer[1])) and not _is_locked(path)  # in a container, ids are others
        if killed or (_COPYING.fullmatch(path.name) and _is_abandoned(path)):
            yield path
    for folder in sorted((workspace / "staging").glob("*/")):
        with _held(folder.with_name(f"{folder.name}.lock")) as is_free:
            if is_free and folder.is_dir():
                yield folder
    for folder in sorted((workspace / "scores").glob("*/")):
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else {"run.json"}
        if not names & {"run.json", ".progress.npz"} and _is_abandoned(folder):
            yield folder


def _is_abandoned(path: Path) -> bool:
    written = _written(path)
    return written is not None and time.time() - written > ABANDONED_S


def _written(path: Path) -> float | None:
    """Return when a file was written; None if a job removed it since its folder was listed."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None


@contextmanager
def _held(lock: Path) -> Iterator[bool]:
    """Hold a lock meanwhile; yield False if somebody else does. A file that is not there is nobody's."""
    try:
        file = lock.open("rb")
    except FileNotFoundError:
        yield True
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _is_locked(path: Path) -> bool:
    if not path.is_file():
        return False
    with _held(path) as is_free:
        return not is_free


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _nearest_folder(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
