"""alerts.jsonl → the sinks: every alert arrives, in order, and none is forgotten when a sink is away.

Each sink has a cursor in `workspace/alerts/DATASET/outbox/SINK.json`: how many lines it has taken. A batch is written down
before it is sent, so that one that is sent again is the same batch with the same id, and moves the cursor once it has
arrived. What a sink refuses for good is kept in `SINK.refused.jsonl`, and holds up nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from socml.jobs.alerts import Alert, AlertBook, add_alerts
from socml.jobs.sinks._sink import Sink, Undelivered
from socml.project import (
    MARKER,
    ConfigurationError,
    Project,
    SinkSettings,
    checked,
    component,
    first_line,
    one_at_a_time,
    read_json,
    visible_line,
    write_json,
)

PAUSES_S = (0.5, 2.0)  # before a batch is tried again at once; after that the next run tries


@dataclass(frozen=True)
class Delivery:
    """What became of a sink's alerts: taken and refused in this run, and how many wait; `error` says why they do."""

    sink: str
    sent: int
    refused: int
    waiting: int
    error: str = ""

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class _Cursor:
    """Lines that were dealt with, and up to where the batch goes that was begun; 0 if none was.

    `last` is the key of the last that was dealt with; empty if there is none, or an earlier socml wrote this.
    """

    done: int = 0
    until: int = 0
    last: str = ""


def make_sink(settings: SinkSettings, project: Project) -> Sink:
    """Return the sink that a section of socml.toml describes.

    Raises
    ------
    UnknownName, ConfigurationError
    """
    kind: type[Sink] = component("sinks", settings.kind)
    where = f"{project.root / MARKER}: [sinks.{settings.name}]"
    return checked(kind, settings.options, where, show=False)


def open_cursors(book: AlertBook, sinks: Sequence[SinkSettings]) -> None:
    """Have a sink that is new begin with the alerts that come from now on."""
    for sink in sinks:
        path = _cursor_path(book, sink.name)
        if not path.is_file():
            alerts = book.read()
            write_json(path, asdict(_Cursor(len(alerts), last=alerts[-1].key if alerts else "")))


def pending(book: AlertBook, name: str) -> int:
    """Return how many alerts a sink has not taken yet; none if it is new, for it begins with those that come."""
    if not _cursor_path(book, name).is_file():
        return 0
    alerts = book.read()
    return len(alerts) - _read_cursor(book, name, alerts).done


def deliver(
    book: AlertBook, sinks: Sequence[SinkSettings], project: Project, *, pauses_s: Sequence[float] = PAUSES_S
) -> list[Delivery]:
    """Send to each sink what it has not taken. One that is away stops no other; two that deliver take turns.

    Raises
    ------
    UnknownName, ConfigurationError
        If a sink is not what its kind asks for; nothing is sent then.
    """
    made = [(settings.name, make_sink(settings, project)) for settings in sinks]
    with one_at_a_time(book.folder / "outbox" / "lock"):
        open_cursors(book, sinks)
        alerts = book.read()
        return [_deliver_to(name, sink, book, alerts, pauses_s) for name, sink in made]


def _deliver_to(name: str, sink: Sink, book: AlertBook, alerts: Sequence[Alert], pauses_s: Sequence[float]) -> Delivery:
    cursor = _read_cursor(book, name, alerts)
    sent = refused = 0
    said: dict[str, None] = {}
    while cursor.done < len(alerts):
        until = min(cursor.until or cursor.done + sink.batch, len(alerts))
        write_json(_cursor_path(book, name), asdict(replace(cursor, until=until)))
        batch = alerts[cursor.done : until]
        try:
            gone = _send(sink, batch, pauses_s, said)
        except (Undelivered, ConfigurationError) as error:
            return Delivery(name, sent, refused, len(alerts) - cursor.done, str(error))
        if gone:
            add_alerts(_cursor_path(book, name).with_name(f"{name}.refused.jsonl"), gone)
        sent, refused = sent + len(batch) - len(gone), refused + len(gone)
        cursor = _Cursor(until, last=batch[-1].key)
        write_json(_cursor_path(book, name), asdict(cursor))
    return Delivery(name, sent, refused, 0, "; ".join(said))


def _send(sink: Sink, batch: Sequence[Alert], pauses_s: Sequence[float], said: dict[str, None]) -> list[Alert]:
    """Send a batch, some times if it has to be, and return the alerts that are refused for good; add to `said` what it says.

    A batch that is refused as a whole is sent again in halves: one alert that cannot be taken keeps back no other.
    """
    try:
        said |= dict.fromkeys(filter(None, [_send_again(sink, batch, pauses_s)]))
    except Undelivered as error:
        if not error.refused:
            raise
        if len(error.refused) < len(batch) or len(batch) == 1:
            return [batch[i] for i in error.refused]
        half = len(batch) // 2
        return _send(sink, batch[:half], pauses_s, said) + _send(sink, batch[half:], pauses_s, said)
    return []


def _send_again(sink: Sink, batch: Sequence[Alert], pauses_s: Sequence[float]) -> str:
    batch_id = hashlib.blake2b("\n".join(alert.key for alert in batch).encode(), digest_size=16).hexdigest()
    for pause in pauses_s:
        try:
            return _sent(sink, batch, batch_id)
        except Undelivered as error:
            if error.refused:
                raise
            time.sleep(pause)
    return _sent(sink, batch, batch_id)


def _sent(sink: Sink, batch: Sequence[Alert], batch_id: str) -> str:
    """Send a batch once. Whatever else a sink raises holds up its own alerts, and no other sink's."""
    try:
        return sink.send(batch, batch_id) or ""
    except (Undelivered, ConfigurationError):
        raise
    except Exception as error:
        raise Undelivered(f"{type(error).__name__}: {visible_line(first_line(error))}") from error


def _cursor_path(book: AlertBook, name: str) -> Path:
    return book.folder / "outbox" / f"{name}.json"


def _read_cursor(book: AlertBook, name: str, alerts: Sequence[Alert]) -> _Cursor:
    """Return how far a sink is. If alerts.jsonl was cut or restored, by the alert it was at; all are new if that is gone."""
    path = _cursor_path(book, name)
    cursor = _Cursor(**read_json(path)) if path.is_file() else _Cursor()
    last = alerts[cursor.done - 1].key if 0 < cursor.done <= len(alerts) else ""
    if last == (cursor.last or last) and (last or not cursor.done):
        return cursor
    at = next((i for i, alert in enumerate(alerts, 1) if alert.key == cursor.last), 0)
    return _Cursor(at, last=cursor.last if at else "")
