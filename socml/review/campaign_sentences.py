"""A campaign's report → its figures as lines of words, for a page or a terminal."""

from __future__ import annotations

from typing import NamedTuple

from socml.project import Words
from socml.review.campaign import CampaignReport
from socml.review.campaign_estimates import Estimate

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
