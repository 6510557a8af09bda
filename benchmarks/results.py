"""Measured figures → `docs/results/NAME.md` for people and `NAME.json` with the same figures.

A figure that was not measured is absent; a missed target stays in the table as it is.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"


@dataclass(frozen=True)
class Figure:
    """One measured figure: on what (`case`), of what (`measure`), and the peer's beside it if there is one."""

    case: str
    measure: str
    value: float
    unit: str = ""
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None
    n: int | None = None
    versions: dict[str, str] = field(default_factory=dict)


def versions_of(*packages: str) -> dict[str, str]:
    """Return the versions that a figure was measured with, Python's among them."""
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def measured_before(name: str) -> list[Figure]:
    """Return the figures of the last run, which stay for the cases that are not measured now."""
    path = RESULTS / f"{name}.json"
    return [Figure(**figure) for figure in json.loads(path.read_text(encoding="utf-8"))] if path.is_file() else []


def write_results(name: str, title: str, about: str, figures: Sequence[Figure], *, notes: Sequence[str] = ()) -> Path:
    """Write the figures as a table and as JSON; return the table's path."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(
        json.dumps([asdict(f) for f in figures], indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    lines = [f"# {title}", "", about, "", f"Made by `make {name}`.", ""]
    peers = sorted({f.peer for f in figures if f.peer})
    header = ["case", "measure", "value", "unit"]
    header += ["peer", "peer's value", "ratio"] if peers else []
    header += ["n"]
    lines += ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    for figure in figures:
        cells = [figure.case, figure.measure, written(figure.value), figure.unit]
        cells += [figure.peer, written(figure.peer_value), written(figure.ratio)] if peers else []
        lines.append("| " + " | ".join([*cells, written(figure.n)]) + " |")
    used = {name: number for figure in figures for name, number in figure.versions.items()}
    lines += ["", *(f"- {text}" for text in notes), ""] if notes else [""]
    lines.append("Versions: " + ", ".join(f"{name} {number}" for name, number in sorted(used.items())) + ".")
    path = RESULTS / f"{name}.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def written(value: float | None) -> str:
    """Return a figure as it is written in a table: counts whole, the rest to three places, tiny ones in powers of ten."""
    if value is None:
        return ""
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.3f}" if abs(value) >= 0.001 else f"{value:.1e}"
