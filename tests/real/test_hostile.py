"""Every dirty file beside the project does what its line in MANIFEST.csv expects. None can be forgotten."""

from __future__ import annotations

import csv
import ipaddress
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from socml.ingestion.event_query import load_events, load_truth
from socml.ingestion.ingestion import ingest
from socml.ingestion.result import IngestResult
from socml.project.errors import DataError, FormatError
from socml.project.project import Project
from socml.project.sanitize import html_text, spreadsheet_text, visible

pytestmark = pytest.mark.real
SHARED = Path(os.environ.get("SOCML_SHARED") or Path(__file__).resolve().parents[3] / "shared")
HOSTILE = SHARED / "datasets" / "hostile"
MANIFEST = HOSTILE / "MANIFEST.csv"


@dataclass
class Given:
    """A hostile file and an empty project to read it into."""

    path: Path
    root: Path

    @property
    def project(self) -> Project:
        return Project(root=self.root, workspace=self.root / "workspace")

    def ingest(self, recipe: str = "", **how: Any) -> IngestResult:
        (self.root / "datasets").mkdir(exist_ok=True)
        (self.root / "datasets" / "hostile.toml").write_text(recipe)
        how.setdefault("final", True)  # the files may have been written this moment
        return ingest(self.path, dataset="hostile", project=self.project, **how)

    @property
    def events(self) -> pd.DataFrame:
        return load_events("hostile", project=self.project)

    @property
    def quarantine(self) -> list[tuple[int, str]]:
        folder = self.project.workspace / "quarantine" / "hostile"
        rows = [row for path in folder.glob("*.parquet") for row in pq.read_table(path).to_pylist()]
        return sorted((row["source_line"], row["reason"]) for row in rows)


def cic_m1(given: Given) -> None:
    result = given.ingest('[truth]\ncolumn = "Label"\nbenign = ["BENIGN"]\n')
    events = given.events
    assert len(events) == 999
    own = events.columns[events.columns.get_loc("extra") + 1 :]
    assert len(own) == 78  # and the label
    assert all(name == name.strip() for name in own)
    assert {"Fwd Header Length", "Fwd Header Length_2"} <= set(own)
    assert any("'Flow Bytes/s': 10 Infinity read as missing" in w for w in result.warnings)
    assert events["Flow Bytes/s"].isna().sum() == 10
    assert events["Flow Bytes/s"].dtype == "float64"


def cic_labels(label: str) -> Callable[[Given], None]:
    def check(given: Given) -> None:
        given.ingest('[truth]\ncolumn = "Label"\nbenign = ["BENIGN"]\n')
        truth = load_truth("hostile", project=given.project)
        assert len(truth) == 1006
        families = set(truth["family"].dropna())
        assert label in families
        assert len(families) == 3  # and BENIGN
        assert given.events["raw"].str.endswith(label).any()

    return check


def cic_header_repeated(given: Given) -> None:
    result = given.ingest()
    assert result.per_file[0].skips == {"header": 1, "repeated header": 1}
    assert result.added == 1998
    assert given.events["Flow Duration"].dtype == "float64"


def unsw_wrong_header(given: Given) -> None:
    result = given.ingest()
    events = given.events
    assert result.added == 3999
    assert "column_32" in events.columns
    assert events["id"].str.fullmatch(r"[0-9.]+").all()  # addresses, as text
    assert any("'service': 2 hexadecimal values read as numbers" in w for w in result.warnings)
    assert events["service"].dtype == "float64"


def ton_garage(given: Given) -> None:
    given.ingest(
        'time_format = "%d-%b-%y %H:%M:%S"\n[table]\nrename = { date = "time", time = "time" }\n'
        '[truth]\ncolumn = "label"\nmalicious = ["1"]\nfamily_column = "type"\n'
    )
    events = given.events
    assert len(events) == 1980
    assert sorted(events["sphone_signal"].unique()) == [0.0, 1.0]
    assert events["time"].notna().all()
    assert events["time"].min() == pd.Timestamp("2019-03-31T12:36:55Z") or events["time"].min().year == 2019


def ton_fridge(given: Given) -> None:
    given.ingest()
    assert sorted(given.events["temp_condition"].unique()) == ["high", "low"]


def argus_1970(given: Given) -> None:
    assert given.ingest().per_file[0].format == "argus"
    events = given.events
    assert len(events) == 99
    assert events["time"].dt.year.eq(1970).all()
    assert {"->", "who"} <= set(events["extra"].str["Dir"].dropna())
    addresses = set(events["source_ip"].dropna())
    assert all(str(ipaddress.ip_address(a)) == a for a in addresses)  # no MAC address among them
    assert "00:00:00:00:00:00" in set(events["extra"].str["SrcAddr"].dropna())
    assert events["source_port"].notna().any()


def argus_tabs(given: Given) -> None:
    result = given.ingest()
    assert (result.per_file[0].format, result.added) == ("argus", 6724)
    assert result.per_file[0].skips == {"header": 1, "management record": 1}
    assert len(load_truth("hostile", project=given.project)) == 6724
    icmp = given.events[given.events["network_transport"] == "icmp"]
    assert icmp["raw"].str.contains("\t0x").any()
    assert icmp["source_port"].isna().all()  # ICMP's type and code are no ports
    by_table = Given(given.path, given.root / "again")
    by_table.root.mkdir()
    result = by_table.ingest('format = "table"\n[truth]\ncolumn = "Label"\nmalicious = ["flow=From-Botnet"]\n')
    assert result.added == 6725  # the management record too
    assert "The delimiter is '\\t'." in result.warnings[0]


def zeek_empty_marker(given: Given) -> None:
    assert given.ingest().added == 992
    extra = given.events["extra"]
    assert (extra.str["tunnel_parents"] == "").all()  # an empty set, which is not missing
    assert given.events["network_protocol"].isna().any()


def zeek_truncated(given: Given) -> None:
    assert (result := given.ingest()).added == 58
    assert given.quarantine == [(result.records, "9 values for 21 fields")]
    assert given.events["event_action"].eq("connection").all()


def zeek_lorem(given: Given) -> None:
    with pytest.raises(FormatError, match=r"no format is at least 0\.5 sure"):
        given.ingest()
    with pytest.raises(FormatError, match=r"conn.log:1: this is not a Zeek log: there is no #fields line"):
        given.ingest(format="zeek-tsv")


def zeek_header_only(given: Given) -> None:
    result = given.ingest()
    assert (result.added, result.skipped) == (0, 9)
    assert result.warnings[0].endswith("It holds no records, only a header.")


def zeek_corrupt(given: Given) -> None:
    result = given.ingest()
    assert result.added == 150
    assert given.quarantine == [(159, "the file is damaged here: the gzip stream ends too early")]


def zeek_ssl(given: Given) -> None:
    assert given.ingest().added == 733
    assert given.events["extra"].str["subject"].str.len().max() > 100


def zeek_ipv6(given: Given) -> None:
    result = given.ingest()
    assert result.added == 389
    assert given.events["source_ip"].str.contains(":").any()
    assert given.events["time"].isna().all()
    assert "389 times are blanked out with X and were read as missing." in result.warnings[0]


def netflow_5(given: Given) -> None:
    assert given.ingest().added == 30
    assert given.quarantine == [(31, "55582 records by the header, and the file ends after 30")]


def netflow_9(events: int, templates: int) -> Callable[[Given], None]:
    def check(given: Given) -> None:
        result = given.ingest()
        assert (result.added, result.quarantined) == (events, 0)
        assert result.per_file[0].skips == {"template": templates}

    return check


def semicolon(given: Given) -> None:
    given.ingest()
    assert len(given.events) == 100
    assert {"ts", "src", "bytes", "score"} <= set(given.events.columns)
    assert given.events["score"].dtype == "float64"
    assert given.events["score"].max() < 100


def huge_ints(given: Given) -> None:
    given.ingest()
    events = given.events
    assert events["flow_id"].tolist() == [
        "18446744073709551615",
        "340282366920938463463374607431768211456",
        "12345678901234567890",
        "0x1F",
        "007",
    ]
    assert events["bytes"].tolist()[:4] == [
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "1e400",
    ]


def json_lines(given: Given) -> None:
    given.ingest("max_bad_share = 1.0\n", format="suricata-eve")
    assert given.events["extra"].tolist() == [{"a": "\0b"}]
    assert given.quarantine == [
        (1, "NaN is not a JSON number"),
        (2, "the key 'flow_id' is given twice"),
        (3, "more than one value on the line, from character 8"),
        (5, "Infinity is not a JSON number"),
        (6, "half a surrogate pair"),
        (8, "a JSON array, not an object"),
        (9, "a JSON string, not an object"),
        (10, "not valid JSON: Expecting property name enclosed in double quotes at character 8"),
    ]


def nul_bytes(given: Given) -> None:
    given.ingest()
    assert given.events["raw"].tolist()[1] == "Nov 30 06:40:00 host sshd[1]: after crash padding"


def terminal_escape(given: Given) -> None:
    given.ingest()
    names = given.events["user_name"].tolist()
    assert given.events["source_ip"].tolist() == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert names[0].startswith("\x1b]0;pwned")
    assert "\x1b" not in visible(names[0])
    assert html_text(names[1]) == "&lt;img src=x onerror=alert(1)&gt;"
    assert spreadsheet_text(names[2]).startswith("'=")


def hundred_lines(given: Given) -> None:
    assert given.ingest().added == 100


def truncated_gz(given: Given) -> None:
    result = given.ingest()
    assert result.added == 3352
    assert given.quarantine == [(3353, "the file is damaged here: the gzip stream ends too early")]


def zip_bomb(given: Given) -> None:
    with pytest.raises(FormatError, match="the first line is longer than 1 MB, the limit"):
        given.ingest()
    with pytest.raises(FormatError, match="a line is over the limit"):
        given.ingest(format="table")
    used = subprocess.run(
        [sys.executable, "-c", _PEAK, str(given.path), str(given.root)], capture_output=True, text=True, check=True
    )
    assert int(used.stdout) < 500 << 10, "more than 500 MB for a line of 100 MB"


def empty(given: Given) -> None:
    with pytest.raises(FormatError, match=r"empty\.csv is empty: it has 0 bytes"):
        given.ingest()


def header_only(given: Given) -> None:
    assert given.ingest().warnings[-1].endswith("It holds no records, only a header.")


def one_class(given: Given) -> None:
    result = given.ingest('[truth]\ncolumn = "label"\nbenign = ["benign"]\n')
    assert "Every label says benign: AUROC and average precision cannot be computed" in result.warnings[-1]


def constant_columns(given: Given) -> None:
    result = given.ingest('[truth]\ncolumn = "label"\nmalicious = ["1"]\n')
    assert "c" not in given.events.columns
    assert any("Column 'c' is empty and was left out." in w for w in result.warnings)
    assert any("'a' (1), 'b' (0)" in w for w in result.warnings)


def ragged(given: Given) -> None:
    with pytest.raises(DataError, match=r"3 of 5 records .*ragged.csv:3: 2 values for 3 columns"):
        given.ingest()
    assert given.quarantine == [
        (3, "2 values for 3 columns"),
        (4, "4 values for 3 columns"),
        (5, "a quote is not closed on its line"),
    ]
    assert given.ingest("max_bad_share = 1.0\n").added == 2


_PEAK = """
import sys
from pathlib import Path
from socml.ingestion import ingest
from socml.project import DataError
from socml.project import Project
try:
    root = Path(sys.argv[2])
    ingest(sys.argv[1], dataset="bomb", format="table", project=Project(root=root, workspace=root / "w"))
except DataError:
    print(int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1]))
"""

CHECKS: dict[str, Callable[[Given], None]] = {
    "cic_m1_nan_infinity_dupcol.csv": cic_m1,
    "cic_th1_label_replacement_char.csv": cic_labels("Web Attack \ufffd XSS"),
    "cic_th1_cp1252_endash.csv": cic_labels("Web Attack – XSS"),
    "cic_header_repeated.csv": cic_header_repeated,
    "unsw_wrong_header.csv": unsw_wrong_header,
    "ton_garage_bool_mix.csv": ton_garage,
    "ton_fridge_padded_categories.csv": ton_fridge,
    "argus_1970_arp_hexports.binetflow": argus_1970,
    "argus_tabs_labels.binetflow": argus_tabs,
    "zeek_labeled_empty_marker.log": zeek_empty_marker,
    "zeek_truncated_conn.log": zeek_truncated,
    "zeek_truncated_conn_top.log": zeek_truncated,
    "zeek_lorem_ipsum_conn.log": zeek_lorem,
    "zeek_header_only.log": zeek_header_only,
    "zeek_corrupt.log.gz": zeek_corrupt,
    "zeek_ssl_no_close.log": zeek_ssl,
    "zeek_ipv6_conn.log": zeek_ipv6,
    "netflow5_test_invalid01.dat": netflow_5,
    "netflow9_test_0length_fields_tpl_data.dat": netflow_9(10, 2),
    "netflow9_test_unknown_tpl266_292_data.dat": netflow_9(2, 4),
    "semicolon_decimal_comma.csv": semicolon,
    "huge_ints.csv": huge_ints,
    "json_bigint_dupkeys_nan.jsonl": json_lines,
    "nul_bytes.log": nul_bytes,
    "terminal_escape.log": terminal_escape,
    "gz_without_extension.log": hundred_lines,
    "text_named.log.gz": hundred_lines,
    "truncated.log.gz": truncated_gz,
    "zip_bomb_small.csv.gz": zip_bomb,
    "empty.csv": empty,
    "header_only.csv": header_only,
    "one_class.csv": one_class,
    "constant_columns.csv": constant_columns,
    "ragged.csv": ragged,
}


def _listed() -> list[str]:
    if not MANIFEST.is_file():
        return []
    with MANIFEST.open(encoding="utf-8", newline="") as file:
        return [Path(row["file"]).name for row in csv.DictReader(file)]


@pytest.mark.parametrize("name", _listed() or [pytest.param("", marks=pytest.mark.skip(f"there is no {MANIFEST}"))])
def test_a_hostile_file_does_what_its_manifest_expects(name: str, tmp_path: Path) -> None:
    path = HOSTILE / name
    assert name in CHECKS, f"{name} is in the manifest and has no check"
    if not path.is_file():
        pytest.skip(f"{path} is in the manifest but not there")
    CHECKS[name](Given(path, tmp_path))
