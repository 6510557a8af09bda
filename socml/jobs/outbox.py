"""alerts.jsonl → the sinks: every alert arrives, in order, and none is forgotten when a sink is away.

Each sink has a cursor in `workspace/alerts/DATASET/outbox/SINK.json`: how many lines it has taken. A batch is written down
before it is sent, so that one that is sent again is the same batch with the same id, and moves the cursor once it has
arrived. What a sink refuses for good is kept in `SINK.refused.jsonl`, and holds up nothing.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import ValidationError

from socml.jobs.alerts import Alert, AlertBook
from socml.jobs.sinks._sink import Sink, Undelivered
from socml.project import (
    MARKER,
    ConfigurationError,
    Project,
    SinkSettings,
    component,
    did_you_mean,
    private_file,
    read_json,
    write_json,
)

__all__ = ["Delivery", "deliver", "make_sink", "open_cursors", "pending"]

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
    """Lines that were dealt with, and up to where the batch goes that was begun; 0 if none was."""

    done: int = 0
    until: int = 0


def make_sink(settings: SinkSettings, project: Project) -> Sink:
    """Return the sink that a section of socml.toml describes.

    Raises
    ------
    UnknownName, ConfigurationError
    """
    kind: type[Sink] = component("sinks", settings.kind)
    where = f"{project.root / MARKER}: [sinks.{settings.name}]"
    try:
        return kind(**settings.options)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise ConfigurationError(
                f"{where} has an unknown key {key!r}.{did_you_mean(key, kind.model_fields)}"
            ) from None
        raise ConfigurationError(f"{where}: {key} is wrong: {first['msg']}.") from None


def open_cursors(book: AlertBook, sinks: Sequence[SinkSettings]) -> None:
    """Have a sink that is new begin with the alerts that come from now on."""
    for sink in sinks:
        path = _cursor_path(book, sink.name)
        if not path.is_file():
            write_json(path, asdict(_Cursor(done=len(book.read()))))


def pending(book: AlertBook, name: str) -> int:
    """Return how many alerts a sink has not taken yet."""
    return len(book.read()) - _read_cursor(book, name).done


def deliver(
    book: AlertBook,
    sinks: Sequence[SinkSettings],
    project: Project,
    *,
    pauses_s: Sequence[float] = PAUSES_S,
) -> list[Delivery]:
    """Send to each sink what it has not taken. One that is away stops no other.

    Raises
    ------
    UnknownName, ConfigurationError
        If a sink is not what its kind asks for; nothing is sent then.
    """
    made = [(settings.name, make_sink(settings, project)) for settings in sinks]
    open_cursors(book, sinks)
    alerts = book.read()
    return [_deliver_to(name, sink, book, alerts, pauses_s) for name, sink in made]


def _deliver_to(name: str, sink: Sink, book: AlertBook, alerts: Sequence[Alert], pauses_s: Sequence[float]) -> Delivery:
    cursor = _read_cursor(book, name)
    sent = refused = 0
    while cursor.done < len(alerts):
        until = cursor.until or min(cursor.done + sink.batch, len(alerts))
        write_json(_cursor_path(book, name), asdict(_Cursor(cursor.done, until)))
        batch = alerts[cursor.done : until]
        try:
            gone = _send(sink, batch, pauses_s)
        except (Undelivered, ConfigurationError) as error:
            return Delivery(name, sent, refused, len(alerts) - cursor.done, str(error))
        _keep_refused(book, name, gone)
        sent, refused = sent + len(batch) - len(gone), refused + len(gone)
        cursor = _Cursor(until)
        write_json(_cursor_path(book, name), asdict(cursor))
    return Delivery(name, sent, refused, 0)


def _send(sink: Sink, batch: Sequence[Alert], pauses_s: Sequence[float]) -> list[Alert]:
    """Send a batch, some times if it has to be, and return the alerts that are refused for good.

    A batch that is refused as a whole is sent again in halves: one alert that cannot be taken keeps back no other.
    """
    try:
        _send_again(sink, batch, pauses_s)
    except Undelivered as error:
        if not error.refused:
            raise
        if len(error.refused) < len(batch) or len(batch) == 1:
            return [batch[i] for i in error.refused]
        half = len(batch) // 2
        return _send(sink, batch[:half], pauses_s) + _send(sink, batch[half:], pauses_s)
    return []


def _send_again(sink: Sink, batch: Sequence[Alert], pauses_s: Sequence[float]) -> None:
    batch_id = hashlib.blake2b("\n".join(alert.key for alert in batch).encode(), digest_size=16).hexdigest()
    for pause in (*pauses_s, None):
        try:
            sink.send(batch, batch_id)
        except Undelivered as error:
            if error.refused or pause is None:
                raise
            time.sleep(pause)
        else:
            return


def _keep_refused(book: AlertBook, name: str, gone: Sequence[Alert]) -> None:
    if gone:
        path = private_file(_cursor_path(book, name).with_name(f"{name}.refused.jsonl"))
        known = {Alert.from_dict(json.loads(line)).key for line in path.read_text(encoding="utf-8").splitlines()}
        with path.open("a", encoding="utf-8") as file:
            file.writelines(
                json.dumps(alert.to_dict(), ensure_ascii=False) + "\n" for alert in gone if alert.key not in known
            )


def _cursor_path(book: AlertBook, name: str) -> Path:
    return book.folder / "outbox" / f"{name}.json"


def _read_cursor(book: AlertBook, name: str) -> _Cursor:
    path = _cursor_path(book, name)
    return _Cursor(**read_json(path)) if path.is_file() else _Cursor()
