"""Where the records of a block lie → the records, made one by one only when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

__all__ = ["SpanRecords"]


class SpanRecords(Sequence[bytes]):
    """The records of a block. None may begin or end with a line end or NUL.

    Examples
    --------
    >>> records = SpanRecords(b"one\\ntwo\\n", np.array([0, 4]), np.array([3, 7]))
    >>> records[-1], list(records)
    (b'two', [b'one', b'two'])
    """

    def __init__(self, block: bytes, starts: NDArray[np.integer], ends: NDArray[np.integer]) -> None:
        self._block, self._starts, self._ends = block, starts, ends

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> list[bytes]: ...
    def __getitem__(self, at: int | slice) -> bytes | list[bytes]:
        if isinstance(at, slice):
            return list(SpanRecords(self._block, self._starts[at], self._ends[at]))
        return self._block[self._starts[at] : self._ends[at]]

    def __iter__(self) -> Iterator[bytes]:
        block = self._block
        for start, end in zip(self._starts.tolist(), self._ends.tolist(), strict=True):
            yield block[start:end]
