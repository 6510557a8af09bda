"""The opened project's folders, or a notebook cell → components of one's own, found like shipped ones.

`detectors/x.py` in a project is the detector `x` in that project only. Its code runs when someone asks for it, is read
again when the file changes, and never runs if another user owns the file or made the link to it, or everybody may write it.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from importlib import import_module, util
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from socml.project.errors import ConfigurationError, Notice
from socml.project.pandas_kept_out import let_pandas_in

PACKAGE = "socml_project"  # what the modules of an opened project are called in Python
_FILE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass
class OwnComponents:
    """What this process has of its own: the opened project, and what was registered in a notebook.

    Attributes
    ----------
    root : the opened project; None if it is the one that comes with socml
    registered : kind → name → component
    revision : grows whenever a name may mean another component than before
    """

    root: Path | None = None
    registered: dict[str, dict[str, object]] = field(default_factory=dict)
    revision: int = 0
    _loaded: dict[str, int] = field(default_factory=dict)  # module → when its file was last changed, ns
    _announced: set[Path] = field(default_factory=set)

    def open(self, root: Path | None, kinds: Collection[str]) -> None:
        """Find components in this project from now on, and in no other; say once what it brings."""
        if root == self.root:
            return
        self.root = root
        self._forget()
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
        if root is None:
            return
        sys.meta_path.insert(0, _Finder(root, frozenset(kinds)))
        if root not in self._announced:
            self._announced.add(root)
            self._announce(root, kinds)

    def modules(self, kind: str) -> dict[str, str]:
        """Return name → module of the components of a kind in the opened project; nothing is imported."""
        if self.root is None:
            return {}
        files = [path for path in _python_files(self.root / kind) if _FILE.fullmatch(path.stem)]
        return {
            path.stem.replace("_", "-"): ".".join([PACKAGE, *path.relative_to(self.root).with_suffix("").parts])
            for path in files
        }

    def load(self, module: str) -> ModuleType:
        """Return a module of the opened project, read again if its file changed.

        Raises
        ------
        ConfigurationError
            If it cannot be imported; says where, and why.
        """
        path = self.path(module)
        changed = path.stat().st_mtime_ns
        if self._loaded.get(module, changed) != changed:
            self._forget()
        try:
            loaded = import_module(module)
        except ConfigurationError:
            raise
        except Exception as error:  # whatever the code of the file raises
            raise ConfigurationError(f"{path}{_line_of(error, path)}: {type(error).__name__}: {error}") from error
        self._loaded[module] = changed
        return loaded

    def path(self, module: str) -> Path:
        """Return the file of a module of the opened project."""
        assert self.root is not None
        return self.root.joinpath(*module.split(".")[1:]).with_suffix(".py")

    def register(self, kind: str, name: str, component: object) -> None:
        """Let a name stand for a component in this process; the same name again replaces it."""
        self.registered.setdefault(kind, {})[name] = component
        self.revision += 1

    def _forget(self) -> None:
        for name in [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]:
            del sys.modules[name]
        self._loaded.clear()
        self.revision += 1

    def _announce(self, root: Path, kinds: Collection[str]) -> None:
        files = [path for kind in kinds for path in _python_files(root / kind)]
        usable = [str(path.relative_to(root)) for path in files if _FILE.fullmatch(path.stem)]
        if usable:
            warnings.warn(f"The project {root} brings its own {', '.join(sorted(usable))}.", Notice, stacklevel=4)
        for path in files:
            if not _FILE.fullmatch(path.stem):
                sentence = (
                    "is not looked at: a component's file has a name of small letters, digits and _, like my_own.py."
                )
                warnings.warn(f"{path} {sentence}", Notice, stacklevel=4)


own = OwnComponents()


class _Finder(MetaPathFinder):
    """Finds the modules of one project's component folders, and nothing else of it."""

    def __init__(self, root: Path, kinds: frozenset[str]) -> None:
        self._root, self._kinds = root, kinds

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, *parts = fullname.split(".")
        if package != PACKAGE or (parts and parts[0] not in self._kinds):
            return None
        place = self._root.joinpath(*parts)
        if place.is_dir():
            return ModuleSpec(fullname, None, is_package=True)  # without places: only this finder looks inside
        file = place.with_suffix(".py")
        return (
            None
            if not file.is_file()
            else util.spec_from_file_location(fullname, file, loader=_Loader(fullname, str(file)))
        )


class _Loader(SourceFileLoader):
    """Compiles a file each time, so that no stale byte code is used and none is left in the project."""

    def get_code(self, fullname: str) -> CodeType:
        code = _trusted(Path(self.path))
        let_pandas_in()
        return self.source_to_code(code, self.path)


def _trusted(path: Path) -> bytes:
    """Return the code of a file, of which nobody else can have written a line: read from the file that was looked at.

    Raises
    ------
    ConfigurationError
        If another user owns it or made the link to it, or everybody may write it.
    """
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        if hasattr(os, "getuid") and not {_owner(found), _owner(path.lstat())} <= {os.getuid(), 0}:
            raise ConfigurationError(
                f"{path} belongs to another user, so its code is not run. If you trust it, make it yours: chown."
            )
        if found.st_mode & stat.S_IWOTH:
            raise ConfigurationError(
                f"Everybody may write {path}, so its code is not run. If you trust what it holds by now: chmod o-w."
            )
        return file.read()


def _owner(found: os.stat_result) -> int:
    return found.st_uid


def _python_files(folder: Path) -> list[Path]:
    found = [*folder.glob("*.py"), *(folder.glob("*/*.py") if folder.name == "formats" else [])]
    return sorted(path for path in found if not path.name.startswith("_") and not path.parent.name.startswith("_"))


def _line_of(error: Exception, path: Path) -> str:
    """Return the last line of the file that had to do with an error, as `:12`."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f":{error.lineno}"
    trace, line = error.__traceback__, ""
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = f":{trace.tb_lineno}"
        trace = trace.tb_next
    return line
