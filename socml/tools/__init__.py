"""A piece of text that an analyst has at hand → what is in it. Offline: nothing here asks a network.

defang(text)      decode(text)      find_indicators(text)      hash_bytes(data)      triage_mail(data)      look_up(found, lists)
"""

from __future__ import annotations

from socml.tools.decoding import Step, decode
from socml.tools.defanging import defang, refang
from socml.tools.hashing import hash_bytes, hash_file, kind_of_hash
from socml.tools.indicators import Indicator, find_indicators
from socml.tools.lists import Hit, look_up
from socml.tools.mail import MailTriage, triage_mail

__all__ = [
    "Hit",
    "Indicator",
    "MailTriage",
    "Step",
    "decode",
    "defang",
    "find_indicators",
    "hash_bytes",
    "hash_file",
    "kind_of_hash",
    "look_up",
    "refang",
    "triage_mail",
]
