"""A text of key=value pairs → what stands before them, and the pairs."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from socml.formats._fields import add_numbered

__all__ = ["are_cells_pairs", "are_pairs", "pairs_of", "uncoloured"]

_PAIR = re.compile(
    r"(?P<key>[A-Za-z_@][\w.@/-]{0,99}) ?=(?: (?![\w.@/-]{1,100}=))?(?:\"(?P<double>(?:[^\"\\]|\\.)*)\"|'(?P<single>[^']*)'|`(?P<tick>[^`]*)`|\{(?!\s*\")(?P<brace>[^{}\n]*)\}|(?P<bare>[^\s\"',;]*(?:,[^\s\"',;=]+(?=[\s\"',;]|$))*))[,;]?",
    re.DOTALL,
)
_FIRST = re.compile(r"(?:^|[\s|:,(\[>])(?P<pair>[A-Za-z_@][\w.@/-]{0,99}(?:\(\d{1,6}\))?(?:=| = \{))")
_FIRST_SPACED = re.compile(r"(?:^|[\s|:,(\[>])(?P<pair>[A-Za-z_@][\w.@/-]{0,99} ?=)")
_QUOTED_KEY = re.compile(r"(?<![^\s,;|(\[{])\"(?P<key>[A-Za-z_@][\w.@/-]{0,99})\"(?= ?=)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_WINDOWS_NAME = re.compile(
    r"[\w.-]{1,64}\\[\w.$-]{1,64}|(?:[A-Za-z]:|\\)\\[^\\].{0,4000}"
)  # an account with its domain, a path
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")  # of a terminal
_MEANT = {"n": "\n", "t": "\t", "r": "\r"}
# Pairs that a sign parts, so that their values may hold blanks; pairs of `Name: value`, as Cisco's Firepower writes them
_SEPARATED = {
    sign: re.compile(rf"(?:^|{re.escape(sign)}) ?(?P<key>[A-Za-z_@][\w.@/-]{{0,99}})(?:\(\d{{1,6}}\))? ?=")
    for sign in ("\t", "|", ";", "^")
} | {  # where blanks and commas part them, a name may be of several words with capitals
    ", ": re.compile(r"(?:^|, ) ?(?P<key>[A-Za-z_@][\w.@/-]{0,99}(?: [A-Z][\w.@/-]{0,40}){0,4})(?:\(\d{1,6}\))? ?=")
}
_BLANK_KEY = re.compile(r"(?<![\t|;^,]) [A-Za-z_@][\w.@/-]{0,99}=")
_CELL = re.compile(
    r" ?[\"']?(?:[A-Za-z_@][\w.@/-]{0,99} ?=(?!=)|[A-Z][\w/-]{0,40}(?: [\w/-]{1,30}){0,4}:(?: |$)|[A-Za-z_]{2,40}:(?![/\s]))"
)
_COLONS = re.compile(r"(?:^|[,;\]] ?)(?P<key>[A-Z][\w/-]{0,40}(?: [\w/-]{1,30}){0,4}): ")
# `name:value|name:value`, as Cassandra's audit; LTSV, with tabs
_BARRED = {
    "|": re.compile(r"(?:^|\|)(?P<key>[A-Za-z_]{2,40}):(?!//)"),
    ",": re.compile(r"(?:^|,) ?(?P<key>[A-Za-z_]{2,40}):(?!//| )"),
    "\t": re.compile(r"(?:^|\t)(?P<key>[A-Za-z_][\w.-]{0,60}):(?!//)"),
}
_LEAST_SEPARATED, _LEAST_COLONS = 3, 4
# Pairs as programs print them: of Ruby and Perl, `user => "bob"`; of IBM, `USER(bob)`; in brackets, `[user:bob]`, `<user=bob>`;
# of Lisp, `(user "bob")`, `:user "bob"`; of a query, `user=bob&…`
_KEY, _QUOTED = r"(?P<key>[A-Za-z_@][\w.@/-]{0,99})", r"\"(?P<double>(?:[^\"\\]|\\.)*)\""
_PRINTED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"[:\"']{{0,2}}{_KEY}[\"']? ?=> ?(?:{_QUOTED}|'(?P<single>[^']*)'|:?(?P<bare>[^\s,{{}}\"']+))[,}}]? ?",
        rf"(?<![\w.]){_KEY}\((?!e?s\))(?P<bare>[^()]*)\)(?! ?=),? ?",
        rf"\[{_KEY}[:=] ?(?P<bare>[^\[\]]*)\] ?",
        rf"<{_KEY}[:=] ?(?P<bare>[^<>]*)> ?",
        rf"\({_KEY} (?:{_QUOTED}|(?P<bare>[^\s()\"]+))\) ?",
        rf"(?<=[\s(]):{_KEY} (?:{_QUOTED}|:?(?P<bare>[^\s()\"]+))[ )]?",
        rf"(?:^|(?<=[\s{{])){_KEY}:(?P<bare>[^\s{{}}\";=:\\()][^\s{{}}\";()]*)(?=[\s}}]|$) ?",
        rf"\{{{_KEY},(?:{_QUOTED}|(?P<bare>[^{{}},\"]+))\}},?",
        rf"(?:^|(?<=&)){_KEY}=(?P<bare>[^&\s]*)&?",
    )
)
_SIGNS = ("=>", "(", "[", "<", "(", ":", ":", "{", "&")  # one of each such pair
_MOST_WORDS_LEFT, _A_WORD = 2, re.compile(r"\w+")
_MOST_AROUND = 0.4  # share of a line that may stand around such pairs
_LONGEST = 1 << 16  # characters that are looked at for pairs


def uncoloured(text: str) -> str:
    """Return a text without what colours it on a terminal.

    Examples
    --------
    >>> uncoloured("\x1b[31mERROR\x1b[0m user=bob")
    'ERROR user=bob'
    """
    return _COLOUR.sub("", text) if "\x1b" in text else text


def pairs_of(text: str) -> tuple[str, dict[str, str]]:
    """Return what stands before the first pair of a line, and its pairs; of a key given twice the later is `key.2`.

    Examples
    --------
    >>> pairs_of('INFO a=1 msg="x \\\\"y\\\\" z" b=two,three a=4 bare')
    ('INFO', {'a': '1', 'msg': 'x "y" z', 'b': 'two,three', 'a.2': '4', 'text': 'bare'})
    >>> pairs_of('"user"="bob" "ip"="192.0.2.7"')
    ('', {'user': 'bob', 'ip': '192.0.2.7'})
    """
    return _printed(text) or _written(text)


def _written(text: str) -> tuple[str, dict[str, str]]:
    text = _QUOTED_KEY.sub(r"\g<key>", text) if '"=' in text or '" =' in text else text
    text = text.replace(":=", "=") if text.count(":=") >= _LEAST_SEPARATED else text
    is_spaced = text.count(" = ") >= _LEAST_SEPARATED
    first = (_FIRST_SPACED if is_spaced else _FIRST).search(text, 0, _LONGEST)
    colons = list(_COLONS.finditer(text, 0, _LONGEST)) if text.count(": ") >= _LEAST_COLONS else []
    if len(colons) >= _LEAST_COLONS and text.count("=") < len(colons):
        return _cut(text, colons, ", ;")
    for sign in _BARRED:
        if text.count(sign) >= _LEAST_COLONS - 1 and (barred := _barred(text, sign)):
            return barred
    if first is None:
        return text, {}
    start = first.start("pair")
    pairs = text[start:_LONGEST]
    for sign, pattern in _SEPARATED.items():
        if pairs.count(sign) >= _LEAST_SEPARATED - 1:
            keys = list(pattern.finditer(pairs))
            if len(keys) >= _LEAST_SEPARATED and len(keys) > len(_BLANK_KEY.findall(pairs)):
                return text[:start].strip(" |:,(\t;"), _cut(text[start:], keys, sign)[1]
    before, found = _in_a_row(text, start)
    if is_spaced and len(_A_WORD.findall(found.get("text", ""))) > _MOST_WORDS_LEFT:  # a sentence with equal signs
        return text, {}
    return before, found


def _in_a_row(text: str, start: int) -> tuple[str, dict[str, str]]:
    """Return what stands before pairs that blanks or commas part, and those; what stands among them is `text`."""
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    left: list[str] = []
    at = start
    for pair in _PAIR.finditer(text, start, _LONGEST):
        left.append(text[at : pair.start()])
        add_numbered(found, counts, pair["key"], _value(pair))
        at = pair.end()
    left.append(text[at:])
    rest = " ".join(" ".join(left).split())
    if rest.strip(" ,;|"):
        found["text"] = rest.strip(" ,;|")
    return text[:start].strip(" |:,("), found


def _printed(text: str) -> tuple[str, dict[str, str]] | None:
    """Return what stands before pairs that a program printed in its own way, and those; None if a line is not mostly such.

    Examples
    --------
    >>> _printed('{:user=>"bob", :ip=>"192.0.2.7", :ok=>true}'), _printed("USER(bob) IP(192.0.2.7) STATUS(OK)")
    (('', {'user': 'bob', 'ip': '192.0.2.7', 'ok': 'true'}), ('', {'USER': 'bob', 'IP': '192.0.2.7', 'STATUS': 'OK'}))
    >>> _printed("user=bob%40a.example&ip=192.0.2.7&x=a+b"), _printed("a(b) c and d(e)")
    (('', {'user': 'bob@a.example', 'ip': '192.0.2.7', 'x': 'a b'}), None)
    """
    text = text[:_LONGEST].rstrip()
    for sign, pattern in zip(_SIGNS, _PRINTED, strict=True):
        if text.count(sign) < _LEAST_SEPARATED - (sign == "&"):
            continue
        pairs = list(pattern.finditer(text))
        if sign == "&" and pairs and pairs[0].start() > 0:  # of an address that was asked for
            continue
        if len(pairs) >= _LEAST_SEPARATED and sum(len(one[0]) for one in pairs) >= (1 - _MOST_AROUND) * (
            len(text) - pairs[0].start()
        ):
            found: dict[str, str] = {}
            counts: dict[str, int] = {}
            left, at = list[str](), pairs[0].start()
            for one in pairs:
                left.append(text[at : one.start()])
                add_numbered(found, counts, one["key"], _plain(one))
                at = one.end()
            if rest := " ".join(" ".join((*left, text[at:])).split()).strip(" ,;|()[]{}<>."):
                found["text"] = rest
            return text[: pairs[0].start()].strip(" |:,([{<"), found
    return None


def _plain(pair: re.Match[str]) -> str:
    """Return the value of a pair as it was meant: of a query, without its escapes."""
    if pair.re is _PRINTED[-1]:
        return unquote_plus(pair["bare"])
    parts = pair.groupdict()
    if parts.get("double") is not None:
        return _ESCAPE.sub(_unescaped, pair["double"])
    return (parts.get("single") or pair["bare"] or "").strip()


def _barred(text: str, sign: str) -> tuple[str, dict[str, str]] | None:
    """Return what stands before pairs of `name:value` that bars or tabs part, and those; None if most cells are none.

    Examples
    --------
    >>> _barred("audit - user:bob|source:/192.0.2.7|type:LOGIN|operation:a: b", "|")
    ('audit -', {'user': 'bob', 'source': '/192.0.2.7', 'type': 'LOGIN', 'operation': 'a: b'})
    """
    start = text.rfind(" ", 0, text.find(sign) + 1) + 1 if sign == "|" else 0
    keys = list(_BARRED[sign].finditer(text[start:_LONGEST]))
    if len(keys) < _LEAST_COLONS or 2 * len(keys) <= text.count(sign, 0, _LONGEST) + 1:
        return None
    return text[:start].strip(), _cut(text[start:], keys, sign)[1]


def _cut(text: str, keys: list[re.Match[str]], sign: str) -> tuple[str, dict[str, str]]:
    """Return what stands before the first of these keys, and each key with what follows it up to the next."""
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    ends = [*(key.start() for key in keys[1:]), len(text)]
    for key, end in zip(keys, ends, strict=True):
        value = text[key.end() : end].strip(f"{sign} ")
        is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        add_numbered(found, counts, key["key"], value[1:-1] if is_quoted else value)
    return text[: keys[0].start()].strip(" |:,(\t"), found


def _unescaped(found: re.Match[str]) -> str:
    """Return what a backslash and the character behind it mean; before a letter that means nothing, they stay."""
    return _MEANT.get(found[1]) or (found[0] if found[1].isalnum() else found[1])


def _value(pair: re.Match[str]) -> str:
    if (text := pair["double"]) is not None:
        return text if _WINDOWS_NAME.fullmatch(text) else _ESCAPE.sub(_unescaped, text)
    if pair["tick"] is not None:
        return pair["tick"]
    if pair["brace"] is not None:
        return pair["brace"].strip()
    return pair["single"] if pair["single"] is not None else pair["bare"]


def are_cells_pairs(text: str, delimiter: str) -> bool:
    """Return whether most cells of a delimited line are pairs: such lines are no table's.

    Examples
    --------
    >>> are_cells_pairs("time=1|src=192.0.2.1|act=drop", "|"), are_cells_pairs("time|src|a=b", "|")
    (True, False)
    """
    cells = text.split(delimiter)
    return len(cells) >= _LEAST_SEPARATED and 2 * sum(_CELL.match(cell) is not None for cell in cells) > len(cells)


def are_pairs(text: str) -> bool:
    """Return whether a text is mostly pairs.

    Examples
    --------
    >>> are_pairs("a=1 b=2 c=3"), are_pairs("user=bob logged in from the second floor, a=1 b=2")
    (True, False)
    """
    before, found = pairs_of(text)
    text_left = len(found.get("text", "")) + max(0, len(before) - 60)
    return len(found) - ("text" in found) >= 3 and text_left < 0.4 * len(text)
