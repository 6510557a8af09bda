"""Indicators and the project's services → what each service says, what was held back, and what failed; and that in words. Asks a network.

Only services that `socml.toml` names are asked, one request after the other. Answers are kept in the workspace for a day.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from socml.project import ConfigurationError, LookupService, Project, Sentence, find_project, write_json
from socml.tools.defanging import defang
from socml.tools.indicators import Indicator
from socml.tools.leaving import LONGEST, reason_to_keep
from socml.tools.services import SERVICES, Reading, request_of

if TYPE_CHECKING:
    from socml.tools.asking import NoAnswer

LIMIT_S = 10.0  # of one answer
MOST = 20  # indicators a call
KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Answer:
    """What a service says of an indicator, and when it said so (UTC)."""

    indicator: Indicator
    service: str
    reading: Reading
    time: datetime
    was_kept: bool = False  # from the workspace: nobody was asked now

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""
        row = {"kind": self.indicator.kind, "value": self.indicator.value, "service": self.service}
        return row | asdict(self.reading) | {"time": self.time.isoformat(timespec="seconds"), "was_kept": self.was_kept}


@dataclass(frozen=True)
class Held:
    """An indicator that nobody is asked about: "own", "private", "secret", "long", "too_many" or "no_service"."""

    indicator: Indicator
    reason: str


@dataclass(frozen=True)
class Failure:
    """A service that gave no answer about an indicator. `reason` is a sentence under `tools.online.failure`."""

    service: str
    reason: str
    values: dict[str, str]
    indicator: Indicator
    unasked: int = 0  # indicators that it was not asked about any more


@dataclass(frozen=True)
class Plan:
    """What a look-up would do: whom it would ask about what, what is known from the last day, and what stays here."""

    questions: list[tuple[LookupService, Indicator]] = field(default_factory=list)
    kept: list[Answer] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    @property
    def leaving(self) -> list[Indicator]:
        """The indicators that would be sent."""
        return sorted({one for _, one in self.questions})

    @property
    def hosts(self) -> dict[str, str]:
        """Where they would be sent: each service with its host."""
        services = {service.name: service.address for service, _ in self.questions}
        return {name: urlsplit(address or SERVICES[name].address).hostname or "" for name, address in services.items()}


@dataclass(frozen=True)
class OnlineLookup:
    """What came of a look-up."""

    answers: list[Answer]
    held: list[Held]
    failures: list[Failure]


def plan_lookup(
    indicators: Iterable[Indicator], *, project: Project | None = None, most: int = MOST, now: datetime | None = None
) -> Plan:
    """Return what `look_up_online` would do; nobody is asked.

    Raises
    ------
    ConfigurationError
        If the project names no service.
    """
    project, now, plan = project or find_project(), now or datetime.now(UTC), Plan()
    if not project.lookups:
        raise ConfigurationError(
            "No look-up service is configured, so nobody is asked. Add one that you have a key for to the project's "
            'socml.toml: [lookups.virustotal] with key_variable = "VT_KEY", the environment variable that holds the key. '
            f"Known: {', '.join(SERVICES)}."
        )
    services_asked = 0
    for one in sorted(set(indicators)):
        services = [service for service in project.lookups if one.kind in SERVICES[service.name].paths]
        reason = reason_to_keep(one, project.never_looked_up) or ("" if services else "no_service")
        known = (
            {} if reason else {s.name: found for s in services if (found := _kept(project, s, one, now)) is not None}
        )
        fresh = [service for service in services if service.name not in known]
        plan.kept.extend(known.values())
        if not reason and fresh and services_asked >= most:
            reason = "too_many"
        if reason:
            plan.held.append(Held(one, reason))
            continue
        services_asked += bool(fresh)
        plan.questions.extend((service, one) for service in fresh)
    plan.questions.sort(key=lambda question: project.lookups.index(question[0]))  # one service after the other
    return plan


def look_up_online(
    indicators: Iterable[Indicator], *, project: Project | None = None, most: int = MOST, limit_s: float = LIMIT_S
) -> OnlineLookup:
    """Ask the services that the project names about indicators, one request after the other.

    A service that fails is left alone for the rest of the call, and the others are asked all the same.

    Parameters
    ----------
    most : indicators that are sent, at most; those with an answer from the last day do not count
    limit_s : seconds that one answer may take

    Raises
    ------
    ConfigurationError
        If the project names no service, or no key is there for any.
    """
    project = project or find_project()
    plan = plan_lookup(indicators, project=project, most=most)
    keys = {service.name: os.environ.get(service.key_variable, "").strip() for service in project.lookups}
    if plan.questions and not any(keys.values()):
        wanted = ", ".join(service.key_variable for service in project.lookups)
        raise ConfigurationError(Sentence("error.tools.no_key", variables=wanted))
    _forget_old(project)
    answers, failures, given_up = list(plan.kept), [], dict[str, Failure]()
    for service, one in plan.questions:
        if (before := given_up.get(service.name)) is not None:
            given_up[service.name] = replace(before, unasked=before.unasked + 1)
            continue
        from socml.tools.asking import NoAnswer

        try:
            answers.append(_asked(project, service, one, keys[service.name], limit_s))
        except NoAnswer as error:
            failure = _failure(service, one, error, keys[service.name])
            if error.is_final:
                given_up[service.name] = failure
            else:
                failures.append(failure)
    answers.sort(key=lambda answer: (answer.indicator, answer.service))
    return OnlineLookup(answers, plan.held, [*failures, *given_up.values()])


def _asked(project: Project, service: LookupService, one: Indicator, key: str, limit_s: float) -> Answer:
    from socml.tools.asking import NoAnswer, ask, usable_key

    how, now = SERVICES[service.name], datetime.now(UTC)
    if not usable_key(key):
        raise NoAnswer("no_key" if not key else "bad_key")
    if (until := _pause(project, service, now)) is not None:
        raise NoAnswer("pause", until=until)
    url, body = request_of(how, one, service.address)
    try:
        private = service.private_address
        found = ask(url, body, {how.header: key}, limit_s=limit_s, silent=how.silent, private_address=private)
    except NoAnswer as error:
        if error.until is not None:
            write_json(_pause_path(project, service), error.until.isoformat())
        raise
    reading = Reading.of_nothing(how.link(one)) if found is None else how.read(one, found)
    if reading is None:
        raise NoAnswer("other_form", is_final=False)
    reading = _without(key, reading)
    write_json(_path(project, service, one), {"time": now.isoformat(), "reading": asdict(reading)})
    return Answer(one, service.name, reading, now)


def _failure(service: LookupService, one: Indicator, error: NoAnswer, key: str) -> Failure:
    values = {"variable": service.key_variable, **error.values}
    if error.until is not None:
        values["until"] = f"{error.until:%Y-%m-%d %H:%M:%S} UTC"
    return Failure(service.name, error.reason, {name: _hidden(key, text) for name, text in values.items()}, one)


def _without(key: str, reading: Reading) -> Reading:
    """Return a reading in which the service does not repeat the key."""
    facts = {name: _hidden(key, text) for name, text in reading.facts.items()}
    return replace(reading, score=_hidden(key, reading.score), facts=facts, link=_hidden(key, reading.link))


def _hidden(key: str, text: str) -> str:
    return text.replace(key, "…") if key else text


def _folder(project: Project) -> Path:
    return project.workspace / "lookups"


def _path(project: Project, service: LookupService, one: Indicator) -> Path:
    name = "\n".join((service.name, service.address, one.kind, one.value)).encode("utf-8", "replace")
    return _folder(project) / f"{service.name}-{hashlib.blake2b(name, digest_size=16).hexdigest()}.json"


def _pause_path(project: Project, service: LookupService) -> Path:
    return _folder(project) / f"{service.name}-pause.json"


def _kept(project: Project, service: LookupService, one: Indicator, now: datetime) -> Answer | None:
    try:
        found = json.loads(_path(project, service, one).read_bytes())
        time, reading = datetime.fromisoformat(found["time"]), Reading(**found["reading"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    is_recent = time.tzinfo is not None and timedelta(0) <= now - time < KEPT_FOR
    return Answer(one, service.name, reading, time, was_kept=True) if is_recent else None


def _pause(project: Project, service: LookupService, now: datetime) -> datetime | None:
    """Return until when a service does not want to be asked, None if it may be."""
    try:
        until = datetime.fromisoformat(json.loads(_pause_path(project, service).read_bytes()))
        return until if now < until <= now + KEPT_FOR else None
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def _forget_old(project: Project) -> None:
    """Delete the answers of earlier days."""
    before = datetime.now(UTC).timestamp() - KEPT_FOR.total_seconds()
    for path in _folder(project).glob("*.json"):
        try:
            if path.stat().st_mtime < before:
                path.unlink()
        except OSError:
            continue  # another process was faster


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
