"""What numba compiled is found again where nothing beside the code and at home may be written, as in a container."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba import config
from numba.core import caching

from socml.project import compiled

KERNEL = """
from socml.project import njit

@njit(cache=True)
def doubled(x):
    return 2 * x

@njit(cache=True)
def tripled(x):
    return 3 * x
"""
RUN = "from kernels import *; print(doubled(4), sum(doubled.stats.cache_hits.values()), tripled(4), doubled.stats.cache_path)"
# of numba's ways to find a folder the one that looks at nothing but `NUMBA_CACHE_DIR`: as where no other can be written
ONLY = next(name for name in ("UserProvidedCacheLocator", "_UserProvidedCacheLocator") if hasattr(caching, name))


def _run(folder: Path, **environment: str) -> list[str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_CACHE")}
    known |= {"TMPDIR": str(folder / "temporary"), "PYTHONPATH": os.pathsep.join(sys.path)} | environment
    command = [sys.executable, "-c", RUN]
    return subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, check=True).stdout.split()


def test_where_nothing_can_be_written_a_process_uses_copies_of_what_was_compiled(tmp_path):
    (tmp_path / "temporary").mkdir()
    (tmp_path / "kernels.py").write_text(KERNEL)
    beside = str(tmp_path / "__pycache__")
    assert _run(tmp_path) == ["8", "0", "12", beside]
    kept = {path.name: path.read_bytes() for path in Path(beside).glob("*.nb[ic]")}
    (Path(beside) / next(name for name in kept if name.startswith("kernels.tripled") and name.endswith("nbc"))).unlink()
    (Path(beside) / "kernels.another.nbi").symlink_to(tmp_path / "gone")  # as one that this user may not read
    *values, place = _run(tmp_path, NUMBA_CACHE_LOCATOR_CLASSES=ONLY)
    assert values == ["8", "1", "12"]  # read from the copy; what is not there is compiled again
    assert place.startswith(str(tmp_path / "temporary" / "socml.compiled."))
    assert not list((tmp_path / "temporary").iterdir())
    assert len(list(Path(beside).glob("*.nb[ic]"))) == len(kept)


def test_a_function_of_no_file_changes_no_place_and_one_that_is_not_kept_needs_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compiled, "_own_folder", [])
    monkeypatch.setattr(config, "CACHE_DIR", "")
    function = eval(compile("lambda x: x + 1", "<nowhere>", "eval"))
    with pytest.raises(RuntimeError, match="no locator"):
        compiled.njit(cache=True)(function)
    assert (config.CACHE_DIR, compiled._own_folder) == ("", [])
    monkeypatch.setattr(compiled, "_own_folder", [compiled.ScratchFolder("compiled")])
    assert compiled.njit(nogil=True)(function)(4) == 5
