"""How many records of a file are bad → whether it is refused, and the words for it."""

from __future__ import annotations

__all__ = ["too_many_bad"]


def too_many_bad(file: str, format_name: str, bad: int, records: int, allowed: float, first: str) -> str:
    """Return why a file is refused and what to do; empty if no more of it is bad than is `allowed` (0 to 1).

    Examples
    --------
    >>> too_many_bad("a.log", "syslog", 5, 100, 0.05, "")
    ''
    >>> too_many_bad("a.log", "syslog", 6, 100, 0.05, "a.log:1: no time")[:78]
    'a.log: 6 of 100 records (6.0%) do not read as syslog; 5% are allowed. The firs'
    """
    if bad <= allowed * records:
        return ""
    return (
        f"{file}: {bad:,} of {records:,} records ({bad / records:.1%}) do not read as {format_name}; {allowed:.0%} are "
        f"allowed. The first: {first}. Name another format with --format, or allow more with --max-bad-share "
        "(max_bad_share in the dataset's recipe)."
    )
