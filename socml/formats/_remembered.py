"""What was worked out of a text from a log is remembered, of short texts alone: memory is bounded, whatever a log holds."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

R = TypeVar("R")
LONGEST = 256  # characters of a text that is remembered


def remembered(most: int) -> Callable[[Callable[[str], R]], Callable[[str], R]]:
    """Return a decorator: results for the `most` last texts are kept; what is longer than `LONGEST` is worked out each time.

    Examples
    --------
    >>> calls = []
    >>> see = remembered(2)(lambda text: calls.append(len(text)))
    >>> [see(text) for text in ("a", "a", "b" * 257, "b" * 257)], calls
    ([None, None, None, None], [1, 257, 257])
    """

    def decorate(function: Callable[[str], R]) -> Callable[[str], R]:
        kept = lru_cache(most)(function)

        def asked(text: str) -> R:
            return kept(text) if len(text) <= LONGEST else function(text)

        asked.__doc__ = function.__doc__
        return asked

    return decorate
