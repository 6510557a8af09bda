"""`key="value" key=value` → fields; a value without quotes may hold spaces, and ends where the next key begins."""

from __future__ import annotations

import re

from socml.formats._fields import add_numbered

__all__ = ["key_values"]

_KEY = re.compile(r"(?:^|(?<=[\s,>0-9]))(?P<key>[A-Za-z_][\w.-]{0,63})=")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')


def key_values(text: str) -> dict[str, str]:
    """Return the fields in `text`, those without a value left out. Of a key given twice, the later is `key.2`.

    Examples
    --------
    >>> key_values('a="x y" b=1 c= d=Unknown (0x0000) e="C:\\\\\\\\dir" a=2')
    {'a': 'x y', 'b': '1', 'd': 'Unknown (0x0000)', 'e': 'C:\\\\dir', 'a.2': '2'}
    """
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    key = _KEY.search(text)
    while key:
        quoted = _QUOTED.match(text, key.end())
        following = _KEY.search(text, quoted.end() if quoted else key.end())
        if quoted:
            value = _ESCAPED.sub(r"\1", quoted[1]) if "\\" in quoted[1] else quoted[1]
        else:
            value = text[key.end() : following.start() if following else len(text)].strip()
        if value:
            add_numbered(found, counts, key["key"], value)
        key = following
    return found
