"""Every real file beside the project → its reader, and what it made of it → docs/results/results-formats.

Run it with `make results-formats`. Files lie at ../shared (`SOCML_SHARED` names another place).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from benchmarks.format_tables import Fault, column_lines, dialect_lines, faults_figures, faults_lines, read_faults
from benchmarks.results import RESULTS, Figure, versions_of, written
from socml.ingestion import format_names, ingest, load_events
from socml.project import EVENT, Project, ScratchFolder, SocmlError, visible_line

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("SOCML_SHARED") or ROOT.parent / "shared")
BOOKKEEPING = {"event_id", "dataset", "raw", "source_file", "source_line", "extra"}

# files that concern no reader, and why
NO_LOG: dict[str, str] = {
    "datasets/INDEX.csv": "list of the files themselves",
    "*/SOURCES.md": "where the files come from",
    "*/LICENSE": "licence text",
    "datasets/cloudtrail/AWS_Honeybucket_Logs.txt.gz": "a published S3 page: an advertisement in prose, no log",
    "datasets/nsl-kdd/*.csv": "names of the columns and of the attacks, no records",
    "datasets/loghub-2k/*_templates.csv.gz": "Loghub's answer: the templates (checked in bench of templates)",
    "datasets/loghub-2k/*_structured.csv.gz": "Loghub's answer: each line's template",
    "datasets/log-sequences-ait/*": "sequences of template numbers, without times or texts",
    "samples/ocsf_reference/zeek_dns_log.ocsf": "not valid JSON as published (a comma is missing)",
    "samples/ocsf_reference/*.raw": "what OCSF's examples were made of, one JSON object over many lines; compared in the tests",
    "samples/argus/produced/*.argus": "Argus's own binary format: refused with the ra command that prints it",
    "samples/snort/*.map": "names of rules, read with the unified2 files beside them",
    "samples/snort/classification.config": "names of classes, read with the unified2 files beside them",
    "samples/snort/ossec_snort_test.ini": "a test's own file; its two alert lines are read in the tests",
    "samples/suricata/rules/local.rules": "rules, not events",
    "samples/response/*": "what a response sends out (rules, sets, requests), not events",
    "samples/resilient/*": "a ticket system's objects, not events",
    "samples/thehive/*": "a ticket system's objects, not events",
    "datasets/hostile/*": "each line of MANIFEST.csv is checked below",
}
# files whose columns only a recipe can name
RECIPES = {
    "datasets/nsl-kdd/*": "nsl-kdd",
    "datasets/unsw-nb15/*": "unsw-nb15-raw",
    "datasets/cic-ids2017/*": "cic-ids2017",
    "datasets/stratosphere-zeek/008-*": "stratosphere-008",
    "datasets/stratosphere-zeek/010-*": "stratosphere-010",
    "datasets/adbench/*": "adbench",
}
# files that are not one log, or hold placeholders: all that reads is read, and the rest is counted
MIXED = (
    "datasets/auth-logs/fail2ban/*",
    "samples/suricata/sc4s_suricata_syslog.log",
    "datasets/netflow/dat/*_data*.dat",
)


@dataclass
class Read:
    """What became of one file."""

    file: str
    reader: str = ""
    confidence: float | None = None
    records: int = 0
    events: int = 0
    quarantined: int = 0
    skipped: int = 0
    columns: list[str] = field(default_factory=list)
    own_columns: int = 0
    refused: str = ""


def main() -> None:
    """Read every file, check the dirty ones, and write what came out."""
    files = list(read_files())
    checked = checks()
    path = write(files, checked, read_faults(SHARED, ROOT, checked.faults))
    sys.stdout.write(f"{path}\n")


def read_files() -> Iterator[Read]:
    """Read every file but those that are no logs."""
    for path in sorted(p for part in ("samples", "datasets") for p in (SHARED / part).rglob("*") if p.is_file()):
        name = str(path.relative_to(SHARED))
        if no_log(name) is None:
            sys.stderr.write(f"{name}\n")
            yield read_file(path, name)


def no_log(name: str) -> str | None:
    """Return why a file is not read, None if it is to be read."""
    return next((why for pattern, why in NO_LOG.items() if fnmatch(name, pattern)), None)


def read_file(path: Path, name: str) -> Read:
    """Ingest one file into a project of its own."""
    dataset = next((recipe for pattern, recipe in RECIPES.items() if fnmatch(name, pattern)), "some")
    allowed = 1.0 if any(fnmatch(name, pattern) for pattern in MIXED) else None
    with ScratchFolder("formats") as folder:
        project = Project(root=ROOT, workspace=Path(folder) / "workspace")
        try:
            result = ingest(path, dataset=dataset, project=project, max_bad_share=allowed, final=True).per_file[0]
        except SocmlError as error:
            return Read(name, refused=str(error).replace(str(path.resolve()), path.name).replace(str(path), path.name))
        counts = (result.records, result.events, result.quarantined, result.skipped)
        read = Read(name, result.format, result.confidence, *counts)
        if result.added:
            events = load_events(dataset, project=project)
            filled = [str(c) for c in events.columns if events[c].notna().any()]
            read.columns = [c for c in filled if c in EVENT and c not in BOOKKEEPING]
            read.own_columns = len([c for c in filled if c not in EVENT])
        return read


@dataclass
class Checks:
    """What tests say of the dirty files and of the faults, file → whether it holds; and of fail2ban's truth, in words."""

    hostile: dict[str, bool] = field(default_factory=dict)
    faults: dict[str, bool] = field(default_factory=dict)
    truth: str = ""


def checks() -> Checks:
    """Run the tests of the dirty files, of the faults and of fail2ban's truth."""
    with ScratchFolder("formats") as folder:
        report = Path(folder) / "report.xml"
        subprocess.run(
            [
                sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}",
                "-o", "junit_logging=system-out", "tests/real/test_hostile.py", "tests/real/test_fail2ban_truth.py",
                "tests/test_faults_read.py",
            ],
            cwd=ROOT, capture_output=True, check=False, env={**os.environ, "SOCML_SHARED": str(SHARED)},
        )  # fmt: skip
        cases = list(ET.parse(report).iter("testcase"))
    found_all = Checks()
    for case in cases:
        good = not any(child.tag in ("failure", "error", "skipped") for child in case)
        if found := re.search(r"\[(.+)\]$", case.get("name", "")):
            of_kind = found_all.faults if "faults" in str(case.get("classname")) else found_all.hostile
            of_kind[found[1]] = good
        elif "fail2ban" in str(case.get("classname")):
            result = next((line for line in (case.findtext("system-out") or "").splitlines() if "failJSON" in line), "")
            found_all.truth = result + ("" if good else " (the test fails)")
    return found_all


def write(files: list[Read], checked: Checks, faults: list[Fault]) -> Path:
    """Write the tables for people, and the same figures as JSON."""
    hostile, truth = checked.hostile, checked.truth
    real: dict[str, set[str]] = {}
    for read in files:
        if not read.refused:
            real.setdefault(read.reader, set()).update(read.columns)
    columns, counts = column_lines(real)
    versions = versions_of("socml", "pyarrow", "orjson")
    figures = [figure for read in files for figure in figures_of(read, versions)]
    figures += [
        Figure("hostile/MANIFEST.csv", "lines checked", len(hostile), "lines", versions=versions),
        Figure("hostile/MANIFEST.csv", "lines that do what it expects", sum(hostile.values()), "lines", n=len(hostile)),
    ]
    numbers = re.findall(r"\d+", truth)
    if len(numbers) >= 5:
        for measure, value in zip(
            ("lines with a truth", "lines in all", "times covered", "hosts covered", "wrong"),
            map(int, numbers),
            strict=False,
        ):
            figures.append(Figure("fail2ban failJSON", measure, value, n=int(numbers[1]), versions=versions))
    figures += faults_figures(faults, versions)
    tables, of_tables = dialect_lines(versions)
    figures += of_tables
    figures += [
        Figure(reader, "event columns filled by real files", filled, "columns", n=can, versions=versions)
        for reader, filled, can in counts
        if reader in real
    ]
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "results-formats.json").write_text(
        json.dumps([asdict(f) for f in figures], indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    path = RESULTS / "results-formats.md"
    lines = lines_of(files, hostile, truth, versions)
    at = lines.index("## Files")
    page = [*lines[:at], *faults_lines(faults), *columns, *tables, *lines[at:]]
    path.write_text("\n".join(page) + "\n", encoding="utf-8")
    return path


def figures_of(read: Read, versions: dict[str, str]) -> list[Figure]:
    """Return the figures of one file."""
    case = f"{read.reader or 'refused'} · {read.file}"
    counts = {
        "records": read.records,
        "events": read.events,
        "quarantined": read.quarantined,
        "skipped": read.skipped,
        "event columns filled": len(read.columns),
    }
    if read.refused:
        return [Figure(case, "records", 0, "records", versions=versions)]
    return [Figure(case, name, count, n=read.records, versions=versions) for name, count in counts.items()]


def lines_of(files: list[Read], hostile: dict[str, bool], truth: str, versions: dict[str, str]) -> list[str]:
    """Return the page's lines."""
    good, refused = [f for f in files if not f.refused], [f for f in files if f.refused]
    lines = [
        "# Every reader on every real file",
        "",
        "`socml ingest` on each file of the samples and datasets beside the project, the format detected by content. "
        "records = events + quarantined + skipped, for every file; a column counts if any event of the file fills it.",
        "",
        "Made by `make results-formats`.",
        "",
        f"{len(files)} files concern a reader: {len(good)} are read, {len(refused)} are refused.",
        "",
        "## Readers",
        "",
        "| reader | files | records | events | quarantined | skipped | columns filled | cases |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for reader in format_names():
        of = [f for f in good if f.reader == reader]
        columns = sorted({c for f in of for c in f.columns})
        cells = [
            len(of),
            *(sum(getattr(f, what) for f in of) for what in ("records", "events", "quarantined", "skipped")),
        ]
        counts = [written(c) for c in cells] if of else ["none", "", "", "", ""]
        lines.append(f"| {reader} | " + " | ".join([*counts, " ".join(columns), str(cases_of(reader))]) + " |")
    lines += [
        "",
        "`cases`: made-up records with the event they become, in tests/formats. A reader with no file has only those.",
        "",
    ]
    lines += [
        "## Files",
        "",
        "| file | reader | sure | records | events | quarantined | skipped | columns |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for f in good:
        sure = "by recipe" if f.confidence is None else f"{f.confidence:.2f}"
        cells = [written(n) for n in (f.records, f.events, f.quarantined, f.skipped)]
        own = f" + {f.own_columns} of its own" if f.own_columns else ""
        lines.append(f"| {cell(f.file)} | {f.reader} | {sure} | " + " | ".join(cells) + f" | {len(f.columns)}{own} |")
    lines += ["", "Of files that mix lines of many programs, or hold placeholders, all that reads is read: "]
    lines[-1] += ", ".join(f"`{pattern}`" for pattern in MIXED) + "."
    lines += ["", "## Refused, with the message", "", "| file | message |", "|---|---|"]
    lines += [f"| {cell(f.file)} | {cell(f.refused[:300])} |" for f in refused] or ["| none | |"]
    lines += ["", "## Files that are no logs", "", "| files | why |", "|---|---|"]
    lines += [f"| {cell(pattern)} | {why} |" for pattern, why in NO_LOG.items()]
    lines += ["", "## Dirty files", ""]
    lines.append(f"{sum(hostile.values())} of {len(hostile)} lines of hostile/MANIFEST.csv do what it expects.")
    lines += [f"- {name} does not" for name, holds in hostile.items() if not holds]
    lines += ["", "## fail2ban's truth", "", truth or "Not measured.", ""]
    return [*lines, "Versions: " + ", ".join(f"{k} {v}" for k, v in versions.items()) + "."]


def cases_of(reader: str) -> int:
    """Return how many made-up cases a reader has."""
    path = ROOT / "tests" / "formats" / f"{reader}.toml"
    return len(tomllib.loads(path.read_text(encoding="utf-8"))["case"]) if path.is_file() else 0


def cell(text: str) -> str:
    """Return text fit for a cell of a table."""
    return visible_line(text).replace("|", "\\|")


if __name__ == "__main__":
    main()
