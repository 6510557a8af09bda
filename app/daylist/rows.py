"""A row of the day → what the browser draws of it, all text inert and in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from addressed import link

from socml.jobs import (
    LISTED,
    DayOfEntity,
    TodayList,
    TodayReason,
    TodayRow,
    rarity_in_days,
    row_in_words,
    short,
    usual_in_words,
)
from socml.project import Words, visible_line

if TYPE_CHECKING:
    import pandas as pd

    from socml.labels import ReasonVerdict

_YOUNG = 3  # days of history below which the page says what is missing
_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
}
_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": ("janv.", "févr.", "mars", "avril", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
}


def day_text(day: date, say: Words) -> str:
    """Return a day as it is said: Tue 3 Mar 2026, mar. 3 mars 2026."""
    return f"{_DAYS[say.language][day.weekday()]} {short_day(day, say)} {day.year}"


def short_day(day: date, say: Words) -> str:
    """Return a day without its weekday and year; the first of a month in French is «1er»."""
    number = "1er" if day.day == 1 and say.language == "fr" else str(day.day)
    return f"{number} {_MONTHS[say.language][day.month - 1]}"


def row_payload(
    row: TodayRow,
    listed: TodayList,
    current: pd.DataFrame,
    judged: Mapping[tuple[str, str], ReasonVerdict],
    cases: Mapping[str, str],
    say: Words,
) -> dict[str, Any]:
    """Return one row as the component draws it."""
    rarity = rarity_in_days(row.once_in, say)
    about = {"dataset": listed.dataset, "entity": row.entity, "role": row.role, "day": str(listed.day)}
    label = current.loc[row.row_id] if row.row_id in current.index else None
    return {
        "id": row.row_id,
        "place": row.place,
        "entity": visible_line(row.entity),
        "role": row.role,
        "role_text": say(f"today.role.{row.role.replace(' ', '_')}"),
        "dots": row.dots,
        "dots_text": say("today.dots", n=row.dots, once=rarity),
        "rarity": say("today.rarity", n=rarity),
        "line": _sentence(row_in_words(row, say)) or say("today.ordinary"),
        "cause": "" if row.cause == LISTED else say(f"queue.reason.{row.cause}"),
        "new": row.is_new,
        "group": row.group,
        "owner": visible_line(row.owner),
        "peer_group": visible_line(row.peer_group),
        "watched": row.watched,
        "first_day": short_day(row.first_day, say),
        "reasons": [_reason(row, reason, say) for reason in row.reasons],
        "verdict": None
        if label is None
        else {"verdict": label["verdict"], "text": say(f"verdict.{label['verdict']}"), "by": visible_line(label["by"])},
        "judged": {family: given.verdict for (row_id, family), given in judged.items() if row_id == row.row_id},
        "before": "",
        "case": cases.get(row.row_id, ""),
        "in_case_link": link("cases", dataset=listed.dataset, case=cases.get(row.row_id, "")),
        "link": link("entity", **about),
        "case_link": link("cases", **about, row=row.row_id, new="1"),
        "rule_link": link("entity", **about, row=row.row_id, rule="1") + "#rules",
    }


def strip_payload(days: Sequence[DayOfEntity], current: pd.DataFrame, here: date, say: Words) -> list[dict[str, Any]]:
    """Return an entity's days as the bars of a strip, each with its words."""
    lines = []
    for day in days:
        verdict = current["verdict"].get(day.row_id, "") if day.row_id is not None else ""
        families = ", ".join(say(f"daily.family.{family}") for family, _ in day.families[:3])
        parts = [day_text(day.day, say), families, say(f"verdict.{verdict}") if verdict else ""]
        lines.append(
            {
                "day": str(day.day),
                "short": short_day(day.day, say),
                "dots": day.dots,
                "here": day.day == here,
                "verdict": verdict,
                "text": " · ".join(part for part in parts if part),
            }
        )
    return lines


def before_text(days: Sequence[DayOfEntity], current: pd.DataFrame, here: date, say: Words) -> str:
    """Return what was said of the entity on the last of its earlier days that was judged; empty if nothing."""
    for day in reversed(days):
        if day.day < here and day.row_id in current.index:
            label = current.loc[day.row_id]
            verdict = say(f"verdict.{label['verdict']}")
            return say("today.before.line", verdict=verdict, day=short_day(day.day, say), who=visible_line(label["by"]))
    return ""


def opinions_of(given: pd.DataFrame, say: Words) -> dict[str, str]:
    """Return row_id → who said what of it and when, the oldest first, for the rows on which people disagree.

    Parameters
    ----------
    given : what each person says of each row, as `LabelStore.by_analyst` has it; what was passed over or only suggested is no opinion
    """
    said = given[(given["verdict"] != "skip") & ~given["suggested"].astype(bool)].sort_values("time")
    split = said.groupby("row_id")["verdict"].transform("nunique") > 1
    found: dict[str, list[str]] = {}
    for label in said[split].to_dict("records"):
        words = {"who": visible_line(label["by"]), "verdict": say(f"verdict.{label['verdict']}")}
        at = f"{label['time']:{say('app.time')}}"
        found.setdefault(str(label["row_id"]), []).append(say("today.opinions.line", **words, at=at))
    return {row_id: say("today.opinions.differ", all=" · ".join(lines)) for row_id, lines in found.items()}


def false_text(listed: TodayList, say: Words) -> str:
    """Return how many rows are likely harmless, by what was judged; empty while too little was."""
    if listed.false_expected is None:
        return ""
    return say("today.false_expected.line", n=say.number(round(listed.false_expected)))


def note_of(listed: TodayList, say: Words) -> str:
    """Return what would make the list better: more days, more kinds of logs; empty if nothing lacks."""
    notes = []
    history = sum(day < listed.day for day in listed.days)
    if history < _YOUNG:
        notes.append(say("today.empty.young", n=history))
    elif listed.absent_families:
        notes.append(absent_text(listed.absent_families[:6], say))
    return " ".join(notes)


def absent_text(families: Sequence[str], say: Words) -> str:
    """Return of which families the dataset has no events."""
    return say("today.empty.absent", families=", ".join(say(f"daily.family.{family}") for family in families))


def _reason(row: TodayRow, reason: TodayReason, say: Words) -> dict[str, Any]:
    kept = reason.reason.remembered
    return {
        "family": reason.reason.family,
        "family_text": say(f"daily.family.{reason.reason.family}"),
        "column": reason.reason.column,
        "short": _sentence(short(reason, say)),
        "about": visible_line(reason.reason.about),
        "usual": usual_in_words(row, reason, say),
        "share": reason.share,
        "share_text": say("today.share", n=say.number(max(1, round(100 * reason.share)))).replace(" %", "\u00a0%"),
        "note": say(f"today.judged.{kept}") if kept else "",
    }


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
