"""An array → where its values lie, for kernels that hand it to a small function for each value.

An array that is handed on is counted, by two atomic steps a call, which can cost more than the call; a pointer is not.
Nothing checks what is read by it, and nothing keeps its array: the kernel that takes it must hold the array meanwhile.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["moved", "pointer_to", "put_word", "word_at"]


def _pointer_to(context: Any, array: Any) -> Any:
    """Return the place of a contiguous array's first value; `pointer[i]` reads and writes like `array[i]`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), generate


def _moved(context: Any, pointer: Any, by: Any) -> Any:
    """Return the pointer `by` values further on: of an array's row, its first value."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.gep(arguments[0], [context.cast(builder, arguments[1], signature.args[1], types.intp)])

    return pointer(pointer, by), generate


def _word_at(context: Any, pointer: Any, at: Any) -> Any:
    """Return the eight bytes from `at` on, the first of them lowest."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = builder.load(_word_place(context, builder, signature, arguments))
        word.align = 1
        return word

    return types.uint64(pointer, at), generate


def _put_word(context: Any, pointer: Any, at: Any, word: Any) -> Any:
    """Write eight bytes from `at` on, the lowest first."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _word_place(context, builder, signature, arguments)).align = 1
        return context.get_dummy_value()

    return types.void(pointer, at, types.uint64), generate


def _word_place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    at = context.cast(builder, arguments[1], signature.args[1], types.intp)
    return builder.bitcast(builder.gep(arguments[0], [at]), ir.IntType(64).as_pointer())


moved: Any = intrinsic(_moved)
pointer_to: Any = intrinsic(_pointer_to)
word_at: Any = intrinsic(_word_at)
put_word: Any = intrinsic(_put_word)
