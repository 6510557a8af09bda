"""The lock file and the environment → a software bill of materials (CycloneDX 1.6) and a list of licences.

Run it with `make sbom`: build/socml.cdx.json, and the table in docs/reference/licences.md. Nothing is fetched.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from socml import __version__

ROOT = Path(__file__).resolve().parents[1]
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_CLASSIFIER = "License :: OSI Approved :: "
LONGEST = 60  # a licence field that holds the whole text is named by its first line


@dataclass(frozen=True)
class Part:
    """One package that socml needs, as it is locked."""

    name: str
    version: str
    licence: str
    hashes: tuple[str, ...]


def main() -> None:
    """Write both."""
    parts = locked(ROOT / "requirements.lock")
    target = ROOT / "build" / "socml.cdx.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(bill(parts), indent=1) + "\n", encoding="utf-8")
    lines = [
        "# Licences of what socml needs",
        "",
        "Made by `make sbom` from the lock file and what the packages say of themselves; `unknown` says nothing.",
        "",
        "| package | version | licence |",
        "|---|---|---|",
        *(f"| {part.name} | {part.version} | {part.licence} |" for part in parts),
    ]
    (ROOT / "docs" / "reference" / "licences.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{target.relative_to(ROOT)}: {len(parts)} packages")  # noqa: T201


def locked(lock: Path) -> list[Part]:
    """Return the packages of a lock file, sorted by name."""
    found: list[Part] = []
    name = version = ""
    hashes: list[str] = []
    for line in [*lock.read_text(encoding="utf-8").splitlines(), "end==0"]:
        hashes += _HASH.findall(line)
        if pinned := _PINNED.match(line):
            if name:
                found.append(Part(name, version, licence_of(name), tuple(hashes)))
            name, version, hashes = pinned[1], pinned[2], []
    return sorted(found, key=lambda part: part.name)


def licence_of(package: str) -> str:
    """Return what a package says of its licence: the expression, the field's first line, or the classifier."""
    try:
        about = distribution(package).metadata
    except PackageNotFoundError:
        return "unknown"
    expression = about.get("License-Expression")
    if expression:
        return str(expression)
    classified = [text.removeprefix(_CLASSIFIER) for text in about.get_all("Classifier") or [] if _CLASSIFIER in text]
    field = str(about.get("License") or "").strip().splitlines()
    first = field[0].strip() if field and len(field[0]) <= LONGEST else ""
    whose = ", ".join(classified) if first.lower().startswith("copyright") else ""  # a text that begins with its owner
    return (whose or first or ", ".join(classified) or "unknown").replace("|", "/")


def bill(parts: list[Part]) -> dict[str, object]:
    """Return the bill of materials, CycloneDX 1.6."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "socml", "version": __version__}},
        "components": [
            {
                "type": "library",
                "name": part.name,
                "version": part.version,
                "purl": f"pkg:pypi/{part.name}@{part.version}",
                "licenses": [{"license": {"name": part.licence}}],
                "hashes": [{"alg": "SHA-256", "content": content} for content in part.hashes],
            }
            for part in parts
        ],
    }


if __name__ == "__main__":
    main()
