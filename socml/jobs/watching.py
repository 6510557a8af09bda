"""Files that grow, and a syslog address → the same lists and alerts as a night makes, every minute, of the day so far.

Each round is a night that lists the day that is not over too: what was read and ranked before is not read or ranked again,
and what was told is not told again. After it, online models score each event that came, and learn it. So it can be killed at any moment, and the next watch, or night, goes on from there.
Blind to what needs a whole day: the checks of a day's volume and hours wait until it is over.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from socml.ingestion import listen
from socml.jobs.alerts import AlertBook
from socml.jobs.night_run import Night, nightly
from socml.jobs.night_state import NightReport
from socml.jobs.outbox import deliver
from socml.jobs.watching_online import score_new_events
from socml.models import make_online
from socml.project import Project, SocmlError, TryLater, dataset_names, find_project, night_settings


@dataclass(frozen=True)
class Watched:
    """What a watch did: rounds, events read from files, alerts told, rows online models scored, rounds that had to wait."""

    rounds: int = 0
    added: int = 0
    alerts: int = 0
    scored: int = 0
    waited: int = 0


def watch(
    dataset: str,
    *,
    project: Project | None = None,
    night: Night | None = None,
    online: Sequence[str] = (),
    every: float = 60.0,
    seconds: float | None = None,
    address: str = "",
    any_address: bool = False,
    stop: threading.Event | None = None,
    on_round: Callable[[NightReport], None] | None = None,
    on_ready: Callable[[str, int], None] | None = None,
) -> Watched:
    """Follow a dataset until `seconds` have passed, `stop` is set, SIGTERM or Ctrl-C; the round that runs then is the last.

    Parameters
    ----------
    night : how each round is done; the day that is not over is listed whatever it says
    online : recipes of online models that score each event as it comes, and learn it (`score_new_events`)
    every : seconds from the begin of one round to that of the next
    address : receive syslog there too, as udp://127.0.0.1:5514
    on_round : called with what a round did
    on_ready : called with address and port, once messages can be sent

    Raises
    ------
    ConfigurationError, UnknownName, DataError, ModelError
        As `nightly`, `listen` and `score_new_events` do. That another night is running is no error: the round is done later.
    """
    project, night, stop = project or find_project(), night or Night(), stop or threading.Event()
    for model in online:
        make_online(model, [], project=project)  # one that is none is told now
    end = None if seconds is None else time.monotonic() + seconds
    done = Watched()
    with _listening(address, dataset, project, any_address, stop, on_ready) as failed, _until_signal(stop):
        while not failed:
            began = time.monotonic()
            done, report = _round(done, dataset, online, project, night, may_be_new=bool(address))
            if report and on_round:
                on_round(report)
            if stop.is_set() or (end is not None and began >= end) or failed:
                break
            pause = began + every - time.monotonic()
            stop.wait(max(0.0, pause if end is None else min(pause, end - time.monotonic())))
    if failed:
        raise failed[0]
    return done


def _round(
    done: Watched, dataset: str, online: Sequence[str], project: Project, night: Night, *, may_be_new: bool
) -> tuple[Watched, NightReport | None]:
    """Do what is new once; None if another night is running, or a new dataset that is listened to has no message yet."""
    done = replace(done, rounds=done.rounds + 1)
    if may_be_new and dataset not in {*night_settings(project).sources, *dataset_names(project)}:
        return done, None
    try:
        report = nightly(dataset, project=project, night=replace(night, today=True, now=datetime.now(UTC)))
    except TryLater:
        return replace(done, waited=done.waited + 1), None
    done = replace(done, added=done.added + report.added, alerts=done.alerts + report.alerts)
    return _score_online(done, dataset, online, project, send=night.send), report


def _score_online(done: Watched, dataset: str, online: Sequence[str], project: Project, *, send: bool) -> Watched:
    """Have the online models score what came; send what they tell."""
    settings = night_settings(project)
    rounds = [score_new_events(dataset, model, project=project, settings=settings.nightly) for model in online]
    alerts = sum(one.alerts for one in rounds)
    if alerts and send and settings.sinks:
        deliver(AlertBook(project, dataset), settings.sinks, project)
    return replace(done, alerts=done.alerts + alerts, scored=done.scored + sum(one.rows for one in rounds))


@contextmanager
def _listening(
    address: str,
    dataset: str,
    project: Project,
    any_address: bool,
    stop: threading.Event,
    on_ready: Callable[[str, int], None] | None,
) -> Iterator[list[SocmlError]]:
    """Receive in a thread of its own meanwhile; yield a list that holds why it ended, should it end early.

    It yields once messages can be sent, or cannot: an address that is wrong is told before anything is done.
    """
    failed: list[SocmlError] = []
    ended, settled = threading.Event(), threading.Event()

    def ready(host: str, port: int) -> None:
        if on_ready:
            on_ready(host, port)
        settled.set()

    def receive() -> None:
        try:
            listen(address, dataset=dataset, project=project, any_address=any_address, stop=ended, on_ready=ready)
        except SocmlError as error:
            failed.append(error)
            stop.set()
        finally:
            settled.set()

    receiver = threading.Thread(target=receive, daemon=True)
    if address:
        receiver.start()
        settled.wait()
    try:
        yield failed
    finally:
        ended.set()
        if address:
            receiver.join()


@contextmanager
def _until_signal(stop: threading.Event) -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and the end of the terminal set `stop`; only a program's main thread can ask for that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
