"""What every sink is: options of [sinks.NAME], and one method that delivers a batch or says why not."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from socml.jobs.alerts import Alert
from socml.project import ConfigurationError

ANSWERS = 10  # of an SMTP server with TLS and a password, the longest exchange there is: each may take `timeout_s`


class Undelivered(Exception):
    """Alerts did not arrive.

    Attributes
    ----------
    refused : numbers of the alerts in the batch that will never be taken as they are; the others were delivered.
        Empty: nothing is known of any, and the batch is sent again later.
    """

    def __init__(self, why: str, *, refused: Sequence[int] = ()) -> None:
        super().__init__(why)
        self.refused = tuple(refused)


class Sink(BaseModel):
    """A place that takes alerts. The fields are the options; an option that is not a field is an error.

    A batch has an id that stays when it is sent again, and every alert a key: by these a place that remembers them keeps
    each once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch: ClassVar[int] = 100  # most alerts that are sent at once
    timeout_s: float = Field(10.0, gt=0, le=300)

    def send(self, alerts: Sequence[Alert], batch_id: str) -> str | None:
        """Deliver some alerts; return once they have arrived, as far as the place says so.

        Returns
        -------
        What a person should know though they have arrived, if there is anything

        Raises
        ------
        Undelivered
            If they have not.
        ConfigurationError
            If an environment variable that the options name is not set.
        """
        raise NotImplementedError


def secret_of(variable: str) -> str:
    """Return what an environment variable holds; nothing if none is named.

    Raises
    ------
    ConfigurationError
        If it is not set. The message never repeats a value.
    """
    if not variable:
        return ""
    value = os.environ.get(variable, "")
    if not value or not value.isprintable():
        raise ConfigurationError(
            f"The environment variable {variable}, which a sink reads its secret from, is not set."
        )
    return value
