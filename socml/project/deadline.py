"""What may be kept waiting by another machine → its result, or `TimeoutError` when its time is over; and no redirect, no flood."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar
from urllib.request import HTTPRedirectHandler

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.error import HTTPError

T = TypeVar("T")
_PIECE = 1 << 16


class NoRedirect(HTTPRedirectHandler):
    """A server that sends elsewhere is not followed: what is sent goes where it was said to, and nowhere else."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow nothing."""


def first_bytes(answer: HTTPResponse | HTTPError, most: int, gone: threading.Event) -> bytes:
    """Return the first bytes of an answer, `most` of them, until nobody waits for them (`gone`, see `within`)."""
    found = b""
    while len(found) < most and not gone.is_set() and (piece := answer.read1(min(_PIECE, most - len(found)))):
        found += piece
    return found


def within(seconds: float, do: Callable[[threading.Event], T]) -> T:
    """Return what `do` returns, and raise what it raises.

    A socket's time limit is one for each read: who sends a byte a second never exceeds it. So `do` runs in a thread of its
    own. One that is late is left alone, and the event that it was given says that nobody waits any more.

    Raises
    ------
    TimeoutError
        If it takes longer.

    Examples
    --------
    >>> within(10, lambda gone: gone.is_set())
    False
    """
    outcome: SimpleQueue[tuple[T | None, Exception | None]] = SimpleQueue()
    gone = threading.Event()

    def run() -> None:
        try:
            outcome.put((do(gone), None))
        except Exception as error:  # whatever it is, the one who waits gets it
            outcome.put((None, error))

    threading.Thread(target=run, daemon=True, name="within").start()
    try:
        found, failure = outcome.get(timeout=seconds)
    except Empty:
        gone.set()
        raise TimeoutError(f"it took longer than {seconds:g} s") from None
    if failure is not None:
        raise failure from None
    return found  # type: ignore[return-value]  # of type T, as nothing failed
