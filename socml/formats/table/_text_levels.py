"""The level of a line of text → the word for it, and what stands between the line's time and its message.

In brackets or bare, behind a thread, a process or a place in the code, as a letter, as the priority of syslog, as a cell
among commas, before the time, or named (`level=warn`).
"""

from __future__ import annotations

import re

from socml.formats._stamps import Stamp
from socml.formats._values import LEVELS

__all__ = ["LEVEL_WORDS", "REDIS", "SIGNS", "behind", "level_of"]

LEVEL_WORDS = "|".join(sorted(LEVELS, key=len, reverse=True))
_LEVEL = re.compile(
    r"[\s\-|,:\[(<]*(?:#?(?P<pid>\d{1,7})(?:M|/[TF]\d{1,7})?\]? +)?[\[(<]?(?:[\w-]{1,40}[:.]|(?!(?:"
    + LEVEL_WORDS
    + r")\b)[\w-]{1,40}: )?(?P<level>"
    + LEVEL_WORDS
    + r")\b *[\])>:,|]*",
    re.IGNORECASE,
)
# One that stands behind a thread, a process or a module in brackets; in capitals, behind a name
_LATER_LEVEL = re.compile(
    r"(?:[ \t|,:-]{0,8}\[(?:(?P<pid>\d{1,7})|[^\]\n]{0,100})\]|[ \t|,:-]{0,8}\{[^}\n]{0,100}\}|[ \t]{1,4}<\d{1,9}>){1,3}[ \t|,:-]{0,8}[\[(<]?(?P<level>(?i:"
    + LEVEL_WORDS
    + r"))\b *[\])>:,|]*"
)
_NAMED_LEVEL = re.compile(
    r"(?:[ |,:-]{0,8}(?P<name>[\w.$:/@-]{1,80})){1,2}(?: {1,8}| - )(?P<level>"
    + LEVEL_WORDS.upper()
    + r")\b(?![\w/=])[\])>:,| -]*"
)
# Behind a thread in the same brackets (Minecraft); behind a process, a user and an address (PostgreSQL); a letter (Gitea)
_THREAD_LEVEL = re.compile(
    r"[ \t]{0,4}\[(?P<name>[^\]\n]{1,80}?)/(?P<level>" + LEVEL_WORDS.upper() + r")\](?: \[[^\]\n]{1,120}\])?:? ?"
)
_PEER_LEVEL = re.compile(
    r" \[(?P<pid>\d{1,9})(?:-\d{1,9})?\](?: (?P<user>[\w.-]{1,63})@(?!\d{1,3}\.\d)[\w.-]{1,63}(?= ))?(?: [\w.@\[\]():/-]{1,120}){0,3} (?P<level>"
    + LEVEL_WORDS.upper()
    + r"|LOG|STATEMENT|DETAIL|HINT): *"
)
_LETTER_LEVEL = re.compile(r"[ \t]{1,4}(?:(?P<name>[^\s\[\]]{1,120}) )?\[(?P<level>[TDIWEFC])\] ")
# Of ESXi, with the priority of syslog; of MongoDB before 4.4, with a component; of a switch, before the time
_PRIORITY_LEVEL = re.compile(
    r" (?P<level>In|No|Wa|Er|Cr|Al|Em|Db)\(\d{1,3}\) (?:(?P<name>[\w.-]{1,80})(?:\[(?P<pid>\d{1,9})\])?: )?"
)
_PRIORITY_WORDS = dict(
    zip("In No Wa Er Cr Al Em Db".split(), "info notice warning error critical alert emerg debug".split(), strict=True)
)
_PRIORITY_WORDS |= dict.fromkeys("LOG STATEMENT DETAIL HINT".split(), "info")  # of PostgreSQL
_COMPONENT_LEVEL = re.compile(r" (?P<level>[DIWEF])[1-5]? {1,3}(?P<name>[A-Z_]{1,20}) {1,9}(?=\[)")
_LETTER_BEFORE = re.compile(r"[\[(]?(?P<level>[DIWEF])[\])]? $")
# Behind a number, a thread and a unit of a process: `kid1|`, `unbound[811:0]`
_UNIT_LEVEL = re.compile(
    r" ?(?:[\w.-]{1,40}\||(?P<name>[a-z][\w.-]{1,40})\[(?P<pid>\d{1,9})(?::\d{1,6})?\]:?) (?=(?P<level>(?i:"
    + LEVEL_WORDS
    + r")): )"
)
# Behind a place in the code: `Session.cpp:5231:connect(): [ERROR]`
_PLACE_LEVEL = re.compile(
    r" (?P<name>[\w.-]{1,60}\.[a-z]{1,4}):\d{1,6}(?::[\w:~<>]{1,200}(?:\(\))?)?:? ?\[(?P<level>"
    + LEVEL_WORDS.upper()
    + r")\] ?"
)
_TWISTED_LEVEL = re.compile(r" \[(?P<name>[\w.-]{1,80})#(?P<level>debug|info|warn|error|critical)\] ")
# Behind a program with its process and thread: `- [id] idapi.exe [5368,54656] Error:`
_PROGRAM_LEVEL = re.compile(
    rf"(?:[.\d]{{0,12}} - \[[^\]\n]{{0,80}}\])? (?P<name>[\w.-]{{1,64}}) \[(?P<pid>\d{{1,9}}),\d{{1,9}}\] (?P<level>(?i:{LEVEL_WORDS})): "
)
_CELL_LEVEL = re.compile(  # of Brocade; among bars
    rf"[,|](?: ?[^,|\n]{{1,40}}[,|]){{1,5}} ?(?P<level>{LEVEL_WORDS.upper()}|(?<=\|)(?:{LEVEL_WORDS.title()}))[,|] ?"
)
_WEBSPHERE_LEVEL = re.compile(
    r" [0-9a-f]{8} (?P<name>[\w.$-]{1,40}) {1,13}(?P<level>[FEWAIOR]) {1,4}(?=[A-Z]{4,5}\d{4}[A-Z]:|[^\s])"
)
REDIS = re.compile(r"(?P<pid>\d{1,9}):[XCSM] ")  # and its signs for levels
SIGNS = {" * ": "notice", " # ": "warning", " - ": "verbose", " . ": "debug"}
_BEFORE = re.compile(rf" {{0,8}}[\[(<=]?(?P<level>{LEVEL_WORDS})\b", re.IGNORECASE)
# What a text names a level, behind its time
_KEYED = re.compile(rf"[^\n]{{0,80}}\b(?i:level|severity) ?[:=] ?[\"'\[]?(?P<level>(?i:{LEVEL_WORDS}))\b")
_BELOW = re.compile(rf"[^\n]{{0,1000}}\n(?P<level>{LEVEL_WORDS.upper()}): ")  # of java.util.logging, on its second line
_LETTERS = {"I": "INFO", "W": "WARNING", "E": "ERROR", "F": "FATAL", "D": "DEBUG", "T": "TRACE", "C": "CRITICAL"}
_LETTERS |= {"A": "INFO", "O": "INFO", "R": "INFO"}  # of WebSphere: an audit, and what a program wrote


def level_of(text: str, stamp: Stamp) -> str | None:
    """Return the level that stands after a line's time, or before it, or as the letter of glog that it begins with."""
    if text[stamp.start].isalpha() and text[stamp.start + 1].isdecimal() and text[stamp.start] in _LETTERS:
        return _LETTERS[text[stamp.start]]
    if found := behind(text, stamp.end):
        return _PRIORITY_WORDS.get(found["level"]) or _LETTERS.get(found["level"], found["level"])
    if found := _LETTER_BEFORE.fullmatch(text, 0, stamp.start):
        return _LETTERS[found["level"]]
    if REDIS.match(text, 0, stamp.start):
        return SIGNS.get(text[stamp.end : stamp.end + 3])
    if found := _BELOW.match(text, stamp.end):
        return found["level"]
    found = (_BEFORE.match(text) if stamp.start else None) or _KEYED.match(text, stamp.end)
    return found["level"] if found else None


def behind(text: str, end: int) -> re.Match[str] | None:
    """Return what stands between a line's time and its message, if it tells a level."""
    return (
        _LEVEL.match(text, end)
        or _LATER_LEVEL.match(text, end)
        or _THREAD_LEVEL.match(text, end)
        or _NAMED_LEVEL.match(text, end)
        or _PEER_LEVEL.match(text, end)
        or _LETTER_LEVEL.match(text, end)
        or _PRIORITY_LEVEL.match(text, end)
        or _COMPONENT_LEVEL.match(text, end)
        or _UNIT_LEVEL.match(text, end)
        or _PLACE_LEVEL.match(text, end)
        or _TWISTED_LEVEL.match(text, end)
        or _CELL_LEVEL.match(text, end)
        or _PROGRAM_LEVEL.match(text, end)
        or _WEBSPHERE_LEVEL.match(text, end)
    )
