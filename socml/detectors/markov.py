"""Sequences of tokens → how surprising each one's steps are after the tokens before them, in bits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from socml.project import Interval, StrOptions

if TYPE_CHECKING:
    from sklearn.utils import Tags

__all__ = ["Markov"]

MIX = np.uint64(0x9E3779B97F4A7C15)  # an odd number close to 2^64 / golden ratio: spreads keys over 64 bits
START, END = "\x02start", "\x03end"
BLOCK = 20_000  # sequences that are scored at a time
GROUPINGS = 100  # ways in which sequences are grouped by the steps they share


class Markov(BaseEstimator):
    """An n-gram model: how unlikely each token is after those before it, smoothed by shorter contexts.

    Reads sequences, not a numeric matrix: system calls of a process, event types of a session, characters of a
    parameter. A step's surprise is −log2 of its probability under interpolated absolute discounting; the score
    is what its most surprising steps add up to, so that a short oddity in a long sequence is not drowned.

    Blind to how long a step took, to what repeats after more than `order` tokens, and to an odd sequence of which
    there were many in training.

    Parameters
    ----------
    order : tokens in an n-gram: a step is judged by `order` − 1 tokens before it
    tokens : "words" (between blanks) or "characters": what a sequence that is given as text consists of
    discount : taken off every count, 0 to 1; 1 makes a step that came once as unlikely as one that never came
    worst : how many of the most surprising steps count, over as many; 0: the mean of all

    Attributes
    ----------
    vocabulary_ : int, number of different tokens seen, the end of a sequence among them
    keys_, counts_ : list of ndarray: hashes of the n-grams of each length from 1, ascending, and how often each came
    contexts_, totals_, followers_ : list of ndarray
        Hashes of the contexts of each length from 0, how often each came, and how many different tokens followed it.

    References
    ----------
    S. Forrest, S. Hofmeyr, A. Somayaji, T. Longstaff (1996), «A Sense of Self for Unix Processes», IEEE S&P,
    doi:10.1109/SECPRI.1996.502675. S. F. Chen, J. Goodman (1999), «An empirical study of smoothing techniques for
    language modeling», Computer Speech and Language 13

    Examples
    --------
    >>> sequences = ["open read close"] * 9 + ["open write close"] * 9
    >>> detector = Markov().fit(sequences)
    >>> detector.score_samples(["open read close", "close open", "open exec close"]).round(1).tolist()
    [-0.1, -2.2, -1.5]
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "order": [Interval(Integral, 1, 16, closed="both")],
        "tokens": [StrOptions({"words", "characters"})],
        "discount": [Interval(Real, 0, 1, closed="right")],
        "worst": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, *, order: int = 3, tokens: str = "words", discount: float = 0.9, worst: int = 10) -> None:
        self.order = order
        self.tokens = tokens
        self.discount = discount
        self.worst = worst

    def fit(self, X: Iterable[str | Sequence[object]], y: object = None) -> Markov:
        """Count the n-grams of X: n_samples sequences, each a text or a list of tokens; `y` is ignored.

        Raises
        ------
        ValueError
            If there is no sequence, or X is a matrix of numbers.
        """
        self._validate_params()
        sequences = _split(X, self.tokens)
        if not sequences:
            raise ValueError("There are no sequences: nothing can be learnt of what is usual.")
        tokens, offsets = _flat(sequences)
        self.vocabulary_ = len(np.unique(tokens))
        self.keys_, self.counts_ = [], []
        self.contexts_, self.totals_, self.followers_ = [], [], []
        for context, gram in self._grams(tokens, offsets):
            keys, first, counts = np.unique(gram, return_index=True, return_counts=True)
            contexts, where = np.unique(context[first], return_inverse=True)
            self.keys_.append(keys)
            self.counts_.append(counts.astype(np.float64))
            self.contexts_.append(contexts)
            self.totals_.append(np.bincount(where.ravel(), weights=counts))
            self.followers_.append(np.bincount(where.ravel()).astype(np.float64))
        return self

    def score_samples(self, X: Iterable[str | Sequence[object]]) -> np.ndarray:
        """Return minus the surprise of each sequence's worst steps, shape (n_samples,), in bits: higher is more NORMAL."""
        check_is_fitted(self, "keys_")
        sequences = _split(X, self.tokens)
        blocks = (sequences[at : at + BLOCK] for at in range(0, len(sequences), BLOCK))
        return np.concatenate([np.empty(0), *(self._scores(block) for block in blocks)])

    def leaves(self, X: Iterable[str | Sequence[object]]) -> np.ndarray:
        """Return groups of like sequences, shape (100, n_samples), uint8, for labels to re-rank by.

        In each of 100 groupings, two sequences are in the same group with a chance that is the share of their
        n-grams that they have in common (and 1 in 256 more).

        References
        ----------
        P. Li, A. C. König (2010), «b-Bit Minwise Hashing», WWW, doi:10.1145/1772690.1772759
        """
        check_is_fitted(self, "keys_")
        sequences = _split(X, self.tokens)
        blocks = (sequences[at : at + BLOCK] for at in range(0, len(sequences), BLOCK))
        return np.concatenate([np.empty((GROUPINGS, 0), np.uint8), *(self._groups(block) for block in blocks)], axis=1)

    def surprises(self, sequence: str | Sequence[object]) -> list[tuple[str, float]]:
        """Return each step of one sequence, the end among them (an empty token), and its surprise in bits.

        Examples
        --------
        >>> Markov(order=2).fit(["a b", "a b", "a c"]).surprises("a c")[1][0]
        'c'
        """
        check_is_fitted(self, "keys_")
        (tokens,) = _split([sequence], self.tokens)
        return list(zip([*tokens, ""], self._bits(*_flat([tokens])).tolist(), strict=True))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False  # so that a model prepares sequences for it
        tags.input_tags.string = True
        return tags

    def _grams(self, tokens: np.ndarray, offsets: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield, for each length from 1 to `order`, every step's context and n-gram as hashes."""
        context = np.zeros(len(tokens), dtype=np.uint64)
        for length in range(1, self.order + 1):
            yield context, (context ^ (context >> np.uint64(29))) * MIX + tokens
            before = np.full(len(tokens), _hash(START), dtype=np.uint64)
            inside = offsets >= length
            before[inside] = tokens[np.flatnonzero(inside) - length]
            context = (context ^ before) * MIX + np.uint64(length)

    def _bits(self, tokens: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Return the surprise of each step, in bits."""
        chance = np.full(len(tokens), 1.0 / (self.vocabulary_ + 1))
        for at, (context, gram) in enumerate(self._grams(tokens, offsets)):
            total = _look_up(self.contexts_[at], self.totals_[at], context)
            followers = _look_up(self.contexts_[at], self.followers_[at], context)
            count = _look_up(self.keys_[at], self.counts_[at], gram)
            known = total > 0  # a context never seen says nothing: the shorter one is believed
            per = np.where(known, total, 1.0)
            longer = (np.maximum(count - self.discount, 0.0) + self.discount * followers * chance) / per
            chance = np.where(known, longer, chance)
        return np.asarray(-np.log2(chance))

    def _groups(self, sequences: list[list[str]]) -> np.ndarray:
        tokens, offsets = _flat(sequences)
        *_, (_, grams) = self._grams(tokens, offsets)
        starts = np.flatnonzero(offsets == 0)
        groups = np.empty((GROUPINGS, len(sequences)), dtype=np.uint8)
        for k in range(GROUPINGS):
            mixed = (grams ^ np.uint64(_hash(f"grouping {k}"))) * MIX
            mixed = (mixed ^ (mixed >> np.uint64(31))) * MIX
            groups[k] = np.minimum.reduceat(mixed ^ (mixed >> np.uint64(29)), starts) & np.uint64(255)
        return groups

    def _scores(self, sequences: list[list[str]]) -> np.ndarray:
        tokens, offsets = _flat(sequences)
        bits = self._bits(tokens, offsets)
        owner = np.cumsum(offsets == 0) - 1
        order = np.lexsort((-bits, owner))
        place = np.arange(len(bits)) - np.flatnonzero(offsets == 0)[owner]
        kept = order[place < self.worst] if self.worst else order
        sums = np.bincount(owner[kept], weights=bits[kept], minlength=len(sequences))
        return -sums / (self.worst or np.bincount(owner, minlength=len(sequences)))


class _Hashes(dict[str, int]):
    def __missing__(self, token: str) -> int:
        self[token] = hashed = _hash(token)
        return hashed


def _hash(token: str) -> int:
    return int.from_bytes(hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _split(X: Iterable[object], tokens: str) -> list[list[str]]:
    """Return each sequence as a list of tokens."""
    if isinstance(X, str) or (isinstance(X, np.ndarray) and X.dtype.kind not in "OUS"):
        raise ValueError(
            "markov reads sequences: a list of texts, or of lists of tokens. This is no list of sequences."
        )
    rows: Iterable[object] = X[:, 0] if isinstance(X, np.ndarray) and X.ndim == 2 else X
    split = list if tokens == "characters" else str.split
    return [
        split(row) if isinstance(row, str) else [str(token) for token in cast("Iterable[object]", row)] for row in rows
    ]


def _flat(sequences: list[list[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashes of all tokens, an end after each sequence, and each one's place in its sequence."""
    hashes = _Hashes()
    lengths = np.array([len(sequence) + 1 for sequence in sequences])
    every = (hashes[token] for sequence in sequences for token in (*sequence, END))
    tokens = np.fromiter(every, dtype=np.uint64, count=int(lengths.sum()))
    return tokens, np.arange(len(tokens)) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _look_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the value of each wanted key, 0 where it is not there."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0.0)
