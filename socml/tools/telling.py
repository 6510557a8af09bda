"""What came of asking services, or would → rows and lines in the analyst's language, defanged."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from socml.tools.defanging import defang
from socml.tools.indicators import Indicator
from socml.tools.leaving import LONGEST
from socml.tools.online import MOST, Answer, Failure, Held, Plan
from socml.tools.services import SERVICES

_NAMED = 20  # indicators that a line names
_Say = Callable[..., str]


def answer_rows(answers: Iterable[Answer], say: _Say) -> list[dict[str, str]]:
    """Return a row an answer, by column name: indicator, service, verdict, score, detail, time asked, link."""
    return [{say(f"tools.online.{name}"): text for name, text in _row(answer, say).items()} for answer in answers]


def lines_of(failures: Iterable[Failure], held: Iterable[Held], say: _Say, *, most: int = MOST) -> list[str]:
    """Return what failed, and what was held back and why, a line each."""
    lines = [_failed(failure, say) for failure in failures]
    by_reason: dict[str, list[Indicator]] = {}
    for one in held:
        by_reason.setdefault(one.reason, []).append(one.indicator)
    return lines + [
        say(f"tools.online.held.{reason}", names=_names(found), most=most) for reason, found in by_reason.items()
    ]


def lines_of_plan(plan: Plan, say: _Say) -> list[str]:
    """Return which indicators would leave the machine, and to where, a line a service."""
    if not plan.questions:
        return [say("tools.online.nothing_leaves")]
    lines = [say("tools.online.leaving", n=len(plan.leaving))]
    for name, host in plan.hosts.items():
        sent = [one for service, one in plan.questions if service.name == name]
        lines.append(
            say("tools.online.to", service=SERVICES[name].title, host=host, names=_names(sent, len(sent), LONGEST))
        )
    return lines


def _row(answer: Answer, say: _Say) -> dict[str, str]:
    reading = answer.reading
    when = "when_kept" if answer.was_kept else "when_now"
    return {
        "indicator": defang(answer.indicator.value),
        "service": SERVICES[answer.service].title,
        "verdict": say(f"tools.online.says.{reading.verdict}"),
        "score": reading.score,
        "detail": say(f"tools.online.about.{reading.about}", **reading.facts),
        "time": say(f"tools.online.{when}", time=f"{answer.time:%Y-%m-%d %H:%M}"),
        "link": reading.link,
    }


def _failed(failure: Failure, say: _Say) -> str:
    values: dict[str, object] = {"service": SERVICES[failure.service].title, **failure.values}
    sentence = say(f"tools.online.failure.{failure.reason}", **values)
    return f"{sentence} {say('tools.online.unasked', n=failure.unasked)}" if failure.unasked else sentence


def _names(found: list[Indicator], most: int = _NAMED, longest: int = 200) -> str:
    named = ", ".join(
        defang(one.value if len(one.value) <= longest else f"{one.value[:longest]}…") for one in found[:most]
    )
    return f"{named}, … ({len(found)})" if len(found) > most else named
