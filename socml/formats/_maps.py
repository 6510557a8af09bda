"""A map in TOML → a reader: which field of a record is which event column, for formats that need no code.

A map lies in `socml/formats/KIND/NAME.toml`, or in the `formats/` folder of a project, and is the format called NAME:

```toml
about = "Duo: logins with a second factor"
specification = "https://duo.com/docs/adminapi#authentication-logs"
kind = "json"                 # or "csv", "key-values", "text"
lists = ["authlogs"]          # where a document holds its records in a list
has = ["txid", "factor"]      # fields that every such record has: they tell the format
examples = ['{"txid":"t1","factor":"push"}']

[columns]                     # event column = field, or several, of which the first that fits is taken
time = "isotimestamp"
source_ip = ["access_device.ip", "ip"]

[words.event_outcome]         # what the tool says = what is stored
denied = "failure"

[fixed]                       # the same in every event
event_category = "authentication"

[[when]]                      # of events in which a field begins like the pattern; a later one goes before an earlier
field = "event_type"          # or several
pattern = "authentication|enrollment"
class_uid = 3002
```

A name in `has` may be several with bars between, of which one is there (`"eventType|eventtype"`). `whole_lists = true` keeps a
list of objects whole in `extra`; else each object's fields stand there by themselves.

A map of kind "csv" may describe tables without a line of names: `names` are those of its columns in order (later versions of
a tool add some at the end), and `pattern` is how a record begins.

A map of kind "blocks" is of records over several lines: `begins` is how the first line of one begins, and `patterns` are
looked for in it, the first of which tells the format. Of a field that several give, the first counts.

A map of kind "text" has a `pattern` instead of `has`: a regular expression that a whole line must match, from its start, whose
named groups are the fields. Write it with bounds (`[^ ]{1,200}`, not `.*`), so that no line takes long. If it takes lines that
other tools write too, `has` names the fields one of which some line of the file's start must have. Of "text" and "blocks",
`skips` is how lines begin that are no records, such as titles. `time_format` is Python's, for odd times. Fields that no column takes, and values that do not fit their columns, are kept in `extra`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from itertools import chain
from pathlib import Path

from socml.formats._addresses import address_and_port
from socml.formats._field_names import flat_fields, plain_name
from socml.formats._json import flatten, text_of
from socml.formats._map_whens import When, compiled, when_of
from socml.formats._remembered import remembered
from socml.formats._spellings import respelled, spellings_of
from socml.formats._times import Clock, iso
from socml.formats._values import column_value
from socml.project import EVENT, RecipeError, did_you_mean, text_by_hand

__all__ = ["FormatMap", "cloud_maps", "load_map", "shipped_map"]

_KINDS = ("json", "csv", "key-values", "text", "blocks")
_KEYS = ("about", "specification", "kind", "lists", "whole_lists", "has", "names", "pattern", "begins", "patterns", "skips",
         "time_format", "examples", "columns", "words", "fixed", "when")  # fmt: skip
_HEAD_LINES = 60  # that a sniff of text looks at
_AUTHENTICATION = 3002  # OCSF's class of logons, which a map may give to some of its records
_SURE = 0.96
_SET_BY_INGEST = ("event_id", "dataset", "raw", "source_file", "source_line", "extra")


@dataclass(frozen=True)
class FormatMap:
    """What a map says. `columns` are tried in the order of the file."""

    name: str
    about: str
    specification: str
    kind: str
    has: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    lists: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    words: dict[str, dict[str, object]] = field(default_factory=dict)
    fixed: dict[str, object] = field(default_factory=dict)
    pattern: re.Pattern[str] | None = None  # of kind "text", and of a table without a line of names
    names: tuple[str, ...] = ()  # of the columns of such a table
    whens: tuple[When, ...] = ()
    whole_lists: bool = False
    skips: re.Pattern[str] | None = None  # how lines begin that are no records
    time_format: str = ""
    patterns: tuple[re.Pattern[str], ...] = ()  # of kind "blocks", what is looked for; `pattern` is how one begins
    spellings: Mapping[str, str] = field(default_factory=dict)  # names in small letters → as they are written here

    def is_of(self, names: set[str]) -> bool:
        """Say whether a record with fields of these names is of this format."""
        return all(not names.isdisjoint(one.split("|")) for one in self.has)

    def knows(self, record: dict[str, object]) -> bool:
        """Say whether a JSON record is of this format."""
        record = respelled(record, self.spellings)
        return self.is_of({*record, *flatten(record), *flat_fields(record)})

    def row_of(self, record: dict[str, object], clock: Clock) -> dict[str, object]:
        """Return the event columns of a JSON record."""
        record = respelled(record, self.spellings)
        if not self.whole_lists:
            return self.row(flat_fields(record), clock)
        kept = flatten(record)
        return self.row(flat_fields(record) | kept if self._reads_lists else kept, clock, kept=kept)

    @cached_property
    def _reads_lists(self) -> bool:
        """Whether a field that is read is of one object in a list: `events.0.name`."""
        names = [*self.columns.values(), *(when.fields for when in self.whens)]
        return any(part.isdecimal() for some in names for name in some for part in name.split("."))

    def row(
        self, found: Mapping[str, object], clock: Clock, *, kept: Mapping[str, object] | None = None
    ) -> dict[str, object]:
        """Return the event columns of a record's flat fields. `kept` are those for `extra`, as far as no column takes them."""
        row, taken = dict(self.fixed), set[str]()
        for column, names in self.columns.items():
            words = self.words.get(column)
            for name in (name for name in names if name in found):
                word = words.get(str(text_of(found[name]))) if words else None
                value = word if word is not None else self._declared(column, found[name], name, clock)
                if value is not None:
                    row[column] = value
                    if word is None or word == found[name]:
                        taken.add(name)
                    break
        self._check_time(row, found)
        self._add_ports(row, found)
        for when in self.whens:
            if when.holds(found):
                row |= when.columns
        if row.get("class_uid") == _AUTHENTICATION:
            row["event_category"] = "authentication"
        row["extra"] = {
            name: text
            for name, value in (found if kept is None else kept).items()
            if name not in taken and (text := text_of(value)) not in (None, "")
        }
        return row

    def _declared(self, column: str, value: object, name: str, clock: Clock) -> object:
        """Return a value as the column holds it. Where a map says that a field names a user, a number is a name too."""
        if column.endswith("user_name") and isinstance(value, str) and value.strip().isdecimal():
            return value.strip()
        if column == "time" and self.time_format:
            with suppress(ValueError):
                return clock.in_zone(datetime.strptime(str(value), self.time_format))
            return None
        if column == "time" and isinstance(value, str) and value.endswith("Z") and value[10:11] == "T":
            with suppress(ValueError):  # most are written so, and need no look at what else they may be
                return iso(value)
        return column_value(column, value, _plain(name), clock)

    def _check_time(self, row: dict[str, object], found: Mapping[str, object]) -> None:
        given = [found[name] for name in self.columns.get("time", ()) if found.get(name) not in (None, "")]
        if given and row.get("time") is None:
            raise ValueError(f"{text_of(given[0])!r} is not a time")

    def _add_ports(self, row: dict[str, object], found: Mapping[str, object]) -> None:
        """Fill the ports that stand behind the addresses which columns were taken from."""
        for side in ("source", "destination"):
            ip = row.get(f"{side}_ip")
            if ip and row.get(f"{side}_port") is None:
                texts = (text_of(found.get(name)) for name in self.columns.get(f"{side}_ip", ()))
                ports = (address_and_port(text)[1] for text in texts if text and text != ip)
                if port := next((port for port in ports if port is not None), None):
                    row[f"{side}_port"] = port


def load_map(path: Path) -> FormatMap:
    """Return the map in a file.

    Raises
    ------
    RecipeError
        Naming the file and what in it is wrong.
    """
    try:
        content = tomllib.loads(text_by_hand(path))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"{path}: not a map of a format: {error}.") from None
    _check_names(content, path)
    columns = {
        name: (names,) if isinstance(names, str) else tuple(names) for name, names in content.get("columns", {}).items()
    }
    kind = content.get("kind", "json")
    is_table = kind == "csv" and "names" in content
    key = {"text": "pattern", "blocks": "begins"}.get(kind, "pattern" if is_table else "has")
    if kind not in _KINDS or not content.get(key) or (kind == "blocks" and not content.get("patterns")):
        raise RecipeError(
            f"{path}: `kind` is one of {', '.join(_KINDS)}, and `has` names the fields that tell the format (`pattern` tells it "
            "where kind is text, and where `names` are given; `begins` and `patterns`, where kind is blocks)."
        )
    whens = tuple(when_of(one, path) for one in content.get("when", ()))
    pattern = compiled(path, key, content[key]) if key != "has" else None
    return FormatMap(
        path.stem,
        str(content.get("about", "")),
        str(content.get("specification", "")),
        kind,
        tuple(content.get("has", ())),
        columns,
        tuple(content.get("lists", ())),
        tuple(content.get("examples", ())),
        content.get("words", {}),
        content.get("fixed", {}),
        pattern,
        tuple(content.get("names", ())),
        whens,
        bool(content.get("whole_lists", False)),
        compiled(path, "skips", content["skips"]) if content.get("skips") else None,
        str(content.get("time_format", "")),
        tuple(compiled(path, "patterns", one) for one in content.get("patterns", ())),
        spellings_of(content.get("has", ()), [*chain(*columns.values()), *chain(*(when.fields for when in whens))]),
    )


_plain = remembered(4096)(plain_name)


@cache
def shipped_map(name: str) -> FormatMap:
    """Return the map of a format that comes with socml, by its kind and name: `cloud/cloudtrail`."""
    return load_map(Path(__file__).parent / f"{name}.toml")


@cache
def cloud_maps() -> tuple[FormatMap, ...]:
    """Return the maps of cloud services' records, which stand in records of others."""
    found = (load_map(path) for path in sorted((Path(__file__).parent / "cloud").glob("*.toml")))
    return tuple(one for one in found if one.kind == "json" and len(one.has) > 1)


def _check_names(content: Mapping[str, Mapping[str, object]], path: Path) -> None:
    for key in content:
        if key not in _KEYS:
            raise RecipeError(f"{path}: a map has no {key!r}.{did_you_mean(key, _KEYS)}")
    whens = [name for one in content.get("when", ()) for name in one if name not in ("field", "pattern")]
    for name in (*whens, *(name for part in ("columns", "fixed", "words") for name in content.get(part, {}))):
        if name not in EVENT or name in _SET_BY_INGEST:
            raise RecipeError(f"{path}: {name!r} is no event column that a map fills.{did_you_mean(name, EVENT)}")
