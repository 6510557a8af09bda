"""What an exporter says of a flow (seconds, counts, flags) → event columns, the same for every flow format."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["END_REASONS", "flag_letters", "flow_row", "from_ms"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = 4_102_444_800_000
END_REASONS = {1: "idle timeout", 2: "active timeout", 3: "end of flow", 4: "forced end", 5: "lack of resources"}


def flow_row() -> dict[str, object]:
    """Return the columns that all flows have."""
    return {"class_uid": 4001, "event_category": "network", "event_action": "connection"}


def from_ms(value: float) -> datetime:
    """Return the time of milliseconds since 1970. Raises ValueError if it is not before 2100.

    Examples
    --------
    >>> from_ms(1709208416250).isoformat()
    '2024-02-29T12:06:56.250000+00:00'
    """
    if not 0 <= value < _LATEST_MS:
        raise ValueError(f"{value!r} ms since 1970 is not a time before 2100")
    return _EPOCH + timedelta(microseconds=round(value * 1000))


def flag_letters(flags: int) -> str:
    """Return TCP flags as nfdump writes them.

    Examples
    --------
    >>> flag_letters(0x1B)
    '...AP.SF'
    """
    return "".join(letter if flags & bit else "." for letter, bit in zip("CEUAPRSF", _BITS, strict=True))


_BITS = (0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01)
