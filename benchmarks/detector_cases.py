"""Labelled datasets beside the checkout → cases: a feature table and which of its rows are malicious.

A case gives its attacks at their own rate or, drawn anew with each seed, as a stated share of the rows.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from socml.project import ScratchFolder

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("SOCML_SHARED", ROOT.parent / "shared")) / "datasets"
SHARE = 0.05  # of malicious rows, where attacks are subsampled

# Columns of a raw UNSW-NB15 record, which has no header; from the dataset's own list of features.
UNSW = (
    "srcip sport dstip dsport proto state dur sbytes dbytes sttl dttl sloss dloss service Sload Dload Spkts Dpkts swin "
    "dwin stcpb dtcpb smeansz dmeansz trans_depth res_bdy_len Sjit Djit Stime Ltime Sintpkt Dintpkt tcprtt synack ackdat "
    "is_sm_ips_ports ct_state_ttl ct_flw_http_mthd is_ftp_login ct_ftp_cmd ct_srv_src ct_srv_dst ct_dst_ltm ct_src_ltm "
    "ct_src_dport_ltm ct_dst_sport_ltm ct_dst_src_ltm attack_cat Label"
).split()
UNSW_NO_FEATURE = "srcip sport dstip dsport Stime Ltime stcpb dtcpb attack_cat Label".split()
CIC_NO_FEATURE = ("id", "Flow ID", "Src IP", "Src Port", "Dst IP", "Timestamp", "Label", "Attempted Category")
NSL_LABELS = ("class", "difficulty")

Table = tuple[pd.DataFrame, np.ndarray]


@dataclass(frozen=True)
class Case:
    """One table to rank: features and truth by seed; `sequences` too where a row is a sequence of tokens."""

    name: str
    load: Callable[[], Table]
    share: float | None = None
    sequences: Callable[[], list[str]] | None = field(default=None, repr=False)
    tokens: str = "words"

    def rows(self, seed: int) -> np.ndarray:
        """Return the positions of the rows that belong to this seed's case, in order."""
        malicious = self.load()[1]
        if self.share is None:
            return np.arange(len(malicious))
        attacks, others = np.flatnonzero(malicious), np.flatnonzero(~malicious)
        odds, random = self.share / (1 - self.share), np.random.default_rng(seed)
        attacks = random.choice(attacks, min(round(odds * len(others)), len(attacks)), replace=False)
        others = random.choice(others, min(round(len(attacks) / odds), len(others)), replace=False)
        return np.sort(np.concatenate([attacks, others]))


def cases() -> list[Case]:
    """Return every case whose files are there."""
    found = [
        Case(f"adbench {path.stem.partition('_')[2]}", _adbench(path)) for path in sorted(SHARED.glob("adbench/*.npz"))
    ]
    found += [
        Case("NSL-KDD 20 %, 5 % attacks", nsl, SHARE),
        Case("UNSW-NB15 raw", unsw),
        Case("UNSW-NB15 raw, 5 % attacks", unsw, SHARE),
        Case("CIC-IDS2017 mix", cic),
        Case("CIC-IDS2017 mix, 5 % attacks", cic, SHARE),
    ]
    for number in ("008", "010"):
        found.append(Case(f"Stratosphere {number} flows, 5 % attacks", _stratosphere(number), SHARE))
    hadoop, openstack = _sequences("hadoop_loghub/hadoop"), _sequences("openstack_parisakalaki/openstack")
    found += [
        Case("Hadoop sequences, 5 % abnormal", lambda: _counted(hadoop), SHARE, lambda: hadoop()[0]),
        Case("OpenStack sequences", lambda: _counted(openstack), None, lambda: openstack()[0]),
        Case("OpenStack sequences, 5 % abnormal", lambda: _counted(openstack), SHARE, lambda: openstack()[0]),
        Case("HTTP parameters", http_parameters, None, lambda: _payloads()[0], "characters"),
        Case("HTTP parameters, 5 % attacks", http_parameters, SHARE, lambda: _payloads()[0], "characters"),
    ]
    return found


def _adbench(path: Path) -> Callable[[], Table]:
    @cache
    def load() -> Table:
        with np.load(path, allow_pickle=False) as arrays:
            X, y = np.asarray(arrays["X"], dtype=np.float64), np.asarray(arrays["y"]) > 0
        return pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])]), y

    return load


@cache
def nsl() -> Table:
    """Return NSL-KDD's 20 % training file: its 41 features, three of them categories."""
    names = [row[0] for row in csv.reader((SHARED / "nsl-kdd/Field Names.csv").open(encoding="utf-8"))]
    table = pd.read_csv(SHARED / "nsl-kdd/KDDTrain+_20Percent.txt.gz", header=None, names=[*names, *NSL_LABELS])
    return table[names], (table["class"] != "normal").to_numpy()


@cache
def unsw() -> Table:
    """Return raw UNSW-NB15 records, without addresses, ports, times and TCP sequence numbers."""
    path = SHARED / "unsw-nb15/raw_headerless_bom_3400.csv.gz"
    table = pd.read_csv(
        path, header=None, names=list(UNSW), encoding="utf-8-sig", na_values=["-", " "], low_memory=False
    )
    for name in ("ct_ftp_cmd", "is_ftp_login", "ct_flw_http_mthd"):
        table[name] = pd.to_numeric(table[name], errors="coerce")
    return table.drop(columns=list(UNSW_NO_FEATURE)), (table["Label"] == 1).to_numpy()


@cache
def cic() -> Table:
    """Return CIC-IDS2017 flows of all its classes; the protocol and well-known destination ports are categories."""
    table = pd.read_csv(SHARED / "cic-ids2017/cic2017_mix_dev.csv.gz", low_memory=False)
    features = table.drop(columns=list(CIC_NO_FEATURE))
    features["Protocol"] = features["Protocol"].astype(str)
    features["Dst Port"] = features["Dst Port"].map(lambda port: str(port) if port < 1024 else "other")
    return features, (table["Label"] != "BENIGN").to_numpy()


def _stratosphere(number: str) -> Callable[[], Table]:
    @cache
    def load() -> Table:
        from socml.features import build_features, load_row_truth
        from socml.ingestion import ingest
        from socml.project import Project

        with ScratchFolder("detectors") as folder:
            project, name = Project(root=ROOT, workspace=Path(folder)), f"stratosphere-{number}"
            log = SHARED / f"stratosphere-zeek/{number}-zeek-mixed/data/conn.log.labeled.gz"
            ingest([log], dataset=name, project=project)
            features = build_features("flow", name, project=project)
            truth = load_row_truth(name, "flow", project=project)["malicious"].reindex(features.index)
        known = truth.notna().to_numpy()
        features = features[known].drop(columns=["source_ip"])
        features.attrs = {}
        return features.drop(columns=["time", "entity"]), truth[known].astype(bool).to_numpy()

    return load


def _sequences(stem: str) -> Callable[[], tuple[list[str], np.ndarray]]:
    """Read the sequences of event types of one system: a line is an id, a comma, then event types."""

    @cache
    def load() -> tuple[list[str], np.ndarray]:
        lines: list[str] = []
        abnormal: list[bool] = []
        for part, is_abnormal in (("train", False), ("test_normal", False), ("test_abnormal", True)):
            text = gzip.decompress((SHARED / f"log-sequences-ait/{stem}_{part}.gz").read_bytes()).decode()
            read = [line.partition(",")[2] for line in text.splitlines()]
            lines += read
            abnormal += [is_abnormal] * len(read)
        return lines, np.array(abnormal)

    return load


def _counted(load: Callable[[], tuple[list[str], np.ndarray]]) -> Table:
    """Return how often each event type is in each sequence, and its length: what a table detector can read."""
    lines, abnormal = load()
    counts = [Counter(line.split()) for line in lines]
    table = pd.DataFrame(counts).fillna(0.0)
    table["length"] = [sum(count.values()) for count in counts]
    return table, abnormal


@cache
def _payloads() -> tuple[list[str], np.ndarray]:
    text = gzip.decompress((SHARED / "httpparams/payload_train.csv.gz").read_bytes()).decode("utf-8", "replace")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    return [row["payload"] for row in rows], np.array([row["label"] == "anom" for row in rows])


@cache
def http_parameters() -> Table:
    """Return counts of kinds of character in the values of HTTP parameters, their length and entropy (bits)."""
    payloads, malicious = _payloads()
    rows = []
    for text in payloads:
        counts = np.array(list(Counter(text).values()), dtype=np.float64)
        share = counts / max(counts.sum(), 1.0)
        kinds = {
            "length": len(text),
            "digits": sum(c.isdigit() for c in text),
            "letters": sum(c.isalpha() for c in text),
            "capitals": sum(c.isupper() for c in text),
            "spaces": sum(c.isspace() for c in text),
            "beyond_ascii": sum(ord(c) > 126 for c in text),
            "entropy_bits": float(-(share * np.log2(share)).sum()) if len(share) else 0.0,
            "longest_word": max((len(word) for word in text.split()), default=0),
        }
        kinds |= {f"count of {mark}": text.count(mark) for mark in "'\"<>()=%&;/.-_+,*:"}
        rows.append(kinds)
    return pd.DataFrame(rows, dtype=np.float64), malicious
