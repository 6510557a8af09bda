"""A number of workstations → the organisation: departments, people, servers, and the sites it visits.

Addresses inside are in 10.20.0.0/16. Outside they come from ranges that nobody owns (198.18.0.0/15, RFC 2544,
and 100.64.0.0/10, RFC 6598), and every name ends in `.example` (RFC 2606): the logs point at no one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from socml.simulator.window import Window

DOMAIN = "corp.example"
MOST_HOSTS = 6000  # 10.20.0.0/16 has room for no more in this plan of addresses
DEPARTMENTS = ("sales", "engineering", "finance", "marketing", "support", "people")
_SHARES = (0.24, 0.26, 0.14, 0.12, 0.16, 0.08)
SERVERS = {
    "dc1": "10.20.1.5",
    "ns1": "10.20.1.10",
    "web1": "10.20.1.20",
    "app1": "10.20.1.21",
    "files1": "10.20.1.30",
    "mail1": "10.20.1.40",
    "db1": "10.20.1.50",
    "build1": "10.20.1.60",
    "git1": "10.20.1.61",
    "backup1": "10.20.1.70",
    "monitor1": "10.20.1.80",
    "scan1": "10.20.1.81",
    "bastion1": "10.20.1.90",
}
LINUX = ("web1", "app1", "files1", "mail1", "db1", "build1", "git1", "backup1", "monitor1", "bastion1")
PRINTERS = ("10.20.5.11", "10.20.5.12", "10.20.5.13")
_FIRST = "alba bruno chloe dario elif farid greta hugo ines jonas kaya lena milo nadia oscar petra quim rosa sami tove"
_SITE_WORDS = (
    "north river paper cloud lumen quartz maple orbit pixel harbor copper velvet signal garden atlas ember delta frost"
)
_SITE_KINDS = "suite news shop travel mail docs media forum bank tools maps video"
_LAST = "arnal bech costa dorn ekman fabre gallo haas ivers janin kraft lund moret novak ortiz petit rossi sato tran"


@dataclass(frozen=True)
class Sites:
    """What lies outside: one site a row. `addresses` has shape (sites, 4)."""

    name: NDArray[np.str_]
    addresses: NDArray[np.str_]
    secure: NDArray[np.bool_]
    random_names: NDArray[np.bool_]  # a content network that makes a long new sub-domain for each file
    middle_bytes: NDArray[np.float64]  # median answer, bytes
    taste: NDArray[np.float64]  # (departments, sites), how likely each department goes there


@dataclass(frozen=True)
class Organisation:
    """The people, one workstation each, and the sites they use. All arrays have one item a workstation."""

    workstations: NDArray[np.str_]
    department: NDArray[np.int64]  # index into DEPARTMENTS
    users: NDArray[np.str_]
    activity: NDArray[np.float64]  # 1 is average
    shift_hours: NDArray[np.float64]
    sites: Sites
    servers: dict[str, str] = field(default_factory=lambda: dict(SERVERS))

    def of(self, department: str) -> NDArray[np.int64]:
        """Return the positions of a department's workstations; of everyone's, if it has none."""
        mine = np.flatnonzero(self.department == DEPARTMENTS.index(department))
        return mine if mine.size else np.arange(len(self.workstations))


@dataclass(frozen=True)
class World:
    """What an activity or attack needs to know: who there is, when it is, and how much to make."""

    organisation: Organisation
    window: Window
    scale: float

    def server(self, name: str) -> str:
        """Return a server's address."""
        return self.organisation.servers[name]

    def many(self, number: float) -> int:
        """Return a number of things at this world's scale, at least one."""
        return max(1, round(number * self.scale))


def make_organisation(rng: np.random.Generator, hosts: int) -> Organisation:
    """Return an organisation of `hosts` workstations.

    Examples
    --------
    >>> len(make_organisation(np.random.default_rng(0), 12).users)
    12
    """
    department = np.sort(rng.choice(len(DEPARTMENTS), hosts, p=_SHARES))
    addresses = [f"10.20.{10 + d + 8 * (i // 200)}.{20 + i % 200}" for i, d in enumerate(department)]
    first, last = np.array(_FIRST.split()), np.array(_LAST.split())
    pairs = rng.permutation(len(first) * len(last))
    names = [f"{first[p % len(first)]}.{last[p // len(first)]}" for p in pairs]
    users = [names[i % len(names)] + ("" if i < len(names) else str(i // len(names))) for i in range(hosts)]
    return Organisation(
        workstations=np.array(addresses),
        department=department,
        users=np.array(users),
        activity=np.exp(0.45 * rng.standard_normal(hosts)),
        shift_hours=rng.normal(0, 0.6, hosts),
        sites=_make_sites(rng, 260),
    )


def outside_addresses(rng: np.random.Generator, n: int) -> NDArray[np.str_]:
    """Return `n` addresses of strangers: two thirds in 100.64.0.0/10, the others where the sites are too."""
    parts = rng.integers([64, 0, 1], [128, 256, 255], (n, 3))
    first = np.where(rng.random(n) < 1 / 3, 198, 100)
    second = np.where(first == 198, 18 + parts[:, 0] % 2, parts[:, 0])
    return np.array([f"{o}.{a}.{b}.{c}" for o, a, (_, b, c) in zip(first, second, parts.tolist(), strict=True)])


def _make_sites(rng: np.random.Generator, n: int) -> Sites:
    words, kinds = _SITE_WORDS.split(), _SITE_KINDS.split()
    pick = rng.integers(0, [len(words), len(kinds)], (n, 2))
    prefix = np.array(["www", "app", "api", "static", "login"])[rng.integers(0, 5, n)]
    names = [f"{prefix[i]}.{words[a]}{kinds[b]}{i}.example" for i, (a, b) in enumerate(pick.tolist())]
    random_names = rng.random(n) < 0.05
    popularity = 1.0 / np.arange(1, n + 1) ** 0.9
    taste = popularity * np.exp(1.2 * rng.standard_normal((len(DEPARTMENTS), n)))
    blocks = rng.integers([18, 0, 1], [20, 256, 250], (n, 3)).tolist()
    elsewhere = np.flatnonzero(rng.random(n) < 0.3)  # among strangers, so that no range of addresses tells them apart
    network = [
        f"100.{64 + rng.integers(0, 64)}" if i in set(elsewhere) else f"198.{a}" for i, (a, _, _) in enumerate(blocks)
    ]
    return Sites(
        name=np.array(names),
        addresses=np.array(
            [[f"{n}.{b}.{c + k}" for k in range(4)] for n, (_, b, c) in zip(network, blocks, strict=True)]
        ),
        secure=rng.random(n) < 0.88,
        random_names=random_names,
        middle_bytes=np.exp(rng.normal(8.9, 1.1, n)) * np.where(random_names, 12, 1),
        taste=taste / taste.sum(axis=1, keepdims=True),
    )
