"""Rows in the order they come → how normal each is, given the rows before it: what every online detector shares.

A detector's own part is one sequential function over scaled rows. Around it stand the scale, the burst guard
and the drift detector, which look at rows in their order too: so blocks and single rows give the same scores.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import Parameter, signature
from typing import TypedDict, cast

import numpy as np

from socml.detectors._arrays import Flags, Floats
from socml.detectors.online._burst_guard import admit
from socml.detectors.online._drift import make_drift
from socml.detectors.online._state import State
from socml.project import ModelError, RecipeError, did_you_mean, njit

DRIFT_EVERY = 64  # rows whose mean is one number for the drift detector
FARTHEST = 1e150  # of a value from its mean: its square is still a number
MOST_DRIFTS = 1000  # remembered
MAY_BE_0 = {"window", "burst_floor", "burst_growth", "prior", "grace", "seed"}  # of our numbers; others are above 0
MAY_BE_ENDLESS = {"memory", "grace"}
# Shares and rates, and numbers whose arrays no machine would hold; a whole number has 64 bits
MOST: dict[str, float] = {
    "burst_floor": 1,
    "nu": 1,
    "rate": 1,
    "tail": 0.5,
    "height": 20,
    "n_bins": 100_000,
    "n_cuts": 10_000,
    "n_parts": 100_000,
    "n_trees": 10_000,
    "sample_size": 100_000,
    "window": 10_000_000,
}

Entities = Sequence[str | None] | None


class Guarded(TypedDict, total=False):
    """What any detector may be told; see `OnlineDetector`."""

    memory: float
    burst_floor: float
    burst_growth: float
    drift: str
    seed: int


class Shared(Guarded, total=False):
    """The same, and what some have settled for themselves."""

    limit: float
    window: int


class OnlineDetector:
    """Score each row by the rows before it, then learn it.

    Parameters
    ----------
    memory : rows that the scale is measured over; older ones fade
    limit : standard deviations at which a value is clipped
    window : rows learned in a window of the burst guard; 0 learns every row
    burst_floor : share of a window that any cell of the space may have, 0 to 1
    burst_growth : how many times its share of the window before a cell may have on top
    drift : `adwin`, `kswin` or `none`: what looks for a change in the scores, after which older rows weigh less
    seed : of all that is drawn

    Attributes
    ----------
    rows : rows learned from so far, those that the burst guard held back among them
    drifts : list of `rows` at which the scores had changed
    """

    by_entity = False  # whether it keeps entities apart by itself
    arrays: tuple[str, ...] = ()  # attributes that hold what was learned, besides the scale and the guards

    def __init__(
        self,
        *,
        memory: float = 100_000,
        limit: float = 4.0,
        window: int = 256,
        burst_floor: float = 0.05,
        burst_growth: float = 2.0,
        drift: str = "adwin",
        seed: int = 0,
    ) -> None:
        self.memory, self.limit, self.seed = float(memory), float(limit), int(seed)
        self.window, self.burst_floor, self.burst_growth = int(window), float(burst_floor), float(burst_growth)
        self.rows = 0
        self.drifts: list[int] = []
        self.n_columns = 0
        self._drift = make_drift(drift)
        self._chunk = 0.0

    def score_one(self, row: Floats, entity: str | None = None) -> float:
        """Return how normal a row of shape (n_columns,) is; higher is more NORMAL. Learns nothing."""
        block = self._block(np.asarray(row, dtype=np.float64)[None, :])
        return float(self._score(block, [entity])[0])

    def learn_one(self, row: Floats, entity: str | None = None) -> None:
        """Learn a row of shape (n_columns,)."""
        self.score_learn_many(np.asarray(row, dtype=np.float64)[None, :], [entity])

    def score_learn_many(self, block: Floats, entities: Entities = None) -> Floats:
        """Score each row of (n_rows, n_columns), then learn it; return scores (n_rows,), higher is more NORMAL.

        The same as `score_one` and then `learn_one`, row by row, to the last bit.

        Raises
        ------
        ModelError
            If the number of columns changed.
        """
        block = self._block(block)
        normality = np.empty(len(block))
        for part in self._parts(len(block)):
            some = None if entities is None else entities[part]
            normality[part] = self._score_learn(block[part], some)
            self._watch(normality[part])
        return normality

    def state(self) -> State:
        """Return all that was learned: arrays, and values that JSON holds."""
        shared = {"rows": self.rows, "drifts": self.drifts, "n_columns": self.n_columns}
        if not self.n_columns:
            return shared
        own = {name: getattr(self, name) for name in (*_SHARED, *self.arrays)}
        drift = self._drift.state() if self._drift else {}
        return {**shared, "chunk": np.array(self._chunk), "drift": drift, **own}

    def restore(self, state: State) -> None:
        """Continue where `state` was taken, bit for bit; the parameters must be those it was taken with."""
        self.rows, self.drifts = int(state["rows"]), list(state["drifts"])
        self.n_columns = 0
        if not state["n_columns"]:
            return
        self._begin(int(state["n_columns"]))
        self._chunk = float(state["chunk"])
        if self._drift:
            self._drift.restore(state["drift"])
        for name in (*_SHARED, *self.arrays):
            setattr(self, name, np.array(state[name]))

    def _start(self, n_columns: int) -> None:
        """Make the arrays of a detector that has learned nothing."""
        raise NotImplementedError

    def _run(self, scaled: Floats, admitted: Flags) -> Floats:
        """Score each scaled row in order and learn it if it was admitted; return scores, higher is more NORMAL."""
        raise NotImplementedError

    def _adapt(self) -> None:
        """Let older rows weigh less, after a drift."""

    def _score(self, block: Floats, entities: Entities) -> Floats:
        scaled = np.empty_like(block)
        running_scale(
            block, self._count.copy(), self._mean.copy(), self._variance.copy(), self.memory, self.limit, scaled
        )
        return self._run(scaled, np.zeros(len(block), dtype=np.bool_))

    def _score_learn(self, block: Floats, entities: Entities) -> Floats:
        scaled = np.empty_like(block)
        running_scale(block, self._count, self._mean, self._variance, self.memory, self.limit, scaled)
        admitted: Flags = np.ones(len(block), dtype=np.bool_)
        if self.window:
            guard = (self._cells, self._held, self._progress)
            admitted = admit(scaled, *guard, self.window, self.burst_floor, self.burst_growth)
        return self._run(scaled, admitted)

    def _block(self, block: Floats) -> Floats:
        block = np.ascontiguousarray(block, dtype=np.float64)
        if not self.n_columns:
            self._begin(block.shape[1])
        if block.shape[1] != self.n_columns:
            raise ModelError(f"The model has learned from {self.n_columns} columns, and this row has {block.shape[1]}.")
        return block

    def _begin(self, n_columns: int) -> None:
        self.n_columns = n_columns
        self._count, self._mean, self._variance = np.zeros(n_columns), np.zeros(n_columns), np.zeros(n_columns)
        places = 1 << (2 * max(self.window, 1)).bit_length()
        self._cells, self._held = np.zeros((2, places), np.uint64), np.zeros((2, places), np.int64)
        self._progress = np.zeros(3, dtype=np.int64)
        self._start(n_columns)

    def _parts(self, n_rows: int) -> Iterator[slice]:
        """Cut a block where the drift detector looks, which is at fixed counts of rows whatever the blocks are."""
        at = 0
        while at < n_rows:
            end = n_rows if self._drift is None else min(n_rows, at + DRIFT_EVERY - self.rows % DRIFT_EVERY)
            yield slice(at, end)
            at = end

    def _watch(self, normality: Floats) -> None:
        self.rows += len(normality)
        if self._drift is None:
            return
        for value in normality.tolist():  # one after the other: a sum must not depend on how it is cut
            self._chunk += 0.5 - 0.5 * value / (1.0 + abs(value))
        if self.rows % DRIFT_EVERY:
            return
        mean, self._chunk = self._chunk / DRIFT_EVERY, 0.0
        if self._drift.update(mean):
            self.drifts = [*self.drifts, self.rows][-MOST_DRIFTS:]
            self._adapt()


_SHARED = ("_count", "_mean", "_variance", "_cells", "_held", "_progress")


def unit_interval(scaled: Floats, limit: float) -> Floats:
    """Return standard deviations between −`limit` and `limit` as numbers between 0 and 1."""
    return np.asarray(0.5 + scaled * (0.5 / limit))


def _declared(detector: type) -> dict[str, Parameter]:
    """Return the parameters of a detector, and those of the classes before it as far as they are handed on."""
    declared: dict[str, Parameter] = {}
    for owner in detector.__mro__:
        if "__init__" in vars(owner) and owner is not object:
            parameters = signature(vars(owner)["__init__"]).parameters.values()
            for parameter in parameters:
                if parameter.kind is Parameter.KEYWORD_ONLY:
                    declared.setdefault(parameter.name, parameter)
            if not any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters):
                break
    return declared


def check_parameters(
    detector: type, name: str, parameters: Mapping[str, object], *, where: str = "The model", more: Iterable[str] = ()
) -> None:
    """Raise RecipeError if a detector has no such parameter, nor is it one of `more`, or it makes no sense; names the nearest."""
    known = _declared(detector)
    for parameter, value in parameters.items():
        if parameter not in {*known, *more}:
            near = did_you_mean(parameter, list(known))
            raise RecipeError(f"{where} has an unknown parameter {parameter!r}: {name} does not have it.{near}")
        if detector.__module__.startswith("socml.") and parameter in known:
            _check_value(known[parameter], value, f"{where}: {parameter} of {name}")


def _check_value(parameter: Parameter, value: object, what: str) -> None:
    """Raise RecipeError if a value is not of a parameter's kind, or a number is below or above what may be."""
    kind, name = parameter.annotation, parameter.name
    if kind == "str":
        if not isinstance(value, str):
            raise RecipeError(f"{what} is {value!r}; it must be a text.")
    elif kind in ("int", "float"):
        most = MOST.get(name, 2**63 - 1 if kind == "int" else math.inf)
        is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        number = cast("float", value) if is_number else math.nan
        is_inside = (number > 0 or (number == 0 and name in MAY_BE_0)) and number <= most
        if not is_inside or (kind == "int" and number % 1) or (number == math.inf and name not in MAY_BE_ENDLESS):
            wanted = f"{'whole ' * (kind == 'int')}number, {'0 or more' if name in MAY_BE_0 else 'above 0'}"
            ends = "" if name in MAY_BE_ENDLESS else f", at most {most:,}" if most < math.inf else ", and finite"
            raise RecipeError(f"{what} is {value!r}; it must be a {wanted}{ends}.")


@njit(cache=True, nogil=True)
def running_scale(
    block: Floats, count: Floats, mean: Floats, variance: Floats, memory: float, limit: float, out: Floats
) -> None:
    """Write the scaled rows into `out` and learn each row after it was scaled.

    A value of a column that never varied is 0 when it is that column's value, else ±`limit`. One too far away to be
    squared, such as ∞, is ±`limit` and is not learned: one such value would blind its column for good.

    Parameters
    ----------
    block, out : float64 (n_rows, n_columns); NaN is missing and is not learned
    count, mean, variance : float64 (n_columns,), what was learned so far; changed in place
    memory : events that weigh; older ones fade
    limit : standard deviations at which a value is clipped
    """
    for i in range(block.shape[0]):
        for j in range(block.shape[1]):
            value = block[i, j]
            if np.isnan(value):
                out[i, j] = 0.0
                continue
            n = count[j]
            delta = value - mean[j]
            if not abs(delta) < FARTHEST:
                out[i, j] = (limit if delta > 0.0 else -limit) if n >= 2.0 else 0.0
                continue
            if n < 2.0 or delta == 0.0:
                out[i, j] = 0.0
            elif variance[j] <= 0.0:
                out[i, j] = limit if delta > 0.0 else -limit
            else:
                out[i, j] = min(max(delta / np.sqrt(variance[j]), -limit), limit)
            n = min(n, memory)
            mean[j] += delta / (n + 1.0)
            variance[j] += (delta * (value - mean[j]) - variance[j]) / (n + 1.0)
            count[j] += 1.0
