"""Which leaf of each tree every row of a scoring run fell into ↔ a packed file beside its scores.

Rows that fell into the same leaves stand side by side in the file, so that it takes a tenth to a third of a byte a row and
tree: `leaves.npy.zst` is a zstd stream of two arrays of NumPy, each row's place among the sorted rows, and the sorted leaves.
Runs of earlier versions have them as they are, in `leaves.npy`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from socml.project.checksums import file_checksum, value_checksum
from socml.project.errors import DataError
from socml.project.faults import reading
from socml.project.stored import remedy, replacing, write_json

if TYPE_CHECKING:
    import numpy as np

    from socml.project.records import Run

LEAVES, _AS_THEY_ARE = "leaves.npy.zst", "leaves.npy"
_SORTED_BY = 12  # trees: rows that share their leaves share most others


def save_leaves(folder: Path, leaves: np.ndarray) -> None:
    """Write the leaves (n_trees, n_rows) of a run into its folder."""
    import numpy as np
    import pyarrow as pa

    rows = leaves.shape[1]
    order = np.lexsort(leaves[_SORTED_BY - 1 :: -1]) if len(leaves) else np.arange(rows)
    place = np.empty(rows, np.uint32)
    place[order] = np.arange(rows, dtype=np.uint32)
    header = {"descr": leaves.dtype.str, "fortran_order": False, "shape": leaves.shape}
    with replacing(folder / LEAVES) as temporary, pa.CompressedOutputStream(str(temporary), "zstd") as stream:
        np.lib.format.write_array(stream, place)
        np.lib.format.write_array_header_1_0(stream, header)
        for tree in leaves:
            stream.write(np.take(tree, order).data)
    (folder / _AS_THEY_ARE).unlink(missing_ok=True)


def load_leaves(path: Path) -> np.ndarray:
    """Return the leaves (n_trees, n_rows) in a file of `save_leaves`, or of an earlier version: these as they are needed."""
    import numpy as np
    import pyarrow as pa

    if path.name == _AS_THEY_ARE:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    with pa.input_stream(str(path), compression="zstd") as stream:
        place = np.lib.format.read_array(stream, allow_pickle=False).astype(np.intp)
        np.lib.format.read_magic(stream)
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        leaves: np.ndarray = np.empty(shape, dtype)
        for tree in leaves:
            np.take(np.frombuffer(stream.read(tree.nbytes), dtype), place, out=tree, mode="clip")
    return leaves


def leaves_file(folder: Path) -> Path | None:
    """Return the file of a run's folder that holds its leaves; None if there is none."""
    return next((path for name in (LEAVES, _AS_THEY_ARE) if (path := folder / name).is_file()), None)


def check_leaves(folder: Path, run: Run) -> Path | None:
    """Return the file that holds a run's leaves, once it was seen to be what was written; None if the run has none.

    Raises
    ------
    DataError
        If the file is lost or not what the run wrote.
    """
    path, checksum = leaves_file(folder), run.get("leaves_checksum")
    if path is None and not checksum:
        return None
    path = path or folder / LEAVES
    with reading(path, remedy=remedy(path)):
        if checksum and file_checksum(path) != checksum:
            raise DataError(f"{path} is damaged: it is not what was written. {remedy(path)}")
    return path


def drop_leaves_of(folder: Path, run: Run) -> int:
    """Remove the leaves of a run, which is still a run without them, and return how many bytes they were.

    Labels do not rank its rows any more; to score again brings them back.
    """
    content = run.copy()
    content.pop("leaves_checksum", None)
    content["leaves_removed"] = True
    content.pop("checksum", None)
    content["checksum"] = value_checksum(content)
    write_json(folder / "run.json", content)  # first: leaves that nobody expects do no harm
    path = leaves_file(folder)
    if path is None:
        return 0
    size = path.stat().st_size
    path.unlink()
    return size
