"""The ends of flows → their Community IDs, version 1, seed 0: the same for both directions and in every tool."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["community_ids"]

# ICMP and ICMPv6 types that ask, and those that answer
_ICMP = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 10: 9, 9: 10}
_ICMP6 = {128: 129, 129: 128, 133: 134, 134: 133, 135: 136, 136: 135, 130: 131, 131: 130, 139: 140, 140: 139, 144: 145,
          145: 144}  # fmt: skip
_WITH_PORTS = (1, 6, 17, 58, 132)
_LENGTH = 30  # of an ID: '1:', and 20 bytes in base 64


def community_ids(
    ends: NDArray[np.uint64], is_v4: NDArray[np.bool_], protocol: NDArray[np.int64], ports: NDArray[np.int64]
) -> pa.Array:
    """Return the Community ID of each flow.

    Parameters
    ----------
    ends : shape (n, 4); source and destination, the high and the low half of each
    ports : shape (n, 2); of ICMP the type and the code

    References
    ----------
    https://github.com/corelight/community-id-spec

    Examples
    --------
    >>> ends = np.array([[0, 0x80E86E78, 0, 0x4223FACC], [0, 0x4223FACC, 0, 0x80E86E78]], np.uint64)
    >>> community_ids(ends, np.array([True, True]), np.array([6, 6]), np.array([[34855, 80], [80, 34855]])).to_pylist()
    ['1:LQU9qZlK+B5F3KDmev6m5PMibrg=', '1:LQU9qZlK+B5F3KDmev6m5PMibrg=']
    """
    ports, fixed = ports.copy(), np.zeros(len(ends), bool)
    for number, table in ((1, _ICMP), (58, _ICMP6)):
        for row in np.flatnonzero(protocol == number).tolist():
            answer = table.get(int(ports[row, 0]))
            fixed[row] = answer is None  # one way: the ends are not put in order
            if answer is not None:
                ports[row, 1] = answer
    swap = ~fixed & _is_after(ends, ports)
    ends = np.where(swap[:, None], ends[:, [2, 3, 0, 1]], ends)
    ports = np.where(swap[:, None], ports[:, ::-1], ports)
    has_ports = np.isin(protocol, _WITH_PORTS)
    digests = np.zeros((len(ends), 21), np.uint8)  # of 20 bytes, and one more: base 64 takes three at a time
    for rows, width in ((is_v4, 4), (~is_v4, 16)):
        for some, size in ((rows & has_ports, 2 * width + 8), (rows & ~has_ports, 2 * width + 4)):
            which = np.flatnonzero(some)
            messages = _messages(ends[which], protocol[which], ports[which], width)[:, :size].tobytes()
            hashes = [
                sha1(messages[at : at + size], usedforsecurity=False).digest() for at in range(0, len(messages), size)
            ]
            digests[which, :20] = np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 20)
    texts = np.empty((len(ends), _LENGTH), np.uint8)
    texts[:, :2] = np.frombuffer(b"1:", np.uint8)
    texts[:, 2:] = np.frombuffer(b64encode(digests.tobytes()), np.uint8).reshape(-1, 28)
    texts[:, -1] = ord("=")
    offsets = np.arange(len(texts) + 1, dtype=np.int32) * _LENGTH
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(texts))


def _messages(
    ends: NDArray[np.uint64], protocol: NDArray[np.int64], ports: NDArray[np.int64], width: int
) -> NDArray[np.uint8]:
    """Return what is hashed, one row a flow: the seed, both addresses of `width` bytes, the protocol, 0, both ports."""
    rows = len(ends)
    whole = ends.astype(">u8").view(np.uint8).reshape(rows, 2, 16)
    addresses = whole[:, :, 16 - width :].reshape(rows, 2 * width)
    seed, last = np.zeros((rows, 2), np.uint8), np.zeros((rows, 2), np.uint8)
    last[:, 0] = protocol
    return np.concatenate([seed, addresses, last, ports.astype(">u2").view(np.uint8).reshape(rows, 4)], axis=1)


def _is_after(ends: NDArray[np.uint64], ports: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return where the source, with its port, is greater than the destination."""
    after = ports[:, 0] > ports[:, 1]
    for half in (1, 0):
        one, two = ends[:, half], ends[:, 2 + half]
        after = np.where(one == two, after, one > two)
    return after
