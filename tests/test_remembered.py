"""What is remembered of texts from logs is bounded in characters, not only in number."""

from __future__ import annotations

import tracemalloc

import pytest

from socml.formats import _addresses, _field_names, _guess, _maps, _sentinel
from socml.formats.host import _syslog_messages

MEGABYTE = 1_000_000
LONG = 100_000


@pytest.mark.parametrize(
    "ask",
    [
        _addresses.address,
        _syslog_messages.writer_of,
        _syslog_messages.address_of,
        _sentinel._entra_name,
        _maps._plain,
        _guess._outcome_of_kind,
        lambda text: _field_names.guess((text, f"user_{text}")),
        lambda text: _field_names.guess(tuple(f"{text[-5:]}.{n}.client.ip" for n in range(1000))),
    ],
    ids=[
        "address",
        "writer",
        "address of a message",
        "column of Entra",
        "field of a map",
        "outcome",
        "names",
        "many names",
    ],
)
def test_a_hundred_long_texts_are_not_kept(ask) -> None:
    ask("warm")
    tracemalloc.start()
    for n in range(100):
        ask("x" * LONG + f"{n:05}")
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 8 * MEGABYTE, "100 texts of 100,000 characters are 10 MB"
