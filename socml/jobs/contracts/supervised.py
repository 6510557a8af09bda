"""A classifier's class → the promises of a supervised detector: probabilities, direction, saving."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from socml.jobs.contracts.check import says_what_it_is_blind_to
from socml.jobs.contracts.detectors import made
from socml.models import load_trusted
from socml.project import ScratchFolder

if TYPE_CHECKING:
    from socml.detectors import Classifier


def learns_from_rows_verdicts_and_weights(kind: type[Classifier]) -> None:
    """`fit(X, y, sample_weight=…, families=…)` returns itself; `score_samples` gives one finite number a row."""
    X, y = _rows()
    classifier = made(kind)
    assert classifier.fit(X, y, sample_weight=np.ones(len(y)), families=None) is classifier, "end fit in: return self"
    scores = np.asarray(classifier.score_samples(X))
    assert scores.shape == (len(X),), f"score_samples gave the shape {scores.shape} for {len(X)} rows"
    assert np.isfinite(scores).all(), "scores are no finite numbers"


def malicious_rows_score_lower(kind: type[Classifier]) -> None:
    """Malicious rows score lower than the others: higher is more NORMAL."""
    X, y = _rows()
    scores = np.asarray(made(kind).fit(X, y).score_samples(X))
    assert scores[y == 1].mean() < scores[y == 0].mean(), "they score higher: give minus the probability"


def probabilities_lie_between_0_and_1(kind: type[Classifier]) -> None:
    """`predict_proba` gives two probabilities a row that add up to 1, the malicious one second."""
    X, y = _rows()
    shares = np.asarray(made(kind).fit(X, y).predict_proba(X))
    assert shares.shape == (len(X), 2), f"predict_proba gave the shape {shares.shape}"
    assert np.allclose(shares.sum(axis=1), 1.0), "they do not add up to 1"
    assert shares[y == 1, 1].mean() > shares[y == 0, 1].mean(), "the second must be that of malicious"


def survives_saving(kind: type[Classifier]) -> None:
    """Saved and loaded with skops, it gives the same scores, to the last bit."""
    import skops.io

    X, y = _rows()
    classifier = made(kind).fit(X, y)
    with ScratchFolder("check") as folder:
        path = Path(folder) / "classifier.skops"
        skops.io.dump(classifier, path)
        again = load_trusted(path)
    assert np.array_equal(again.score_samples(X), classifier.score_samples(X)), "loaded, it gives other scores"


PROMISES = (
    learns_from_rows_verdicts_and_weights,
    malicious_rows_score_lower,
    probabilities_lie_between_0_and_1,
    survives_saving,
    says_what_it_is_blind_to,
)


def _rows() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rng = np.random.default_rng(7)
    y = np.repeat([0, 1], [150, 50])
    return (rng.normal(size=(200, 4)) + 3.0 * y[:, None]).astype(np.float32), y
