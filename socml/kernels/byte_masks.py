"""A place in a block of bytes → the next place with a given byte, or with one that is not plain text, 64 at a time.

Nothing is read beyond the block: its last bytes are looked at one by one.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["AT_ONCE", "find_byte", "find_odd"]

AT_ONCE = 64  # bytes that are compared at once
_BACKSLASH, _DELETE, _BLANK = 92, 127, 32
_SEVERAL = ir.VectorType(ir.IntType(8), AT_ONCE)


def _equal(context: Any, pointer: Any, at: Any, one: Any) -> Any:
    """Return which of the 64 bytes from `at` on are `one`, as bits, the first byte's lowest."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        none = ir.Constant(_SEVERAL, ir.Undefined)
        first = builder.insert_element(none, arguments[2], ir.Constant(ir.IntType(32), 0))
        ones = builder.shuffle_vector(first, none, ir.Constant(ir.VectorType(ir.IntType(32), AT_ONCE), [0] * AT_ONCE))
        equal = builder.icmp_unsigned("==", _load(context, builder, signature, arguments), ones)
        return builder.bitcast(equal, ir.IntType(AT_ONCE))

    return types.uint64(pointer, at, types.uint8), generate


def _odd(context: Any, pointer: Any, at: Any) -> Any:
    """Return which of the 64 bytes from `at` on are a backslash, or not from space to tilde."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found = _load(context, builder, signature, arguments)
        odd = builder.icmp_signed("<", found, _all(_BLANK))  # signed: those that are not ASCII are below 0
        for one in (_BACKSLASH, _DELETE):
            odd = builder.or_(odd, builder.icmp_unsigned("==", found, _all(one)))
        return builder.bitcast(odd, ir.IntType(AT_ONCE))

    return types.uint64(pointer, at), generate


def _lowest(context: Any, bits: Any) -> Any:
    """Return the number of the lowest bit that is set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


def _load(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    at = context.cast(builder, arguments[1], signature.args[1], types.intp)
    found = builder.load(builder.bitcast(builder.gep(arguments[0], [at]), _SEVERAL.as_pointer()))
    found.align = 1
    return found


def _all(one: int) -> Any:
    return ir.Constant(_SEVERAL, [one] * AT_ONCE)


equal_at: Any = intrinsic(_equal)
_odd_at: Any = intrinsic(_odd)
lowest_bit: Any = intrinsic(_lowest)


@njit(cache=True, nogil=True)
def find_byte(source: Any, at: int, end: int, last: int, one: int) -> int:
    """Return where the byte `one` is first from `at` on, `end` if it is not before that.

    Parameters
    ----------
    source : a pointer to the block
    last : where 64 bytes can be read last; negative if nowhere

    Examples
    --------
    >>> import numpy as np
    >>> from socml.kernels.pointers import pointer_to
    >>> @njit
    ... def first(data, one):
    ...     return find_byte(pointer_to(data), 0, len(data), len(data) - AT_ONCE, one)
    >>> first(np.frombuffer(b"ab" * 40 + b"c", np.uint8), ord("c")), first(np.frombuffer(b"ab", np.uint8), ord("c"))
    (80, 2)
    """
    while at < end:
        if at <= last:
            bits = equal_at(source, at, one)
            if bits:
                return min(at + lowest_bit(bits), end)
            at += AT_ONCE
        elif source[at] == one:
            return at
        else:
            at += 1
    return end


@njit(cache=True, nogil=True)
def find_odd(source: Any, at: int, end: int, last: int) -> int:
    """Like `find_byte`, of a byte that is a backslash, or not from space to tilde.

    Examples
    --------
    >>> import numpy as np
    >>> from socml.kernels.pointers import pointer_to
    >>> @njit
    ... def first(data):
    ...     return find_odd(pointer_to(data), 0, len(data), len(data) - AT_ONCE)
    >>> first(np.frombuffer(b"ab" * 40 + b"\\r", np.uint8)), first(np.frombuffer(b"a\\\\b", np.uint8))
    (80, 1)
    """
    while at < end:
        if at <= last:
            bits = _odd_at(source, at)
            if bits:
                return min(at + lowest_bit(bits), end)
            at += AT_ONCE
        elif source[at] < _BLANK or source[at] >= _DELETE or source[at] == _BACKSLASH:
            return at
        else:
            at += 1
    return end
