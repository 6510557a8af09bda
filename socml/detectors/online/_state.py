"""What a model has learned ↔ one file: arrays as they are, the rest as JSON; nothing that is run when it is read."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from socml.project import ModelError, check_archive, replacing

State = dict[str, Any]
_REST = "state.json"
_TOO_MUCH = (RecursionError, MemoryError)  # JSON nested too deep, an array whose header promises more than there is


def write_state(path: Path, state: State) -> Path:
    """Write a state in one step. Values are arrays, JSON values, or states again.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_state(Path(folder) / "model.npz", {"seen": 3, "scale": {"mean": np.array([0.1])}})
    ...     read_state(path)
    {'seen': 3, 'scale': {'mean': array([0.1])}}
    """
    arrays: dict[str, np.ndarray] = {}
    rest = _split(state, "", arrays)
    text = json.dumps(rest, ensure_ascii=False, allow_nan=False).encode()
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **{_REST: np.frombuffer(text, dtype=np.uint8)}, **arrays)  # type: ignore[arg-type]
    return path


def read_state(path: Path) -> State:
    """Return a state that `write_state` wrote.

    Raises
    ------
    ModelError
        If the file is absent, damaged, or of another kind.
    """
    try:
        check_archive(path)
        with np.load(path, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        state = json.loads(arrays.pop(_REST).tobytes())
        for name, values in arrays.items():
            _put(state, name.split("/"), values)
    except (OSError, EOFError, ValueError, KeyError, TypeError, *_TOO_MUCH, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} is not the state of an online model: {error}") from error
    if not isinstance(state, dict):
        raise ModelError(f"{path} is not the state of an online model.")
    return state


def _split(state: State, prefix: str, arrays: dict[str, np.ndarray]) -> State:
    """Return the state without its arrays, which go into `arrays` under their path; their places hold null."""
    rest: State = {}
    for name, value in state.items():
        if isinstance(value, np.ndarray):
            arrays[f"{prefix}{name}"] = value
            rest[name] = None
        elif isinstance(value, dict):
            rest[name] = _split(value, f"{prefix}{name}/", arrays)
        else:
            rest[name] = value
    return rest


def _put(state: State, path: list[str], values: np.ndarray) -> None:
    for name in path[:-1]:
        state = state[name]
    state[path[-1]] = values
