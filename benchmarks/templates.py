"""Loghub's annotated samples → how well messages are grouped by template, and how fast → docs/results/results-templates.

Run it with `make results-templates`. drain3 is measured beside it if it can be imported.
"""

from __future__ import annotations

import csv
import gzip
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from benchmarks.interleaved import measure
from benchmarks.results import Figure, versions_of, write_results
from socml.features import Drain

if TYPE_CHECKING:
    from functools import partial

SHARED = Path(os.environ.get("SOCML_SHARED") or Path(__file__).resolve().parents[2] / "shared")
LOGHUB = SHARED / "datasets" / "loghub-2k"
REPEATS = 10  # of each sample, for the speed
Miner = Callable[[Sequence[str]], list[object]]


def ours(messages: Sequence[str]) -> list[object]:
    """Return the template of each message, by socml."""
    drain = Drain()
    return [id(drain.learn(message)) for message in messages]


def drain3(messages: Sequence[str]) -> list[object]:
    """Return the cluster of each message, by drain3 as it comes, with its own masks of numbers and addresses."""
    from drain3 import TemplateMiner
    from drain3.masking import MaskingInstruction
    from drain3.template_miner_config import TemplateMinerConfig

    config = TemplateMinerConfig()
    config.masking_instructions = [
        MaskingInstruction(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?!\w)", "IP"),
        MaskingInstruction(r"0x[0-9a-fA-F]+", "HEX"),
        MaskingInstruction(r"(?<![\w])[-+]?\d+(?![\w])", "NUM"),
    ]
    miner = TemplateMiner(config=config)
    return [miner.add_log_message(message)["cluster_id"] for message in messages]


def main() -> None:
    """Measure both on every sample and write the table."""
    peers: dict[str, Miner] = {"ours": ours}
    try:
        drain3(["a b"])
        peers["drain3"] = drain3
    except ImportError:
        sys.stderr.write("drain3 is not installed: ours alone\n")
    figures: list[Figure] = []
    accuracies: dict[str, list[float]] = {name: [] for name in peers}
    everything: list[str] = []
    versions = versions_of("socml", *(["drain3"] if "drain3" in peers else []))
    for folder in sorted(p for p in LOGHUB.iterdir() if p.is_dir()):
        messages, truth = annotated(next(folder.glob("*_structured.csv.gz")))
        everything += messages
        found = {name: grouping_accuracy(miner(messages), truth) for name, miner in peers.items()}
        for name, value in found.items():
            accuracies[name].append(value)
        figures.append(beside(folder.name, "grouping accuracy", found, "share", len(messages), versions))
    means = {name: mean(values) for name, values in accuracies.items()}
    figures.append(beside("all samples", "grouping accuracy, mean", means, "share", len(everything), versions))
    costs = measure({name: partial(miner, everything * REPEATS) for name, miner in peers.items()}, repeats=3)
    rates = {name: cost.rate(len(everything) * REPEATS) for name, cost in costs.items()}
    figures.append(beside("all samples", "messages a CPU second", rates, "messages/s", len(everything), versions))
    path = write_results(
        "results-templates",
        "Templates of log messages",
        "The messages of Loghub's samples of 2,000 lines, grouped by template. A message counts as right if its group "
        "holds exactly the messages that the annotators gave the same template (grouping accuracy). Ratio: ours to the "
        "peer's.",
        figures,
        notes=[
            "Loghub's first annotation, with its known errors in OpenSSH and Linux.",
            "One setting for all samples, ours and the peer's; no preprocessing a sample.",
        ],
    )
    sys.stdout.write(path.read_text(encoding="utf-8"))


def annotated(path: Path) -> tuple[list[str], list[str]]:
    """Return the messages of a sample and the template of each, by its annotators."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["Content"] for row in rows], [row["EventId"] for row in rows]


def grouping_accuracy(found: Sequence[object], truth: Sequence[object]) -> float:
    """Return the share of messages whose group holds the same messages as in the truth."""
    sizes, wanted = Counter(found), Counter(truth)
    both = Counter(zip(found, truth, strict=True))
    right = sum(count for (group, template), count in both.items() if sizes[group] == count == wanted[template])
    return right / len(found)


def beside(case: str, what: str, values: dict[str, float], unit: str, n: int, versions: dict[str, str]) -> Figure:
    """Return a figure with the peer's beside it, if it was measured."""
    if "drain3" not in values:
        return Figure(case, what, values["ours"], unit, n=n, versions=versions)
    ratio = values["ours"] / values["drain3"]
    return Figure(case, what, values["ours"], unit, "drain3", values["drain3"], ratio, n, versions)


if __name__ == "__main__":
    main()
