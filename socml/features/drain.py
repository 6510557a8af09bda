"""Messages, one after the other → templates: a message joins the template that most of its words agree with.

Drain, a tree of fixed depth: by the number of words, then by the first words, then the nearest of the templates there. A
word in which two messages of a template differ becomes a parameter. Blind to messages that vary in their number of
words, which become several templates, and to the order: an early message shapes the template that later ones join.

References
----------
P. He, J. Zhu, Z. Zheng, M. R. Lyu (2017), «Drain: An Online Log Parsing Approach with Fixed Depth Tree», ICWS.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

PARAMETER = "<*>"
_MASK = re.compile(
    r"""
    (?<![\w.-])(?:
        (?:[0-9]{1,3}\.){3}[0-9]{1,3}(?:[:/][0-9]+)?                         # IPv4, with port or prefix
      | (?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?:%\w+)?                  # IPv6, MAC
      | [0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}                 # UUID
      | 0x[0-9a-fA-F]+
      | [0-9]+(?:[.,:/-][0-9]+)*(?:[kKMGT]?i?[bB]|ms|us|ns|s|%)?             # numbers, times, sizes
      | [0-9a-fA-F]*[0-9][0-9a-fA-F]{7,}                                     # hashes
    )(?![\w-])
  | (?<=[A-Za-z]_)-?[0-9]{3,}(?![\w])                                        # blk_-123456
    """,
    re.VERBOSE,
)
_LONGEST = 4096  # characters of a message that are looked at
_REMEMBERED = 50_000  # masked messages whose template is known without a search


@dataclass
class Template:
    """One template: its words, and how many messages have it."""

    words: list[str]
    count: int = 0
    code: int = 0

    @property
    def text(self) -> str:
        """Return the template as it is written, parameters as <*>."""
        return " ".join(self.words)

    @property
    def id(self) -> str:
        """Return the template's name: 8 hexadecimal digits of its text."""
        return hashlib.blake2b(self.text.encode(), digest_size=4).hexdigest()

    @property
    def parameters(self) -> int:
        """Return how many of its words hold a parameter."""
        return sum(PARAMETER in word for word in self.words)


@dataclass
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    templates: list[Template] = field(default_factory=list)


class Drain:
    """Learns templates from messages.

    Parameters
    ----------
    similarity : share of words that must agree for a message to join a template, 0 to 1
    depth : words from the start by which templates are sorted
    children : most different words at one place of the tree; the others count as a parameter
    most : most templates; after that every message joins the nearest, or the one for all others

    Examples
    --------
    >>> drain = Drain()
    >>> for name in ("ann", "bob", "eve"):
    ...     template = drain.learn(f"session opened for user {name} by (uid=0)")
    >>> template.text, template.count, template.parameters
    ('session opened for user <*> by (uid=<*>)', 3, 2)
    """

    def __init__(self, *, similarity: float = 0.4, depth: int = 2, children: int = 100, most: int = 20_000) -> None:
        self._similarity, self._depth, self._children, self._most = similarity, depth, children, most
        self._by_length: dict[int, _Node] = {}
        self._known: dict[str, Template] = {}
        self.templates: list[Template] = []

    def learn(self, message: str) -> Template:
        """Return the template that a message has, which may be new."""
        text = masked(message[:_LONGEST])
        template = self._known.get(text)
        if template is None:
            template = self._search(text.split())
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[text] = template
        template.count += 1
        return template

    def _search(self, words: list[str]) -> Template:
        node = self._by_length.setdefault(len(words), _Node())
        for word in words[: self._depth]:
            node = self._child(node, PARAMETER if any(c.isdigit() for c in word) or PARAMETER in word else word)
        best, similarity = self._nearest(node.templates, words)
        if best is not None and similarity >= self._similarity:
            best.words = [w if w == seen else PARAMETER for w, seen in zip(words, best.words, strict=True)]
            return best
        if len(self.templates) >= self._most:
            return best or self._rest()
        template = Template(words, code=len(self.templates))
        self.templates.append(template)
        node.templates.append(template)
        return template

    def _child(self, node: _Node, word: str) -> _Node:
        child = node.children.get(word)
        if child is None:
            if len(node.children) >= self._children:
                word = PARAMETER
            child = node.children.setdefault(word, _Node())
        return child

    def _nearest(self, templates: list[Template], words: list[str]) -> tuple[Template | None, float]:
        """Return the template with most words in common; of equals the one with most parameters."""
        best, found = None, (-1.0, -1)
        for template in templates:
            same = parameters = 0
            for word, seen in zip(words, template.words, strict=True):
                if seen == PARAMETER:
                    parameters += 1
                same += word == seen
            rank = (same / len(words) if words else 1.0, parameters)
            if rank > found:
                best, found = template, rank
        return best, found[0]

    def _rest(self) -> Template:
        if self.templates[-1].words != [PARAMETER]:
            self.templates.append(Template([PARAMETER], code=len(self.templates)))
        return self.templates[-1]


def masked(message: str) -> str:
    """Return the message with its obvious parameters as <*>.

    Examples
    --------
    >>> masked("Failed password for root from 10.0.0.9 port 4242 ssh2")
    'Failed password for root from <*> port <*> ssh2'
    >>> masked("Received block blk_-1608999687919862906 of size 91178 from /10.250.10.6")
    'Received block blk_<*> of size <*> from /<*>'
    """
    return _MASK.sub(PARAMETER, message)
