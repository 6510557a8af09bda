"""A message in free text → the account that it tells of, by patterns in a stated order.

Every pattern takes linear time. Words are English, or of one of `_other_languages`.
"""

from __future__ import annotations

import re

from socml.formats import _other_languages as elsewhere
from socml.formats._addresses import address

__all__ = ["OF_PASSWORD", "user_of"]

_NAME = r"(?P<name>[^\s'\"\[\]<>(){},;=|]{1,128})"
_SOMEBODY = rf"(?!(?:the|an?|client|peer|device|server|host|request|connection|token|certificate)\b){_NAME}"
_IPV4 = r"(?:\d{1,3}\.){3}\d"
_ENDED = "authenticated|authori[sz]ed|denied|rejected|accepted|blocked|banned|created|added|deleted|removed|enabled|locked|unlocked"
_USERS = (
    re.compile(rf"(?i)\buser \[[^\]]{{0,64}}\]\\\[{_NAME}"),
    re.compile(rf"(?i)\blog-?[io]n as ['\"]?{_NAME}"),
    re.compile(
        rf"(?i)\b(?:invalid|illegal|unknown|nonexistent) (?:user|principal|account|login|username|member)(?![\w/-]):? ?['\"\[<(]{{0,2}}{_NAME}"
    ),
    re.compile(
        rf"(?i)\b(?:user[ _-]?name|user[ _-]?id|user|logname|acct|usr|uname|ruser|users|principal|username|uid|set_id|log-?[io]n id)['\"]?"
        rf"(?: = | => |\\?=|\\?:{{1,2}} ?| is )(?:User:)?\\?['\"\[<(]{{0,2}}{_NAME}"
    ),
    re.compile(rf"(?i)\buser (?:{_ENDED}): ?['\"]?{_NAME}"),
    re.compile(rf"\b(?:[Uu]ser|USER) (?!(?:{_ENDED})\b){_NAME}"),
    re.compile(rf"\bunix-user:{_NAME}"),
    re.compile(r"^(?P<name>[\w.\\-]{1,39})@(?=(?:\d{1,3}\.){3}\d{1,3}[: ])"),
    re.compile(rf"\bpid \d{{1,9}} (?P<name>[\w.-]{{1,64}})@[\w-]{{1,63}} (?={_IPV4})"),
    re.compile(r"(?:^#\d{1,9}|\|) (?P<name>[\w.\\-]{1,39})@(?=(?:\d{1,3}\.){3}\d{1,3} \|)"),
    re.compile(
        rf"\b(?:OWNER|OPERATOR|USERID) (?![A-Z]{{2,}}\b){_NAME}(?= {{1,4}}[A-Z]{{3,}} {{1,4}}\S)"
    ),  # labels in capitals
    re.compile(r"(?i)(?:\blog-?[io]n |\bfor '| [\w.-]{1,64}/)(?P<name>[\w.\\-]{1,64})@(?=\d{1,3}\.\d{1,3}\.)"),
    re.compile(rf"(?i)\b(?:logged|signed) in: {_NAME}$"),
    re.compile(rf"(?i)^log-?[io]n {_NAME} from (?=[\d\[])"),
    re.compile(rf"(?i)\blog-?[io]n: {_NAME} - (?=[\da-f])"),
    re.compile(rf"^\"{_NAME}\" (?=(?:\d{{1,3}}\.){{3}}\d)"),  # of a proxy, before the client's address
    re.compile(rf"(?i)\buser name (?:[a-z]{{1,12}} ){{1,6}}(?:is|was):? ['\"]{_NAME}"),
    re.compile(rf"(?i)\b(?:logged|signed) in using {_NAME}, from (?=[\da-f])"),
    re.compile(
        rf"(?i)\b(?:authenticated as|(?:connected|logged in|logon|login) as (?:principal|user)) (?:principal |user )?['\"]?{_NAME}"
    ),
    re.compile(rf"\bby {_NAME} (?:from|at) (?=[\d\[])"),
    re.compile(
        rf"(?i)\b(?:by|for admin|session for) {_NAME} (?:from (?:src |ip ){{0,2}}(?=\d|[\da-f]{{1,4}}:)|via \w+ from|using \w+ from|has timed out)"
    ),
    re.compile(
        r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3} - (?P<name>[\w.@-]{1,128})(?: \([a-z]{1,20}: [\w.@-]{1,64}\))? (?:- |\"[A-Z])"
    ),
    re.compile(r"\bUSER\((?P<name>[\w#$@-]{1,8}) {0,8}\)"),  # of z/OS
    re.compile(r"\bCLI:(?:\d{1,3}\.){3}\d{1,3}:(?P<name>[\w.-]{1,64}):"),
    re.compile(rf"^{_NAME} (?:called \w+(?:\.\w+){{2,}}|requested /)"),  # of a broker's console
    re.compile(rf"(?i)\bclient ?: {_NAME} / (?=[\da-f])"),
    re.compile(r"(?:^|\] |\s)(?P<name>[A-Za-z][\w.-]{0,63}) \((?:\d{1,3}\.){3}\d{1,3}\)> "),
    re.compile(  # of ONTAP: the client, then its virtual server and the account
        r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})? :: (?:[\w.-]{1,64}:)?(?P<name>[\w.\\@-]{1,64})(?= ::)"
    ),
    re.compile(  # one that ended for a reason, or began for a purpose, names nobody
        rf"(?i)\bsession (?:opened for (?!the\b|an?\b|\d)|(?:opened|closed|started|ended) for (?:(?:the )?user |(?=['\"])))['\"]?{_NAME}"
    ),
    re.compile(rf"(?i)\b(?:login|account)=\\?['\"]?{_NAME}"),
    re.compile(rf"(?i)\b(?:user|account|login|member|username)(?: id| name)? \\?['\"\[<(]{{1,2}}{_NAME}"),
)
# What is said of somebody whose name stands before it, as a program's would
OF_PASSWORD = re.compile(r"(?i)(?:wrong|bad|incorrect|invalid) (?:password|passphrase|credentials)\b")
_USERS_OF_OUTCOMES = (
    re.compile(rf"(?i)(?:^|\]  ?)\[{_NAME}\]: (?:failed to )?log(?:ged)? ?in\b"),
    re.compile(rf"Exception: {_SOMEBODY}: Authentication failed"),
    re.compile(r"(?i)\bsession \d{1,12} (?:\d{1,3}\.){3}\d{1,3} (?P<name>[\w.@-]{1,64})\]"),
    re.compile(rf"^{_SOMEBODY}: {OF_PASSWORD.pattern.replace('(?i)', '(?i:')})"),
    re.compile(rf"\b[Uu]sername {_NAME} [a-z]"),
    re.compile(r"(?i)\b(?:for|by|of) (?:user |account |invalid user )?['\"\[<(]{0,2}(?P<name>[\w.+-]{1,64}@[\w.-]{1,255}\w)"),
    re.compile(rf"(?i)\b(?:for|by|of|as|with|peer) ['\"]{_NAME}['\"]"),
    re.compile(rf"(?i)\bfor the ['\"]{_NAME}['\"] (?:principal|user|account)\b"),
    re.compile(rf"\bpeer {_NAME}$"),
    # A domain's account before the address that it came from; a mail address of which something was decided, before that
    re.compile(rf"(?<![\\\w:/.@-])(?!HK)(?P<name>[A-Z][A-Z0-9-]{{1,14}}\\[A-Za-z][\w.$-]{{0,63}}) (?=(?:from |via |on |at |\(){_IPV4})"),
    re.compile(
        rf"(?i)(?:^|[\]:|-] )(?P<name>[a-z][\w.+-]{{0,63}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,4}}) (?:was )?(?:rejected|denied|refused|accepted|admitted) (?=(?:from |\(){_IPV4})"
    ),
    re.compile(rf"(?i)\bfor (?:user |account )?{_NAME} (?:from|via|at|on|by|against|because|due|with|using)\b"),
    re.compile(rf"(?i)\bauth\w{{0,14}} (?:failed|failure|error|refused|denied) [^:]{{0,200}}\bfor {_NAME}:"),
    re.compile(rf"(?i)\bfrom \S{{1,64}} as (?:user )?['\"]?{_NAME}"),
    re.compile(rf"(?i)\b(?:log-?[io]ns?|authentication|password|attempts?) for (?:user |account )?{_NAME}(?=[;,] )"),
    re.compile(rf"(?i)^{_SOMEBODY} authenticated (?:via|with|using|from|against)\b"),
    re.compile(rf"(?i)\b(?:not|to) authenticate (?:user )?{_SOMEBODY} (?:against|via|from|at|on)\b"),
    re.compile(rf"(?i): {_SOMEBODY} (?:tried|attempted|is not allowed) to\b"),
    re.compile(rf"(?i)\blog-?[io]n (?:failed|failure|error|rejected|denied|ok|succeeded)(?::| -)? ['\"(\[]{{0,2}}{_NAME}"),
    re.compile(rf"(?i)\bfor (?:user |account )?{_NAME}$"),
    re.compile(rf"(?i)\b{_NAME}(?:\[[^\]\n]{{1,64}}\])? (?:logged|signed) (?:in|on|out|off)\b"),
)  # fmt: skip
# In a message that tells how a logon ended
_USERS_OF_LOGONS = (
    re.compile(rf"(?i)(?<![?&\w])(?:operator|who)(?:=| {{0,8}}: ?)['\"\[<(]{{0,2}}{_NAME}"),
    re.compile(rf"(?<![^\s'\"(])(?<!\bto )(?<!\bfrom )(?P<name>[\w.-]{{1,64}})@[\w-]{{1,63}} (?={_IPV4})"),  # and the machine that comes from there
    re.compile(rf"(?i)\b(?:log-?[io]n|sign-?in) (?:attempt|request) by (?:user )?['\"]?{_SOMEBODY}(?=['\"]?(?:$|\n| from {_IPV4}))"),
)  # fmt: skip
_NO_USER = frozenset(
    "n/a not is was has from to and or name id the with for unknown login logged in on agent password exec privileged attempting trying accessing failed failure authentication does did could "
    "cannot access account session null none a an of by be been must will wants at user username info data list group requested attempted tried "
    "error invalid successfully have are input space mode root's it that this who uid nil incorrect bad wrong too "
    "using name/password reason type code expired locked disabled disconnected connected session logged connection timeout permission denied because due via remote ip address attempt attempts no yes true false still as".split()
)


def user_of(text: str, *, ended: bool, of_logon: bool = False) -> str | None:
    """Return the account that a message tells of; None if it tells none.

    Parameters
    ----------
    ended : whether the message tells how something ended, which says more of whom it is about
    of_logon : whether it tells of a logon

    Examples
    --------
    >>> user_of("access denied for bob from 192.0.2.7", ended=True), user_of("started in 12 ms", ended=False)
    ('bob', None)
    """
    of_outcomes = (*_USERS_OF_OUTCOMES, *elsewhere.USERS_OF_OUTCOMES) if ended else ()
    of_logons = _USERS_OF_LOGONS if ended and of_logon else ()
    for pattern in (*_USERS, *elsewhere.USERS, *of_outcomes, *of_logons):
        for found in pattern.finditer(text):
            name = (
                found["name"].rstrip(".:!?\\").lstrip("\\")
                if "\\" not in found["name"][1:-1]
                else found["name"].rstrip(".:!?")
            )
            front, sign, behind = name.partition("@" if "@" in name else "/")
            is_extension = bool(sign) and address(behind) is not None  # of a telephone: 1001@192.0.2.5
            name = front if is_extension else name
            is_quoted = text[found.start("name") - 1] in "'\"" and found.start("name") > 0
            if (
                name
                and name.lower() not in _NO_USER
                and (is_quoted or name.lower() not in elsewhere.NO_USER)
                and (is_extension or not name.isdecimal())
                and name[0] not in "/-"
                and address(name) is None
                and any(map(str.isalnum, name))
                and text[found.end("name") : found.end("name") + 1] != "="  # it is a field's
            ):
                return str(name)
    return None
