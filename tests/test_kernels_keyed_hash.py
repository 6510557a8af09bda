"""Hash tables over input: no input can be made whose keys all want the same place, and the secret never shows."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from socml.detectors.online._entities import EntitySlots
from socml.formats.network import _flows as flows
from socml.formats.network._flows import FlowTable
from socml.formats.network._packets import FIELDS

PACKETS = 60_000
GOLDEN = 0x9E3779B97F4A7C15
WORD = 2**64

PROBE = """
import numpy as np
from numba import njit
from socml.project.keyed_hash import sip_end, sip_start, sip_word

@njit
def hashed(secret, words):
    state = sip_start(secret)
    for word in words:
        state = sip_word(state, word)
    return sip_end(state, len(words))

for count in range(1, 7):
    text = bytes(range(1, 8 * count + 1))
    assert hash(text) % 2**64 == int(hashed(np.zeros(2, np.uint64), np.frombuffer(text, np.uint64))), count
"""


@pytest.mark.skipif(sys.hash_info.algorithm != "siphash13", reason="this Python hashes text with another function")
def test_the_hash_is_the_one_that_python_hashes_bytes_with():
    environment = {**os.environ, "PYTHONHASHSEED": "0"}  # Python's key is then 0
    done = subprocess.run([sys.executable, "-c", PROBE], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def crafted() -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Return headers and addresses of IPv6 packets whose flows had one hash when it was multiplications without a key."""
    packets = np.zeros((PACKETS, len(FIELDS)), np.int64)
    packets[:, FIELDS.index("version")], packets[:, FIELDS.index("protocol")] = 6, 17
    packets[:, FIELDS.index("source_port")] = packets[:, FIELDS.index("destination_port")] = 53
    ends = np.zeros((PACKETS, 4), np.uint64)
    highs = [0x20010DB8 << 32 | i for i in range(PACKETS)]
    ends[:, 0] = highs
    ends[:, 1] = [((12345 ^ high * 3 % WORD) - 54 * GOLDEN) % WORD for high in highs]
    return packets, ends


def flows_of(packets: NDArray[np.int64], ends: NDArray[np.uint64]) -> tuple[FlowTable, list[NDArray]]:
    """Return the table after all packets, and all its flows."""
    table = FlowTable(idle=10**9, active=10**9)
    times = np.arange(len(packets))
    for at in range(0, len(packets), 20_000):
        part = slice(at, at + 20_000)
        table.add(packets[part], ends[part], times[part], np.zeros_like(times[part]), at + 1)
    return table, list(table.take(everything=True))


def test_crafted_packets_had_one_hash_before_it_was_keyed():
    ends = crafted()[1]
    one = {(int(a) * 3 % WORD) ^ ((int(b) + 54 * GOLDEN) % WORD) for a, b in ends[:1000, :2]}
    assert len(one) == 1


def test_crafted_packets_are_found_in_a_few_probes_each():
    table, (found, _, _) = flows_of(*crafted())
    assert len(found) == PACKETS
    assert table.probes < 10 * PACKETS  # 1,800,000,000 when they all had one hash


def test_flows_do_not_depend_on_the_secret(monkeypatch: pytest.MonkeyPatch):
    packets, ends = crafted()
    ends[::2, 1] += np.arange(PACKETS // 2, dtype=np.uint64) % np.uint64(7)
    results = []
    for secret in ((0, 0), (1, 2), (WORD - 1, 5)):
        monkeypatch.setattr(flows, "new_secret", lambda secret=secret: np.array(secret, np.uint64))
        results.append(flows_of(packets, ends)[1])
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_more_open_flows_than_are_kept_end_with_those_silent_longest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(flows, "MOST_OPEN", 1000)
    packets, ends = crafted()
    table = FlowTable(idle=10**9, active=10**9)
    table.add(packets[:1000], ends[:1000], np.arange(1000), np.zeros(1000, np.int64), 1)
    assert len(table.take(everything=False)[0]) == 0
    table.add(packets[1000:1001], ends[1000:1001], np.array([1000]), np.zeros(1, np.int64), 1001)
    early = table.take(everything=False)[0]
    assert early[:, flows.COLUMNS.index("number")].tolist() == list(range(1, 501))
    assert len(table.take(everything=True)[0]) == 501


def test_entities_that_multiply_to_one_bucket_have_short_chains():
    inverse = pow(GOLDEN, -1, WORD)
    keys = np.array([i * inverse % WORD for i in range(20_000)], np.uint64)
    slots = EntitySlots(len(keys))
    assert slots.assign(keys)[1].all()
    assert slots.find(keys).tolist() == list(range(len(keys)))
    again = EntitySlots(len(keys))
    again.restore(slots.state())
    assert again.find(keys).tolist() == list(range(len(keys)))
    held = np.bincount([_chain_length(slots, at) for at in slots._buckets])
    assert len(held) < 20  # 20,001 when the hash was one multiplication


def _chain_length(slots: EntitySlots, at: int) -> int:
    length = 0
    while at >= 0:
        at, length = slots._chain[at], length + 1
    return length
