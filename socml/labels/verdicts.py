"""What an analyst says → a checked label, and what the store answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from socml.project import DataError, Sentence, UnknownName

VERDICTS = ("malicious", "benign", "false_alarm", "unsure", "skip")
DIRECTION = {"malicious": 1, "benign": -1, "false_alarm": -1}
"""Which way a verdict moves the ranking; a verdict that is not here does not teach."""

SEEN_LEAST_MS = 150  # about the shortest look that takes anything in; keys come faster than that only by accident
LONGEST_SEEN_MS = 2**53  # what a browser's numbers hold exactly

_TECHNIQUE = re.compile(r"T[0-9]{4}(\.[0-9]{3})?")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL refuses NUL; neither takes a lone surrogate
_LONGEST = {"row_id": 200, "client_id": 200, "by": 200, "note": 20_000}
_LONGEST_OTHERWISE = 500


@dataclass(frozen=True)
class NewLabel:
    """One verdict to be recorded.

    Parameters
    ----------
    row_id : the feature row; `event_id` if it is about one event
    verdict : malicious, benign (real, but expected), false_alarm (model or data error), unsure or skip
    client_id : made by whoever sends it, once a decision; sending it again stores nothing
    reason, family, technique, note : why; which behaviour; ATT&CK id such as T1046; free text
    by, how : who; by which way (key, click, import, replay, …)
    model_version : what had put the row before the analyst
    seen_ms : milliseconds the row was fully on screen, from `SEEN_LEAST_MS` on; None for whoever looks at no screen
    weight : 0 to 1, how much it teaches; less than 1 for suggested labels
    queue_reason, strategy : why the row was in the queue, and which strategy had put it there
    inclusion_probability : of a row that was drawn at random, 1 over the rows it was drawn from
    batch_id : labels of one action, such as a propagation or an import, to be undone together
    suggested : not looked at by anyone yet; a label that an analyst gave always stands above it
    given_at : when it was given, if another tool says so; `time` is when it was stored here

    Examples
    --------
    >>> NewLabel("r1", "malicious", client_id="a1").by
    'analyst'
    >>> NewLabel("r1", "malicious", client_id="a1", technique="scan")
    Traceback (most recent call last):
    ...
    socml.project.errors.DataError: technique is 'scan'; write an ATT&CK id such as T1046 or T1021.004.
    """

    row_id: str
    verdict: str
    client_id: str
    event_id: str | None = None
    run_id: str = ""
    dataset: str = ""
    reason: str = ""
    family: str = ""
    technique: str = ""
    note: str = ""
    by: str = "analyst"
    how: str = "api"
    model_version: str = ""
    seen_ms: int | None = None
    weight: float = 1.0
    queue_reason: str = ""
    strategy: str = ""
    batch_id: str = ""
    inclusion_probability: float | None = None
    suggested: bool = False
    given_at: datetime | None = None

    def __post_init__(self) -> None:
        """Check every field, so that nothing half-right reaches the store."""
        if self.verdict not in VERDICTS:
            raise UnknownName("verdict", str(self.verdict), VERDICTS)
        for name in ("row_id", "client_id", "by"):
            if not getattr(self, name):
                raise DataError(f"A label needs a {name}.")
        self._check_values()
        for name in _TEXT_FIELDS:
            text = getattr(self, name)
            if text is None and name == "event_id":
                continue
            if not isinstance(text, str):
                raise DataError(f"{name} is {text!r}, not text.")
            longest = _LONGEST.get(name, _LONGEST_OTHERWISE)
            if len(text) > longest:
                raise DataError(Sentence("error.label.long", field=name, count=len(text), most=longest))
            object.__setattr__(self, name, _UNSTORABLE.sub("\ufffd", text))

    def _check_values(self) -> None:
        if self.seen_ms is not None and not SEEN_LEAST_MS <= self.seen_ms <= LONGEST_SEEN_MS:
            raise DataError(
                f"seen_ms is {self.seen_ms!r}; a verdict counts for a row that was on screen for {SEEN_LEAST_MS} ms or "
                "more. Look at it and give it again; leave seen_ms out where there is no screen."
            )
        if self.technique and not _TECHNIQUE.fullmatch(self.technique):
            raise DataError(f"technique is {self.technique!r}; write an ATT&CK id such as T1046 or T1021.004.")
        if not 0 < self.weight <= 1:
            raise DataError(f"weight is {self.weight!r}; it must be above 0 and at most 1.")
        drawn = self.inclusion_probability
        if drawn is not None and not 0 < drawn <= 1:
            raise DataError(f"inclusion_probability is {drawn!r}; it must be above 0 and at most 1.")
        if self.given_at is not None and self.given_at.tzinfo is None:
            raise DataError("given_at has no time zone.")


class LabelDetails(TypedDict, total=False):
    """What may be said of a label besides row, verdict, client_id and by: the other fields of `NewLabel`."""

    event_id: str | None
    run_id: str
    dataset: str
    reason: str
    family: str
    technique: str
    note: str
    how: str
    model_version: str
    seen_ms: int | None
    weight: float
    queue_reason: str
    strategy: str
    batch_id: str
    inclusion_probability: float | None
    suggested: bool
    given_at: datetime | None


_TEXT_FIELDS = [name for name, kind in NewLabel.__annotations__.items() if kind in {"str", "str | None"}]


@dataclass(frozen=True)
class Acknowledgement:
    """What the store answers when it has a label or an undo for good.

    `stored_before` says that this `client_id` was known, and that nothing was stored now. `moved_up` and
    `moved_down` count rows among the first hundred of the ranking; they are 0 outside a `Triage`.
    """

    label_id: int
    client_id: str
    row_id: str
    verdict: str | None
    stored_before: bool
    undo_of: int | None = None
    moved_up: int = 0
    moved_down: int = 0
