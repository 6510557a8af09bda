"""A dataset recipe → its files in the workspace, downloaded or copied from a local path, each checked against its SHA-256.

They are stored in `workspace/raw/<dataset>/`, where `socml ingest --dataset NAME` finds them.
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from socml.project import (
    ConfigurationError,
    DataError,
    DatasetRecipe,
    Download,
    Project,
    find_project,
    load_dataset_recipe,
    private_file,
    private_folder,
    safe_name,
)

if TYPE_CHECKING:
    from http.client import HTTPMessage

TIMEOUT_S = 30
MOST_BYTES = 64 << 30  # of one file, packed, or of all that is in it
MOST_MEMBERS = 100_000
_PIECE = 1 << 20
Progress = Callable[[int, int, str], None]  # bytes done, bytes in all (0: not known), words


@dataclass(frozen=True)
class Fetched:
    """One file that is there now. `verified` says whether the recipe knew its SHA-256."""

    file: str
    bytes: int
    sha256: str
    verified: bool
    was_there: bool = False

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""
        return asdict(self)


def terms_of(recipe: DatasetRecipe) -> str:
    """Return what a person should have read before fetching: origin, licence, flaws, and what is got from where."""
    lines = [
        f"{recipe.name}: {recipe.about}",
        f"origin   {recipe.origin}",
        f"licence  {recipe.licence or 'not stated'}",
    ]
    lines += [f"terms    {recipe.terms}"] if recipe.terms else []
    lines += [f"flaw     {flaw}" for flaw in recipe.flaws]
    for one in recipe.download:
        known = f"SHA-256 {one.sha256}" if one.sha256 else "its SHA-256 is not known: it cannot be verified"
        lines.append(f"file     {one.url} ({known})")
    lines += [f"by hand  {recipe.by_hand}"] if recipe.by_hand else []
    return "\n".join(lines)


def fetch(
    name: str, *, source: str | Path | None = None, project: Project | None = None, progress: Progress | None = None
) -> list[Fetched]:
    """Get a dataset's files, or take them from `source`, a file or folder on this machine. What is there already stays.

    The caller has shown `terms_of` and been told yes.

    Raises
    ------
    ConfigurationError
        If the recipe says of no file where it is, and no `source` is given.
    DataError
        If a file cannot be had, or is not the one that the recipe means.
    """
    project = project or find_project()
    recipe = load_dataset_recipe(name, project)
    folder = project.folder("raw", safe_name(name))
    if source is not None:
        return [_taken(path, one, folder) for path, one in _local(Path(source).expanduser(), recipe)]
    if not recipe.download:
        how = recipe.by_hand or f"Its recipe says where it comes from: {recipe.origin or 'nowhere'}."
        raise ConfigurationError(f"{name} cannot be downloaded. {how} Then: socml fetch {name} --from PATH")
    return [_downloaded(one, folder, name, progress) for one in recipe.download]


def _downloaded(one: Download, folder: Path, dataset: str, progress: Progress | None) -> Fetched:
    target = folder / one.name
    kept = _stamp(folder, one)
    if kept.is_file() and (not one.sha256 or kept.read_text().split()[0] == one.sha256):
        digest, size = kept.read_text().split()
        return Fetched(one.name, int(size), digest, bool(one.sha256), was_there=True)
    temporary = folder / f".{one.name}.part"
    try:
        request = Request(one.url, headers={"User-Agent": "socml"})  # noqa: S310  a recipe allows http and https only
        with (
            build_opener(_OnlyWeb()).open(request, timeout=TIMEOUT_S) as answer,
            private_file(temporary).open("wb") as file,
        ):
            _copy(answer, file, int(answer.headers.get("Content-Length") or 0), one.name, progress)
        return _finished(temporary, target, one, folder)
    except (URLError, TimeoutError, OSError) as error:
        reason = error if isinstance(error, HTTPError) else getattr(error, "reason", error)
        raise DataError(
            f"{one.url} could not be downloaded: {reason}. If you have the file: socml fetch {dataset} --from PATH"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _taken(path: Path, one: Download, folder: Path) -> Fetched:
    temporary = folder / f".{one.name}.part"
    try:
        shutil.copyfile(path, private_file(temporary))
        return _finished(temporary, folder / one.name, one, folder)
    finally:
        temporary.unlink(missing_ok=True)


def _local(source: Path, recipe: DatasetRecipe) -> list[tuple[Path, Download]]:
    """Return the local files, each as the download it stands for; all that are there, if the recipe names none."""
    if not source.exists():
        raise DataError(f"{source} does not exist.")
    there = [source] if source.is_file() else sorted(p for p in source.rglob("*") if p.is_file())
    named = {one.name: one for one in recipe.download}
    found = [(path, named[path.name]) for path in there if path.name in named]
    if source.is_file() and not found and len(named) == 1:
        found = [(source, recipe.download[0])]
    if not named:
        found = [(path, Download(url="https://local.invalid/", file=path.name)) for path in there]
    if not found:
        raise DataError(f"{source} holds none of the files of {recipe.name}: {', '.join(named)}.")
    return found


def _copy(answer: IO[bytes], file: IO[bytes], total: int, name: str, progress: Progress | None) -> None:
    done = 0
    while piece := answer.read(_PIECE):
        done += len(piece)
        if done > MOST_BYTES:
            raise OSError(f"it is over {MOST_BYTES >> 30} GB")
        file.write(piece)
        if progress:
            progress(done, total, name)
    if total and done < total:
        raise OSError(f"it broke off after {done:,} of {total:,} bytes")


def _finished(temporary: Path, target: Path, one: Download, folder: Path) -> Fetched:
    with temporary.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if one.sha256 and digest != one.sha256:
        raise DataError(
            f"{one.name} is not the file that the recipe means: its SHA-256 is {digest}, and should be {one.sha256}. "
            "It was thrown away."
        )
    size = temporary.stat().st_size
    if one.unpack:
        _unpack(temporary, folder, one.name)
    else:
        temporary.replace(target)
    private_file(_stamp(folder, one)).write_text(f"{digest} {size}\n")
    return Fetched(one.name, size, digest, bool(one.sha256))


def _stamp(folder: Path, one: Download) -> Path:
    return folder / f".{one.name}.sha256"


def _unpack(archive: Path, folder: Path, name: str) -> None:
    """Store the regular files of an archive: no links, nothing outside of the folder, nothing hidden."""
    stored = unpacked = 0
    for member, size, opened in _members(archive, name):
        parts = PurePosixPath(member.replace("\\", "/")).parts
        if not parts or any(part in ("..", "/") or part.startswith(".") or ":" in part for part in parts):
            continue
        stored, unpacked = stored + 1, unpacked + size
        if stored > MOST_MEMBERS or unpacked > MOST_BYTES:
            raise DataError(f"{name} holds too much to unpack: {stored:,} files, {unpacked:,} bytes.")
        target = folder.joinpath(*parts)
        private_folder(target.parent)
        with opened() as inside, private_file(target).open("wb") as file:
            shutil.copyfileobj(inside, file, _PIECE)
    if not stored:
        raise DataError(f"{name} holds no files.")


def _members(archive: Path, name: str) -> Iterator[tuple[str, int, Callable[[], IO[bytes]]]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for member in packed.infolist():
                if not member.is_dir():
                    yield member.filename, member.file_size, lambda member=member: packed.open(member)  # type: ignore[misc]
        return
    try:
        with tarfile.open(archive) as packed_tar:
            for entry in packed_tar:
                inside = packed_tar.extractfile(entry) if entry.isfile() else None
                if inside is not None:
                    yield entry.name, entry.size, lambda inside=inside: inside  # type: ignore[misc]
    except tarfile.TarError as error:
        raise DataError(f"{name} is neither a zip nor a tar archive: {error}.") from None


class _OnlyWeb(HTTPRedirectHandler):
    """Follows a redirect only to another web address."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Return the next request, or refuse it."""
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise URLError(f"it redirects to {newurl[:100]}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
