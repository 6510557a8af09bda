"""A verdict on one reason of a row («the scan is ours, the SSH is not») → what the daily list learns of that family alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from socml.labels.journal import Journal
from socml.labels.verdicts import DIRECTION, VERDICTS
from socml.project import DataError, Sentence, UnknownName


@dataclass(frozen=True)
class ReasonVerdict:
    """A verdict as it stands on one family of a row."""

    row_id: str
    family: str
    verdict: str
    by: str
    client_id: str
    time: datetime


class ReasonVerdicts:
    """The verdicts on reasons of one store.

    Examples
    --------
    >>> from socml.labels import LabelStore
    >>> with LabelStore("sqlite://") as store:
    ...     said = store.reasons.give("r1", "scan", "benign", by="ana", client_id="a", dataset="d")
    ...     before = dict(store.reasons.current(dataset="d"))
    ...     store.reasons.undo("a", by="ana", client_id="b")
    ...     [v.verdict for v in before.values()], store.reasons.current(dataset="d")
    (['benign'], {})
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def give(
        self,
        row_id: str,
        family: str,
        verdict: str,
        *,
        by: str,
        client_id: str,
        dataset: str,
        seen_ms: int | None = None,
    ) -> ReasonVerdict:
        """Store a verdict on one family of a row; the last of a family stands."""
        if verdict not in VERDICTS:
            raise UnknownName("verdict", verdict, VERDICTS)
        body = {"family": family, "verdict": verdict, "seen_ms": seen_ms}
        entry = self._journal.add("reason.judged", row_id, body, by=by, client_id=client_id, dataset=dataset)
        return ReasonVerdict(row_id, family, verdict, by, client_id, entry.time)

    def undo(self, of_client_id: str, *, by: str, client_id: str) -> None:
        """Take one's own verdict back.

        Raises
        ------
        DataError
            If there is none, or it is another's.
        """
        given = next((e for e in self._journal.entries("reason.judged") if e.client_id == of_client_id), None)
        if given is None or given.by != by:
            raise DataError(Sentence("error.label.no_reason", verdict=of_client_id, by=by))
        body = {"undo_of": of_client_id}
        self._journal.add("reason.undone", given.subject, body, by=by, client_id=client_id, dataset=given.dataset)

    def current(self, *, dataset: str = "") -> Mapping[tuple[str, str], ReasonVerdict]:
        """Return (row_id, family) → the verdict that stands."""
        entries = self._journal.entries("reason.", dataset=dataset)
        undone = {entry.body.get("undo_of") for entry in entries if entry.kind == "reason.undone"}
        found: dict[tuple[str, str], ReasonVerdict] = {}
        for entry in entries:
            if entry.kind == "reason.judged" and entry.client_id not in undone:
                family, verdict = str(entry.body["family"]), str(entry.body["verdict"])
                found[entry.subject, family] = ReasonVerdict(
                    entry.subject, family, verdict, entry.by, entry.client_id, entry.time
                )
        return found

    def directions(self, *, dataset: str) -> dict[tuple[str, str], bool]:
        """Return (row_id, family) → whether it is malicious, of the verdicts that teach."""
        current = self.current(dataset=dataset)
        return {key: DIRECTION[v.verdict] > 0 for key, v in current.items() if v.verdict in DIRECTION}
