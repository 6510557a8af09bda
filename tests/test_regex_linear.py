"""Every regular expression that reads input takes time that grows linearly with it, whatever the input is."""

from __future__ import annotations

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import socml
from tests.regex_runs import runs_away

ROOT = Path(socml.__file__).parent
FOLDERS = ("formats", "ingestion")
METHODS = {"match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split"}
ANCHORED = {"match", "fullmatch"}
# what is matched against one line only, or against a text that was looked through for line ends
OF_LINES = {
    "_syslog_templates": "read_message", "ossec_alerts_log": "lines of a block", "snort_full": "lines of a block",
}  # fmt: skip


def modules() -> list[Path]:
    """Return the modules that read input."""
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


@cache
def used() -> tuple[dict[tuple[str, str], set[str]], list[tuple[str, re.Pattern[Any], str]]]:
    """Return by which methods each name is used in a module, and the patterns that are written where they are used."""
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    written = []
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Attribute) and node.attr in METHODS):
                continue
            owner = node.value
            while isinstance(owner, ast.Subscript):
                owner = owner.value
            if isinstance(owner, ast.Name | ast.Attribute):
                name = owner.id if isinstance(owner, ast.Name) else owner.attr
                names["" if name[0] != "_" else path.stem, name].add(node.attr)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
                of_re = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
                if of_re and isinstance(node.args[0], ast.Constant):
                    flags = [ast.unparse(a) for a in node.args[2:] if "re." in ast.unparse(a)]
                    compiled = re.compile(node.args[0].value, eval(flags[0], {"re": re}) if flags else 0)
                    written.append((f"{path.stem}:{node.lineno}", compiled, node.func.attr))
    return names, written


def held(value: Any, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    """Yield the patterns in a value: itself, or what it holds."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict) and depth < 4:
        for inner in value.values():
            yield from held(inner, depth + 1)
    elif isinstance(value, list | tuple | set) and depth < 4:
        for inner in value:
            yield from held(inner, depth + 1)
    elif is_dataclass(value) and not isinstance(value, type) and depth < 4:
        for inner in fields(value):
            yield from held(getattr(value, inner.name), depth + 1)


@cache
def patterns() -> dict[str, tuple[re.Pattern[Any], bool, bool]]:
    """Return each pattern by where it stands: itself, whether it is searched for, whether it must match to the end."""
    names, written = used()
    seen: set[tuple[str | bytes, int, bool, bool]] = set()
    found = {where: (compiled, how not in ANCHORED, how == "fullmatch") for where, compiled, how in written}
    for path in modules():
        module = importlib.import_module(".".join(("socml", *path.relative_to(ROOT).with_suffix("").parts)))
        source = path.read_text(encoding="utf-8")
        for name, value in vars(module).items():
            if not re.search(rf"^{name}\b.*=", source, re.MULTILINE):
                continue  # imported: looked at where it is made
            for number, pattern in enumerate(held(value)):
                is_template = "templates" in path.stem or name == "HEADERS"
                how = (
                    {"match"} if is_template else names["" if name[0] != "_" else path.stem, name] or METHODS
                )  # used by another name
                use = (not how <= ANCHORED, how == {"fullmatch"})
                if (pattern.pattern, pattern.flags, *use) not in seen:
                    seen.add((pattern.pattern, pattern.flags, *use))
                    found[f"{path.stem}.{name}" + (f".{number}" if number else "")] = (pattern, *use)
    return found


def test_every_pattern_takes_linear_time() -> None:
    away = {
        (where, pattern.pattern): why
        for where, (pattern, is_search, to_end) in patterns().items()
        if (why := runs_away(pattern, is_search=is_search, to_end=to_end, is_line=where.partition(".")[0] in OF_LINES))
    }
    assert away == {}
    said = sum(path.read_text(encoding="utf-8").count("re.compile(") for path in modules())
    assert len({pattern.pattern for pattern, _, _ in patterns().values()}) >= said, "a pattern is not looked at"


@pytest.mark.parametrize(
    ("pattern", "is_search", "expected"),
    [
        (r"(a+)+$", False, "two ways around a loop over 'a'"),
        (r"(?:a|a)*b", False, "two ways around a loop over 'a'"),
        (r"(?:[^;]*;?)*x", False, "two ways around"),
        (r"\s*(.*?)\s*,", False, "two loops"),
        (r"a*b?a*c", False, "two loops over 'a'"),
        (r".*=.*=x", False, "two loops"),
        (r"(?:a+,?){2}x", False, "two loops over 'a'"),
        (r"\s+$", True, "a search with a loop"),
        (r"<[^>]*>", True, "a search with a loop"),
        (r"a(?:[ab]*c)?", True, "a search with a loop"),
        (r"(?:[^\"\\]|\\.)*\"", False, ""),
        (r"[^=]*=[^=]*=x", False, ""),
        (r"\s*+(.*?),", False, ""),
        (r"<[^<>]{0,100}>", True, ""),
        (r"<[^<>]*>", True, ""),
        (r"\w+", True, ""),
        (r"^\w+ \d+$", True, ""),
    ],
)
def test_known_patterns_are_told_apart(pattern: str, is_search: bool, expected: str) -> None:
    assert (runs_away(re.compile(pattern), is_search=is_search) or "linear").startswith(expected or "linear")
