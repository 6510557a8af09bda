"""All flows → what an intrusion detection system says of them: many false alerts, and true ones for a few attacks.

Rule numbers lie in the range that Suricata keeps for local rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from socml.simulator.organisation import World
from socml.simulator.traffic import BENIGN, Columns, Traffic


@dataclass(frozen=True)
class Rule:
    """A signature: number, text, Suricata's class and severity (1 is high)."""

    number: int
    text: str
    category: str
    severity: int


_ADMIN = "Attempted Administrator Privilege Gain"  # Suricata's classification.config
_LEAK = "Attempted Information Leak"
_TROJAN = "A Network Trojan was detected"
_FALSE = (  # rule, service, how many a day
    (Rule(1000101, "LOCAL POLICY package manager user agent seen", "Not Suspicious Traffic", 3), "http", 14),
    (Rule(1000102, "LOCAL INFO large TLS upload to content store", "Misc activity", 3), "ssl", 20),
    (Rule(1000103, "LOCAL DNS query with long random label", "Potentially Bad Traffic", 2), "dns", 24),
    (Rule(1000104, "LOCAL SCAN unusual port probed", _LEAK, 2), "-", 16),
    (Rule(1000105, "LOCAL SSH login from new client", "Misc activity", 3), "ssh", 6),
    (Rule(1000106, "LOCAL MALWARE possible command channel in TLS", _TROJAN, 1), "ssl", 4),
)
_TRUE = (  # rule, start of the family's name, share of its flows that the rule sees
    (Rule(1000104, "LOCAL SCAN unusual port probed", _LEAK, 2), "horizontal", 0.02),
    (Rule(1000104, "LOCAL SCAN unusual port probed", _LEAK, 2), "vertical", 0.03),
    (Rule(1000107, "LOCAL SSH many connections from one host", _ADMIN, 2), "SSH", 0.06),
    (Rule(1000106, "LOCAL MALWARE possible command channel in TLS", _TROJAN, 1), "beacon", 0.006),
    (Rule(1000103, "LOCAL DNS query with long random label", "Potentially Bad Traffic", 2), "DNS", 0.01),
    (Rule(1000108, "LOCAL DOS inbound flood", "Attempted Denial of Service", 2), "DDoS", 0.01),
)
RULES = {rule.number: rule for rule, _, _ in (*_FALSE, *_TRUE)}
ANOMALIES = ("pkt_invalid_ack", "fin_but_no_session", "rst_but_no_session", "pkt_retransmission")


def raise_alerts(world: World, traffic: Traffic, rng: np.random.Generator) -> None:
    """Add alerts and stream anomalies that hang on the flows added so far."""
    flows = traffic.flow_columns()
    for rule, service, per_day in _FALSE:
        kind = (flows["service"] == service) & (flows["transport"] != "icmp")
        candidates = np.flatnonzero(kind & (flows["truth"] == BENIGN))
        n = min(rng.poisson(per_day * world.window.days * world.scale), candidates.size)
        _hang(traffic, flows, np.sort(rng.choice(candidates, n, replace=False)), rule.number)
    for rule, family, share in _TRUE:
        codes = [i for i, f in enumerate(traffic.families) if f.name.startswith(family)]
        candidates = np.flatnonzero(np.isin(flows["truth"], codes))
        _hang(traffic, flows, candidates[rng.random(candidates.size) < share], rule.number)
    candidates = np.flatnonzero((flows["transport"] == "tcp") & (flows["truth"] == BENIGN))
    n = min(rng.poisson(30 * world.window.days * world.scale), candidates.size)
    _hang(traffic, flows, np.sort(rng.choice(candidates, n, replace=False)), rng.integers(0, len(ANOMALIES), n))


def _hang(traffic: Traffic, flows: Columns, number: NDArray[np.int64], rule: int | NDArray[np.int64]) -> None:
    time_us = flows["time_us"][number] + np.clip(flows["duration_us"][number] // 3, 0, 2_000_000)
    traffic.hang_on("alert", number, time_us, rule=rule)
