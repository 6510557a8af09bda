"""A question that takes long → an answer later, asked once, so that no analyst waits for a model to be read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import streamlit as st

from socml.errors import SocmlError

_KEPT = 5_000  # answers


@dataclass(frozen=True)
class Answer:
    """What is known of a question: still pending, or a value, or why there is none."""

    pending: bool
    value: Any = None
    error: str = ""


class Background:
    """One worker thread for the process. Answers are kept, the oldest dropped first."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="socml-explain")
        self._asked: dict[Hashable, Future[Any]] = {}
        self._lock = threading.Lock()

    def ask(self, question: Hashable, work: Callable[[], Any]) -> Answer:
        """Return what is known, and start `work` if nobody asked before."""
        with self._lock:
            if question not in self._asked:
                while len(self._asked) >= _KEPT:
                    self._asked.pop(next(iter(self._asked)))
                self._asked[question] = self._worker.submit(work)
            found = self._asked[question]
        if not found.done():
            return Answer(pending=True)
        error = found.exception()
        if error is None:
            return Answer(pending=False, value=found.result())
        if isinstance(error, SocmlError):
            return Answer(pending=False, error=str(error))
        raise error


@st.cache_resource(show_spinner=False)
def background() -> Background:
    """Return the process's background worker."""
    return Background()
