"""pyarrow imports pandas at the first array, which takes a second → it does not, in a process that never needs pandas.

What the shipped readers do is known; a component of one's own may need it, so its code lets pandas in again.
"""

from __future__ import annotations

import sys


class _NoPandas:
    """An import finder to which there is no pandas."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("not needed here")


def keep_pandas_out() -> None:
    """Let pandas be missing from now on, unless it is there; only where this process is one's own."""
    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _NoPandas())


def let_pandas_in() -> None:
    """Let pandas be imported again."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _NoPandas)]
