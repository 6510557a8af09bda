"""A method that multiplies matrices → the same, on one thread: sums over several differ in their last bits."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Told = TypeVar("Told")


def on_one_thread(method: Callable[Given, Told]) -> Callable[Given, Told]:
    """Return the method with the linear algebra libraries held to one thread, so that any machine gives the same bytes."""

    @wraps(method)
    def held(*arguments: Given.args, **options: Given.kwargs) -> Told:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1):
            return method(*arguments, **options)

    return held
