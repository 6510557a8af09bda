"""Clients, sites and moments → lookups, flows, TLS handshakes and HTTP requests that belong together.

References
----------
Zeek: https://docs.zeek.org/en/master/logs/dns.html, .../logs/http.html, .../logs/ssl.html
"""

from __future__ import annotations

import hashlib
from typing import Required, TypedDict, Unpack
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socml.simulator.organisation import World
from socml.simulator.shapes import sizes, some
from socml.simulator.traffic import Family, Traffic
from socml.simulator.window import seconds

STATES = {"SF": 0.86, "S1": 0.03, "RSTO": 0.05, "RSTR": 0.03, "S3": 0.01, "S2": 0.01, "OTH": 0.01}
_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64"
AGENTS = np.array(
    [
        f"{_WINDOWS}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
        f"{_WINDOWS}; rv:133.0) Gecko/20100101 Firefox/133.0",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15",
        "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    ]
)
_FILES = (  # path, type of what comes back
    ("/", "text/html"),
    ("/index.html", "text/html"),
    ("/news", "text/html"),
    ("/assets/app.js", "text/plain"),
    ("/assets/site.css", "text/plain"),
    ("/img/logo.png", "image/png"),
    ("/search?q=report", "text/html"),
    ("/api/v1/items", "text/json"),
    ("/feed", "application/xml"),
    ("/download/manual.pdf", "application/pdf"),
    ("/fonts/sans.woff2", "application/font-woff"),
    ("/favicon.ico", "image/x-icon"),
)
_PATHS, _MIMES = np.array(_FILES).T
_CIPHERS = {"TLSv13": "TLS_AES_256_GCM_SHA384", "TLSv12": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}


def look_up(
    world: World,
    traffic: Traffic,
    rng: np.random.Generator,
    time_us: NDArray[np.int64],
    *,
    client: ArrayLike,
    name: ArrayLike,
    kind: ArrayLike = "A",
    answer: ArrayLike = "-",
    rcode: ArrayLike = "NOERROR",
    server: str | None = None,
    answer_bytes: ArrayLike | None = None,
    family: Family | None = None,
) -> None:
    """Ask a name server (by default the organisation's resolver): one flow and one DNS record each."""
    n = len(time_us)
    name, answer, rcode = (np.broadcast_to(np.asarray(given), (n,)) for given in (name, answer, rcode))
    query_bytes = np.char.str_len(name) + 18
    if answer_bytes is None:
        answer_bytes = query_bytes + np.where(answer == "-", 0, rng.integers(16, 120, n))
    rtt = _round_trips(rng, n)
    lost = rng.random(n) < 0.012
    flow = traffic.flows(
        rng,
        time_us,
        source=client,
        destination=server or world.server("ns1"),
        port=53,
        transport="udp",
        service="dns",
        duration_s=rtt,
        source_bytes=query_bytes,
        destination_bytes=np.where(lost, 0, answer_bytes),
        state=np.where(lost, "S0", "SF"),
        family=family,
    )
    traffic.hang_on(
        "dns",
        flow,
        time_us,
        trans_id=rng.integers(1, 65536, n),
        rtt_us=np.where(lost, -1, seconds(rtt)),
        query=name,
        kind=kind,
        rcode=np.where(lost, "-", rcode),
        answers=np.where(lost, "-", answer),
        ttl=rng.choice(np.array([60, 300, 600, 3600]), n),
    )


def _round_trips(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Return seconds: most answers come from the resolver's cache, the others from far away."""
    return np.where(rng.random(n) < 0.6, rng.uniform(0.0003, 0.002, n), rng.lognormal(-3.6, 0.6, n))


def visit(
    world: World,
    traffic: Traffic,
    rng: np.random.Generator,
    time_us: NDArray[np.int64],
    *,
    client: NDArray[np.str_],
    site: NDArray[np.int64],
) -> None:
    """Load something from a site, with a name lookup before it in some 45 % of the cases."""
    sites, n = world.organisation.sites, len(time_us)
    name = names_of(world, rng, site)
    address = sites.addresses[site, rng.integers(0, 4, n)]
    asks = np.flatnonzero(rng.random(n) < 0.45)
    before = time_us[asks] - seconds(rng.uniform(0.004, 0.08, asks.size))
    look_up(world, traffic, rng, before, client=client[asks], name=name[asks], answer=address[asks])
    both = asks[rng.random(asks.size) < 0.3]
    look_up(world, traffic, rng, time_us[both] - seconds(0.003), client=client[both], name=name[both], kind="AAAA")
    received = sizes(rng, n, sites.middle_bytes[site], 1.5)
    sent = sizes(rng, n, 900, 0.8) + received // 90
    duration = np.exp(rng.normal(-0.4, 1.7, n)) + received / rng.uniform(3e5, 8e6, n)
    secure = sites.secure[site]
    for mine, fetch in ((np.flatnonzero(secure), fetch_secure), (np.flatnonzero(~secure), fetch_plain)):
        fetch(
            traffic,
            rng,
            time_us[mine],
            client=client[mine],
            address=address[mine],
            name=name[mine],
            sent=sent[mine],
            received=received[mine],
            duration_s=duration[mine],
        )


class Exchange(TypedDict, total=False):
    """What a client and a server send each other: payload bytes both ways, and how the connection ends."""

    client: Required[ArrayLike]
    address: Required[ArrayLike]
    name: Required[ArrayLike]
    sent: Required[ArrayLike]
    received: Required[ArrayLike]
    duration_s: Required[ArrayLike]
    port: int
    states: dict[str, float]
    family: Family | None


def _flows(
    traffic: Traffic, rng: np.random.Generator, time_us: NDArray[np.int64], service: str, port: int, exchange: Exchange
) -> NDArray[np.int64]:
    return traffic.flows(
        rng,
        time_us,
        source=exchange["client"],
        destination=exchange["address"],
        port=exchange.get("port", port),
        service=service,
        duration_s=exchange["duration_s"],
        source_bytes=exchange["sent"],
        destination_bytes=exchange["received"],
        state=some(rng, len(time_us), exchange.get("states", STATES)),
        family=exchange.get("family"),
    )


def names_of(world: World, rng: np.random.Generator, site: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return the name asked for: the site's own, or a long random one below it for content networks."""
    sites = world.organisation.sites
    name = sites.name[site].astype("U90")
    made = np.flatnonzero(sites.random_names[site])
    name[made] = [f"{rng.bytes(12).hex()}.edge{int(s) % 9}.{n}" for s, n in zip(site[made], name[made], strict=True)]
    return name


def fetch_secure(
    traffic: Traffic,
    rng: np.random.Generator,
    time_us: NDArray[np.int64],
    *,
    program: ArrayLike | None = None,
    **exchange: Unpack[Exchange],
) -> NDArray[np.int64]:
    """Add TLS flows with their handshakes, and return the flows' numbers.

    `program` names what speaks: each has a fingerprint of its own; one of the client's two browsers if not given.
    """
    n, client = len(time_us), exchange["client"]
    flow = _flows(traffic, rng, time_us, "ssl", 443, exchange)
    version = some(rng, n, {"TLSv13": 0.7, "TLSv12": 0.3})
    traffic.hang_on(
        "ssl",
        flow,
        time_us + seconds(rng.uniform(0.01, 0.09, n)),
        version=version,
        cipher=np.array([_CIPHERS[v] for v in version.tolist()], dtype="U40"),
        server_name=exchange["name"],
        ja3=fingerprints(_browser(rng, client, n) if program is None else np.broadcast_to(np.asarray(program), (n,))),
        resumed=rng.random(n) < 0.35,
        established=rng.random(n) < 0.97,
    )
    return flow


def fingerprints(programs: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return the JA3 of each program: the same program, the same 32 hexadecimal digits.

    Examples
    --------
    >>> len(fingerprints(np.array(["curl"]))[0])
    32
    """
    names, which = np.unique(programs, return_inverse=True)
    made = [hashlib.blake2b(str(name).encode(), digest_size=16).hexdigest() for name in names.tolist()]
    return np.array(made, dtype="U32")[which]


def _browser(rng: np.random.Generator, client: ArrayLike, n: int) -> NDArray[np.str_]:
    """Return the browser behind each row: a client has two of a dozen, and mostly uses the first."""
    clients, which = np.unique(np.broadcast_to(np.asarray(client), (n,)), return_inverse=True)
    own = np.array([crc32(str(c).encode()) for c in clients.tolist()], dtype=np.int64)
    number = np.where(rng.random(n) < 0.8, own[which] % 12, own[which] // 12 % 12)
    return np.char.add("browser ", number.astype(str))


def fetch_plain(
    traffic: Traffic,
    rng: np.random.Generator,
    time_us: NDArray[np.int64],
    *,
    path: ArrayLike | None = None,
    method: ArrayLike = "GET",
    agent: ArrayLike | None = None,
    status: ArrayLike | None = None,
    **exchange: Unpack[Exchange],
) -> NDArray[np.int64]:
    """Add HTTP flows with one request each, and return the flows' numbers."""
    n = len(time_us)
    flow = _flows(traffic, rng, time_us, "http", 80, exchange)
    pick = rng.integers(0, len(_PATHS), n)
    traffic.hang_on(
        "http",
        flow,
        time_us + seconds(rng.uniform(0.005, 0.05, n)),
        method=method,
        host=exchange["name"],
        uri=_PATHS[pick] if path is None else path,
        agent=AGENTS[rng.integers(0, len(AGENTS), n)] if agent is None else agent,
        request_bytes=np.where(np.broadcast_to(np.asarray(method), (n,)) == "POST", exchange["sent"], 0),
        response_bytes=np.maximum(np.asarray(exchange["received"]) - 300, 0),
        status=rng.choice(np.array([200, 304, 302, 404]), n, p=[0.88, 0.06, 0.04, 0.02]) if status is None else status,
        mime=_MIMES[pick] if path is None else "text/html",
    )
    return flow
