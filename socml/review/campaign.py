"""Current labels and the ranks of a run → what the campaign has found, what is left, and how sure that is; and that in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from socml.project import Words
from socml.review.campaign_estimates import Estimate, agreement, malicious_among_open, share

TOP = 100  # rows of the model's own order of which the precision is told
RECENT = 50  # labels of the queue's top, for the present share of hits
_SIDES = {"malicious": True, "benign": False, "false_alarm": False}


@dataclass(frozen=True)
class CampaignReport:
    """What labels say of a run and of themselves. Every estimate has an interval of 95 %.

    Attributes
    ----------
    rows, labelled, malicious, suggested : counts of rows: in the run, labelled by an analyst, of these malicious,
        and only suggested so far
    audited, undecided : rows drawn at random that have a verdict; those that are unsure or skipped, left out
    left : malicious rows among those without any label
    left_suggested : malicious rows among those that are only suggested
    precision_top : share of malicious rows among the first 100 of the model's own order
    hits : share of malicious rows among the last 50 that the queue put on top (not drawn, not looked at again)
    kappa : agreement of two analysts on the same rows
    suggestions : share of suggestions that an analyst found right, among those drawn to be checked
    families : DataFrame, one row a labelled row in order: labels, families (different ones found so far)
    new_family : chance that the next malicious row is of a family not seen yet (Good and Turing)
    """

    rows: int
    labelled: int
    malicious: int
    suggested: int
    audited: int
    undecided: int
    left: Estimate
    left_suggested: Estimate
    precision_top: Estimate
    hits: Estimate
    kappa: Estimate
    suggestions: Estimate
    new_family: Estimate
    families: pd.DataFrame = field(repr=False)

    def to_dict(self) -> dict[str, object]:
        """Return it fit for JSON."""
        payload = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain = {n: v.to_dict() if isinstance(v, Estimate) else v for n, v in payload.items() if n != "families"}
        return {**plain, "families": self.families.to_dict("records")}


def campaign_report(labels: pd.DataFrame, ranks: pd.Series, *, n_rows: int | None = None) -> CampaignReport:
    """Report on the labels of one run.

    The random-audit share makes the estimates unbiased whatever the queue preferred; without it `left` and
    `precision_top` only have the bounds that are certain. Blind to what analysts get wrong together.

    Parameters
    ----------
    labels : every label that stands, in the order given: label_id, row_id, verdict, family, by, suggested,
        queue_reason, inclusion_probability
    ranks : index row_id, 1 the most anomalous, of every row of the run; with `n_rows` only those that are labelled or
        among the first 100 need be there
    n_rows : rows of the run, if `ranks` has not all
    """
    n_rows = len(ranks) if n_rows is None else n_rows
    here = labels[labels["row_id"].isin(ranks.index)].sort_values("label_id")
    given = here[~here["suggested"]]
    rows = _known_rows(given)
    pending = here[here["suggested"] & ~here["row_id"].isin(rows.index)].drop_duplicates("row_id", keep="last")
    draws = _draws(given, rows, pending)
    checked = _checked(here, rows)
    wrong_share = _wrong(pending, checked)
    queued = rows[~rows["reason"].isin(["random-audit", "second-opinion", "likely-error", "check-suggestion"])]
    recent = queued["malicious"].dropna().tail(RECENT)
    return CampaignReport(
        rows=n_rows,
        labelled=len(rows),
        malicious=int((rows["malicious"] == True).sum()),  # noqa: E712  null is not False
        suggested=len(pending),
        audited=len(draws),
        undecided=int(((rows["reason"] == "random-audit") & rows["malicious"].isna()).sum()),
        left=malicious_among_open(
            draws["open"], draws["since"], draws["malicious"], open_now=n_rows - len(rows) - len(pending)
        ),
        left_suggested=wrong_share,
        precision_top=_precision(ranks, rows, pending, draws),
        hits=share(int(recent.astype(bool).sum()), len(recent)),
        kappa=agreement(_pairs(given)),
        suggestions=share(int(checked["right"].sum()), len(checked)),
        new_family=_new_family(rows),
        families=_families(rows),
    )


def _known_rows(given: pd.DataFrame) -> pd.DataFrame:
    """Return one row a row that an analyst labelled, in the order of their first labels; the verdict is the last."""
    first = given.drop_duplicates("row_id", keep="first").set_index("row_id")
    last = given.drop_duplicates("row_id", keep="last").set_index("row_id").reindex(first.index)
    return pd.DataFrame(
        {
            "first": first["label_id"],
            "reason": first["queue_reason"].astype(object),
            "drawn_from": 1.0 / first["inclusion_probability"],
            "malicious": last["verdict"].astype(object).map(_SIDES).astype(object),
            "family": last["family"].astype(object),
        }
    )


def _draws(given: pd.DataFrame, rows: pd.DataFrame, pending: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that were drawn at random and decided: open before, found since, and what they were."""
    drawn = rows[(rows["reason"] == "random-audit") & rows["drawn_from"].notna() & rows["malicious"].notna()]
    found = np.sort(rows["first"][rows["malicious"] == True].to_numpy())  # noqa: E712
    guessed = np.sort(pending["label_id"][pending["verdict"] == "malicious"].to_numpy())
    since = [
        len(found) - np.searchsorted(found, at) + len(guessed) - np.searchsorted(guessed, at) for at in drawn["first"]
    ]
    return pd.DataFrame(
        {
            "at": drawn["first"],
            "open": drawn["drawn_from"].round(),
            "since": np.array(since, dtype=np.float64),
            "malicious": drawn["malicious"].astype(bool),
        },
        index=drawn.index,
    )


def _precision(ranks: pd.Series, rows: pd.DataFrame, pending: pd.DataFrame, draws: pd.DataFrame) -> Estimate:
    top = ranks.nsmallest(min(TOP, len(ranks))).index
    known = rows[rows.index.isin(top)]
    found = known["first"][known["malicious"] == True].to_numpy()  # noqa: E712
    left = len(top) - len(known) - int(pending["row_id"].isin(top).sum())
    inside = draws[draws.index.isin(top)]
    taken = np.sort(np.concatenate([known["first"], pending["label_id"][pending["row_id"].isin(top)]]))
    open_before = len(top) - np.searchsorted(taken, inside["at"])
    since = [int((found >= at).sum()) for at in inside["at"]]
    rest = malicious_among_open(open_before, since, inside["malicious"], open_now=left)
    value = None if rest.value is None and left else (len(found) + (rest.value or 0.0)) / max(len(top), 1)
    low, high = ((len(found) + end) / max(len(top), 1) for end in (rest.low, rest.high))
    return Estimate(None if value is None else round(value, 3), round(low, 3), round(high, 3), len(known))


def _checked(here: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the suggestions that were drawn to be checked and are decided: row_id, suggested, right."""
    suggested = here[here["suggested"]].drop_duplicates("row_id", keep="last").set_index("row_id")
    decided = rows[(rows["reason"] == "check-suggestion") & rows["malicious"].notna()]
    both = suggested.reindex(decided.index)["verdict"].astype(object).map(_SIDES)
    kept = both.notna()
    right = both[kept].astype(bool) == decided["malicious"][kept].astype(bool)
    return pd.DataFrame({"suggested": both[kept].astype(bool), "right": right.astype(bool)})


def _wrong(pending: pd.DataFrame, checked: pd.DataFrame) -> Estimate:
    """Estimate the malicious rows among pending suggestions from those that were checked, side by side."""
    value, low, high, n = 0.0, 0.0, 0.0, 0
    unknown = False
    for side, verdicts in ((True, {"malicious"}), (False, {"benign", "false_alarm"})):
        size = int(pending["verdict"].isin(verdicts).sum())
        its = checked[checked["suggested"] == side]
        malicious = int(its["right"].sum()) if side else int((~its["right"]).sum())
        found = share(malicious, len(its))
        unknown |= bool(size) and found.value is None
        value += size * (found.value or 0.0)
        low, high, n = low + size * found.low, high + size * found.high, n + len(its)
    return Estimate(None if unknown else round(value, 1), round(low, 1), round(high, 1), n)


def _pairs(given: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the verdicts of the first two analysts on each row that two have decided."""
    last = given[given["verdict"] != "skip"].drop_duplicates(["row_id", "by"], keep="last")
    pairs = [tuple(its.head(2)) for _, its in last.groupby("row_id", sort=False)["verdict"] if len(its) > 1]
    return [(str(one), str(other)) for one, other in pairs]


def _families(rows: pd.DataFrame) -> pd.DataFrame:
    named = rows["family"].where(rows["malicious"] == True)  # noqa: E712
    is_new = named.notna() & ~named.duplicated()
    return pd.DataFrame({"labels": np.arange(1, len(rows) + 1), "families": is_new.cumsum().to_numpy(dtype=int)})


def _new_family(rows: pd.DataFrame) -> Estimate:
    named = rows["family"][(rows["malicious"] == True)].dropna()  # noqa: E712
    return share(int((named.value_counts() == 1).sum()), len(named))


COUNTS = ("left", "left_suggested")
SHARES = ("precision_top", "hits", "suggestions", "new_family")


class Line(NamedTuple):
    """One figure: what it is, its value, between which numbers it lies in 95 cases of 100, and from how many labels."""

    key: str
    name: str
    value: str
    interval: str
    labels: int
    about: str


def overview(report: CampaignReport, say: Words) -> str:
    """Return the counts of a campaign in a sentence."""
    counts = {n: say.number(getattr(report, n)) for n in ("labelled", "rows", "malicious", "suggested", "audited")}
    return say("campaign.overview", **counts)


def report_lines(report: CampaignReport, say: Words) -> list[Line]:
    """Return the figures of a report in the order they matter."""
    order = ("left", "left_suggested", "precision_top", "hits", "new_family", "suggestions", "kappa")
    return [_line(name, getattr(report, name), say) for name in order]


def _line(name: str, figure: Estimate, say: Words) -> Line:
    def told(value: float) -> str:
        if name in SHARES:
            return f"{say.number(100 * value, 0 if value in {0.0, 1.0} else 1)} %"
        return say.number(value, 0 if name in COUNTS else 2).replace("-", "−")

    value = say("campaign.unknown") if figure.value is None else told(figure.value)
    interval = say("campaign.interval", low=told(figure.low), high=told(figure.high))
    return Line(name, say(f"campaign.{name}.name"), value, interval, figure.n, say(f"campaign.{name}.about"))
