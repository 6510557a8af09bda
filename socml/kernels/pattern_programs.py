"""Regular expressions → one small program that `pattern_machine` runs over bytes, with the groups of each.

What a pattern means is what `re` says: it is parsed by `re`, and every choice is tried in its order. For lines of
printable ASCII only; of the syntax there is what patterns of log messages need (no back references, no look-behind).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Programs", "Steps", "compiled"]

MATCH, TEXT, SET, END, UNLESS, GREEDY, LAZY, SAVE, SPLIT, JUMP = range(10)
AT_END = 256  # the column of `sets` that says whether the line may end there
_MANY = 2**30
_parser: Any = import_module("re._parser")
_CLASSES: dict[str, set[int]] = {
    "DIGIT": set(range(48, 58)),
    "SPACE": {*range(9, 14), *range(28, 33)},
    "WORD": {*range(48, 58), *range(65, 91), 95, *range(97, 123)},
}
_EVERYTHING = frozenset(range(256))


class Steps(NamedTuple):
    """What the machine runs.

    Attributes
    ----------
    code : shape (n_steps, 5); a step's kind, and what it needs
    sets : shape (n_sets, 257); which bytes, and the end of the line in the last column
    texts : the literal texts, one after the other
    starts : where each pattern begins in `code`
    """

    code: NDArray[np.int32]
    sets: NDArray[np.bool_]
    texts: NDArray[np.uint8]
    starts: NDArray[np.int32]


@dataclass(frozen=True)
class Programs:
    """Patterns as one program.

    Attributes
    ----------
    first : shape (n_patterns, 257); what a text may begin with, that the pattern matches
    groups : of each pattern, name → number
    """

    steps: Steps
    first: NDArray[np.bool_]
    groups: tuple[dict[str, int], ...]


def compiled(patterns: Sequence[re.Pattern[str]]) -> Programs:
    """Return the patterns as a program.

    Raises
    ------
    NotImplementedError
        If a pattern uses what the machine does not know.

    Examples
    --------
    >>> programs = compiled([re.compile("user (?P<name>[a-z]+)")])
    >>> programs.groups, [chr(c) for c in np.flatnonzero(programs.first[0])]
    (({'name': 1},), ['u'])
    """
    writer, starts = _Writer(), []
    for pattern in patterns:
        if pattern.flags & (re.IGNORECASE | re.MULTILINE):
            raise NotImplementedError("patterns that ignore case, or are of many lines")
        starts.append(len(writer.code))
        writer.sequence(_parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))
        writer.step(MATCH)
    for step in range(len(writer.code)):
        if writer.code[step][0] in (GREEDY, LAZY):
            writer.code[step][4] = writer.set_of(writer.follow(step + 1))
    first = np.zeros((len(patterns), 257), np.bool_)
    for number, start in enumerate(starts):
        first[number, sorted(writer.follow(start))] = True
    sets = np.zeros((len(writer.sets), 257), np.bool_)
    for members, number in writer.sets.items():
        sets[number, sorted(members)] = True
    texts = np.frombuffer(bytes(writer.texts) or b"\0", np.uint8)
    return Programs(
        Steps(np.array(writer.code, np.int32), sets, texts, np.array(starts, np.int32)),
        first,
        tuple(dict(pattern.groupindex) for pattern in patterns),
    )


class _Writer:
    def __init__(self) -> None:
        self.code: list[list[int]] = []
        self.sets: dict[frozenset[int], int] = {_EVERYTHING: 0}  # set 0 is every byte
        self.texts = bytearray()

    def step(self, kind: int, *needs: int) -> int:
        """Add a step; return where it stands."""
        self.code.append([kind, *needs, *[0] * (4 - len(needs))])
        return len(self.code) - 1

    def set_of(self, members: Iterable[int]) -> int:
        """Return the number of a set."""
        return self.sets.setdefault(frozenset(members), len(self.sets))

    def sequence(self, nodes: Any) -> None:
        """Write one part after the other; letters next to each other become one text."""
        letters = bytearray()
        for kind, value in nodes:
            if str(kind) == "LITERAL" and value < 128:
                letters.append(value)
                continue
            self.text(letters)
            letters.clear()
            self.node(str(kind), value)
        self.text(letters)

    def text(self, letters: bytes | bytearray, kind: int = TEXT) -> None:
        """Write a literal text, if there is any."""
        if letters:
            self.step(kind, len(self.texts), len(letters))
            self.texts += letters

    def node(self, kind: str, value: Any) -> None:
        """Write one part of a pattern."""
        if (members := _members(kind, value)) is not None:
            self.step(SET, self.set_of(members))
        elif kind == "SUBPATTERN":
            group, added, removed, body = value
            if added or removed:
                raise NotImplementedError("flags inside a pattern")
            if group is not None:
                self.step(SAVE, 2 * group)
            self.sequence(body)
            if group is not None:
                self.step(SAVE, 2 * group + 1)
        elif kind in ("MAX_REPEAT", "MIN_REPEAT"):
            self.repeat(*value, lazy=kind == "MIN_REPEAT")
        elif kind == "BRANCH":
            self.branch(value[1])
        elif kind == "AT" and str(value) in ("AT_END", "AT_END_STRING"):
            self.step(END)
        elif kind == "ASSERT_NOT" and value[0] == 1 and all(str(k) == "LITERAL" for k, _ in value[1]):
            self.text(bytes(v for _, v in value[1]), UNLESS)
        else:
            raise NotImplementedError(f"{kind} {value}")

    def repeat(self, low: int, high: Any, body: Any, *, lazy: bool) -> None:
        """Write a part that is there `low` to `high` times."""
        high = min(int(high), _MANY)
        members = _members(str(body[0][0]), body[0][1]) if len(body) == 1 else None
        if members is not None:
            self.step(LAZY if lazy else GREEDY, self.set_of(members), low, high)
            return
        for _ in range(low):
            self.sequence(body)
        if lazy or (high - low not in (0, 1) and high != _MANY):
            raise NotImplementedError("a group repeated lazily, or up to a number of times")
        if high != low:
            choice = self.step(SPLIT)
            self.sequence(body)
            if high == _MANY:
                self.step(JUMP, choice)
            self.code[choice][1:3] = [choice + 1, len(self.code)]

    def branch(self, choices: Sequence[Any]) -> None:
        """Write alternatives, the first one first."""
        ends = []
        for choice in choices[:-1]:
            split = self.step(SPLIT)
            self.sequence(choice)
            ends.append(self.step(JUMP))
            self.code[split][1:3] = [split + 1, len(self.code)]
        self.sequence(choices[-1])
        for end in ends:
            self.code[end][1] = len(self.code)

    def follow(self, step: int) -> set[int]:
        """Return the bytes that may stand where `step` begins; AT_END if the line may end there."""
        found: set[int] = set()
        seen, waiting = set(), [step]
        while waiting:
            at = waiting.pop()
            if at in seen:
                continue
            seen.add(at)
            kind, first, second = self.code[at][:3]
            if kind == MATCH:
                return {*_EVERYTHING, AT_END}
            if kind == TEXT:
                found.add(self.texts[first])
            elif kind == END:
                found.add(AT_END)
            elif kind == SPLIT:
                waiting += [first, second]
            elif kind == JUMP:
                waiting.append(first)
            elif kind in (SET, GREEDY, LAZY):
                found |= next(members for members, number in self.sets.items() if number == first)
                waiting += [at + 1] if kind != SET and second == 0 else []
            else:
                waiting.append(at + 1)
        return found


def _members(kind: str, value: Any) -> set[int] | None:
    """Return the bytes that one part of a pattern stands for; None if it is more than one byte."""
    if kind == "ANY":
        return set(_EVERYTHING)  # a record holds no line end
    if kind == "LITERAL":
        return {value}
    if kind == "NOT_LITERAL":
        return set(_EVERYTHING) - {value}
    if kind != "IN":
        return None
    found: set[int] = set()
    negated = False
    for what, which in value:
        name = str(what)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            found.add(which)
        elif name == "RANGE":
            found |= set(range(which[0], which[1] + 1))
        elif name == "CATEGORY":
            of_class = _CLASSES[str(which).removeprefix("CATEGORY_").removeprefix("NOT_")]
            found |= set(_EVERYTHING) - of_class if "_NOT_" in str(which) else of_class
        else:
            raise NotImplementedError(f"{what} {which}")
    return set(_EVERYTHING) - found if negated else {c for c in found if c < 256}
