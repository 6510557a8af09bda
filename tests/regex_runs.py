"""A regular expression → why its matcher may take more than linear time, told from its tree and not from a clock.

Python's matcher backtracks: on a text it does not match, it tries every run of the pattern's automaton. So its time is
linear only where the number of runs over a text stays bounded. It grows without bound if there are a text and two
different loops such that the text leads from the first to itself, from the first to the second, and from the second to
itself (A. Weber, H. Seidl, «On the degree of ambiguity of finite automata», 1991); and explodes if a text leads from a
loop to itself on two ways. A search is a match after a loop over any text.

A bounded repetition counts as two of its body: it makes the time a constant times longer. What stands before or after
(`\\b`, lookarounds) is taken to be true, so the answer errs towards "may". A loop behind which nothing can fail is never
tried again, and does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

__all__ = ["runs_away"]

# all that a pattern tells apart: Latin-1, and a letter, digit, space, sign and cased letter beyond
_LETTERS = [*map(chr, range(256)), "Ж", "ж", "漢", "٣", "\u2003", "—", "ſ", "\u212a"]
_ALL = (1 << len(_LETTERS)) - 1
_LINE_END = 1 << _LETTERS.index("\n")
_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d", sre.CATEGORY_NOT_DIGIT: r"\D", sre.CATEGORY_SPACE: r"\s", sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w", sre.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
_MANY = 500  # sets of states that are looked at
_TOLD_APART = (re.IGNORECASE | re.DOTALL | re.ASCII).value  # flags that change which letters a place takes
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)


@cache
def _letters_of(kind: Any, what: Any, flags: int) -> int:
    """Return the letters that one place of a pattern takes."""
    return sum(1 << i for i, letter in enumerate(_LETTERS) if _is_one(kind, what, letter, flags))


def _is_one(kind: Any, what: Any, letter: str, flags: int) -> bool:
    if flags & re.IGNORECASE.value:
        return any(_holds(kind, what, form, flags) for form in {letter, letter.lower(), letter.upper()})
    return _holds(kind, what, letter, flags)


def _holds(kind: Any, what: Any, letter: str, flags: int) -> bool:
    if kind is sre.ANY:
        return bool(flags & re.DOTALL.value) or letter != "\n"
    if kind is sre.LITERAL:
        return letter == chr(what)
    if kind is sre.NOT_LITERAL:
        return letter != chr(what)
    if kind is sre.RANGE:
        return what[0] <= ord(letter[0]) <= what[1] and len(letter) == 1
    if kind is sre.CATEGORY:
        return re.match(_CATEGORIES[what], letter, flags & re.ASCII.value) is not None
    items = [item for item in what if item[0] is not sre.NEGATE]
    return any(_holds(*item, letter, flags) for item in items) != (len(items) < len(what))


@dataclass(frozen=True)
class _Step:
    """A way from one place to the next that takes no letter; the next letter must be one of `allowed`."""

    to: int
    allowed: int = _ALL
    at_start: bool = False  # open only before the first letter


@dataclass
class _Machine:
    """Nodes, the steps between them, and at some nodes the letters that lead to the next node."""

    flags: int
    known: int  # letters that there are
    steps: list[list[_Step]] = field(default_factory=list)
    takes: dict[int, tuple[int, int]] = field(default_factory=dict)  # node → letters, next node
    widths: dict[int, tuple[int, int]] = field(default_factory=dict)  # group → its fewest and most letters

    def node(self) -> int:
        self.steps.append([])
        return len(self.steps) - 1

    def add(self, tree: Any, start: int) -> int:
        """Add a sequence after `start`; return the node behind it."""
        for kind, what in tree:
            start = self._part(kind, what, start)
        return start

    def _part(self, kind: Any, what: Any, start: int) -> int:  # noqa: C901, PLR0911 — one line a kind of node
        if kind in (sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY):
            end = self.node()
            self.takes[start] = (self._letters(kind, what), end)
            here = self.node()  # a node that takes a letter has no other way out
            self.steps[end].append(_Step(here))
            return here
        if kind in _REPEATS:
            return self._repeat(kind, what, start)
        if kind is sre.SUBPATTERN:
            self.widths[what[0]] = what[3].getwidth()
            return self.add(what[3], start)
        if kind is sre.GROUPREF and self.widths[what] == (1, 1):
            return self._part(sre.IN, [(sre.NEGATE, None)], start)
        if kind is sre.ATOMIC_GROUP:
            return self.add(what, start)
        if kind is sre.BRANCH:
            end = self.node()
            for branch in what[1]:
                self._link(self.add(branch, self._after(start)), end)
            return end
        if kind in (sre.ASSERT, sre.ASSERT_NOT):
            if what[0] > 0:  # ahead: its own runs, which lead nowhere
                self.add(what[1], self._after(start))
            return self._after(start)
        if kind is sre.AT:
            return self._position(what, start)
        raise NotImplementedError(f"{kind} in a pattern")

    def _position(self, what: Any, start: int) -> int:
        end = self.node()
        if what is sre.AT_BEGINNING_STRING or (what is sre.AT_BEGINNING and not self.flags & re.MULTILINE):
            self.steps[start].append(_Step(end, at_start=True))
        elif what is sre.AT_END:
            self.steps[start].append(_Step(end, _LINE_END))
        else:
            self.steps[start].append(_Step(end, 0 if what is sre.AT_END_STRING else _ALL))
        return end

    def _repeat(self, kind: Any, what: Any, start: int) -> int:
        low, high, body = what
        for _ in range(min(low, 2)):
            start = self.add(body, self._after(start))
        end = self.node()
        if high is sre.MAXREPEAT:
            first, loop = self._after(start), self.node()  # apart, as the loop may be left and come to anew
            self._link(self.add(body, first), loop)
            self._link(loop, first)
            self._link(start, end)
            behind = _ALL & ~self._single(body) if kind is sre.POSSESSIVE_REPEAT else _ALL
            self.steps[loop].append(_Step(end, behind))
            return end
        self._link(start, end)
        for _ in range(min(high - low, 2)):
            start = self.add(body, self._after(start))
            self._link(start, end)
        return end

    def _single(self, body: Any) -> int:
        """Return the letters of a body that is one letter; none of another, about which nothing is known."""
        kind, what = body[0]
        is_one = len(body) == 1 and kind in (sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY)
        return self._letters(kind, what) if is_one else 0

    def _after(self, start: int) -> int:
        end = self.node()
        self._link(start, end)
        return end

    def _link(self, start: int, end: int) -> None:
        self.steps[start].append(_Step(end))

    def _letters(self, kind: Any, what: Any) -> int:
        flags = int(self.flags)
        return self.known & _letters_of(kind, tuple(what) if isinstance(what, list) else what, flags & _TOLD_APART)


def runs_away(pattern: re.Pattern[Any], *, is_search: bool, to_end: bool = False, is_line: bool = False) -> str:
    """Return why matching may take more than linear time; nothing if it is linear.

    Parameters
    ----------
    is_search : whether it is tried at every place of a text
    to_end : whether it must match to the end of the text (`fullmatch`)
    is_line : whether there is no line end in the text

    Examples
    --------
    >>> runs_away(re.compile("(a+)+$"), is_search=False)
    "two ways around a loop over 'a'"
    >>> runs_away(re.compile("[a-z ]* *x"), is_search=False)
    "two loops over ' '"
    >>> runs_away(re.compile("[a-z ]*+ *x"), is_search=False)
    ''
    >>> runs_away(re.compile(r" +$"), is_search=True)
    "a search with a loop over ' '"
    >>> runs_away(re.compile(r" +"), is_search=True)
    ''
    """
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    flags = pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, str) else pattern.flags | re.ASCII
    machine = _Machine(flags, _ALL & ~_LINE_END if is_line else _ALL)
    start = machine.node()
    end = machine.add(_parser.parse(text, flags), start)
    if to_end:
        machine.steps[end].append(_Step(machine.node(), 0))
        end = len(machine.steps) - 1
    return _Runs(machine, start, end, is_search=is_search).why()


class _Runs:
    """The machine as an automaton whose states are the nodes that take a letter; −1 is the loop of a search."""

    def __init__(self, machine: _Machine, start: int, end: int, *, is_search: bool) -> None:
        self.machine, self.end = machine, end
        self.letters = {node: letters for node, (letters, _) in machine.takes.items()}
        self.next: dict[int, list[tuple[int, int]]] = {}  # state → (letters, the next state), one for each way
        self.finish: dict[int, int | None] = {}  # state → letters before which the pattern may end behind it
        for node, (_, behind) in machine.takes.items():
            self.next[node], self.finish[node] = self._ways(behind)
        if is_search:
            self.letters[-1] = machine.known
            self.next[-1] = [(machine.known, -1), *self._ways(start)[0]]
        self.kinds = self._kinds()
        self.options: dict[tuple[int, int | None], list[list[int]]] = {}
        self.groups = self._groups()
        self.ends = {state for state in self.groups if state >= 0 and self._cannot_fail(state)}

    def _ways(self, node: int) -> tuple[list[tuple[int, int]], int | None]:
        """Return each way to a state that takes the next letter, and before which letters the pattern may end here."""
        ways: list[tuple[int, int]] = []
        finish: int | None = None

        def walk(at: int, allowed: int, passed: frozenset[int]) -> None:
            nonlocal finish
            if at == self.end:
                finish = (finish or 0) | allowed
            if at in self.machine.takes:
                both = allowed & self.machine.takes[at][0]
                if both:
                    ways.append((both, at))
            for step in self.machine.steps[at]:
                if step.to not in passed and not step.at_start:
                    walk(step.to, allowed & step.allowed, passed | {step.to})

        walk(node, _ALL, frozenset({node}))
        return ways, finish

    def _cannot_fail(self, state: int) -> bool:
        """Return whether the pattern matches whatever comes behind a state."""
        seen, waiting = {frozenset({state})}, [frozenset({state})]
        while waiting:
            states = waiting.pop()
            ends = [self.finish[s] for s in states if self.finish[s] is not None]
            if not ends or len(seen) > _MANY:
                return False  # the text may end here
            for kind in self.kinds:
                if not any(end is not None and end & kind for end in ends):
                    then = frozenset(to for s in states for letters, to in self.next[s] if letters & kind)
                    if not then:
                        return False
                    if then not in seen:
                        seen.add(then)
                        waiting.append(then)
        return True

    def _kinds(self) -> list[int]:
        """Return letters that no state tells apart, each group once, by one of them."""
        masks = [letters for ways in self.next.values() for letters, _ in ways]
        masks += [finish for finish in self.finish.values() if finish is not None]
        seen: dict[tuple[bool, ...], int] = {}
        for i in range(len(_LETTERS)):
            if not self.machine.known >> i & 1:
                continue
            seen.setdefault(tuple(bool(mask >> i & 1) for mask in masks), 1 << i)
        return list(seen.values())

    def _groups(self) -> dict[int, int]:
        """Return for each state that lies on a loop which states lie on loops with it."""
        reach = {state: self._reached(state) for state in self.next}
        self.reach = reach
        names: dict[int, int] = {}
        for state in self.next:
            if state in reach[state]:
                names[state] = min(other for other in reach[state] if state in reach[other])
        return names

    def _reached(self, state: int) -> set[int]:
        found: set[int] = set()
        waiting = [state]
        while waiting:
            for _, to in self.next[waiting.pop()]:
                if to not in found:
                    found.add(to)
                    waiting.append(to)
        return found

    def why(self) -> str:
        """Return what `runs_away` returns."""
        for state in self.groups:
            if self._two_ways_around(state):
                return f"two ways around a loop over {self._said(state)}"
        for first in self.groups:
            for second in self.groups:
                known = first == second or second in self.ends or second not in self.reach[first]
                if not known and self._leads_on(first, second):
                    if first == -1:
                        return f"a search with a loop over {self._said(second)}"
                    return f"two loops over {self._said(second)}"
        return ""

    def _said(self, state: int) -> str:
        letters = self.letters[state]
        shown = [letter for i, letter in enumerate(_LETTERS) if letters >> i & 1]
        return repr(min(shown, key=lambda letter: (not letter.isalnum(), not letter.isprintable(), letter)))

    def _moves(self, states: tuple[int, ...], groups: tuple[int | None, ...]) -> Iterator[tuple[int, ...]]:
        """Yield where several runs can be after one more letter that all take; each stays in its group, if it has one."""
        options = [self._options(state, group) for state, group in zip(states, groups, strict=True)]
        for each in zip(*options, strict=True):
            yield from product(*each)

    def _options(self, state: int, group: int | None) -> list[list[int]]:
        """Return for each kind of letter where a run can be behind it."""
        if (state, group) not in self.options:
            self.options[state, group] = [
                [
                    to
                    for letters, to in self.next[state]
                    if letters & kind and (group is None or self.groups.get(to) == group)
                ]
                for kind in self.kinds
            ]
        return self.options[state, group]

    def _two_ways_around(self, state: int) -> bool:  # noqa: C901 — there and back again
        group = self.groups[state]
        for letters, to in self.next[state]:
            same = [w for w, other in self.next[state] if other == to and w & letters]
            if len(same) > 1 and self.groups.get(to) == group:
                return True
        seen, waiting = set(), [(state, state)]
        apart = False
        while waiting:
            now = waiting.pop()
            for then in self._moves(now, (group, group)):
                if then not in seen:
                    seen.add(then)
                    waiting.append(then)
                    apart |= then[0] != then[1]
        if not apart:
            return False
        # from a pair that went apart back to the pair that is one
        back: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
        for now in seen | {(state, state)}:
            for then in self._moves(now, (group, group)):
                back.setdefault(then, set()).add(now)
        found, waiting = set(), [(state, state)]
        while waiting:
            for before in back.get(waiting.pop(), ()):
                if before not in found:
                    found.add(before)
                    waiting.append(before)
        return any(a != b for a, b in found & seen)

    def _leads_on(self, first: int, second: int) -> bool:
        """Return whether one text leads from the first to itself and to the second, and from the second to itself."""
        groups = (self.groups[first], None, self.groups[second])
        goal = (first, second, second)
        seen, waiting = {(first, first, second)}, [(first, first, second)]
        while waiting:
            for then in self._moves(waiting.pop(), groups):
                if then == goal:
                    return True
                if then not in seen and second in self.reach[then[1]] | {then[1]}:
                    seen.add(then)
                    waiting.append(then)
        return False
