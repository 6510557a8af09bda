"""Budget curves of strategies on one labelled dataset: by a recipe fitted anew with each seed, or a run as it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from socml.project.errors import DataError
from socml.review.curves import WITHOUT, Ranked, budget_curves
from socml.review.oracle import replay, score_table


def ranked(seed: int, n: int = 300) -> Ranked:
    """Return rows of which the malicious share their leaves, and the most anomalous are not malicious."""
    rng = np.random.default_rng(seed)
    malicious = np.zeros(n, dtype=bool)
    malicious[15:30] = True
    score = np.linspace(1, 0, n) + rng.normal(scale=0.01, size=n)
    leaves = (malicious * 4 + rng.integers(0, 4, (40, n))).astype(np.uint8)
    matrix = np.column_stack([malicious, rng.normal(size=n)]).astype(np.float32)
    scores = score_table(score)
    truth = pd.DataFrame({"malicious": malicious, "family": np.where(malicious, "scan", None)}, index=scores.index)
    return Ranked(scores, leaves, truth, matrix)


def test_the_means_are_those_of_single_replays() -> None:
    curves = budget_curves(ranked, strategies=["most-anomalous", "mixed"], seeds=2, budget=24, about="made up").curves
    for strategy in ("most-anomalous", "mixed"):
        single = []
        for seed in range(2):
            one = ranked(seed)
            result = replay(
                (one.scores, one.leaves), one.truth, budget=24, strategy=strategy, seed=seed, matrix=one.matrix
            )
            single.append(result.curve["found"].to_numpy()[1:])
        own = curves[curves["strategy"] == strategy]
        assert np.allclose(own["found"], np.mean(single, axis=0))
        half = 1.96 * np.std(single, axis=0, ddof=1) / np.sqrt(2)
        assert np.allclose(own["high"] - own["low"], 2 * half)
    static = curves[curves["strategy"] == WITHOUT].set_index("labels")["found"]
    learnt = curves[curves["strategy"] == "most-anomalous"].set_index("labels")
    assert static[24] <= 15
    assert learnt["found"][24] == 15
    assert learnt["families"].iloc[-1] == 1
    assert static[22] < learnt["found"][22]


def test_a_curve_shows_as_table_and_picture(tmp_path) -> None:
    curves = budget_curves(ranked, strategies=["most-anomalous"], seeds=1, budget=12, about="<b>made up</b>")
    assert list(curves.table().columns) == [5, 10, 12]
    assert set(curves.table().index) == {"most-anomalous", WITHOUT}
    assert "<b>made" not in curves._repr_html_().replace("<p><b>", "")
    path = tmp_path / "curves.png"
    curves.plot().savefig(path)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("bad", [{"seeds": 0}, {"budget": 0}, {"strategies": []}])
def test_nothing_to_replay_is_an_error(bad) -> None:
    with pytest.raises(DataError, match="at least one"):
        budget_curves(ranked, **{"strategies": ["mixed"], **bad})
