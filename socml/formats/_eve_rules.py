"""Which field of an EVE record fills which column: the tables of `_eve`, as rules for whole blocks of lines."""

from __future__ import annotations

from socml.formats._eve import HASHES, LARGEST, NUMBERS, OF_FLOW, TEXTS
from socml.kernels.json_columns import NEVER, TIME, WHOLE_NUMBER, Rule, Rules
from socml.kernels.json_lines import LIST
from socml.kernels.json_names import Names
from socml.kernels.json_values import STRING, WHOLE

__all__ = [
    "ANSWERS",
    "ASKED",
    "CLASSES",
    "CODE",
    "NUMBER_SLOTS",
    "TECHNIQUE",
    "TEXT_SLOTS",
    "class_of",
    "new_names",
    "rules_for",
]

_IS_TEXT, _IS_WHOLE, _IS_LIST = 1 << STRING, 1 << WHOLE, 1 << LIST
_DNS = {"dns.rrname": "dns_question_name", "dns.rrtype": "dns_question_type", "dns.rcode": "dns_response_code"}
ANSWERS, ASKED, CODE, TECHNIQUE = "answers", "asked", "code", "technique"  # looked into, and left in `extra`
TEXT_SLOTS = list(
    dict.fromkeys(
        [
            "event_type",
            *TEXTS.values(),
            "network_transport",
            "network_protocol",
            *_DNS.values(),
            "rule_id",
            "dns.type",
            *HASHES,
            ANSWERS,
            ASKED,
            CODE,
            TECHNIQUE,
        ]
    )
)
NUMBER_SLOTS = ["timestamp", "start", "end", *NUMBERS.values(), *OF_FLOW.values(), "severity"]
CLASSES = {"": 0, "flow": 1, "alert": 2, "dns": 3, "krb5": 4}  # event types with rules of their own
_NAMED_LARGEST = 2**63 - 1


def _text(field: str, slot: str, *, kinds: int = _IS_TEXT, or_extra: bool = True, is_kept: bool = False) -> Rule:
    return Rule(field, TEXT_SLOTS.index(slot), kinds=kinds, or_extra=or_extra, is_kept=is_kept)


def _number(field: str, slot: str, *, is_kept: bool = False) -> Rule:
    largest = LARGEST.get(slot, _NAMED_LARGEST)
    return Rule(field, NUMBER_SLOTS.index(slot), WHOLE_NUMBER, _IS_WHOLE, False, is_kept, largest)


def _time(field: str, slot: str, *, is_kept: bool = False) -> Rule:
    return Rule(field, NUMBER_SLOTS.index(slot), TIME, _IS_TEXT, False, is_kept)


_ALL = [
    _time("timestamp", "timestamp"),
    _text("event_type", "event_type"),
    *(_text(field, column) for field, column in TEXTS.items()),
    *(_number(field, column) for field, column in NUMBERS.items()),
    _text("proto", "network_transport"),
    _text("app_proto", "network_protocol"),
    *(_text(f"fileinfo.{name}", name, is_kept=True) for name in HASHES),
    _text(
        "alert.metadata.mitre_technique_id",
        TECHNIQUE,
        kinds=_IS_TEXT | _IS_WHOLE | _IS_LIST,
        or_extra=False,
        is_kept=True,
    ),
]
_NAMES = [_text(field, column) for field, column in _DNS.items()]
_OWN = {
    "": [],
    "flow": [
        *(_number(field, column) for field, column in OF_FLOW.items()),
        _time("flow.start", "start"),
        _time("flow.end", "end", is_kept=True),
    ],
    "alert": [
        _text("alert.signature_id", "rule_id", kinds=_IS_TEXT | _IS_WHOLE, or_extra=False),
        _number("alert.severity", "severity", is_kept=True),
        _text("dns.query", ASKED, kinds=_IS_LIST, is_kept=True),
        *_NAMES,
    ],
    "dns": [
        _text("dns.type", "dns.type", is_kept=True),
        _text("dns.queries", ASKED, kinds=_IS_LIST, is_kept=True),
        _text("dns.answers", ANSWERS, kinds=_IS_LIST, is_kept=True),
        _text("dns.rdata", ANSWERS),
        *_NAMES,
    ],
    "krb5": [_text("krb5.error_code", CODE, kinds=_IS_TEXT | _IS_WHOLE, or_extra=False, is_kept=True)],
}


def new_names() -> Names:
    """Return a table of names that knows those of the rules."""
    return Names([rule.name for rule in [*_ALL, *(rule for own in _OWN.values() for rule in own)]])


def rules_for(names: Names) -> Rules:
    """Return the rules, by class, for names of `new_names`."""
    return Rules.of([[*_ALL, *_OWN[name]] for name in CLASSES], names)


def class_of(event_type: str) -> int:
    """Return the class of an event type: that of others, if it has no rules of its own; records of `stats` are no events.

    Examples
    --------
    >>> class_of("dns"), class_of("smb")
    (3, 0)
    """
    return NEVER if event_type == "stats" else CLASSES.get(event_type, 0)
