"""A question that takes long → an answer later, asked once, so that no analyst waits for a model to be read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import streamlit as st

from socml.project import SocmlError

_KEPT = 5_000  # answers


@dataclass(frozen=True)
class Answer:
    """What is known of a question: still pending, or a value, or why there is none."""

    pending: bool
    value: Any = None
    error: SocmlError | None = None


class Background:
    """One worker thread. Answers are kept, the oldest dropped first."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="socml-explain")
        self._asked: dict[Hashable, Future[Any]] = {}
        self._lock = threading.Lock()

    def ask(self, question: Hashable, work: Callable[[], Any]) -> Answer:
        """Return what is known, and start `work` if nobody asked before."""
        self.start([question], work)
        answer = self.known(question)
        assert answer is not None, "it was just asked"
        return answer

    def known(self, question: Hashable) -> Answer | None:
        """Return what is known of a question; None if nobody asked it."""
        with self._lock:
            found = self._asked.get(question)
        if found is None:
            return None
        if not found.done():
            return Answer(pending=True)
        error = found.exception()
        if error is None:
            return Answer(pending=False, value=found.result())
        if isinstance(error, SocmlError):
            return Answer(pending=False, error=error)
        raise error

    def wait(self, question: Hashable, seconds: float) -> None:
        """Wait until a question is answered, `seconds` at most; one that nobody asked is not waited for."""
        with self._lock:
            found = self._asked.get(question)
        if found is not None:
            wait([found], seconds)

    def start(self, questions: Sequence[Hashable], work: Callable[[], Any]) -> None:
        """Start one `work` that answers those of `questions` that nobody asked before, if there are any."""
        with self._lock:
            new = [question for question in questions if question not in self._asked]
            if not new:
                return
            future = self._worker.submit(work)
            for question in new:
                self._asked[question] = future
            while len(self._asked) > _KEPT:
                self._asked.pop(next(iter(self._asked)))


@st.cache_resource(show_spinner=False)
def background(name: str) -> Background:
    """Return one of the process's background workers."""
    return Background()
