"""What a person declares, in a file or in Python → checked by pydantic, and one sentence of ours where it is wrong.

The sentence names the file or class, the key, what was seen and what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, ValidationInfo, model_validator

from socml.project.errors import ConfigurationError, RecipeError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

SHOWN = 60  # characters of a value
READER_SETS = frozenset({"name", "path", "hash", "sql"})  # keys that nobody declares
ALLOWED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a section",
    "model_type": "a section",
    "datetime_type": "a moment such as 2026-03-02T14:30",
    "datetime_parsing": "a moment such as 2026-03-02T14:30",
    "datetime_from_date_parsing": "a moment such as 2026-03-02T14:30",
    "greater_than": "above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "below {lt:g}",
    "less_than_equal": "at most {le:g}",
    "literal_error": "{expected}",
    "too_short": "longer: {min_length} at least",
    "string_pattern_mismatch": "text that fits {pattern}",
}


class Declared(BaseModel):
    """A declaration whose keys are its fields; one that is made in Python raises a RecipeError where it is wrong.

    Examples
    --------
    >>> from socml.project import Validation
    >>> Validation(test_share=2.0)
    Traceback (most recent call last):
    ...
    socml.project.errors.RecipeError: Validation: test_share is 2.0; it must be below 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="wrap")
    @classmethod
    def _says_what_is_wrong(cls, given: object, handler: ModelWrapValidatorHandler[D], info: ValidationInfo) -> D:
        if info.context:  # `checked` says it, with the file
            return handler(given)
        try:
            return handler(given)
        except ValidationError as error:
            raise RecipeError(in_a_sentence(error, cls, cls.__name__)) from None


D = TypeVar("D", bound=Declared)
M = TypeVar("M", bound=BaseModel)


def checked(
    kind: type[M],
    given: Mapping[str, object],
    where: str,
    *,
    error: type[ConfigurationError] = ConfigurationError,
    show: bool = True,
) -> M:
    """Return what a section of a file declares.

    Parameters
    ----------
    where : the file and section, with which the sentence begins
    error : what is raised
    show : whether the sentence shows the value; not where it may be a secret

    Raises
    ------
    ConfigurationError
        Of the kind given.
    """
    try:
        return kind.model_validate(given, context={"where": where})
    except ValidationError as wrong:
        raise error(in_a_sentence(wrong, kind, where, show=show)) from None


def in_a_sentence(error: ValidationError, kind: type[BaseModel], where: str, *, show: bool = True) -> str:
    """Return what is wrong with a declaration: its first fault, an unknown key before what lacks because of it."""
    faults = error.errors(include_url=False)
    first = sorted(faults, key=lambda fault: fault["type"] != "extra_forbidden")[0]
    key = _key(first["loc"])
    if first["type"] == "extra_forbidden":
        *sections, own = first["loc"]
        key = ".".join(filter(None, [_key(sections), str(own)]))
        near = did_you_mean(str(own), _known_keys(kind, sections))
        return f"{where} has an unknown key {key!r}.{near}"
    if first["type"] == "missing":
        return f"{where} has no {key!r}, which it must give."
    if first["type"] == "value_error":
        return f"{where}: {f'{key}: ' if key else ''}{str(first['ctx']['error']).removesuffix('.')}."
    allowed = " or ".join(dict.fromkeys(_allowed(fault) for fault in faults if _key(fault["loc"]) == key))
    value = f"{key} is {_shown(first['input'])}; it" if show else key
    return f"{where}: {value} must be {allowed}."


def _allowed(fault: ErrorDetails) -> str:
    form = ALLOWED.get(fault["type"])
    if form is None:
        return fault["msg"].removeprefix("Input should be ")
    return form.format(**fault.get("ctx", {}))


def _shown(value: object) -> str:
    """Return a value in short, cut where it is long."""
    text = str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, date) else repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _key(loc: Sequence[int | str]) -> str:
    """Return a key with the sections it is in, without the kinds of a value that pydantic tried."""
    names = [part for part in loc if part != "str" and "[" not in str(part)]
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in names).removeprefix(".")


def _known_keys(kind: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    for part in map(str, loc):
        annotation = kind.model_fields[part].annotation if part in kind.model_fields else None
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        inner = [c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)]
        if not inner:
            return []
        kind = inner[0]
    return [field.alias or name for name, field in kind.model_fields.items() if name not in READER_SETS]
