"""Folders of ES modules → one script and one style sheet for a component, in the order in which modules need each other.

The modules are what `node --test` imports as they are; the browser gets them in one piece, without their imports.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_APP = Path(__file__).parent
_IMPORT = re.compile(r'^import \{[^}]*\} from "(?P<path>[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(async |class |function |const ))", re.MULTILINE)


@cache
def bundle(main: str, style: str) -> tuple[str, str]:
    """Return the script that begins with the module `main`, and the text of `style`; both are paths below `app/`."""
    whole: dict[Path, str] = {}
    _add(_APP / main, whole)
    styles = "\n".join((_APP / name).read_text(encoding="utf-8") for name in style.split())
    return "\n".join(whole.values()), styles


def _add(path: Path, whole: dict[Path, str]) -> None:
    """Add what a module imports, then the module, each once."""
    path = path.resolve()
    if path in whole:
        return
    text = path.read_text(encoding="utf-8")
    for found in _IMPORT.finditer(text):
        _add(path.parent / found["path"], whole)
    whole[path] = _EXPORT.sub("", _IMPORT.sub("", text))
