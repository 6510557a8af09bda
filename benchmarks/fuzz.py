"""Made-up records, mutated → every reader, which must neither crash, nor hang, nor grow, nor lose a line.

Run it with `make fuzz`, or `python -m benchmarks.fuzz READER… --records N --seed S`. What breaks a reader is kept as a file.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import tomllib
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.results import Figure, measured_before, versions_of, write_results
from socml.formats import LITTLE, UNFORESEEN, ReadOptions
from socml.ingestion import FileSource, format_names, open_format
from socml.project import ScratchFolder, SocmlError

ROOT = Path(__file__).resolve().parents[1]
RECORDS, DOCUMENTS = 50_000, 5_000  # lines of a reader by lines; files of a reader of documents or binary files
BATCH = 500  # records a file
BATCH_SECONDS = 60  # of CPU time; far above what a batch takes
MEMORY_BYTES = 4 << 30  # address space of the process
GROWTH_BYTES = 400 << 20  # resident, from the tenth batch to the last
KEPT = Path(tempfile.gettempdir()) / "socml-fuzz"
_WORDS = (
    b"\0", b"\n", b"\r\n", b"\t", b'"', b"'", b"\\", b"\\\"", b"{", b"}", b"[", b"]", b"<", b"&#0;", b"|", b"=", b" ", b"%", b"-",
    b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\x80", b"NaN", b"Infinity", b"-1", b"0", b"99999999999999999999",
    b"1e400", b"0x41", b"null", b"true", b"\x1b[31m", b"\xe2\x80\xae", b"9" * 400, b"A" * 5000, b"[" * 300, b"(" * 200,
    b"[" * 990 + b"1" + b"]" * 990, b'{"x":' * 990 + b"1" + b"}" * 990,
    b"2024-02-30T25:61:61Z", b"::ffff:999.1.1.1", b"<!ENTITY x SYSTEM 'file:///etc/passwd'>", b"=cmd|' /C calc'!A0",
    b"\r", b"\xe9", b"y" * 140_000,
)  # fmt: skip


def seeds_of(name: str) -> list[bytes]:
    """Return what a reader is known to read: its examples and the inputs of its cases."""
    examples = [e if isinstance(e, bytes) else f"{e}\n".encode() for e in open_format(name).examples]
    found = [b"".join(examples)]
    path = ROOT / "tests" / "formats" / f"{name}.toml"
    for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]:
        found.append(b64decode(case["base64"]) if "base64" in case else case["lines"].removeprefix("\n").encode())
    return [seed for seed in found if seed]


def mutated(seed: bytes, rng: random.Random, others: list[bytes]) -> bytes:
    """Return a seed with a few changes: bits, bytes, pieces that are dropped, doubled, moved or of another seed, odd words."""
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.choice((1, 2, 4, 16, 64, 256)))
        kind = rng.randrange(9)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 2:
            del data[at:end]
        elif kind == 3:
            data[at:at] = data[at:end]
        elif kind == 4:
            data[at:at] = rng.choice(_WORDS)
        elif kind == 5:
            data[at:end] = rng.choice(_WORDS)
        elif kind == 6:
            other = rng.choice(others)
            start = rng.randrange(len(other))
            data[at:end] = other[start : start + rng.choice((4, 32, 256))]
        elif kind == 7:
            del data[at:]
        else:
            data[at:end] = bytes(rng.randrange(256) for _ in range(end - at))
    return bytes(data)


def dressed(data: bytes, rng: random.Random) -> bytes:
    """Return a file as another system would have written it, one time in twenty: its line ends, its encoding."""
    kind = rng.randrange(80)
    if kind == 0:
        return data.replace(b"\n", b"\r\n")
    if kind == 1:
        return data.replace(b"\n", b"\r")
    if kind == 2:
        return data.decode("utf-8", "replace").encode("utf-16")
    if kind == 3:
        return data.replace(b"e", b"\xe9")
    return data


def batches_of(name: str, records: int, rng: random.Random) -> Iterator[tuple[bytes, int]]:
    """Yield files of mutated records, and how many each holds; a file of a reader by lines holds many."""
    seeds = seeds_of(name)
    lines = getattr(open_format(name), "one_a_line", True)
    units = [line + b"\n" for seed in seeds for line in seed.split(b"\n") if line] if lines else seeds
    done = 0
    while done < records:
        if not lines or rng.random() < 0.05:  # a whole file, its structure damaged
            seed = rng.choice(seeds)
            yield dressed(mutated(seed, rng, seeds), rng), max(1, seed.count(b"\n") if lines else 1)
            done += max(1, seed.count(b"\n") if lines else 1)
            continue
        start = rng.choice(seeds) if rng.random() < 0.7 else b""  # most files begin well
        pieces = [
            mutated(rng.choice(units), rng, units) if rng.random() < 0.8 else rng.choice(units) for _ in range(BATCH)
        ]
        yield dressed(start + b"".join(pieces), rng), BATCH
        done += BATCH


def fuzz(name: str, records: int, seed: int) -> dict[str, Any]:
    """Read mutated files with one reader; return counts, or what broke it."""
    rng = random.Random(f"{seed}/{name}")
    reader, by_lines = open_format(name), getattr(open_format(name), "one_a_line", True)
    pa.array([b""])  # pyarrow imports what it needs now, and not within the first file's time
    done = events = rejects = refused = files = 0
    slowest, first_size = 0.0, 0
    with ScratchFolder("fuzz") as folder:
        path = Path(folder) / "input.log"
        for data, count in batches_of(name, records, rng):
            path.write_bytes(data)
            source = FileSource(path, path.name)
            began = time.process_time()
            try:
                reader.sniff(data[: 1 << 20], "input.log")
                total = 0
                options = ReadOptions(year=2026, select_from=rng.choice((0, LITTLE)))
                for parsed in reader.read(source, options):
                    if len(parsed.records) != len(parsed.events):
                        raise AssertionError(f"{len(parsed.records)} records for {len(parsed.events)} events")
                    total += parsed.count
                    unforeseen = [r.reason for r in parsed.rejects if r.reason.startswith(UNFORESEEN)]
                    if unforeseen:
                        raise AssertionError(unforeseen[0])
                    events += len(parsed.events)
                    rejects += len(parsed.rejects)
                if by_lines and not source.damage and source.lines and total + len(source.rejects) != source.lines:
                    raise AssertionError(f"{source.lines} lines, and {total + len(source.rejects)} accounted for")
            except SocmlError:
                refused += 1
            except Exception as error:
                KEPT.mkdir(exist_ok=True)
                kept = KEPT / f"{name}-{seed}-{files}.bin"
                kept.write_bytes(data)
                return {
                    "reader": name,
                    "broken": f"{type(error).__name__}: {error}"[:300],
                    "file": str(kept),
                    "records": done,
                }
            took = time.process_time() - began
            slowest = max(slowest, took)
            if took > BATCH_SECONDS:
                KEPT.mkdir(exist_ok=True)
                kept = KEPT / f"{name}-{seed}-{files}-slow.bin"
                kept.write_bytes(data)
                return {"reader": name, "broken": f"{took:.0f} s for one file", "file": str(kept), "records": done}
            done += count
            files += 1
            if files == 10:
                first_size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - first_size) * 1024 if first_size else 0
    broken = {"broken": f"memory grew by {grown >> 20} MB"} if grown > GROWTH_BYTES else {}
    return {
        "reader": name, "records": done, "files": files, "events": events, "rejects": rejects, "refused": refused,
        "slowest_s": round(slowest, 2), "grown_mb": grown >> 20, **broken,
    }  # fmt: skip


def main() -> None:
    """Fuzz the readers that are named, or all, each in a process of its own."""
    arguments = argparse.ArgumentParser(description="Fuzz the readers.")
    arguments.add_argument("readers", nargs="*", help="names; all if none")
    arguments.add_argument(
        "--records", type=int, default=0, help=f"{RECORDS:,} lines or {DOCUMENTS:,} files if not said"
    )
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.here:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        print(json.dumps(fuzz(options.readers[0], options.records, options.seed)))
        return
    # Every index of an array is checked; what is compiled so has a cache of its own.
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(KEPT / "numba-bounds")}

    def fuzzed(name: str) -> dict[str, Any]:
        records = options.records or (RECORDS if getattr(open_format(name), "one_a_line", True) else DOCUMENTS)
        command = [sys.executable, "-m", "benchmarks.fuzz", name, "--here"]
        command += ["--records", str(records), "--seed", str(options.seed)]
        try:
            limit = 600 + records // 50
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=limit
            )
            result = done.stdout.strip() or json.dumps(
                {"reader": name, "broken": f"exit {done.returncode}: {done.stderr[-400:]}"}
            )
        except subprocess.TimeoutExpired:
            result = json.dumps({"reader": name, "broken": f"it hangs: over {limit} s"})
        print(result, flush=True)
        return dict(json.loads(result))

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(fuzzed, options.readers or format_names()))
    write(found, options.seed, keep=bool(options.readers))
    raise SystemExit(1 if any("broken" in result for result in found) else 0)


def write(found: list[dict[str, Any]], seed: int, *, keep: bool) -> None:
    """Write docs/results/fuzz; `keep` what is there of other readers."""
    renewed = {result["reader"] for result in found}
    figures = [figure for figure in measured_before("fuzz") if keep and figure.case not in renewed]
    for result in found:
        name, count = result["reader"], result.get("records")
        figures.append(Figure(name, "crash, hang, growth or lost line", int("broken" in result), "", n=count))
        for measure, key, unit in (
            ("events", "events", "records"), ("rejects", "rejects", "records"), ("slowest file", "slowest_s", "CPU s"),
            ("memory grown", "grown_mb", "MiB"),
        ):  # fmt: skip
            if key in result:
                figures.append(
                    Figure(name, measure, result[key], unit, n=count, versions=versions_of("pyarrow", "numba"))
                )
    notes = [
        f"Seed {seed}; n: records, or whole files of a format that is one document or binary. A document may hold many events.",
        "With NUMBA_BOUNDSCHECK=1: an index outside its array is an error, and so a crash here.",
        "Half of the files are read line by line, half block by block, where a reader has both ways.",
        "The slowest file is the first that compiled parts were loaded or compiled for, where a reader has any.",
        f"A reader hangs at {BATCH_SECONDS} CPU seconds a file, and grows at {GROWTH_BYTES >> 20} MiB from the tenth file to the last.",
    ]
    about = "The records of each reader's cases, with bits, bytes and pieces changed, dropped, doubled and mixed, read again."
    figures.sort(key=lambda figure: figure.case)
    write_results("fuzz", "Mutated records for every reader", about, figures, notes=notes)


if __name__ == "__main__":
    main()
