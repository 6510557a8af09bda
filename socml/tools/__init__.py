"""A piece of text that an analyst has at hand → what is in it. Only `look_up_online` asks a network, and only if configured.

defang(text)      decode(text)      find_indicators(text)      hash_bytes(data)      triage_mail(data)      look_up(found, lists)
look_up_online(found)
"""

from __future__ import annotations

from socml.tools.decoding import Step, decode
from socml.tools.defanging import defang, refang
from socml.tools.hashing import hash_bytes, hash_file, kind_of_hash
from socml.tools.indicators import Indicator, find_indicators
from socml.tools.lists import Hit, look_up
from socml.tools.mail import MailTriage, triage_mail
from socml.tools.online import OnlineLookup, Plan, look_up_online, plan_lookup
from socml.tools.telling import answer_rows, lines_of, lines_of_plan

__all__ = [
    "Hit",
    "Indicator",
    "MailTriage",
    "OnlineLookup",
    "Plan",
    "Step",
    "answer_rows",
    "decode",
    "defang",
    "find_indicators",
    "hash_bytes",
    "hash_file",
    "kind_of_hash",
    "lines_of",
    "lines_of_plan",
    "look_up",
    "look_up_online",
    "plan_lookup",
    "refang",
    "triage_mail",
]
