"""A tab that was closed gives its events back; one that was only reloaded keeps them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from app_pages import APP


@pytest.fixture
def closing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pytest.importorskip("streamlit")
    monkeypatch.syspath_prepend(str(APP))
    yield import_module("labelling.closing")
    for name in [name for name in sys.modules if name.partition(".")[0] == "labelling"]:
        del sys.modules[name]


class Desk:
    left = 0

    def leave(self) -> None:
        self.left += 1


def test_a_closed_tab_leaves_once_and_an_open_one_stays(closing: Any) -> None:
    tabs, gone, here = closing.OpenTabs(), Desk(), Desk()
    tabs.opened("a", gone)
    tabs.opened("b", here)
    for _ in range(10):
        tabs.look({"b"})
    assert (gone.left, here.left) == (1, 0)
    assert tabs.sessions() == ["b"]


def test_a_tab_that_comes_back_in_time_keeps_its_events(closing: Any) -> None:
    tabs, desk = closing.OpenTabs(), Desk()
    tabs.opened("a", desk)
    looks = int(closing.AWAY_S / closing.LOOK_S)
    for _ in range(3):
        for _ in range(looks - 1):
            tabs.look(set())
        tabs.look({"a"})
    assert desk.left == 0
    for _ in range(looks):
        tabs.look(set())
    assert desk.left == 1
