"""Events → one list a day: the sources, destinations, hosts and accounts to look at, with reasons in words.

daily_list("office").of("2026-03-04")      store_day(listed, ranked)      find_attacks(listed.frame(), truth)
"""

from __future__ import annotations

from socml.daily.attacks import FoundAttacks, attack_rows, find_attacks
from socml.daily.listing import DailyList, RankedDay, daily_list
from socml.daily.stored import store_day
from socml.daily.tables import DailyTables, build_daily

__all__ = [
    "DailyList",
    "DailyTables",
    "FoundAttacks",
    "RankedDay",
    "attack_rows",
    "build_daily",
    "daily_list",
    "find_attacks",
    "store_day",
]
