"""The daily list of a dataset → whom to look at today, and why: the first page."""

from __future__ import annotations

from daylist import today_view
from daylist.desk import has_list
from frame import Visit, apart, open_day_page, say_how_to_begin


def _today(visit: Visit) -> None:
    if not visit.dataset:
        say_how_to_begin(visit.say)
    elif has_list(visit):
        apart(visit, lambda: today_view(visit))


open_day_page(_today)
