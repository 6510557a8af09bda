"""Rows with a time, an entity and what is known of them → folds: which are fitted on, which are judged on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, pairwise

import numpy as np

from socml.project import DataError, Validation, window_seconds

UNKNOWN = 2  # stratum of rows of unknown truth


@dataclass(frozen=True)
class Fold:
    """One way to part rows: positions to fit on and to judge on, ascending, none in both."""

    name: str
    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Rows:
    """What folds are made from, one value a row.

    Attributes
    ----------
    time_us : microseconds since 1970, UTC; NaN where unknown
    entity : text; whom the row is about
    malicious : 1.0, 0.0, or NaN where nothing is known
    """

    time_us: np.ndarray
    entity: np.ndarray
    malicious: np.ndarray

    def __len__(self) -> int:
        return len(self.malicious)


def make_folds(rows: Rows, validation: Validation) -> list[Fold]:
    """Return the folds of a mode over one table (`datasets`, over several, has its folds made by `validate`).

    temporal: fitted on the first rows in time, judged on the last `test_share` · temporal-cv: the time parted into
    `folds` + 1 of equally many rows, each after the first judged by all before it · unlabeled-labeled: fitted on the rows
    of which nothing is known, judged on the others · cut-off: before and from a
    moment on · sliding-window: `train_window`, then `test_window`, which both move by the latter · by-day: each day, by all days before it · random:
    `folds` times a stratified draw · cross-validation: each row judged once, stratified · group: the same, an
    entity in one fold only. Rows of one time are on one side. Rows without a time are left out by modes in time.

    Raises
    ------
    DataError
        If the rows cannot be parted so; says why.

    Examples
    --------
    >>> rows = Rows(np.arange(10) * 1e6, np.array(["a"] * 10), np.tile([0.0, 1.0], 5))
    >>> [(f.name, f.train.tolist(), f.test.tolist()) for f in make_folds(rows, Validation(mode="temporal"))]
    [('last 30 %', [0, 1, 2, 3, 4, 5, 6], [7, 8, 9])]
    """
    if not len(rows):
        raise DataError("There are no rows to validate on.")
    makers: dict[str, Callable[[Rows, Validation], Iterator[Fold]]] = {
        "random": _random,
        "temporal": _temporal,
        "temporal-cv": _temporal_crossed,
        "cut-off": _cut_off,
        "sliding-window": _sliding,
        "by-day": _by_day,
        "cross-validation": _crossed,
        "group": _grouped,
        "unlabeled-labeled": _unlabelled,
    }
    folds = [fold for fold in makers[validation.mode](rows, validation) if len(fold.train) and len(fold.test)]
    if not folds:
        raise DataError(f"Validation {validation.mode!r} leaves no rows to fit on, or none to judge on.{_span(rows)}")
    return folds


def _random(rows: Rows, validation: Validation) -> Iterator[Fold]:
    from sklearn.model_selection import StratifiedShuffleSplit

    if len(rows) < 2:
        raise DataError("One row cannot be parted into rows to fit on and rows to judge on.")
    test = min(_rounded_up(len(rows) * validation.test_share), len(rows) - 1)
    strata = _strata(rows, 2)
    if min(test, len(rows) - test) < len(np.unique(strata)):  # one of each kind does not fit on either side
        strata = np.zeros(len(rows), dtype=np.int64)
    draws = StratifiedShuffleSplit(validation.folds, test_size=test, random_state=validation.seed)
    for number, (train, test) in enumerate(draws.split(strata, strata), 1):
        yield Fold(f"draw {number}", np.sort(train), np.sort(test))


def _temporal(rows: Rows, validation: Validation) -> Iterator[Fold]:
    known = np.sort(_times(rows, validation))
    moment = known[min(_rounded_up(len(known) * (1 - validation.test_share)), len(known) - 1)]
    yield _parted(rows, f"last {validation.test_share:.0%}".replace("%", " %"), moment)


def _temporal_crossed(rows: Rows, validation: Validation) -> Iterator[Fold]:
    known = np.sort(_times(rows, validation))
    places = np.arange(1, validation.folds + 1) * len(known) // (validation.folds + 1)
    ends = np.append(known[places], np.inf)
    for number, (begin, end) in enumerate(pairwise(ends), 1):
        test = np.flatnonzero((rows.time_us >= begin) & (rows.time_us < end))
        yield Fold(f"part {number + 1}", np.flatnonzero(rows.time_us < begin), test)


def _unlabelled(rows: Rows, validation: Validation) -> Iterator[Fold]:
    unknown = np.isnan(rows.malicious)
    if not unknown.any():
        raise DataError(
            f"Validation {validation.mode!r} fits on rows of which nothing is known, and all are known. "
            'With judged_by = "analysts", only rows with labels are.'
        )
    yield Fold("labelled", np.flatnonzero(unknown), np.flatnonzero(~unknown))


def _cut_off(rows: Rows, validation: Validation) -> Iterator[Fold]:
    _times(rows, validation)
    assert validation.cut_off is not None
    yield _parted(rows, f"from {validation.cut_off:%Y-%m-%d %H:%M}", validation.cut_off.timestamp() * 1e6)


def _sliding(rows: Rows, validation: Validation) -> Iterator[Fold]:
    times = _times(rows, validation)
    train, test = (window_seconds(w) * 1e6 for w in (validation.train_window, validation.test_window))
    first, last = float(times.min()), float(times.max())
    for step in count():
        begin = first + step * test
        middle = begin + train
        if middle > last:
            return
        time = rows.time_us
        name = f"from {np.datetime64(int(middle), 'us').astype('datetime64[m]')}".replace("T", " ")
        yield Fold(
            name,
            np.flatnonzero((time >= begin) & (time < middle)),
            np.flatnonzero((time >= middle) & (time < middle + test)),
        )


def _by_day(rows: Rows, validation: Validation) -> Iterator[Fold]:
    """Judge each day of UTC after the first by what was fitted on all days before it."""
    days = np.floor(rows.time_us / 86_400e6)
    for day in np.unique(np.floor(_times(rows, validation) / 86_400e6))[1:].tolist():
        name = str(np.datetime64(int(day), "D"))
        yield Fold(name, np.flatnonzero(days < day), np.flatnonzero(days == day))


def _crossed(rows: Rows, validation: Validation) -> Iterator[Fold]:
    from sklearn.model_selection import StratifiedKFold

    if len(rows) < validation.folds:
        raise DataError(f"{len(rows)} rows cannot be parted into {validation.folds} folds.")
    strata = _strata(rows, validation.folds)
    parts = StratifiedKFold(validation.folds, shuffle=True, random_state=validation.seed)
    for number, (train, test) in enumerate(parts.split(strata, strata), 1):
        yield Fold(f"fold {number}", train, test)


def _grouped(rows: Rows, validation: Validation) -> Iterator[Fold]:
    """Deal entities out, those with most malicious rows first, each to the fold that has fewest of them so far."""
    names, code = np.unique(rows.entity.astype(str), return_inverse=True)
    if len(names) < validation.folds:
        what = f"{validation.entity!r} has {len(names)} different values"
        raise DataError(f"Validation 'group' needs at least {validation.folds} entities (folds), and {what}.")
    size = np.bincount(code, minlength=len(names))
    malicious = np.bincount(code, weights=np.nan_to_num(rows.malicious), minlength=len(names))
    shuffled = np.random.default_rng(validation.seed).permutation(len(names))
    order = shuffled[np.lexsort((-size[shuffled], -malicious[shuffled]))]
    held = np.zeros((validation.folds, 2))
    fold_of = np.empty(len(names), dtype=np.int64)
    for name in order:
        fold = int(np.lexsort((held[:, 1], held[:, 0]))[0]) if malicious[name] else int(held[:, 1].argmin())
        fold_of[name] = fold
        held[fold] += malicious[name], size[name]
    fold_of_row = fold_of[code]
    for fold in range(validation.folds):
        test = fold_of_row == fold
        yield Fold(f"entities {fold + 1}", np.flatnonzero(~test), np.flatnonzero(test))


def _rounded_up(rows: float) -> int:
    """Return a product of a share as whole rows; what is above a whole number by the share's last bits alone is that."""
    return int(np.ceil(round(rows, 9)))


def _parted(rows: Rows, name: str, moment: float) -> Fold:
    return Fold(name, np.flatnonzero(rows.time_us < moment), np.flatnonzero(rows.time_us >= moment))


def _times(rows: Rows, validation: Validation) -> np.ndarray:
    known = rows.time_us[~np.isnan(rows.time_us)]
    if not len(known):
        raise DataError(
            f"Validation {validation.mode!r} parts rows in time, and these have none. Use cross-validation or group."
        )
    return np.asarray(known)


def _strata(rows: Rows, least: int) -> np.ndarray:
    """Return the stratum of each row: benign, malicious, unknown; one stratum where one would be too small to part."""
    strata = np.where(np.isnan(rows.malicious), UNKNOWN, rows.malicious).astype(np.int64)
    counts = np.bincount(strata, minlength=3)
    return strata if counts[counts > 0].min() >= least else np.zeros(len(rows), dtype=np.int64)


def _span(rows: Rows) -> str:
    known = rows.time_us[~np.isnan(rows.time_us)]
    if not len(known):
        return ""
    first, last = (str(np.datetime64(int(t), "us").astype("datetime64[m]")).replace("T", " ") for t in _ends(known))
    return f" Its rows are from {first} to {last} UTC."


def _ends(known: np.ndarray) -> tuple[float, float]:
    return float(known.min()), float(known.max())
