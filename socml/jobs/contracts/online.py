"""An online detector's class → the promises of one: rows and blocks score alike, scoring learns nothing, states go on."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from socml.detectors import RowDetector, read_state, write_state
from socml.jobs.contracts.check import says_what_it_is_blind_to
from socml.project import ScratchFolder

ROWS = 300
FILLED = 1_500  # half-space trees say nothing before they have seen a window of 1,000


def can_be_made_without_parameters(kind: type[RowDetector]) -> None:
    """It is made without parameters, and has score_one, learn_one, score_learn_many, state, restore and by_entity."""
    assert inspect.isclass(kind), "it is no class"
    for name in ("score_one", "learn_one", "score_learn_many", "state", "restore", "by_entity"):
        assert hasattr(kind, name), f"it has no {name}"
    kind()


def scores_a_block_as_row_by_row(kind: type[RowDetector]) -> None:
    """A block gives the same scores, to the last bit, as score_one and then learn_one row by row."""
    block, entities = _stream()
    together = np.asarray(kind().score_learn_many(block, entities))
    assert together.shape == (ROWS,), f"score_learn_many gave the shape {together.shape} for {ROWS} rows"
    singly, detector = [], kind()
    for row, entity in zip(block, entities, strict=True):
        singly.append(float(detector.score_one(row, entity)))
        detector.learn_one(row, entity)
    different = np.flatnonzero(np.asarray(singly) != together)
    assert not len(different), f"row {different[0] if len(different) else 0} scores otherwise in a block"


def scoring_learns_nothing(kind: type[RowDetector]) -> None:
    """Asking for a score twice gives the same answer: score_one learns nothing."""
    block, entities = _stream()
    detector = kind()
    detector.score_learn_many(block, entities)
    first = detector.score_one(block[5], entities[5])
    assert first == detector.score_one(block[5], entities[5]), "the second answer is another"


def scores_a_far_row_lowest(kind: type[RowDetector]) -> None:
    """After usual rows, a row far from them is less normal than a usual one: higher is more NORMAL."""
    block, entities = _stream(FILLED)
    detector = kind()
    detector.score_learn_many(block, entities)
    usual, far = detector.score_one(np.zeros(4), entities[0]), detector.score_one(np.full(4, 50.0), entities[0])
    assert far < usual, f"the far row scores {far:.3g}, a usual one {usual:.3g}; give the score with a minus sign"


def scores_are_finite(kind: type[RowDetector]) -> None:
    """Every score is a finite number, of the first row and of rows with missing values too."""
    block, entities = _stream()
    block[10], block[20, 1] = np.nan, np.nan
    scores = np.asarray(kind().score_learn_many(block, entities))
    assert np.isfinite(scores).all(), f"row {int(np.flatnonzero(~np.isfinite(scores))[0])} has no finite score"


def goes_on_from_its_state(kind: type[RowDetector]) -> None:
    """Saved half-way and restored, it goes on to the last bit as if it had not stopped."""
    block, entities = _stream()
    half = ROWS // 2
    whole = kind()
    whole.score_learn_many(block[:half], entities[:half])
    with ScratchFolder("check") as folder:
        write_state(Path(folder) / "state.npz", whole.state())
        again = kind()
        again.restore(read_state(Path(folder) / "state.npz"))
    expected = whole.score_learn_many(block[half:], entities[half:])
    assert np.array_equal(again.score_learn_many(block[half:], entities[half:]), expected), "it goes on otherwise"


PROMISES = (
    can_be_made_without_parameters,
    scores_a_block_as_row_by_row,
    scoring_learns_nothing,
    scores_a_far_row_lowest,
    scores_are_finite,
    goes_on_from_its_state,
    says_what_it_is_blind_to,
)


def _stream(rows: int = ROWS) -> tuple[NDArray[np.float64], list[str]]:
    rng = np.random.default_rng(7)
    return rng.normal(size=(rows, 4)), [f"host-{i}" for i in rng.integers(0, 5, rows)]
