"""Syslog's headers and messages → one SELECT: the patterns of `_syslog_templates` in RE2, which takes linear time.

A line that the SELECT takes is printable ASCII with a header as rsyslog and journald write it by default:
`Mar 27 13:06:56 host program[pid]: message` or `2026-03-27T13:06:56.25+01:00 host program[pid]: message`.
"""

from __future__ import annotations

from functools import cache

from socml.formats._facts import HINT
from socml.formats._inner import RECORD_HINT
from socml.formats._messages import Template
from socml.formats._stamps import ZONES
from socml.formats.host._snort_syslog import WRITERS
from socml.formats.host._syslog_lines import NO_HOSTS
from socml.formats.host._syslog_templates import BY_PROGRAM, DECLARED, PAM, SAME_AS

__all__ = ["SLOTS", "TEMPLATES", "syslog_select"]

# Not more than four groups, and no choice where one ends: so RE2 finds them in one pass
_HEADER = (
    r"^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[-+]\d\d:?\d\d)) "
    r"([^\s\[\]:]+) ([^\s:\[\]]+)(?:\[(\d{1,18})\])?:(.*)$"
)
_LONGEST = 4096  # characters of a line: that of a longer message is no template's
_SELECT = r"""
with -- materialized: else every expression would compute the text anew that it is asked of
    split as materialized (
        select row, line, regexp_extract(line, '{header}', ['host', 'tag', 'pid', 'rest']) as h
        from lines
        where length(line) <= {longest}
    ),
    named as materialized (
        select
            row, h.host, h.pid,
            case when line < ':' then split_part(line, ' ', 1) else left(line, 15) end as stamp,
            case when contains(h.tag, '/') then split_part(h.tag, '/', -1) else h.tag end as program,
            case when starts_with(h.rest, ' ') then substring(h.rest, 2) else h.rest end as message
        from split
        where h.tag <> '' and lower(h.host) not in {no_hosts} and h.host not in {zones} and not regexp_matches(h.host, '[=",;]|^[-+].')
            and not regexp_matches(h.tag, '^(?:%|[0-9]+$)')
    ),
    told as materialized (
        select
            *, lower(program) as writer,
            case when ends_with(message, ' ') or ends_with(message, chr(9)) then rtrim(message, ' ' || chr(9))
            else message end as text
        from named
        where not (starts_with(message, '[ID ') or contains(message, 'message repeated '))
            and not regexp_matches(message, {record})
    ),
    known as materialized (
        select *, {template} as template
        from told
        where writer not in {careful}
    )
select row, stamp, host, program, pid, message, template, {groups} as groups
from known
where template is not null or not regexp_matches(text, {hint})
"""


def _templates() -> list[Template]:
    return list(dict.fromkeys((*PAM, *(template for several in BY_PROGRAM.values() for template in several))))


TEMPLATES = _templates()
SLOTS = max(template.pattern.groups for template in TEMPLATES)


def _in_re2(template: Template) -> bool:
    return "(?!" not in template.pattern.pattern


@cache
def syslog_select() -> str:
    """Return the SELECT. `template` is the first of `TEMPLATES` that matches; `groups` are its groups, in `SLOTS` texts.

    All in it is written in this project: nothing comes from data.
    """
    careful = {*WRITERS, *DECLARED, *(name for name, several in BY_PROGRAM.items() if not all(map(_in_re2, several)))}
    cases = []
    for name, several in BY_PROGRAM.items():
        if name not in careful:
            writers = [name, *(other for other, same in SAME_AS.items() if same == name)]
            cases.append(f"when writer in {_texts(writers)} then {_first_of(several)}")
    slots = "[" + ", ".join(f"'s{at}'" for at in range(SLOTS)) + "]"
    groups = " ".join(
        f"when {at} then regexp_extract(text, {_text(_anchored(t) + '()' * (SLOTS - t.pattern.groups))}, {slots})"
        for at, t in enumerate(TEMPLATES)
        if _in_re2(t)
    )
    return _SELECT.format(
        header=_HEADER.replace("'", "''"),
        longest=_LONGEST,
        template=f"case {' '.join(cases)} else {_first_of(PAM)} end",
        careful=_texts(sorted(careful)),
        no_hosts=_texts(sorted(NO_HOSTS)),
        zones=_texts(sorted(ZONES)),
        hint=_text(HINT),
        record=_text(RECORD_HINT),
        groups=f"case template {groups} end",
    )


def _first_of(several: tuple[Template, ...]) -> str:
    tests = " ".join(f"when regexp_matches(text, {_text(_anchored(t))}) then {TEMPLATES.index(t)}" for t in several)
    return f"case {tests} end"


def _anchored(template: Template) -> str:
    return f"^(?:{template.pattern.pattern})"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _texts(texts: list[str]) -> str:
    return "(" + ", ".join(map(_text, texts)) + ")"
