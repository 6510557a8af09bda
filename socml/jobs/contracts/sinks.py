"""What every sink promises: options that are checked, no secret among them, and one method that delivers or says why not."""

from __future__ import annotations

import inspect
import re

from pydantic import ValidationError

from socml.jobs.sinks._sink import Sink

_SECRET = re.compile(r"password|passwd|secret|token|api_?key", re.IGNORECASE)


def is_a_sink(sink: type[Sink]) -> None:
    """It is a class that inherits from Sink and has a method send of its own."""
    assert inspect.isclass(sink), "it is no class"
    assert issubclass(sink, Sink), "it does not inherit from socml.jobs.Sink"
    assert sink.send is not Sink.send, "it has no method send"
    assert list(inspect.signature(sink.send).parameters)[1:] == ["alerts", "batch_id"], "send takes alerts and batch_id"


def takes_batches(sink: type[Sink]) -> None:
    """It says how many alerts it takes at once."""
    assert isinstance(sink.batch, int), "batch is no whole number"
    assert sink.batch >= 1, "batch is below 1"


def refuses_an_unknown_option(sink: type[Sink]) -> None:
    """An option that it does not have is an error, and never without effect."""
    try:
        sink.model_validate({"no_such_option": 1})
    except ValidationError as error:
        errors = {(str(one["loc"][0]), one["type"]) for one in error.errors() if one["loc"]}
        assert ("no_such_option", "extra_forbidden") in errors, "it takes options that it does not have"
    else:
        raise AssertionError("it takes options that it does not have")


def keeps_secrets_in_the_environment(sink: type[Sink]) -> None:
    """No option holds a secret: one names the environment variable that does, `…_variable`."""
    held = [name for name in sink.model_fields if _SECRET.search(name) and not name.endswith("_variable")]
    assert not held, f"{held[0]} would stand in socml.toml: make it {held[0]}_variable"


def says_where_to(sink: type[Sink]) -> None:
    """Its docstring says where alerts go."""
    assert (sink.__doc__ or "").strip(), "write a docstring"
    assert sink.__doc__ != Sink.__doc__, "write a docstring of its own"


PROMISES = (
    is_a_sink,
    takes_batches,
    refuses_an_unknown_option,
    keeps_secrets_in_the_environment,
    says_where_to,
)
