"""Twenty workstations and one that scans a network, as Zeek writes them."""

from __future__ import annotations

import random
from datetime import UTC, datetime

SCANNER = "10.0.0.66"
FIELDS = (
    "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state "
    "orig_pkts resp_pkts label detailedlabel"
).split()


def zeek_log(path):
    """Write twenty workstations that browse, for six hours, and one that scans a network in the fifth."""
    lines = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tconn"]
    lines.append("#fields\t" + "\t".join(FIELDS))
    start = datetime(2026, 3, 2, 8, tzinfo=UTC).timestamp()
    rng = random.Random(7)
    for minute in range(360):
        for host in range(20):
            if rng.random() < 0.4:
                row = [start + 60 * minute + host, f"C{minute}x{host}", f"10.0.0.{host + 1}", 40000 + minute]
                row += [f"203.0.113.{rng.randrange(5)}", rng.choice([80, 443]), "tcp", "ssl"]
                row += [
                    round(rng.lognormvariate(0, 1), 3),
                    int(rng.lognormvariate(7, 1)),
                    int(rng.lognormvariate(9, 1)),
                ]
                lines.append("\t".join(map(str, [*row, rng.choice(["SF"] * 20 + ["S0"]), 9, 12, "Benign", "-"])))
    for port in range(300):
        row = [start + 4 * 3600 + 3 * port, f"S{port}", SCANNER, 50000, f"10.0.1.{port % 250}", 20 + port % 40]
        lines.append("\t".join(map(str, [*row, "tcp", "-", 0.001, 0, 0, "S0", 1, 0, "Malicious", "Scan"])))
    path.write_text("\n".join(lines) + "\n")
