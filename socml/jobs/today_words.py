"""A row of the day → sentences: what it did in at most 25 words, each reason with both ranges, and what a verdict changes."""

from __future__ import annotations

from math import ceil, floor

from socml.jobs.today_rows import TodayReason, TodayRow
from socml.project import Words, visible_line
from socml.review import at_least_named, names_in_words

LONGEST = 25  # words of a row's line
_ABOUT = 60  # characters of what a value is about
_BYTES = {"rare_upload", "new_upload", "upload_1d", "taken_from_one", "taken_inside"}
_SECONDS = {"rare_long", "outside_seconds_10m", "silent_s"}
_SHARES = {"rare_agent", "rare_chain"}  # one over how many ever had it: a number says less than the sentence
# Values of which each part is divided by who else has it: there is as much, and there may be more
_LISTED = {"new_remote_edges", "new_inside_edges", "new_chains"}  # with the names of all that are counted
_DIVIDED = _LISTED | {
    "new_fingerprints", "new_server_names", "new_paths", "new_templates", "new_changes", "new_controls",
    "rare_upload", "rare_long", "hidden_characters", "new_hidden_characters",
}  # fmt: skip
_LEAST_SHARE = 0.12  # of the score, from which a second reason is told in the line


def row_in_words(row: TodayRow, say: Words) -> str:
    """Return what an entity did, the largest reason first, in at most 25 words."""
    sentences: list[str] = []
    for reason in row.reasons[:3]:
        if sentences and reason.share < _LEAST_SHARE:
            break
        sentences.append(short(reason, say))
    text = "; ".join(dict.fromkeys(sentences)) if say.language == "en" else " ; ".join(dict.fromkeys(sentences))
    words = text.split(" ")
    return text if len(words) <= LONGEST else " ".join(words[: LONGEST - 1]) + " …"


def short(reason: TodayReason, say: Words) -> str:
    """Return one reason as a phrase, with what it is about."""
    column = reason.reason.column
    counted, is_whole = _counted(reason)
    one = f"today.one.{column}"
    key = one if counted == 1 and one in say.catalogue else f"today.short.{column}"
    value = value_text(column, counted, say)
    value = value if is_whole else say("today.at_least", n=value)
    text = say(key, n=value) if key in say.catalogue else f"{visible_line(column)}: {value}"
    about = names_in_words(reason.reason.about, say, longest=_ABOUT)
    return f"{text} ({about})" if about else text


def _counted(reason: TodayReason) -> tuple[float, bool]:
    """Return how much or how many a reason tells of, and whether that is all: a sum of shares is of as many or more."""
    column, value = reason.reason.column, round(reason.reason.value, 6)
    if column not in _DIVIDED:
        return value, True
    if column in _BYTES | _SECONDS:
        return value, False
    names, are_all = at_least_named(reason.reason.about) if column in _LISTED and reason.reason.about else (0, False)
    return (names, True) if are_all else (max(ceil(value), names), False)


def usual_in_words(row: TodayRow, reason: TodayReason, say: Words) -> str:
    """Return what is usual, and for whom; empty where a range says nothing."""
    column, usual = reason.reason.column, reason.usual
    if column in _SHARES:
        return ""
    whom = say(f"today.whom.{row.role.split(' ', maxsplit=1)[0]}")
    everyone = _range(column, usual.all_low, usual.all_high, say)
    if usual.own_low is None or usual.own_high is None:
        return say("today.usual.all", all=everyone)
    if usual.own_high <= 0:
        return say("today.usual.never", whom=whom, all=everyone)
    return say("today.usual.both", whom=whom, own=_range(column, usual.own_low, usual.own_high, say), all=everyone)


def effect_in_words(row: TodayRow, verdict: str, family: str, moved: int, say: Words) -> str:
    """Return in one line what a verdict changes. `family` is empty for one on the whole row."""
    if verdict == "malicious":
        effect = say("today.effect.malicious")
    elif verdict in ("benign", "false_alarm"):
        reasons = [r for r in row.reasons if not family or r.reason.family == family][:3]
        parts = [
            say(
                "today.effect.benign_upto",
                family=say(f"daily.family.{r.reason.family}"),
                value=value_text(r.reason.column, r.reason.value, say),
            )
            for r in reasons
        ]
        effect = say("today.effect.benign", what=", ".join(parts), whom=visible_line(row.entity))
    else:
        effect = say("today.effect.unsure")
    order = say("today.effect.moved", n=moved) if moved else say("today.effect.none")
    return f"{effect} {order}"


def value_text(column: str, value: float, say: Words) -> str:
    """Return a value with its unit; a number and its unit are never parted."""
    value = round(value, 6)
    if column in _BYTES:
        return _scaled(value, ((1e9, "gb"), (1e6, "mb"), (1e3, "kb"), (1, "bytes")), say)
    if column in _SECONDS:
        return _scaled(value, ((3600, "hours"), (60, "minutes"), (1, "seconds")), say)
    if value != int(value):
        return say.number(value, 1 if value >= 10 or value * 10 == int(value * 10) else 2)
    return say.number(value)


def rarity_in_days(once_in: float, say: Words) -> str:
    """Return the days of its peers among which a row like it is seen once, rounded to one figure."""
    digits = 10 ** max(0, len(str(int(max(once_in, 1.0)))) - 1)
    return say.number(round(once_in / digits) * digits)


def _range(column: str, low: float, high: float, say: Words) -> str:
    if column in _DIVIDED - _BYTES - _SECONDS:  # of whole things, as the value beside it is told
        low, high = floor(round(low, 6)), ceil(round(high, 6))
    first, last = value_text(column, low, say), value_text(column, high, say)
    if first == last:
        return last
    if column in _BYTES | _SECONDS and low == 0:
        first = "0"
    return say("today.range", low=first, high=last)


def _scaled(value: float, units: tuple[tuple[float, str], ...], say: Words) -> str:
    for size, unit in units:
        if value >= size or unit == units[-1][1]:
            shown = value / size
            return say(
                f"today.unit.{unit}", n=say.number(shown, 0 if shown >= 10 or shown == int(shown) else 1)
            ).replace(" ", "\u00a0")
    raise AssertionError("units end with the smallest")
