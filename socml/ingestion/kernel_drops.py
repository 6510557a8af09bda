"""A socket of datagrams → how many the kernel has dropped because its buffer was full. Linux tells; others do not."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

__all__ = ["drops_in_ancillary", "drops_so_far", "tell_drops"]

_SO_RXQ_OVFL = 40  # asm-generic/socket.h; Python's socket module does not name it
_TABLES = (Path("/proc/net/udp"), Path("/proc/net/udp6"))


def tell_drops(server: socket.socket) -> int:
    """Have the count come with each datagram; return the room that `recvmsg` needs for it, 0 where there is none."""
    try:
        server.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
    except OSError:
        return 0
    return socket.CMSG_SPACE(4)


def drops_in_ancillary(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Return the count that came with a datagram, 0 if none did."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_RXQ_OVFL and len(data) >= 4:
            return int.from_bytes(data[:4], sys.byteorder)
    return 0


def drops_so_far(server: socket.socket) -> int | None:
    """Return the count now, those after the last datagram too; None where the kernel does not tell."""
    inode = str(os.fstat(server.fileno()).st_ino)
    for table in _TABLES:
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            cells = line.split()
            if len(cells) >= 13 and cells[9] == inode:
                return int(cells[12])
    return None
