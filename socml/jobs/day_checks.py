"""The profile of a day and those of the days before → what is wrong with the day's logs, a sentence each.

Nothing is compared before there is history. Names of columns and sources come from logs: who prints them makes them
visible.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from statistics import median

from socml.jobs.day_profile import ColumnProfile, DayProfile, SourceProfile
from socml.project import CheckSettings

UNIT_RATIOS = (300.0, 3_000.0)  # a change by a thousand, by what is usual from day to day
MOST_TOLD = 5  # columns of one source that are told of
LEAST_ROWS = 20  # rows of a source from which its columns and its volume are compared
LEAST_ALIKE = 2  # days of the same kind (working days, weekends) from which hours and volume are compared
_SATURDAY = 5
RARE = 0.02  # share of a source's rows below which a column may come and go


@dataclass(frozen=True)
class Problem:
    """What is wrong. `check` is one of `socml.project.CHECKS`; `n` is how many values that was seen on."""

    check: str
    day: str
    subject: str
    text: str
    n: int = 0
    effect: float | None = None

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return asdict(self)


def problems_of(today: DayProfile, before: Sequence[DayProfile], settings: CheckSettings) -> list[Problem]:
    """Return what is wrong with a day's logs, beside the days before; `before` is in order, the latest last."""
    past = list(before)[-settings.history_days :]
    if len(past) < settings.least_days:
        return []
    found: list[Problem] = []
    for name in sorted({*today.sources, *(source for day in past for source in day.sources)}):
        known = [day.sources[name] for day in past if name in day.sources]
        if len(known) < settings.least_days:
            continue  # a source that is new, or comes now and then
        now = today.sources.get(name)
        if now is None:
            if len(known) * 2 > len(past) and any(name in day.sources for day in past[-2:]):
                text = f"no event, and {_number(median(of.rows for of in known))} on a usual day"
                found.append(Problem("silent-source", today.day, name, text, len(known)))
            continue
        alike = [day.sources[name] for day in past if name in day.sources and _is_weekend(day) == _is_weekend(today)]
        if len(alike) >= LEAST_ALIKE:
            found += _silence(today.day, name, now, alike, settings)
            found += _volume(today.day, name, now, alike, settings)
        if now.rows >= LEAST_ROWS:
            found += _schema(today.day, name, now, known, alike)
    return found


def _is_weekend(profile: DayProfile) -> bool:
    return date.fromisoformat(profile.day).weekday() >= _SATURDAY


def _silence(
    day: str, name: str, now: SourceProfile, known: list[SourceProfile], settings: CheckSettings
) -> Iterator[Problem]:
    usual_last, usual_first = median(of.last for of in known), median(of.first for of in known)
    if usual_last - now.last > settings.silent_h * 3600:
        text = f"no event after {_clock(now.last)}, and until {_clock(usual_last)} on a usual day"
        yield Problem("silent-source", day, name, text, len(known))
    elif now.first - usual_first > settings.silent_h * 3600:
        text = f"no event before {_clock(now.first)}, and from {_clock(usual_first)} on a usual day"
        yield Problem("silent-source", day, name, text, len(known))


def _volume(
    day: str, name: str, now: SourceProfile, known: list[SourceProfile], settings: CheckSettings
) -> Iterator[Problem]:
    usual = median(of.rows for of in known)
    if max(usual, now.rows) < LEAST_ROWS:
        return
    least, most = min(of.rows for of in known), max(of.rows for of in known)
    ratio = now.rows / usual if usual else float("inf")
    more = ratio > settings.volume_ratio and now.rows > 1.5 * most
    fewer = ratio < 1 / settings.volume_ratio and now.rows < least / 1.5
    if more or fewer:
        text = f"{now.rows:,} events, {_times(ratio)} the {_number(usual)} of a usual day"
        yield Problem("volume", day, name, text, len(known))


def _schema(
    day: str, name: str, now: SourceProfile, known: list[SourceProfile], alike: list[SourceProfile]
) -> Iterator[Problem]:
    changes: dict[str, list[str]] = {"schema": [], "units": []}
    for column in sorted({*now.columns, *(c for of in known for c in of.columns)}):
        here = now.columns.get(column)
        told = _gone(column, now, alike) if here is None else _column(column, here, now, known)
        for check, text in told:
            changes[check].append(text)
    for check, texts in changes.items():
        more = f" and {len(texts) - MOST_TOLD} more" if len(texts) > MOST_TOLD else ""
        if texts:
            yield Problem(check, day, name, "; ".join(texts[:MOST_TOLD]) + more, now.rows)


def _gone(name: str, now: SourceProfile, alike: list[SourceProfile]) -> Iterator[tuple[str, str]]:
    """Tell of a column without a value, beside days of the same kind: at a weekend nobody may do what fills it."""
    seen = [of.columns[name] for of in alike if name in of.columns]
    if len(alike) < LEAST_ALIKE or len(seen) < len(alike):
        return
    share = sum(of.n for of in seen) / sum(of.rows for of in alike)
    if share * now.rows >= LEAST_ROWS / 2 and share >= RARE:
        yield "schema", f"column {name} is gone (it had a value in {share:.0%} of the rows)"


def _column(
    name: str, here: ColumnProfile, now: SourceProfile, known: list[SourceProfile]
) -> Iterator[tuple[str, str]]:
    seen = [of.columns[name] for of in known if name in of.columns]
    if not seen:
        if here.n >= RARE * now.rows:
            yield "schema", f"column {name} is new ({here.n:,} of {now.rows:,} rows)"
        return
    kinds = {of.type for of in seen}
    if len(kinds) == 1 and here.type not in kinds and here.n >= LEAST_ROWS / 2:
        yield "schema", f"column {name} is {here.type}, and was {kinds.pop()}"
        return
    medians = [of.median for of in seen if of.median]
    if here.median and len(medians) >= 3 and here.n >= LEAST_ROWS:
        usual, widest = median(medians), max(medians) / min(medians)
        ratio = max(here.median / usual, usual / here.median)
        if UNIT_RATIOS[0] <= ratio <= UNIT_RATIOS[1] and widest < UNIT_RATIOS[0] / 10:
            way = "×" if here.median > usual else "÷"
            text = (
                f"the median of {name} is {_number(here.median)}, and was {_number(usual)}: another unit ({way} 1,000)?"
            )
            yield "units", text


def _clock(seconds: float) -> str:
    minutes = int(min(max(seconds, 0), 86_399)) // 60
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _times(ratio: float) -> str:
    return f"{ratio:,.1f} ×" if ratio >= 0.1 else f"{ratio:.1%} of"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
