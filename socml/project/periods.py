"""From when until when → a stretch of time, as a recipe or the command line states it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import Field, field_validator, model_validator

from socml.project.declared import Declared, checked

if TYPE_CHECKING:
    import pyarrow as pa


class Period(Declared):
    """A stretch of time, UTC. A side that is not given is open; a day as `until` is part of it, a moment is not.

    Examples
    --------
    >>> str(Period.of("2026-03-02", "2026-03-03"))
    'from 2026-03-02 00:00 until before 2026-03-04 00:00 UTC'
    """

    from_: str = Field(default="", alias="from")
    until: str = ""

    @field_validator("from_", "until", mode="before")
    @classmethod
    def _is_a_moment(cls, text: object) -> str:
        written = str(text or "")
        if written:
            _moment(written)
        return written

    @classmethod
    def of(cls, begin: str = "", until: str = "") -> Period:
        """Return a period from its two ends as ISO dates or moments.

        Raises
        ------
        ConfigurationError
            If one is neither a day nor a moment, or the end does not lie after the begin.
        """
        return checked(cls, {"from": begin, "until": until}, "The period")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Period:
        if self.begin is not None and self.end is not None and self.end <= self.begin:
            raise ValueError(f"No time lies {self}: 'until' must be later than 'from'.")
        return self

    @property
    def is_open(self) -> bool:
        """Return whether it has neither a begin nor an end."""
        return not self.from_ and not self.until

    @property
    def begin(self) -> datetime | None:
        """Return the first moment of it."""
        return _moment(self.from_) if self.from_ else None

    @property
    def end(self) -> datetime | None:
        """Return the first moment after it."""
        if not self.until:
            return None
        return _moment(self.until) + (timedelta(days=1) if len(self.until) == len("2026-03-02") else timedelta(0))

    def chosen(self, times: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return which times lie in it, null where a time is unknown."""
        import pyarrow as pa
        import pyarrow.compute as pc

        chosen = pc.is_valid(times)
        if self.begin is not None:
            chosen = pc.and_(chosen, pc.greater_equal(times, pa.scalar(self.begin, times.type)))
        if self.end is not None:
            chosen = pc.and_(chosen, pc.less(times, pa.scalar(self.end, times.type)))
        return chosen

    def __str__(self) -> str:
        parts = [f"from {self.begin:%Y-%m-%d %H:%M}"] if self.begin is not None else []
        parts += [f"until before {self.end:%Y-%m-%d %H:%M}"] if self.end is not None else []
        return " ".join([*parts, "UTC"]) if parts else "at any time"


def _moment(text: str) -> datetime:
    """Return a day or moment, of UTC unless it says another zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a day nor a moment. Write it as 2026-03-02 or 2026-03-02T14:30."
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
