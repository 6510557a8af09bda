"""Messages of events → the template of each, how rare it is, and its parameters: what a feature set of text is made of.

The templates of a dataset are learned from all of its messages, program by program, in the order of the events. The
same events give the same templates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from socml.features.drain import Drain, Template

if TYPE_CHECKING:
    import pyarrow.dataset as ds

COLUMNS = ["event_id", "process_name", "message", "raw"]


def event_templates(events: pa.Table | ds.Dataset) -> pa.Table:
    """Return one row an event that has a text: what its message (or, without one, its raw record) is an instance of.

    Parameters
    ----------
    events : an Arrow table or dataset with the columns event_id, process_name, message and raw

    Returns
    -------
    Table with
    event_id
    template_id : 8 hexadecimal digits of the program and the template's text
    template : the text, parameters as <*>
    template_events : events of the dataset that have it
    template_surprise : bits, −log2 of their share
    template_parameters : words of it that vary
    words : words of the message's template

    Examples
    --------
    >>> table = pa.table({"event_id": ["a", "b", "c"], "process_name": ["su"] * 3, "raw": [""] * 3,
    ...                   "message": ["session opened for ann", "session opened for bob", "crash"]})
    >>> round(event_templates(table).to_pylist()[2]["template_surprise"], 3)
    1.585
    >>> event_templates(table)["template"].to_pylist()
    ['session opened for <*>', 'session opened for <*>', 'crash']
    """
    drains: dict[str, Drain] = {}
    learned: dict[int, Template] = {}
    programs: dict[int, str] = {}
    ids: list[pa.Array] = []
    instances: list[np.ndarray] = []
    chosen = events.select(COLUMNS) if isinstance(events, pa.Table) else events.scanner(columns=COLUMNS)
    for batch in chosen.to_batches():
        codes = []
        columns = (batch.column(name).to_pylist() for name in COLUMNS[1:])
        for program, message, raw in zip(*columns, strict=True):
            name = program or ""
            template = drains.setdefault(name, Drain()).learn(message or raw or "")
            key = id(template)
            learned[key], programs[key] = template, name
            codes.append(key)
        ids.append(batch.column("event_id"))
        instances.append(np.array(codes, np.int64))
    if not ids:
        return _table(pa.array([], pa.string()), np.array([], np.int64), [], [])
    keys, codes_of = np.unique(np.concatenate(instances), return_inverse=True)
    found = [learned[int(key)] for key in keys]
    return _table(pa.concat_arrays(ids), codes_of, found, [programs[int(key)] for key in keys])


def _table(ids: pa.Array, codes: np.ndarray, found: Iterable[Template], programs: list[str]) -> pa.Table:
    templates = list(found)
    counts = np.bincount(codes, minlength=len(templates)).astype(np.float64)
    with np.errstate(divide="ignore"):
        surprise = -np.log2(counts / max(counts.sum(), 1))
    names = [
        hashlib.blake2b(f"{program}\0{t.text}".encode(), digest_size=4).hexdigest()
        for program, t in zip(programs, templates, strict=True)
    ]
    by_template = {
        "template_id": pa.array(names, pa.string()),
        "template": pa.array([t.text for t in templates], pa.string()),
        "template_events": pa.array(counts),
        "template_surprise": pa.array(surprise),
        "template_parameters": pa.array([float(t.parameters) for t in templates], pa.float64()),
        "words": pa.array([float(len(t.words)) for t in templates], pa.float64()),
    }
    rows = pa.array(codes)
    return pa.table({"event_id": ids, **{name: column.take(rows) for name, column in by_template.items()}})
